// Byte streams that clients open: TCP, and TLS over it.
import type { Address } from "../common/address.ts";
import { unmapped } from "../common/ip.ts";
import { sleep } from "../common/wait.ts";
import { type DirectWriter, type DirectWriters, openDirectWriters } from "./native_stream.ts";
import { boundSendBuffers } from "./send_buffers.ts";
import { tcpError } from "./tcp.ts";
import { ACCEPT_COST, turns } from "./turns.ts";

export interface StreamEvents {
  /** @param bytes good until the call returns */
  onData(bytes: Uint8Array): void;
  /** The system has taken all of the last {@link StreamSocket.write} that returned false. */
  onWritten(): void;
  /** The far end has closed, or the connection has failed; not called after {@link StreamSocket.end}. */
  onEnd(error: string | undefined): void;
}

/** Length (bytes) of the read buffer of a slow connection, and so of an idle client. */
const SMALL_READ = 2_048;
/** Length (bytes) of the read buffer of a fast connection. */
const LARGE_READ = 65_536;
/** Number of consecutive small reads after which the buffer becomes small again. */
const SMALL_READS = 8;
/** Maximum time (ms) for the far end to close after this end has. */
const CLOSE_TIMEOUT = 2_000;

export class StreamSocket {
  /** The far end. */
  readonly peer: Address;
  readonly #conn: Deno.TcpConn | Deno.TlsConn;
  /** Writes the bytes that the system takes at once; `#conn` waits and writes the rest. */
  readonly #direct: DirectWriter | undefined;
  #events: StreamEvents | undefined;
  #writing = false;
  #ending = false;
  #closed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param writers for connections without TLS */
  constructor(conn: Deno.TcpConn | Deno.TlsConn, writers?: DirectWriters) {
    this.#conn = conn;
    const { localAddr: local, remoteAddr: remote } = conn;
    this.peer = { hostname: unmapped(remote.hostname), port: remote.port };
    if (!("setNoDelay" in conn)) return;
    this.#direct = writers?.open({ local, remote });
    try {
      conn.setNoDelay(true);
      conn.setKeepAlive(true);
    } catch {
      // the far end may have closed already: the first read reports it
    }
  }

  /** Begins to read. */
  start(events: StreamEvents): void {
    this.#events = events;
    this.#read();
  }

  /** Whether a write is in progress: wait for {@link StreamEvents.onWritten} before the next. */
  get writing(): boolean {
    return this.#writing;
  }

  /**
   * Writes bytes; only when nothing is being written.
   *
   * @returns true: they are written; false: they will be when {@link StreamEvents.onWritten} is called, and
   * must not change until then
   */
  write(bytes: Uint8Array, length = bytes.length): boolean {
    if (this.#ending || this.#closed) return true;
    const sent = this.#direct?.send(bytes, length) ?? 0;
    if (sent === length) return true;
    this.#writing = true;
    this.#write(bytes.subarray(sent, length));
    return false;
  }

  /** Ends the connection after the current write; no event follows. */
  end(): void {
    if (this.#ending || this.#closed) return;
    this.#ending = true;
    this.#events = undefined;
    this.#timer = setTimeout(() => this.#close(), CLOSE_TIMEOUT);
    Deno.unrefTimer(this.#timer);
    if (!this.#writing) this.#closeWrite();
  }

  #onEnd(error: string | undefined): void {
    const events = this.#events;
    this.#events = undefined;
    this.#close();
    events?.onEnd(error);
  }

  #close(): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    this.#closed = true;
    this.#direct?.close();
    try {
      this.#conn.close();
    } catch {
      // it is closed already
    }
  }

  /** Ends the sending direction: the far end reads all written data first, some of which a close could drop. */
  #closeWrite(): void {
    this.#conn.closeWrite().catch(() => this.#close());
  }

  async #read(): Promise<void> {
    let buffer = new Uint8Array(SMALL_READ);
    let small = 0;
    try {
      for (;;) {
        const length = await this.#conn.read(buffer);
        if (length === null) return this.#onEnd(undefined);
        const wait = turns.take(() => this.#events?.onData(buffer.subarray(0, length)));
        if (wait) await wait;
        if (length > SMALL_READ / 2) {
          small = 0;
          if (length === buffer.length && length === SMALL_READ) {
            buffer = new Uint8Array(LARGE_READ);
          }
        } else if (buffer.length > SMALL_READ && ++small >= SMALL_READS) {
          buffer = new Uint8Array(SMALL_READ);
          small = 0;
        }
      }
    } catch (error) {
      this.#onEnd(tcpError(error));
    }
  }

  async #write(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
    } catch (error) {
      return this.#onEnd(tcpError(error));
    }
    this.#writing = false;
    if (this.#ending) this.#closeWrite();
    else this.#events?.onWritten();
  }
}

export interface StreamListenerOptions {
  /** An IP address of this machine; `""` for all, IPv6 and IPv4. */
  readonly hostname: string;
  readonly port: number;
  /** Certificate chain and private key in PEM form: the streams are TLS. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Size (bytes) of the system's send buffer per client, where it can be set. */
  readonly sendBuffer?: number;
  /** Uses {@link DirectWriters} for clients without TLS, where available. */
  readonly native?: boolean;
}

/** Pause (ms) after an error of `accept`, such as too many open files. */
const ACCEPT_PAUSE = 100;

/** A TCP port that clients connect to. */
export class StreamListener {
  readonly port: number;
  readonly hostname: string;
  readonly #listener: Deno.TcpListener | Deno.TlsListener;
  readonly #accepting: Promise<void>;
  readonly #writers: DirectWriters | undefined;
  #closed = false;

  /** @throws {Error} if listening on the port fails, or certificate and key are invalid */
  constructor(options: StreamListenerOptions, onAccept: (socket: StreamSocket) => void) {
    this.#listener = listen(options);
    const { hostname, port } = this.#listener.addr as Deno.NetAddr;
    this.hostname = hostname;
    this.port = port;
    if (options.sendBuffer) {
      boundSendBuffers({ hostname, port }, options.sendBuffer);
    }
    this.#writers = options.native && !options.tls ? openDirectWriters() : undefined;
    this.#accepting = this.#accept(onAccept);
  }

  /** Stops accepting. Resolves when the port is free for another listener. */
  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#listener.close();
    }
    await this.#accepting; // until then the system has the port in use
  }

  async #accept(onAccept: (socket: StreamSocket) => void): Promise<void> {
    while (!this.#closed) {
      try {
        const conn = await this.#listener.accept();
        await turns.take(() => onAccept(new StreamSocket(conn, this.#writers)), ACCEPT_COST);
      } catch {
        if (!this.#closed) await sleep(ACCEPT_PAUSE);
      }
    }
  }
}

function listen({ hostname, port, tls }: StreamListenerOptions) {
  const at = (hostname: string) =>
    tls ? Deno.listenTls({ hostname, port, ...tls }) : Deno.listen({ hostname, port });
  if (hostname !== "") return at(hostname);
  try {
    return at("::");
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrNotAvailable)) throw error;
    return at("0.0.0.0"); // a machine without IPv6
  }
}
