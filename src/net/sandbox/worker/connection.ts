import { MESSAGE_COST, READ_WINDOW } from "../messages.ts";
import { addressOf, say, textOf } from "./output.ts";

/** Limits for sending the remaining data of closed sockets: bytes, time and number of connections. */
const LINGER = { bytes: 256 * 1024, milliseconds: 5_000, connections: 256 };
let lingering = 0;

/** Open connections by id: positive ids come from scripts, negative ones were accepted. */
export const connections = new Map<number, WorkerConnection>();

/** One TCP connection of a script. */
export class WorkerConnection {
  #conn: Deno.TcpConn | undefined;
  #closed = false;
  readonly #queue: Uint8Array[] = [];
  #writing = false;
  #credit = READ_WINDOW;
  #resume: (() => void) | undefined;
  /** Bytes that wait to be written. */
  #queued = 0;
  /** Size (bytes) of the next read buffer; adapts to the data received. */
  #readSize = 2_048;

  constructor(readonly id: number) {
    connections.set(id, this);
  }

  async connect(hostname: string, port: number, timeout: number): Promise<void> {
    const timer = setTimeout(
      () => this.end(`connecting took more than ${timeout / 1000} s`),
      timeout,
    );
    try {
      const conn = await Deno.connect({ hostname, port });
      if (this.#closed) return conn.close();
      this.open(conn);
      say({
        ev: "open",
        id: this.id,
        local: addressOf(conn.localAddr),
        peer: addressOf(conn.remoteAddr),
      });
    } catch (error) {
      this.end(textOf(error));
    } finally {
      clearTimeout(timer);
    }
  }

  open(conn: Deno.TcpConn): void {
    this.#conn = conn;
    try {
      conn.setNoDelay(true);
      conn.setKeepAlive(true); // detects a vanished peer eventually
    } catch {
      // the far end may have closed already: the first read reports it
    }
    this.#read(conn);
    this.#write();
  }

  write(bytes: Uint8Array): void {
    this.#queue.push(bytes);
    this.#queued += bytes.length;
    this.#write();
  }

  credit(bytes: number): void {
    this.#credit += bytes;
    if (this.#credit > 0) this.#resume?.();
  }

  /** Handles the end of the connection, or a failure to connect. */
  end(error?: string): void {
    if (this.#closed) return;
    this.#close();
    say({ ev: "closed", id: this.id, error });
  }

  /** Closes on behalf of the script; no event is sent. */
  leave(): void {
    if (this.#closed) return;
    if (this.#queued === 0 || this.#queued > LINGER.bytes || lingering >= LINGER.connections) {
      return this.#close();
    }
    if (!this.#conn) return this.#close();
    connections.delete(this.id);
    this.#credit = -Infinity; // no more is read
    lingering++;
    const timer = setTimeout(() => this.#close(), LINGER.milliseconds);
    this.#onClosed = () => {
      lingering--;
      clearTimeout(timer);
    };
  }

  #onClosed: (() => void) | undefined;

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    connections.delete(this.id);
    this.#resume?.();
    try {
      this.#conn?.close();
    } catch {
      // closed by the other end
    }
    this.#onClosed?.();
  }

  async #read(conn: Deno.TcpConn): Promise<void> {
    try {
      while (!this.#closed) {
        if (this.#credit <= 0) {
          await new Promise<void>((resolve) => this.#resume = resolve);
          continue;
        }
        const buffer = new Uint8Array(Math.min(this.#readSize, Math.max(this.#credit, 1024)));
        const length = await conn.read(buffer);
        if (this.#lingers) return;
        if (length === null) return this.end();
        this.#credit -= length + MESSAGE_COST;
        if (length === buffer.length) this.#readSize = Math.min(this.#readSize * 4, 65_536);
        else if (length < buffer.length / 8) this.#readSize = Math.max(this.#readSize / 2, 2_048);
        const bytes = length > buffer.length / 2
          ? buffer.subarray(0, length)
          : buffer.slice(0, length);
        say({ ev: "data", id: this.id, bytes }, bytes.buffer);
      }
    } catch (error) {
      if (!this.#lingers) this.end(textOf(error));
    }
  }

  get #lingers(): boolean {
    return this.#onClosed !== undefined;
  }

  async #write(): Promise<void> {
    if (this.#writing || !this.#conn) return;
    this.#writing = true;
    try {
      for (let bytes = this.#queue.shift(); bytes; bytes = this.#queue.shift()) {
        let at = 0;
        while (at < bytes.length) at += await this.#conn.write(bytes.subarray(at));
        this.#queued -= bytes.length;
        if (!this.#lingers) say({ ev: "written", id: this.id, bytes: bytes.length });
      }
      if (this.#lingers) this.#close();
    } catch (error) {
      if (this.#lingers) this.#close();
      else this.end(textOf(error));
    }
    this.#writing = false;
  }
}
