// State of the server for /api over HTTP, at the time of the request. Times are in milliseconds unless
// stated otherwise, rates in bytes per second.

import type { HistoryRows } from "./history.ts";

export interface ServerStatus {
  readonly version: string;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly startedAt: number;
  /** Seconds since the start. */
  readonly uptime: number;
  /** The back-ends in use, such as `libcrypto` and `sendmmsg`. */
  readonly backends: { readonly crypto: string; readonly socket: string };
  readonly addresses: Addresses;
  readonly sessions: { readonly open: number; readonly opening: number; readonly clients: number };
  readonly traffic: {
    readonly datagramsIn: number;
    readonly datagramsOut: number;
    readonly bytesIn: number;
    readonly bytesOut: number;
  };
  readonly handshakes: number;
  /** Open doors besides the UDP port. */
  readonly doors: readonly DoorRow[];
  readonly relays: RelayTraffic;
  /** Datagrams dropped, by reason. */
  readonly drops: Readonly<Record<string, number>>;
  /** Number of requests of scripts that the sandbox refused, by rule. */
  readonly refusals: Readonly<Record<string, number>>;
  /** Lateness of the loop over the last ten seconds. */
  readonly loop: { readonly lagMean: number; readonly lagWorst: number };
  /** Null without a bus. */
  readonly bus: BusStatus | null;
  /** Bytes; `external` counts what JavaScript holds outside of its heap, such as buffers. */
  readonly memory: {
    readonly resident: number;
    readonly heap: number;
    readonly external: number;
    readonly lua: number;
  };
  readonly process: ProcessStatus;
  readonly limits: Limits;
}

interface ProcessStatus {
  /** Seconds of user and system time. */
  readonly cpuSeconds: number;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly startedAt: number;
  /** Open files and sockets; null where the system does not report them. */
  readonly openFiles: number | null;
  readonly maxFiles: number | null;
}

/** Limits of the configuration; 0: no limit. */
interface Limits {
  /** RTMFP sessions. */
  readonly sessions: number;
  readonly luaBytes: number;
  readonly keptBytes: number;
  readonly sharedObjects: number;
  /** Files that may be played at once. */
  readonly filePlayers: number;
}

interface Addresses {
  /** UDP addresses that the server listens on, `ip:port`. */
  readonly listening: readonly string[];
  /** IP addresses of this machine's interfaces. */
  readonly local: readonly string[];
  /** The configured address for clients, or "". */
  readonly publicAddress: string;
  /** Time of the last datagram from another machine, in ms since 1970; null: none yet. */
  readonly lastFromOutside: number | null;
}

export interface DoorRow {
  /** Such as `rtmp`. */
  readonly name: string;
  /** Open connections. */
  readonly sessions: number;
  readonly unconnected: number;
  /** Maximum number of connections; 0: no limit. */
  readonly limit: number;
  /** Connections accepted since the start. */
  readonly accepted: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Connections that the server ended, or did not accept, by reason. */
  readonly closed: Readonly<Record<string, number>>;
}

export interface ClientRow {
  readonly id: string;
  /** The door by which the client connected, such as `rtmfp`. */
  readonly protocol: string;
  readonly address: string;
  readonly path: string;
  readonly flashVersion: string;
  readonly ping: number;
  readonly idle: number;
  readonly publishes: readonly string[];
  readonly plays: readonly string[];
}

export interface QualityRow {
  readonly byteRate: number;
  readonly lostRate: number;
  readonly latency: number;
  readonly droppedFrames: number;
}

export interface PublicationRow {
  readonly name: string;
  /** The publisher's id, or `script`. */
  readonly publisher: string;
  /** Application, address and door of the publishing client; "" if no client publishes. */
  readonly path: string;
  readonly address: string;
  readonly protocol: string;
  /** Codecs, such as `AAC` and `H.264`; "" before the first frame. */
  readonly audioCodec: string;
  readonly videoCodec: string;
  /** Size of the picture in pixels; null if unknown. */
  readonly size: { readonly width: number; readonly height: number } | null;
  /** Current bytes per second of audio and video. */
  readonly byteRate: number;
  /** The same over the last minutes, one value per SAMPLE_INTERVAL, oldest first. */
  readonly rates: readonly number[];
  readonly audio: QualityRow;
  readonly video: QualityRow;
  readonly listeners: number;
  /** Listeners by door, such as `rtmfp`; `server`: recordings and relays of this server. */
  readonly viewers: Readonly<Record<string, number>>;
  /** Frames not sent to listeners that were too slow, summed over all listeners. */
  readonly droppedFrames: number;
  /** Video frames before the first key frame of a listener, summed over all listeners. */
  readonly skippedFrames: number;
  /** Null if the publication is not recorded. */
  readonly recording: RecordingRow | null;
}

export interface RecordingRow {
  readonly name: string;
  /** Bytes of the file, and its duration in ms. */
  readonly size: number;
  readonly duration: number;
}

export interface GroupRow {
  readonly id: string;
  readonly size: number;
}

export interface ServerRow {
  readonly address: string;
  readonly publicAddress: string;
  readonly isTarget: boolean;
  /** Reason why a target is not linked; "" for a linked server. */
  readonly failure: string;
  /** Whether the server is linked; false for a server that is only on the bus. */
  readonly isLinked: boolean;
  /** Load of a server on the bus, and milliseconds since its last message; null without the bus. */
  readonly load: ServerLoad | null;
  readonly silence: number | null;
}

interface ServerLoad {
  readonly clients: number;
  readonly publications: number;
  /** Milliseconds by which its timers are late. */
  readonly lag: number;
}

/** The bus on which servers meet. */
export interface BusStatus {
  readonly connected: boolean;
  readonly messagesIn: number;
  readonly messagesOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Messages that were not sent (`media`, `control`), or could not be read. */
  readonly dropped: Readonly<Record<"media" | "control" | "unreadable", number>>;
  /** Searches for peers at other servers. */
  readonly lookups: Readonly<Record<"requests" | "hits" | "timeouts", number>>;
  /** Publications of other servers played here, and own ones played at other servers. */
  readonly relays: Readonly<Record<"incoming" | "outgoing", number>>;
  /** Own publications ended because another server had published the name before. */
  readonly claimsLost: number;
}

/** A relay of a stream to another RTMP server, or from one. */
export interface RelayRow {
  readonly direction: "push" | "pull";
  /** The stream's name here. */
  readonly name: string;
  /** The other server and application, without the stream's name there, which may be a key. */
  readonly target: string;
  readonly state: RelayState;
  /** Milliseconds since its state changed. */
  readonly age: number;
  /** Bytes of all its connections. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Number of connections after the first one. */
  readonly reconnects: number;
  /** Reason and time (ms since 1970) of the end of the last connection or attempt; null: none has ended. */
  readonly lastError: { readonly at: number; readonly text: string } | null;
}

/** `idle`: has nothing to relay now; `waiting`: for the next attempt. */
type RelayState = "idle" | "connecting" | "running" | "waiting";

/** Total bytes of all relays, including closed ones. */
export interface RelayTraffic {
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export interface ApplicationRow {
  readonly path: string;
  readonly running: boolean;
  readonly clients: number;
  readonly errors: number;
  /** The last error of its script, with its time in ms since 1970. */
  readonly lastError: { readonly at: number; readonly text: string } | null;
  /** Number of requests of clients that its script refused, by kind, such as `connect`. */
  readonly refusals: Readonly<Record<string, number>>;
}

export interface Totals {
  readonly listeners: number;
  readonly publications: number;
  readonly groups: number;
  /** Frames since the start that were not sent to listeners that were too slow. */
  readonly droppedAudio: number;
  readonly droppedVideo: number;
  /** Video frames since the start that came before the first key frame of a listener. */
  readonly skippedVideo: number;
  /** Bytes kept since key frames for late listeners. */
  readonly keptBytes: number;
  readonly sharedObjects: SharedObjectTotals;
  readonly recordings: RecordingTotals;
}

/** Totals of remote shared objects. */
interface SharedObjectTotals {
  /** Objects in use, and the sum of the clients that use each. */
  readonly objects: number;
  readonly uses: number;
  /** Bytes of all slots. */
  readonly bytes: number;
  /** Since the start: accepted changes and calls, refused requests. */
  readonly changes: number;
  readonly sends: number;
  readonly refused: number;
  /** Since the start: files written, and writes that failed. */
  readonly written: number;
  readonly failed: number;
}

export interface RecordingTotals {
  /** Running recordings, and clients that play files. */
  readonly open: number;
  readonly players: number;
  /** Blocks of files that are being read. */
  readonly reads: number;
  /** Bytes written to recordings since the start. */
  readonly writtenBytes: number;
  /** Number of times that a recording lost frames, up to a key frame, because the disk was too slow. */
  readonly overflows: number;
}

/** Source of the state; the server implements it. */
export interface MonitorSource {
  status(): ServerStatus;
  /** Traffic of RTMFP and of the doors that have a row, and clients, over the last hour. */
  history(): HistoryRows;
  /** At most `limit` rows from the `offset`th on. */
  clients(offset: number, limit: number): { total: number; rows: ClientRow[] };
  publications(offset: number, limit: number): { total: number; rows: PublicationRow[] };
  groups(offset: number, limit: number): { total: number; rows: GroupRow[] };
  /** Servers that are linked or on the bus, then the targets that are not linked. */
  servers(): ServerRow[];
  /** Relays in the order of their start. */
  relays(offset: number, limit: number): { total: number; rows: RelayRow[] };
  applications(): ApplicationRow[];
  totals(): Totals;
}
