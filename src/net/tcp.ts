// TCP connections of the server itself (for those of scripts see sandbox/).
import type { Address } from "../common/address.ts";
import { unmapped } from "../common/ip.ts";
import type { ByteEvents } from "../common/socket_events.ts";
import { sleep, within } from "../common/wait.ts";
import { ACCEPT_COST, turns } from "./turns.ts";

/** Maximum number of bytes that wait for a peer that does not read; beyond it the connection is closed. */
const MAX_QUEUED = 64 * 1024 * 1024;
/** Memory of one queued write besides its data, in bytes. */
const WRITE_OVERHEAD = 128;

export class TcpConnection {
  readonly #conn: Deno.TcpConn;
  readonly #queue: Uint8Array[] = [];
  #queued = 0;
  #writing = false;
  #closed = false;
  #events: ByteEvents | undefined;

  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
    try {
      conn.setNoDelay(true);
      conn.setKeepAlive(true);
    } catch {
      // the far end may have closed already: the first read reports it
    }
  }

  /** @throws {Error} if the connection is not established within `timeout` ms */
  static async connect(hostname: string, port: number, timeout: number): Promise<TcpConnection> {
    const dialled = Deno.connect({ hostname, port });
    try {
      const late = `no answer within ${timeout / 1000} s`;
      return new TcpConnection(await within(dialled, timeout, late));
    } catch (error) {
      dialled.then((conn) => conn.close(), () => {});
      throw error;
    }
  }

  /** Address of the far end; IPv4 also if the socket is an IPv6 one. */
  get peer(): Address {
    const { hostname, port } = this.#conn.remoteAddr;
    return { hostname: unmapped(hostname), port };
  }

  /** Memory of the writes that the system has not taken yet, in bytes: their data, and an overhead per write. */
  get unsent(): number {
    return this.#queued;
  }

  /** Begins to read. */
  start(events: ByteEvents): void {
    this.#events = events;
    this.#read();
  }

  /** Queues bytes, which the caller does not change afterwards. */
  write(bytes: Uint8Array): void {
    if (this.#closed || bytes.length === 0) return;
    this.#queue.push(bytes);
    this.#queued += bytes.length + WRITE_OVERHEAD;
    if (this.#queued > MAX_QUEUED) this.#end("the peer does not read the sent data");
    else this.#write();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue.length = 0;
    try {
      this.#conn.close();
    } catch {
      // closed already
    }
  }

  #end(error: string | undefined): void {
    if (this.#closed) return;
    this.close();
    this.#events?.onClose(error);
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      while (!this.#closed) {
        const length = await this.#conn.read(buffer);
        if (length === null) return this.#end(undefined);
        const wait = turns.take(() => {
          if (!this.#closed) this.#events?.onData(buffer.subarray(0, length));
        });
        if (wait) await wait;
      }
    } catch (error) {
      this.#end(tcpError(error));
    }
  }

  async #write(): Promise<void> {
    if (this.#writing) return;
    this.#writing = true;
    try {
      for (let bytes = this.#queue.shift(); bytes; bytes = this.#queue.shift()) {
        let at = 0;
        while (at < bytes.length) at += await this.#conn.write(bytes.subarray(at));
        this.#queued -= bytes.length + WRITE_OVERHEAD;
      }
    } catch (error) {
      this.#end(tcpError(error));
    }
    this.#writing = false;
    if (!this.#closed) this.#events?.onDrain?.();
  }
}

/** Listens on all addresses of this machine, of both families where it has both. */
export class TcpListener {
  readonly #listener: Deno.TcpListener;
  #closed = false;

  /** @throws {Error} if listening on the port fails */
  constructor(port: number, onAccept: (connection: TcpConnection) => void) {
    this.#listener = listenOnAll(port);
    this.#accept(onAccept);
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener.close();
  }

  async #accept(onAccept: (connection: TcpConnection) => void): Promise<void> {
    while (!this.#closed) {
      try {
        const conn = await this.#listener.accept();
        await turns.take(() => onAccept(new TcpConnection(conn)), ACCEPT_COST);
      } catch {
        // closed, or such as too many open files: try again in a while
        if (!this.#closed) await sleep(100);
      }
    }
  }
}

function listenOnAll(port: number): Deno.TcpListener {
  try {
    return Deno.listen({ hostname: "::", port });
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) throw error;
    return Deno.listen({ hostname: "0.0.0.0", port });
  }
}

/** The system's error message about a connection, without its number; replaces those about certificates by advice. */
export function tcpError(error: unknown): string {
  const text = (error instanceof Error ? error.message : String(error)).replace(
    / \(os error \d+\)$/,
    "",
  );
  if (text.endsWith("certificate: UnknownIssuer")) {
    return "the certificate is signed by an unknown authority (DENO_CERT=ca.pem adds yours)";
  }
  if (text.includes("CaUsedAsEndEntity")) {
    return "the server's certificate is a CA certificate; use one that a CA has signed for the server";
  }
  return text;
}
