/// <reference lib="deno.worker" />
// The worker in which the sockets of scripts live. Its Deno permissions are the lists under
// `[sandbox]` and nothing else: what they do not name cannot be reached from here, whatever it
// is asked to do.
import {
  type Endpoint,
  type FromWorker,
  READ_WINDOW,
  type ToWorker,
  writeReply,
} from "./messages.ts";

const say = (message: FromWorker, transfer: Transferable[] = []): void =>
  self.postMessage(message, transfer);

const textOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(/ \(os error \d+\)$/, "")
    .replace(/, run again with.*$/, "");

const connections = new Map<number, Connection>();
const listeners = new Map<number, Listener>();
const datagrams = new Map<number, DatagramSocket>();
let lastChild = 0;

class Connection {
  #conn: Deno.TcpConn | undefined;
  #closed = false;
  readonly #queue: Uint8Array[] = [];
  #writing = false;
  #credit = READ_WINDOW;
  #resume: (() => void) | undefined;

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
        local: conn.localAddr as Endpoint,
        peer: conn.remoteAddr as Endpoint,
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
    } catch {
      // the other end may be gone already: the first read tells
    }
    this.#read(conn);
    this.#write();
  }

  write(bytes: Uint8Array): void {
    this.#queue.push(bytes);
    this.#write();
  }

  credit(bytes: number): void {
    this.#credit += bytes;
    if (this.#credit > 0) this.#resume?.();
  }

  /** Closes; says so only if it was not the script's wish, which has no `error` and no answer. */
  end(error?: string, silent = false): void {
    if (this.#closed) return;
    this.#closed = true;
    connections.delete(this.id);
    this.#resume?.();
    try {
      this.#conn?.close();
    } catch {
      // closed by the other end
    }
    if (!silent) say({ ev: "closed", id: this.id, error });
  }

  async #read(conn: Deno.TcpConn): Promise<void> {
    try {
      while (!this.#closed) {
        if (this.#credit <= 0) {
          await new Promise<void>((resolve) => this.#resume = resolve);
          continue;
        }
        const buffer = new Uint8Array(Math.min(65_536, Math.max(this.#credit, 1024)));
        const length = await conn.read(buffer);
        if (length === null) return this.end();
        this.#credit -= length;
        const bytes = length > buffer.length / 2
          ? buffer.subarray(0, length)
          : buffer.slice(0, length);
        say({ ev: "data", id: this.id, bytes }, [bytes.buffer]);
      }
    } catch (error) {
      this.end(textOf(error));
    }
  }

  async #write(): Promise<void> {
    if (this.#writing || !this.#conn) return;
    this.#writing = true;
    try {
      for (let bytes = this.#queue.shift(); bytes; bytes = this.#queue.shift()) {
        let at = 0;
        while (at < bytes.length) at += await this.#conn.write(bytes.subarray(at));
        say({ ev: "written", id: this.id, bytes: bytes.length });
      }
    } catch (error) {
      this.end(textOf(error));
    }
    this.#writing = false;
  }
}

class Listener {
  readonly #listener: Deno.TcpListener;

  constructor(readonly id: number, hostname: string, port: number) {
    this.#listener = Deno.listen({ hostname, port });
    listeners.set(id, this);
    this.#accept();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  end(): void {
    listeners.delete(this.id);
    this.#listener.close();
  }

  async #accept(): Promise<void> {
    while (listeners.has(this.id)) {
      try {
        const conn = await this.#listener.accept();
        const connection = new Connection(--lastChild);
        say({
          ev: "accepted",
          id: this.id,
          child: connection.id,
          local: conn.localAddr as Endpoint,
          peer: conn.remoteAddr as Endpoint,
        });
        connection.open(conn);
      } catch (error) {
        if (!listeners.has(this.id)) return;
        say({ ev: "failed", id: this.id, error: textOf(error) });
        await new Promise((resolve) => setTimeout(resolve, 100)); // such as too many open files
      }
    }
  }
}

class DatagramSocket {
  readonly #socket: Deno.DatagramConn;

  constructor(readonly id: number, hostname: string, port: number) {
    this.#socket = Deno.listenDatagram({
      transport: "udp",
      hostname,
      port,
      reuseAddress: port !== 0,
    });
    datagrams.set(id, this);
    this.#receive();
  }

  get port(): number {
    return (this.#socket.addr as Deno.NetAddr).port;
  }

  async send(bytes: Uint8Array, hostname: string, port: number): Promise<void> {
    try {
      await this.#socket.send(bytes, { transport: "udp", hostname, port });
    } catch (error) {
      if (datagrams.has(this.id)) say({ ev: "failed", id: this.id, error: textOf(error) });
    }
    say({ ev: "written", id: this.id, bytes: bytes.length });
  }

  end(): void {
    datagrams.delete(this.id);
    this.#socket.close();
  }

  async #receive(): Promise<void> {
    const buffer = new Uint8Array(65_536);
    while (datagrams.has(this.id)) {
      try {
        const [view, from] = await this.#socket.receive(buffer);
        const bytes = view.slice();
        say({ ev: "datagram", id: this.id, bytes, from: from as Endpoint }, [bytes.buffer]);
      } catch (error) {
        if (!datagrams.has(this.id)) return;
        say({ ev: "failed", id: this.id, error: textOf(error) });
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }
}

/** Opens something for which a script waits, and answers. */
function answer(reply: SharedArrayBuffer, open: () => { port: number }): void {
  try {
    writeReply(reply, open().port);
  } catch (error) {
    writeReply(reply, 0, textOf(error));
  }
}

self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  switch (data.op) {
    case "connect":
      new Connection(data.id).connect(data.hostname, data.port, data.timeout);
      break;
    case "write":
      connections.get(data.id)?.write(data.bytes);
      break;
    case "credit":
      connections.get(data.id)?.credit(data.bytes);
      break;
    case "close":
      connections.get(data.id)?.end(undefined, true);
      listeners.get(data.id)?.end();
      datagrams.get(data.id)?.end();
      break;
    case "listen":
      answer(data.reply, () => new Listener(data.id, data.hostname, data.port));
      break;
    case "bind":
      answer(data.reply, () => new DatagramSocket(data.id, data.hostname, data.port));
      break;
    case "send":
      datagrams.get(data.id)?.send(data.bytes, data.hostname, data.port);
      break;
  }
};
say({ ev: "ready" });
