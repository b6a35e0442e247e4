import type { Roster } from "../../cluster/roster.ts";
import type { ListenEvents, Tcp, TcpEvents, Udp, UdpEvents } from "../../common/socket_events.ts";

/** The configuration as scripts see it: text, or false, or a section. CFG-060, CFG-061. */
export interface ConfigTree {
  readonly [name: string]: string | false | ConfigTree;
}

/** An open file. A string as result is the reason of a failure. */
export interface HostFile {
  /** Fills the start of `into`. @returns the number of bytes read, 0 at the end */
  read(into: Uint8Array): number | string;
  write(bytes: Uint8Array): string | undefined;
  /** @returns the new position, in bytes from the start */
  seek(from: "start" | "current" | "end", by: number): number | string;
  truncate(length: number): string | undefined;
  flush(): void;
  close(): void;
}

export interface OpenOptions {
  readonly read?: boolean;
  readonly write?: boolean;
  readonly append?: boolean;
  readonly create?: boolean;
  readonly truncate?: boolean;
}

/**
 * Files of the machine. Paths are absolute, with `/`. `within` are folders, absolute and with `/` at the end:
 * a file whose real path is outside of them, by a symbolic link, is refused. A string as result is the reason of a
 * failure, except for names of files. No method throws.
 */
export interface Files {
  /** @returns the reason, as text, if it cannot be checked */
  isFolder(path: string): boolean | string;
  /**
   * Time of the last change of a file, in ms since 1970; undefined if nothing has this name; the reason, as text, if
   * it is not a file or cannot be checked.
   */
  modified(path: string): number | undefined | string;
  /**
   * Reads a whole regular file of at most `limit` bytes; undefined if nothing has this name; the reason, as text, if
   * it cannot be read. Without `within`, links may lead anywhere.
   */
  read(
    path: string,
    limit: number,
    within?: readonly string[],
  ): Uint8Array | undefined | string;
  /** Opens a regular file: devices and named pipes are refused. */
  open(path: string, options: OpenOptions, within: readonly string[]): HostFile | string;
  /** Removes a file, a link or an empty folder. @returns the reason of a failure */
  remove(path: string, within: readonly string[]): string | undefined;
  rename(from: string, to: string, within: readonly string[]): string | undefined;
}

/** Counts bytes that the server keeps for an application. */
export interface SocketMemory {
  /** @returns false if the bytes would exceed the limit; then they are not counted */
  take(bytes: number): boolean;
  release(bytes: number): void;
}

/** The sockets of one application. A string as result is the reason of a refusal. No event comes during a call. */
export interface Sockets {
  connect(host: string, port: number, events: TcpEvents): Tcp | string;
  listen(port: number, events: ListenEvents): { readonly port: number; close(): void } | string;
  bind(hostname: string, port: number, events: UdpEvents, broadcast: boolean): Udp | string;
  /** Closes them all. */
  close(): void;
}

export interface Mail {
  readonly sender: string;
  readonly subject: string;
  readonly content: string;
  readonly recipients: readonly string[];
}

/** A relay of a stream to another server, or from one. */
export interface StreamRelay {
  readonly direction: "push" | "pull";
  /** The name of the publication here. */
  readonly name: string;
  /** The URL without the name of the stream there, which may be a secret. */
  readonly url: string;
  readonly state: "idle" | "connecting" | "running" | "waiting" | "closed";
  /** Reason for the end of the last attempt; "" if no attempt has ended. */
  readonly error: string;
  /** Called when it has closed for good, by either end. */
  onClosed: (() => void) | undefined;
  close(): void;
}

/** The services of the server that applications use. */
export interface Host {
  /** `file` and `line` of the script; "" and 0 if it is about none. */
  log(level: number, text: string, file: string, line: number): void;
  /** Writes the bytes of `print`, line feed included, to standard output. API-053 */
  print(bytes: Uint8Array): void;
  readonly files: Files;
  /** The folder of the root application: absolute, with `/` at the end. */
  readonly www: string;
  /** Handling of a path without a folder: refused, or passed to the nearest application above. DECISIONS 10 */
  readonly unknown: "reject" | "nearest";
  /** Folders, absolute and with `/` at the end, whose files scripts may use; undefined: each its own. DECISIONS 20 */
  readonly folders?: readonly string[];
  /** Whether errors sent to clients begin with file and line. */
  readonly positions: boolean;
  /** Maximum ms of a call into a script. */
  readonly time: number;
  /** Maximum bytes that all scripts together may hold. */
  readonly memory: number;
  readonly configs: ConfigTree;
  /** "" if it is not configured. API-107 */
  readonly publicAddress: string;
  /** Milliseconds, never going back. */
  now(): number;
  /** Milliseconds since 1970. */
  epochTime(): number;
  md5(bytes: Uint8Array): Uint8Array;
  sha256(bytes: Uint8Array): Uint8Array;
  /** Runs an action that calls scripts and was not caused by a client: timers, sockets, mails. */
  input(what: string, action: () => void): void;
  /** Runs an action once as input, after about `milliseconds` and never during the call. @returns cancels it */
  timer(milliseconds: number, action: () => void): () => void;
  /** @param memory counts bytes that wait to be sent */
  sockets(memory: SocketMemory): Sockets;
  /**
   * Starts a relay that sends a publication to another RTMP server, or fetches one.
   *
   * @param publisher the id of the only stream to send; undefined: any publisher of the name
   * @returns the relay; the reason, as text, if it cannot start
   */
  relay(
    direction: "push" | "pull",
    name: string,
    url: string,
    publisher?: number,
  ): StreamRelay | string;
  /** Sends a mail. Calls `done` once, never during the call. */
  mail(mail: Mail, done: (error: string | undefined) => void): void;
  /** Ends sending when the server stops: calls `done` of each unsent mail during the call. SOCK-067 */
  stopMail?(): void;
  /** The servers that are linked with this one; available from the first event on. */
  readonly roster: Roster;
  /** Called when an event or function of an application begins to run; with undefined and "" when none runs. */
  onEnter?(path: string | undefined, name: string): void;
  /** Tells the linked servers that an application runs here. */
  announce(path: string): void;
  /** Reports a bug of the server, not an error of a script. */
  onBug(error: unknown): void;
}
