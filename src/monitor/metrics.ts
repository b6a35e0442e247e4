// The numbers for Prometheus, in its text format:
// https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
import type { DoorRow, RelayRow, Source } from "./snapshot.ts";

export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

const RELAY_STATES: readonly RelayRow["state"][] = ["idle", "connecting", "running", "waiting"];

/** What a scrape gets: every number as it is now. */
export function metricsOf(source: Source): string {
  let text = "";
  const metric = (
    type: "gauge" | "counter",
    name: string,
    help: string,
    samples: Iterable<readonly [labels: Readonly<Record<string, string>>, value: number]>,
  ): void => {
    text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
    for (const [labels, value] of samples) text += `${name}${braces(labels)} ${value}\n`;
  };
  const gauge = (name: string, help: string, value: number): void =>
    metric("gauge", name, help, [[{}, value]]);
  /** Counts with one label. */
  const counter = (
    name: string,
    help: string,
    label: string,
    values: Readonly<Record<string, number>>,
  ): void =>
    metric("counter", name, help, Object.entries(values).map(([key, n]) => [{ [label]: key }, n]));

  const total = (name: string, help: string, value: number): void =>
    metric("counter", name, help, [[{}, value]]);

  /** A number with the most that the configuration or the system allows; no line where there is no limit. */
  const bounded = (name: string, help: string, value: number, limit: number): void => {
    gauge(name, help, value);
    if (limit > 0) gauge(`${name}_limit`, `Limit of ${name}.`, limit);
  };

  const status = source.status();
  const { version, backends, sessions, traffic, doors, bus, memory, limits } = status;
  const totals = source.totals();
  const build = { version, deno: Deno.version.deno, os: Deno.build.os, arch: Deno.build.arch };
  metric("gauge", "cumulus_build_info", "Always 1; the labels say which build runs, and on what.", [
    [build, 1],
  ]);
  metric("gauge", "cumulus_info", "Always 1; the labels say how it encrypts and sends datagrams.", [
    [{ version, ...backends }, 1],
  ]);
  processMetrics();
  gauge("cumulus_uptime_seconds", "Seconds since the server started.", status.uptime);
  gauge(
    "cumulus_clients",
    "Clients that an application has accepted, by all doors.",
    sessions.clients,
  );
  bounded("cumulus_sessions", "Open RTMFP sessions.", sessions.open, limits.sessions);
  gauge(
    "cumulus_sessions_opening",
    "RTMFP sessions that have not connected yet.",
    sessions.opening,
  );
  gauge("cumulus_publications", "Streams that somebody publishes.", totals.publications);
  gauge(
    "cumulus_listeners",
    "Plays of live streams: one client may have several.",
    totals.listeners,
  );
  gauge("cumulus_groups", "NetGroups that have members.", totals.groups);
  const servers = source.servers();
  const failing = servers.filter(({ failure }) => failure !== "").length;
  gauge(
    "cumulus_servers",
    "Other servers that are linked or on the bus.",
    servers.length - failing,
  );
  gauge("cumulus_servers_failing", "Servers of [servers] targets without a link.", failing);
  busMetrics();
  relayMetrics();
  counter("cumulus_datagrams_total", "UDP datagrams of RTMFP.", "direction", {
    in: traffic.datagramsIn,
    out: traffic.datagramsOut,
  });
  counter("cumulus_bytes_total", "Bytes of those datagrams.", "direction", {
    in: traffic.bytesIn,
    out: traffic.bytesOut,
  });
  counter("cumulus_drops_total", "Datagrams that were dropped, by reason.", "reason", status.drops);
  counter("cumulus_handshakes_total", "Connections that were accepted, by protocol.", "protocol", {
    rtmfp: status.handshakes,
    ...Object.fromEntries(doors.map(({ name, accepted }) => [name, accepted])),
  });
  doorMetrics();
  counter(
    "cumulus_sandbox_refusals_total",
    "What the sandbox refused to scripts, by rule.",
    "rule",
    status.refusals,
  );
  const applications = source.applications();
  metric(
    "gauge",
    "cumulus_application_running",
    "1 if the application runs, 0 if its main.lua failed or it has stopped.",
    applications.map(({ path, running }) => [{ application: path || "/" }, Number(running)]),
  );
  metric(
    "gauge",
    "cumulus_application_clients",
    "Clients of an application.",
    applications.map(({ path, clients }) => [{ application: path || "/" }, clients]),
  );
  counter(
    "cumulus_script_errors_total",
    "Errors in the script of an application.",
    "application",
    Object.fromEntries(applications.map(({ path, errors }) => [path || "/", errors])),
  );
  metric(
    "counter",
    "cumulus_refusals_total",
    "Requests of clients that the script of an application refused, by kind.",
    applications.flatMap(({ path, refusals }) =>
      Object.entries(refusals).map(([step, n]) => [{ application: path || "/", step }, n] as const)
    ),
  );
  counter(
    "cumulus_dropped_frames_total",
    "Frames that were not sent because a viewer was too slow.",
    "kind",
    { audio: totals.droppedAudio, video: totals.droppedVideo },
  );
  counter(
    "cumulus_skipped_frames_total",
    "Frames that were not sent because a viewer waited for its first key frame.",
    "kind",
    { video: totals.skippedVideo },
  );
  bounded(
    "cumulus_kept_bytes",
    "Bytes of audio and video kept since the last key frames, for viewers to come.",
    totals.keptBytes,
    limits.keptBytes,
  );
  const { sharedObjects, recordings } = totals;
  bounded(
    "cumulus_shared_objects",
    "Remote SharedObjects in use.",
    sharedObjects.objects,
    limits.sharedObjects,
  );
  gauge("cumulus_shared_object_uses", "Uses of SharedObjects by clients.", sharedObjects.uses);
  gauge("cumulus_shared_object_bytes", "Bytes of all slots of SharedObjects.", sharedObjects.bytes);
  counter(
    "cumulus_shared_object_requests_total",
    "Requests of clients to SharedObjects: changed slots, calls, and what was refused.",
    "what",
    {
      change: sharedObjects.changes,
      send: sharedObjects.sends,
      refused: sharedObjects.refused,
    },
  );
  counter(
    "cumulus_shared_object_writes_total",
    "Writes of files of persistent SharedObjects.",
    "result",
    { written: sharedObjects.written, failed: sharedObjects.failed },
  );
  gauge("cumulus_recordings", "Streams that are being recorded.", recordings.open);
  bounded(
    "cumulus_file_players",
    "Plays of recorded files.",
    recordings.players,
    limits.filePlayers,
  );
  gauge("cumulus_file_reads", "Blocks of recorded files that are being read.", recordings.reads);
  total("cumulus_recorded_bytes_total", "Bytes written to recordings.", recordings.writtenBytes);
  total(
    "cumulus_recording_overflows_total",
    "Times that a recording lost frames because the disk was too slow.",
    recordings.overflows,
  );
  gauge(
    "cumulus_loop_lag_worst_seconds",
    "Worst delay of the event loop over the last ten seconds; scripts and clients wait as long.",
    status.loop.lagWorst / 1000,
  );
  gauge("cumulus_heap_bytes", "Bytes of the JavaScript heap in use.", memory.heap);
  gauge(
    "cumulus_external_bytes",
    "Bytes that JavaScript holds outside of its heap, such as buffers.",
    memory.external,
  );
  bounded("cumulus_lua_bytes", "Bytes of memory of all scripts.", memory.lua, limits.luaBytes);
  return text;

  /** Names and meanings of Prometheus's own client libraries. */
  function processMetrics(): void {
    const { cpuSeconds, startedAt, openFiles, maxFiles } = status.process;
    total("process_cpu_seconds_total", "Seconds of CPU time, user and system.", cpuSeconds);
    gauge("process_resident_memory_bytes", "Bytes of resident memory.", memory.resident);
    gauge(
      "process_start_time_seconds",
      "When the process started, in seconds since 1970.",
      startedAt / 1000,
    );
    if (openFiles !== null) gauge("process_open_fds", "Open files and sockets.", openFiles);
    if (maxFiles !== null) gauge("process_max_fds", "Limit of open files and sockets.", maxFiles);
  }

  function busMetrics(): void {
    gauge(
      "cumulus_bus_connected",
      "1 if the server is connected to NATS ([bus]), else 0.",
      Number(bus?.connected ?? false),
    );
    if (!bus) return;
    const { messagesIn, messagesOut, bytesIn, bytesOut, dropped, lookups, relays } = bus;
    counter("cumulus_bus_messages_total", "Messages over NATS.", "direction", {
      in: messagesIn,
      out: messagesOut,
    });
    counter("cumulus_bus_bytes_total", "Bytes of those messages.", "direction", {
      in: bytesIn,
      out: bytesOut,
    });
    counter(
      "cumulus_bus_dropped_total",
      "Messages over NATS that were not sent (media, control) or could not be read.",
      "kind",
      dropped,
    );
    counter(
      "cumulus_bus_lookups_total",
      "Searches for peers at other servers, by result.",
      "result",
      lookups,
    );
    const byDirection = Object.entries(relays).map(([direction, n]) => [{ direction }, n] as const);
    metric("gauge", "cumulus_bus_relays", "Streams that cross NATS.", byDirection);
    total(
      "cumulus_bus_claims_lost_total",
      "Streams that were ended because another server had published the name before.",
      bus.claimsLost,
    );
  }

  /** One server may have several relays of a stream, under keys that are not told: their sum is. */
  function relayMetrics(): void {
    const states = new Map<string, number>();
    for (const direction of ["push", "pull"]) {
      for (const state of RELAY_STATES) states.set(`${direction} ${state}`, 0);
    }
    const sums = new Map<
      string,
      { row: RelayRow; running: number; bytes: number; again: number }
    >();
    for (const row of source.relays(0, Infinity).rows) {
      const { direction, name, target, state } = row;
      const key = `${direction} ${state}`;
      states.set(key, states.get(key)! + 1);
      const place = JSON.stringify([direction, name, target]);
      const sum = sums.get(place) ?? { row, running: 0, bytes: 0, again: 0 };
      sums.set(place, sum);
      if (state === "running") sum.running++;
      sum.bytes += direction === "push" ? row.bytesOut : row.bytesIn;
      sum.again += row.reconnects;
    }
    const each = (value: (sum: { running: number; bytes: number; again: number }) => number) =>
      [...sums.values()].map((sum) => {
        const { direction, name, target } = sum.row;
        return [{ direction, name, target }, value(sum)] as const;
      });
    metric(
      "gauge",
      "cumulus_relays",
      "Relays to and from other RTMP servers, by state.",
      [...states].map(([key, n]) => {
        const [direction, state] = key.split(" ");
        return [{ direction, state }, n] as const;
      }),
    );
    metric(
      "gauge",
      "cumulus_relay_running",
      "1 if the relay runs, else 0.",
      each(({ running }) => running),
    );
    metric(
      "counter",
      "cumulus_relay_bytes_total",
      "Bytes that a relay has sent (push) or received (pull).",
      each(({ bytes }) => bytes),
    );
    metric(
      "counter",
      "cumulus_relay_reconnects_total",
      "How often a relay connected again after an end.",
      each(({ again }) => again),
    );
  }

  function doorMetrics(): void {
    const ofDoors = (value: (door: DoorRow) => number) =>
      doors.map((door) => [{ door: door.name }, value(door)] as const);
    metric(
      "gauge",
      "cumulus_door_sessions",
      "Open TCP connections, by door.",
      ofDoors(({ sessions }) => sessions),
    );
    metric(
      "gauge",
      "cumulus_door_sessions_limit",
      "Limit of cumulus_door_sessions.",
      doors.filter(({ limit }) => limit > 0).map(({ name, limit }) => [{ door: name }, limit]),
    );
    metric(
      "gauge",
      "cumulus_door_unconnected",
      "Those of cumulus_door_sessions that have not connected or view nothing yet.",
      ofDoors(({ unconnected }) => unconnected),
    );
    metric(
      "counter",
      "cumulus_door_bytes_total",
      "Bytes on TCP connections, by door.",
      doors.flatMap(({ name: door, bytesIn, bytesOut }) => [
        [{ door, direction: "in" }, bytesIn] as const,
        [{ door, direction: "out" }, bytesOut] as const,
      ]),
    );
    metric(
      "counter",
      "cumulus_door_closed_total",
      "Connections that the server closed or did not accept, by reason.",
      doors.flatMap(({ name: door, closed }) =>
        Object.entries(closed).map(([reason, count]) => [{ door, reason }, count] as const)
      ),
    );
  }
}

function braces(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escape(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

/** The value of a label: an application's path may hold anything. */
function escape(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
