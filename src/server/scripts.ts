import type { Peer } from "../cluster/roster.ts";
import type { Applications } from "../media/application.ts";

/** Interface of the applications for the server, besides their interface for clients. */
export interface Scripts extends Applications {
  /** Starts the root application. API-023. */
  start(): void;
  /** Restarts all applications from their current files; clients stay. API-046. */
  restart?(): void;
  /** Stops all applications, children first, after all clients have gone. API-042. */
  stop(): void;
  /** Applies limits: ms of a call, bytes of all scripts together. */
  limit?(time: number, memory: number): void;
  /** The running line of a script, for log lines that it causes; file "" if no script runs. */
  readonly place?: { readonly file: string; readonly line: number };
  /** Paths of the applications that run. CLU-065. */
  paths(): Iterable<string>;
  /** A server was linked; the peer is in the roster already. API-652 */
  onServerConnection(peer: Peer): void;
  /** A server has gone; the peer has left the roster already. API-653 */
  onServerDisconnection(peer: Peer): void;
  /** A server has called a handler. API-520. @returns false if the message cannot be read */
  onServerMessage(peer: Peer, handler: string, payload: Uint8Array): boolean | void;
  /** Applications run at another server. CLU-031. */
  onServerRunning(paths: readonly string[]): void;
  /** Bytes that the Lua machine holds. */
  readonly memory: number;
  /** State of all applications that clients have asked for, for the monitor. */
  rows(): Iterable<ScriptRow>;
}

/** State of an application, for the monitor. */
interface ScriptRow {
  readonly path: string;
  readonly running: boolean;
  /** Errors since the server started, and the last one; `at` in ms since 1970. */
  readonly errors: number;
  readonly lastError: { readonly at: number; readonly text: string } | null;
  /** Number of refused requests of clients since the server started, by kind, such as `connect`. */
  readonly refusals: Readonly<Record<string, number>>;
}
