// Every metric, in the order of a scrape, in one table per subject.
import {
  bounded,
  counter,
  counters,
  gauge,
  gauges,
  type MetricFamily,
  type Numbers,
  type Sample,
  total,
} from "./metric_family.ts";
import { RELAYS } from "./relay_metrics.ts";
import type { ApplicationRow, DoorRow } from "./snapshot.ts";

const BUILD: readonly MetricFamily[] = [
  gauges(
    "cumulus_build_info",
    "Always 1; the labels say which build runs, and on what.",
    ({ status: { version } }) => [
      [{ version, deno: Deno.version.deno, os: Deno.build.os, arch: Deno.build.arch }, 1],
    ],
  ),
  gauges(
    "cumulus_info",
    "Always 1; the labels say how it encrypts and sends datagrams.",
    ({ status: { version, backends } }) => [[{ version, ...backends }, 1]],
  ),
];

/** Metrics with the names and meanings of Prometheus's own client libraries. */
const PROCESS: readonly MetricFamily[] = [
  total(
    "process_cpu_seconds_total",
    "Seconds of CPU time, user and system.",
    ({ status }) => status.process.cpuSeconds,
  ),
  gauge(
    "process_resident_memory_bytes",
    "Bytes of resident memory.",
    ({ status }) => status.memory.resident,
  ),
  gauge(
    "process_start_time_seconds",
    "When the process started, in seconds since 1970.",
    ({ status }) => status.process.startedAt / 1000,
  ),
  gauge(
    "process_open_fds",
    "Open files and sockets.",
    ({ status }) => status.process.openFiles,
  ),
  gauge(
    "process_max_fds",
    "Limit of open files and sockets.",
    ({ status }) => status.process.maxFiles,
  ),
];

const SESSIONS: readonly MetricFamily[] = [
  gauge(
    "cumulus_uptime_seconds",
    "Seconds since the server started.",
    ({ status }) => status.uptime,
  ),
  gauge(
    "cumulus_clients",
    "Clients that an application has accepted, by all doors.",
    ({ status }) => status.sessions.clients,
  ),
  ...bounded(
    "cumulus_sessions",
    "Open RTMFP sessions.",
    ({ status }) => status.sessions.open,
    ({ status }) => status.limits.sessions,
  ),
  gauge(
    "cumulus_sessions_opening",
    "RTMFP sessions that have not connected yet.",
    ({ status }) => status.sessions.opening,
  ),
  gauge(
    "cumulus_publications",
    "Live streams.",
    ({ totals }) => totals.publications,
  ),
  gauge(
    "cumulus_listeners",
    "Plays of live streams: one client may have several.",
    ({ totals }) => totals.listeners,
  ),
  gauge("cumulus_groups", "NetGroups that have members.", ({ totals }) => totals.groups),
];

const failing = ({ servers }: Numbers): number =>
  servers.filter(({ failure }) => failure !== "").length;

const SERVERS: readonly MetricFamily[] = [
  gauge(
    "cumulus_servers",
    "Other servers that are linked or on the bus.",
    (of) => of.servers.length - failing(of),
  ),
  gauge("cumulus_servers_failing", "Servers of [servers] targets without a link.", failing),
];

const BUS: readonly MetricFamily[] = [
  gauge(
    "cumulus_bus_connected",
    "1 if the server is connected to NATS ([bus]), else 0.",
    ({ status: { bus } }) => Number(bus?.connected ?? false),
  ),
  counter(
    "cumulus_bus_messages_total",
    "Messages over NATS.",
    "direction",
    ({ status: { bus } }) => bus ? { in: bus.messagesIn, out: bus.messagesOut } : undefined,
  ),
  counter(
    "cumulus_bus_bytes_total",
    "Bytes of messages over NATS.",
    "direction",
    ({ status: { bus } }) => bus ? { in: bus.bytesIn, out: bus.bytesOut } : undefined,
  ),
  counter(
    "cumulus_bus_dropped_total",
    "Messages over NATS that were not sent (media, control) or could not be read.",
    "kind",
    ({ status: { bus } }) => bus?.dropped,
  ),
  counter(
    "cumulus_bus_lookups_total",
    "Searches for peers at other servers, by result.",
    "result",
    ({ status: { bus } }) => bus?.lookups,
  ),
  gauges(
    "cumulus_bus_relays",
    "Streams that cross NATS.",
    ({ status: { bus } }) =>
      bus
        ? Object.entries(bus.relays).map(([direction, n]): Sample => [{ direction }, n])
        : undefined,
  ),
  total(
    "cumulus_bus_claims_lost_total",
    "Streams that were ended because another server had published the name before.",
    ({ status: { bus } }) => bus?.claimsLost,
  ),
];

const TRAFFIC: readonly MetricFamily[] = [
  counter(
    "cumulus_datagrams_total",
    "UDP datagrams of RTMFP.",
    "direction",
    ({ status: { traffic } }) => ({ in: traffic.datagramsIn, out: traffic.datagramsOut }),
  ),
  counter(
    "cumulus_bytes_total",
    "Bytes of UDP datagrams of RTMFP.",
    "direction",
    ({ status: { traffic } }) => ({ in: traffic.bytesIn, out: traffic.bytesOut }),
  ),
  counter(
    "cumulus_drops_total",
    "Datagrams that were dropped, by reason.",
    "reason",
    ({ status }) => status.drops,
  ),
  counter(
    "cumulus_handshakes_total",
    "Connections that were accepted, by protocol.",
    "protocol",
    ({ status: { handshakes, doors } }) => ({
      rtmfp: handshakes,
      ...Object.fromEntries(doors.map(({ name, accepted }) => [name, accepted])),
    }),
  ),
];

const ofDoors = (value: (door: DoorRow) => number) => ({ status }: Numbers): Sample[] =>
  status.doors.map((door) => [{ door: door.name }, value(door)]);

const DOORS: readonly MetricFamily[] = [
  gauges(
    "cumulus_door_sessions",
    "Open TCP connections, by door.",
    ofDoors(({ sessions }) => sessions),
  ),
  gauges(
    "cumulus_door_sessions_limit",
    "Limit of cumulus_door_sessions.",
    ({ status: { doors } }) =>
      doors.filter(({ limit }) => limit > 0).map(({ name, limit }) => [{ door: name }, limit]),
  ),
  gauges(
    "cumulus_door_unconnected",
    "Connections of cumulus_door_sessions that have not connected or view nothing yet.",
    ofDoors(({ unconnected }) => unconnected),
  ),
  counters(
    "cumulus_door_bytes_total",
    "Bytes on TCP connections, by door.",
    ({ status: { doors } }) =>
      doors.flatMap(({ name: door, bytesIn, bytesOut }): Sample[] => [
        [{ door, direction: "in" }, bytesIn],
        [{ door, direction: "out" }, bytesOut],
      ]),
  ),
  counters(
    "cumulus_door_closed_total",
    "Connections that the server closed or did not accept, by reason.",
    ({ status: { doors } }) =>
      doors.flatMap(({ name: door, closed }) =>
        Object.entries(closed).map(([reason, count]): Sample => [{ door, reason }, count])
      ),
  ),
];

const ofApplications =
  (value: (application: ApplicationRow) => number) => ({ applications }: Numbers): Sample[] =>
    applications.map((one) => [{ application: one.path || "/" }, value(one)]);

const APPLICATIONS: readonly MetricFamily[] = [
  counter(
    "cumulus_sandbox_refusals_total",
    "Requests of scripts that the sandbox refused, by rule.",
    "rule",
    ({ status }) => status.refusals,
  ),
  gauges(
    "cumulus_application_running",
    "1 if the application runs, 0 if its main.lua failed or it has stopped.",
    ofApplications(({ running }) => Number(running)),
  ),
  gauges(
    "cumulus_application_clients",
    "Clients of an application.",
    ofApplications(({ clients }) => clients),
  ),
  counters(
    "cumulus_script_errors_total",
    "Errors in the script of an application.",
    ofApplications(({ errors }) => errors),
  ),
  counters(
    "cumulus_refusals_total",
    "Requests of clients that the script of an application refused, by kind.",
    ({ applications }) =>
      applications.flatMap(({ path, refusals }) =>
        Object.entries(refusals)
          .map(([step, n]): Sample => [{ application: path || "/", step }, n])
      ),
  ),
];

const MEDIA: readonly MetricFamily[] = [
  counter(
    "cumulus_dropped_frames_total",
    "Frames that were not sent because a viewer was too slow.",
    "kind",
    ({ totals }) => ({ audio: totals.droppedAudio, video: totals.droppedVideo }),
  ),
  counter(
    "cumulus_skipped_frames_total",
    "Frames that were not sent because a viewer waited for its first key frame.",
    "kind",
    ({ totals }) => ({ video: totals.skippedVideo }),
  ),
  ...bounded(
    "cumulus_kept_bytes",
    "Bytes of audio and video kept since the last key frames, for late viewers.",
    ({ totals }) => totals.keptBytes,
    ({ status }) => status.limits.keptBytes,
  ),
];

const SHARED_OBJECTS: readonly MetricFamily[] = [
  ...bounded(
    "cumulus_shared_objects",
    "Remote SharedObjects in use.",
    ({ totals }) => totals.sharedObjects.objects,
    ({ status }) => status.limits.sharedObjects,
  ),
  gauge(
    "cumulus_shared_object_uses",
    "Uses of SharedObjects by clients.",
    ({ totals }) => totals.sharedObjects.uses,
  ),
  gauge(
    "cumulus_shared_object_bytes",
    "Bytes of all slots of SharedObjects.",
    ({ totals }) => totals.sharedObjects.bytes,
  ),
  counter(
    "cumulus_shared_object_requests_total",
    "Requests of clients to SharedObjects: changed slots, calls, and refused requests.",
    "what",
    ({ totals: { sharedObjects: { changes, sends, refused } } }) => ({
      change: changes,
      send: sends,
      refused,
    }),
  ),
  counter(
    "cumulus_shared_object_writes_total",
    "Writes of files of persistent SharedObjects.",
    "result",
    ({ totals: { sharedObjects: { written, failed } } }) => ({ written, failed }),
  ),
];

const RECORDINGS: readonly MetricFamily[] = [
  gauge(
    "cumulus_recordings",
    "Streams that are being recorded.",
    ({ totals }) => totals.recordings.open,
  ),
  ...bounded(
    "cumulus_file_players",
    "Plays of recorded files.",
    ({ totals }) => totals.recordings.players,
    ({ status }) => status.limits.filePlayers,
  ),
  gauge(
    "cumulus_file_reads",
    "Blocks of recorded files that are being read.",
    ({ totals }) => totals.recordings.reads,
  ),
  total(
    "cumulus_recorded_bytes_total",
    "Bytes written to recordings.",
    ({ totals }) => totals.recordings.writtenBytes,
  ),
  total(
    "cumulus_recording_overflows_total",
    "Times that a recording lost frames because the disk was too slow.",
    ({ totals }) => totals.recordings.overflows,
  ),
];

const MEMORY: readonly MetricFamily[] = [
  gauge(
    "cumulus_loop_lag_worst_seconds",
    "Worst delay of the event loop over the last ten seconds; scripts and clients wait as long.",
    ({ status }) => status.loop.lagWorst / 1000,
  ),
  gauge(
    "cumulus_heap_bytes",
    "Bytes of the JavaScript heap in use.",
    ({ status }) => status.memory.heap,
  ),
  gauge(
    "cumulus_external_bytes",
    "Bytes that JavaScript holds outside of its heap, such as buffers.",
    ({ status }) => status.memory.external,
  ),
  ...bounded(
    "cumulus_lua_bytes",
    "Bytes of memory of all scripts.",
    ({ status }) => status.memory.lua,
    ({ status }) => status.limits.luaBytes,
  ),
];

export const METRICS: readonly MetricFamily[] = [
  ...BUILD,
  ...PROCESS,
  ...SESSIONS,
  ...SERVERS,
  ...BUS,
  ...RELAYS,
  ...TRAFFIC,
  ...DOORS,
  ...APPLICATIONS,
  ...MEDIA,
  ...SHARED_OBJECTS,
  ...RECORDINGS,
  ...MEMORY,
];
