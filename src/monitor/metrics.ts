// The numbers for Prometheus, in its text format:
// https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
import type { DoorRow, Source } from "./snapshot.ts";

export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

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

  const {
    version,
    backends,
    uptime,
    sessions,
    traffic,
    drops,
    refusals,
    handshakes,
    doors,
    loop,
    bus,
    memory,
  } = source.status();
  const totals = source.totals();
  metric("gauge", "cumulus_info", "Always 1; the labels tell what runs.", [
    [{ version, ...backends }, 1],
  ]);
  gauge("cumulus_uptime_seconds", "Since the start.", uptime);
  gauge("cumulus_sessions", "RTMFP sessions that are open.", sessions.open);
  gauge("cumulus_sessions_opening", "RTMFP sessions in their handshake.", sessions.opening);
  gauge("cumulus_clients", "Accepted clients.", sessions.clients);
  gauge("cumulus_publications", "Names being published.", totals.publications);
  gauge("cumulus_listeners", "Streams being played.", totals.listeners);
  gauge("cumulus_groups", "NetGroups.", totals.groups);
  const servers = source.servers();
  const failing = servers.filter(({ failure }) => failure !== "").length;
  gauge("cumulus_servers", "Servers that are linked or on the bus.", servers.length - failing);
  gauge("cumulus_servers_failing", "Targets that are not linked.", failing);
  gauge("cumulus_bus_connected", "1 while the bus is connected.", Number(bus?.connected ?? false));
  if (bus) {
    const { messagesIn, messagesOut, bytesIn, bytesOut, dropped, lookups, relays, claimsLost } =
      bus;
    counter("cumulus_bus_messages_total", "Messages of the bus.", "direction", {
      in: messagesIn,
      out: messagesOut,
    });
    counter("cumulus_bus_bytes_total", "Bytes of those.", "direction", {
      in: bytesIn,
      out: bytesOut,
    });
    counter("cumulus_bus_dropped_total", "Messages not sent, or not readable.", "kind", dropped);
    counter("cumulus_bus_lookups_total", "Peers looked for at other servers.", "result", lookups);
    const byDirection = Object.entries(relays).map(([direction, n]) => [{ direction }, n] as const);
    metric("gauge", "cumulus_bus_relays", "Publications that cross the bus.", byDirection);
    metric("counter", "cumulus_bus_claims_lost_total", "Publications ended for older ones.", [
      [{}, claimsLost],
    ]);
  }
  counter("cumulus_datagrams_total", "Datagrams.", "direction", {
    in: traffic.datagramsIn,
    out: traffic.datagramsOut,
  });
  counter("cumulus_bytes_total", "Bytes of datagrams.", "direction", {
    in: traffic.bytesIn,
    out: traffic.bytesOut,
  });
  const ofDoors = (value: (door: DoorRow) => number) =>
    doors.map((door) => [{ door: door.name }, value(door)] as const);
  metric(
    "gauge",
    "cumulus_door_sessions",
    "Connections of other doors.",
    ofDoors(({ sessions }) => sessions),
  );
  metric(
    "gauge",
    "cumulus_door_unconnected",
    "Of those, the ones that have not connected yet.",
    ofDoors(({ unconnected }) => unconnected),
  );
  metric(
    "counter",
    "cumulus_door_bytes_total",
    "Bytes of other doors.",
    doors.flatMap(({ name: door, bytesIn, bytesOut }) => [
      [{ door, direction: "in" }, bytesIn] as const,
      [{ door, direction: "out" }, bytesOut] as const,
    ]),
  );
  metric(
    "counter",
    "cumulus_door_closed_total",
    "Connections that the server ended or did not accept.",
    doors.flatMap(({ name: door, closed }) =>
      Object.entries(closed).map(([reason, count]) => [{ door, reason }, count] as const)
    ),
  );
  counter("cumulus_drops_total", "Datagrams dropped.", "reason", drops);
  counter(
    "cumulus_sandbox_refusals_total",
    "Steps of scripts that the sandbox refused.",
    "rule",
    refusals,
  );
  counter(
    "cumulus_script_errors_total",
    "Errors of scripts.",
    "application",
    Object.fromEntries(source.applications().map(({ path, errors }) => [path || "/", errors])),
  );
  metric(
    "counter",
    "cumulus_refusals_total",
    "What scripts refused to clients.",
    source.applications().flatMap(({ path, refusals }) =>
      Object.entries(refusals).map(([step, n]) => [{ application: path || "/", step }, n] as const)
    ),
  );
  counter("cumulus_handshakes_total", "Handshakes that opened a session.", "protocol", {
    rtmfp: handshakes,
    ...Object.fromEntries(doors.map(({ name, accepted }) => [name, accepted])),
  });
  counter(
    "cumulus_dropped_frames_total",
    "Frames not sent to listeners that were too slow.",
    "kind",
    { audio: totals.droppedAudio, video: totals.droppedVideo },
  );
  counter(
    "cumulus_skipped_frames_total",
    "Frames not sent to listeners that waited for their first key frame.",
    "kind",
    { video: totals.skippedVideo },
  );
  gauge(
    "cumulus_kept_bytes",
    "Audio and video kept since the last key frames, for listeners to come.",
    totals.keptBytes,
  );
  const { sharedObjects } = totals;
  gauge("cumulus_shared_objects", "Remote shared objects in use.", sharedObjects.objects);
  gauge("cumulus_shared_object_uses", "Shared objects that clients use.", sharedObjects.uses);
  gauge("cumulus_shared_object_bytes", "Slots of all shared objects.", sharedObjects.bytes);
  counter("cumulus_shared_object_requests_total", "Changes and calls of shared objects.", "what", {
    change: sharedObjects.changes,
    send: sharedObjects.sends,
    refused: sharedObjects.refused,
  });
  counter("cumulus_shared_object_writes_total", "Files of persistent shared objects.", "result", {
    written: sharedObjects.written,
    failed: sharedObjects.failed,
  });
  const { recordings } = totals;
  gauge("cumulus_recordings", "Recordings that are being written.", recordings.open);
  gauge("cumulus_file_players", "Clients that play recordings.", recordings.players);
  gauge("cumulus_file_reads", "Blocks of recordings that are being read.", recordings.reads);
  total("cumulus_recorded_bytes_total", "Bytes written to recordings.", recordings.writtenBytes);
  total(
    "cumulus_recording_overflows_total",
    "Times that a recording lost frames to a disk that was too slow.",
    recordings.overflows,
  );
  gauge(
    "cumulus_loop_lag_worst_seconds",
    "Worst lateness of the loop over the last ten seconds.",
    loop.lagWorst / 1000,
  );
  gauge("process_resident_memory_bytes", "Resident memory.", memory.resident);
  gauge("cumulus_heap_bytes", "JavaScript heap in use.", memory.heap);
  gauge("cumulus_lua_bytes", "Memory of the Lua machine.", memory.lua);
  return text;
}

function braces(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escape(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

/** The value of a label: an application's path may hold anything. */
function escape(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
