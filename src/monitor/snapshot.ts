// State of the server for /api over HTTP, at the moment of the request. Times are milliseconds unless
// stated otherwise, rates are bytes per second.

import type { HistoryRows } from "./history.ts";

export interface Status {
  readonly version: string;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly startedAt: number;
  /** Seconds. */
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
  /** Doors besides the UDP port that are open. */
  readonly doors: readonly DoorRow[];
  readonly relays: RelayTraffic;
  /** Datagrams dropped, by reason. */
  readonly drops: Readonly<Record<string, number>>;
  /** Steps of scripts that the sandbox refused, by rule. */
  readonly refusals: Readonly<Record<string, number>>;
  /** Lateness of the loop over the last ten seconds. */
  readonly loop: { readonly lagMean: number; readonly lagWorst: number };
  /** Null: there is none. */
  readonly bus: BusStatus | null;
  /** Bytes. */
  /** Bytes; `external` is what JavaScript holds outside of its heap, such as buffers. */
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
  /** Files and sockets; null where the system does not tell. */
  readonly openFiles: number | null;
  readonly maxFiles: number | null;
}

/** Limits of the configuration; 0: no limit. */
interface Limits {
  /** Sessions of RTMFP. */
  readonly sessions: number;
  readonly luaBytes: number;
  readonly keptBytes: number;
  readonly sharedObjects: number;
  /** Files that may be played at once. */
  readonly filePlayers: number;
}

interface Addresses {
  /** UDP addresses that are listened on, `ip:port`. */
  readonly listening: readonly string[];
  /** IP addresses of this machine's interfaces. */
  readonly local: readonly string[];
  /** The configured address for clients, or "". */
  readonly publicAddress: string;
  /** When a datagram last came from another machine, in ms since 1970; null: never yet. */
  readonly lastFromOutside: number | null;
}

export interface DoorRow {
  /** Such as `rtmp`. */
  readonly name: string;
  /** Open connections. */
  readonly sessions: number;
  readonly unconnected: number;
  /** Connections that there may be; 0 sets no limit. */
  readonly limit: number;
  /** Connections that were accepted, ever. */
  readonly accepted: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Connections that the server ended, or did not accept, by reason. */
  readonly closed: Readonly<Record<string, number>>;
}

export interface ClientRow {
  readonly id: string;
  /** The door it came in by, such as `rtmfp`. */
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
  /** Of the publishing client: its application, address and door. "" if no client publishes. */
  readonly path: string;
  readonly address: string;
  readonly protocol: string;
  /** Such as `AAC` and `H.264`; "" if nothing came yet. */
  readonly audioCodec: string;
  readonly videoCodec: string;
  /** Pixels; null if the stream does not tell. */
  readonly size: { readonly width: number; readonly height: number } | null;
  /** Bytes a second of audio and video, now. */
  readonly byteRate: number;
  /** The same over the last minutes, one each SAMPLE_INTERVAL, oldest first. */
  readonly rates: readonly number[];
  readonly audio: QualityRow;
  readonly video: QualityRow;
  readonly listeners: number;
  /** The same by door, such as `rtmfp`; `server` for what this server itself plays. */
  readonly viewers: Readonly<Record<string, number>>;
  /** Not sent to listeners that were too slow, of all together. */
  readonly droppedFrames: number;
  /** Video frames that came before the first key frame of a listener, of all together. */
  readonly skippedFrames: number;
  /** Null: it is not recorded. */
  readonly recording: RecordingRow | null;
}

export interface RecordingRow {
  readonly name: string;
  /** Bytes of the file, and milliseconds. */
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
  /** Why a target is not linked; "" for a linked server. */
  readonly failure: string;
  /** Whether there is a link; false for a server that was met on the bus alone. */
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
  /** Messages that were not sent (frames, others), or could not be read. */
  readonly dropped: Readonly<Record<"media" | "control" | "unreadable", number>>;
  /** Peers that other servers were asked for. */
  readonly lookups: Readonly<Record<"requests" | "hits" | "timeouts", number>>;
  /** Publications that other servers have, and own ones that they play. */
  readonly relays: Readonly<Record<"incoming" | "outgoing", number>>;
  readonly claimsLost: number;
}

/** A stream that goes to another RTMP server, or comes from one. */
export interface RelayRow {
  readonly direction: "push" | "pull";
  /** The stream's name here. */
  readonly name: string;
  /** The other server and application; never the stream's name there, which may be a key. */
  readonly target: string;
  readonly state: RelayState;
  /** Milliseconds in its state. */
  readonly age: number;
  /** Of all its connections. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** How often it connected again after an end. */
  readonly reconnects: number;
  /** Why the last connection or attempt ended, and when, in ms since 1970; null: none has. */
  readonly lastError: { readonly at: number; readonly text: string } | null;
}

/** `idle`: not wanted now; `waiting`: for the next attempt. */
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
  /** The last error of its script, and when, in ms since 1970. */
  readonly lastError: { readonly at: number; readonly text: string } | null;
  /** Number of requests of clients that its script refused, by kind, such as `connect`. */
  readonly refusals: Readonly<Record<string, number>>;
}

export interface Totals {
  readonly listeners: number;
  readonly publications: number;
  readonly groups: number;
  /** Frames ever that were not sent to listeners because these were too slow. */
  readonly droppedAudio: number;
  readonly droppedVideo: number;
  /** Video frames ever that came before the first key frame of a listener. */
  readonly skippedVideo: number;
  /** Bytes kept since key frames for listeners to come. */
  readonly keptBytes: number;
  readonly sharedObjects: SharedObjectTotals;
  readonly recordings: RecordingTotals;
}

/** Of remote shared objects. */
interface SharedObjectTotals {
  /** Objects in use, and how often clients use one. */
  readonly objects: number;
  readonly uses: number;
  /** Bytes of all slots. */
  readonly bytes: number;
  /** Since the start: changes and calls that were taken, requests that were refused. */
  readonly changes: number;
  readonly sends: number;
  readonly refused: number;
  /** Since the start: files written, and writes that failed. */
  readonly written: number;
  readonly failed: number;
}

export interface RecordingTotals {
  /** Recordings, and clients that play files. */
  readonly open: number;
  readonly players: number;
  /** Blocks of files that are being read. */
  readonly reads: number;
  /** Bytes ever written to recordings. */
  readonly writtenBytes: number;
  /** How often a recording lost frames, up to a key frame, because the disk was too slow. */
  readonly overflows: number;
}

/** Where the numbers come from; the server makes it. */
export interface Source {
  status(): Status;
  /** Traffic of RTMFP and of the doors that have a row, and clients, over the last hour. */
  history(): HistoryRows;
  /** At most `limit` rows from the `offset`th on. */
  clients(offset: number, limit: number): { total: number; rows: ClientRow[] };
  publications(offset: number, limit: number): { total: number; rows: PublicationRow[] };
  groups(offset: number, limit: number): { total: number; rows: GroupRow[] };
  /** Servers that are linked or on the bus, then the targets that are not linked. */
  servers(): ServerRow[];
  /** In the order in which they began. */
  relays(offset: number, limit: number): { total: number; rows: RelayRow[] };
  applications(): ApplicationRow[];
  totals(): Totals;
}
