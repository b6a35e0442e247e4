import type { Roster } from "../../cluster/roster.ts";
import type { ListenEvents, Tcp, TcpEvents, Udp, UdpEvents } from "../../common/socket_events.ts";

/** The configuration as scripts see it: text, or false, or a section. CFG-060, CFG-061. */
export interface ConfigTree {
  readonly [name: string]: string | false | ConfigTree;
}

/** A file that is open. Texts are reasons why something did not work. */
export interface HostFile {
  /** Fills the start of `into`. @returns how many bytes that were, 0 at the end */
  read(into: Uint8Array): number | string;
  write(bytes: Uint8Array): string | undefined;
  /** @returns the new place, counted from the start */
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
 * a file whose real path is outside of them, by a symbolic link, is refused. No method throws.
 */
export interface Files {
  /** A text: why that cannot be told. */
  isFolder(path: string): boolean | string;
  /**
   * Milliseconds since 1970 of the last change of a file; undefined if nothing has this name; a text if something
   * has that is not a file or cannot be looked at: the reason.
   */
  modified(path: string): number | undefined | string;
  /**
   * The whole file, which is a regular one of at most `limit` bytes; undefined if nothing has this name, or the
   * reason why it cannot be read. Without `within` links lead anywhere.
   */
  read(
    path: string,
    limit: number,
    within?: readonly string[],
  ): Uint8Array | undefined | string;
  /** A regular file alone: devices and named pipes are refused. */
  open(path: string, options: OpenOptions, within: readonly string[]): HostFile | string;
  /** A file, a link, or an empty folder. @returns the reason why not */
  remove(path: string, within: readonly string[]): string | undefined;
  rename(from: string, to: string, within: readonly string[]): string | undefined;
}

/** Counts bytes that an application makes the server keep. */
export interface SocketMemory {
  /** @returns false without room for them */
  take(bytes: number): boolean;
  release(bytes: number): void;
}

/** The sockets of one application; texts are reasons of refusal. Events never come during a call. */
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

/** A stream that goes to another server, or comes from one. */
export interface StreamRelay {
  readonly direction: "push" | "pull";
  /** The name of the publication here. */
  readonly name: string;
  /** The URL without the name of the stream there, which may be a secret. */
  readonly url: string;
  readonly state: "idle" | "connecting" | "running" | "waiting" | "closed";
  /** Why the last attempt has ended; "" if none has. */
  readonly error: string;
  /** Called when it has closed for good, by either end. */
  onClosed: (() => void) | undefined;
  close(): void;
}

/** The services of the server that applications use. */
export interface Host {
  /** `file` and `line` of the script; "" and 0 if it is about none. */
  log(level: number, text: string, file: string, line: number): void;
  /** What `print` writes, raw, a line feed included. API-053 */
  print(bytes: Uint8Array): void;
  readonly files: Files;
  /** The folder of the root application: absolute, with `/` at the end. */
  readonly www: string;
  /** Handling of a path without a folder: refused, or passed to the nearest application above. DECISIONS 10 */
  readonly unknown: "reject" | "nearest";
  /** Folders, absolute and with `/` at the end, whose files scripts may use; undefined: each its own. DECISIONS 20 */
  readonly folders?: readonly string[];
  /** Whether clients are told in which file and line the error was that refuses them. */
  readonly positions: boolean;
  /** Limits of an event, milliseconds and bytes. */
  readonly time: number;
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
  /** Runs what happens to a script besides what clients do: everything that comes later goes through it. */
  input(what: string, action: () => void): void;
  /** Runs an action once as input, after about `milliseconds` and never during the call. @returns cancels it */
  timer(milliseconds: number, action: () => void): () => void;
  /** @param memory counts what waits to be sent */
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
  /** `done` is told once, never during the call. */
  mail(mail: Mail, done: (error: string | undefined) => void): void;
  /** The server stops: mails that were not sent are told so, during the call. SOCK-067 */
  stopMail?(): void;
  /** The servers that are linked with this one; not before the first event. */
  readonly roster: Roster;
  /** An event or function of an application runs from now on; undefined and "" if none does. */
  onEnter?(path: string | undefined, name: string): void;
  /** Tells them that an application runs here. */
  announce(path: string): void;
  /** Reports a bug of the server, not an error of a script. */
  onBug(error: unknown): void;
}
