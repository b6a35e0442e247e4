/// <reference lib="deno.worker" />
// The worker that holds the sockets of scripts. Its only Deno permissions are the lists under
// `[sandbox]`: it cannot reach other addresses, whatever the messages ask.
import type { Address } from "../../common/address.ts";
import { mapped, unmapped } from "../../common/ip.ts";
import { sleep } from "../../common/wait.ts";
import { AcceptRate } from "./accept_rate.ts";
import {
  type FromWorker,
  MESSAGE_COST,
  READ_WINDOW,
  type ToWorker,
  writeReply,
} from "./messages.ts";

let outbox: FromWorker[] = [];
let buffers: Transferable[] = [];

/** Tells what happened, together with all else that happens in this turn. */
function say(message: FromWorker, buffer?: Transferable): void {
  if (outbox.length === 0) queueMicrotask(flush);
  outbox.push(message);
  if (buffer) buffers.push(buffer);
}

function flush(): void {
  const [messages, transfer] = [outbox, buffers];
  outbox = [];
  buffers = [];
  self.postMessage(messages, transfer);
}

/** Limits for sending the remaining data of closed sockets: bytes, time and number of connections. */
const LINGER = { bytes: 256 * 1024, milliseconds: 5_000, connections: 256 };
let lingering = 0;

const textOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(/ \(os error \d+\)$/, "")
    .replace(/, run again with.*$/, "");

/** Ports that are being closed, which the system frees when what waits on them has ended. */
const closing = new Map<string, Promise<void>>();

function closes(name: string, ended: Promise<void>): void {
  closing.set(name, ended);
  ended.then(() => closing.get(name) === ended && closing.delete(name));
}

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
  /** Bytes that wait to be written. */
  #queued = 0;
  /** How much is read at once: what does not come needs no room. */
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
      conn.setKeepAlive(true); // detects a vanished peer in the end
    } catch {
      // the other end may be gone already: the first read tells
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

/** An IPv4 address that comes mapped into IPv6 is told as IPv4. */
const addressOf = ({ hostname, port }: Deno.NetAddr): Address => ({
  hostname: unmapped(hostname),
  port,
});

/** A mapped address: who came by IPv4 to a socket of both families. */
const isIpv4 = ({ hostname }: Deno.NetAddr): boolean => /^(::ffff:)?[\d.]+$/.test(hostname);

class Listener {
  readonly #listeners: Deno.TcpListener[];
  readonly #ipv6Only: boolean;
  readonly ended: Promise<void>;
  readonly #rate: AcceptRate;

  constructor(
    readonly id: number,
    hostnames: readonly string[],
    readonly port: number,
    rate: number,
  ) {
    this.#rate = new AcceptRate(rate);
    this.#listeners = listenOn(hostnames, port);
    this.#ipv6Only = !hostnames.includes("0.0.0.0");
    listeners.set(id, this);
    const accepting = this.#listeners.map((listener) => this.#accept(listener));
    this.ended = Promise.all(accepting).then(() => {});
  }

  end(): void {
    listeners.delete(this.id);
    closes(`tcp ${this.port}`, this.ended);
    for (const listener of this.#listeners) listener.close();
  }

  async #accept(listener: Deno.TcpListener): Promise<void> {
    while (listeners.has(this.id)) {
      try {
        const conn = await listener.accept();
        const from = conn.remoteAddr;
        const refused = this.#ipv6Only && isIpv4(from);
        if (refused || !this.#rate.takes(from.hostname, performance.now())) {
          conn.close();
          continue;
        }
        const connection = new Connection(--lastChild);
        say({
          ev: "accepted",
          id: this.id,
          child: connection.id,
          local: addressOf(conn.localAddr),
          peer: addressOf(from),
        });
        connection.open(conn);
      } catch (error) {
        if (!listeners.has(this.id)) return;
        say({ ev: "failed", id: this.id, error: textOf(error) });
        await sleep(100); // such as too many open files
      }
    }
  }
}

/**
 * Listens on the addresses that stand for all of this machine, as far as it has their families.
 * Where an IPv6 socket is one of both, as on Linux, it takes the port of IPv4 as well.
 *
 * @throws {Error} if the port cannot be had
 */
function listenOn(hostnames: readonly string[], port: number): Deno.TcpListener[] {
  const { AddrInUse, NotCapable, PermissionDenied } = Deno.errors;
  const opened: Deno.TcpListener[] = [];
  let fault: unknown;
  for (const hostname of hostnames) {
    try {
      opened.push(Deno.listen({ hostname, port }));
    } catch (error) {
      const inUse = error instanceof AddrInUse;
      if (inUse && opened.length > 0 && Deno.build.os !== "windows") continue;
      const forbidden = error instanceof NotCapable || error instanceof PermissionDenied;
      fault = error;
      if (hostname === "::" && !inUse && !forbidden) continue; // the machine has no IPv6
      for (const listener of opened) listener.close();
      throw error;
    }
  }
  if (opened.length === 0) throw fault;
  return opened;
}

class DatagramSocket {
  readonly #socket: Deno.DatagramConn;
  /** Then IPv4 addresses are mapped into IPv6. */
  readonly #ipv6: boolean;
  readonly #ended: Promise<void>;
  #credit = READ_WINDOW;
  #resume: (() => void) | undefined;

  constructor(
    readonly id: number,
    hostname: string,
    port: number,
    readonly ipv6Only: boolean,
  ) {
    this.#socket = Deno.listenDatagram({
      transport: "udp",
      hostname,
      port,
      reuseAddress: port !== 0,
    });
    this.#ipv6 = hostname.includes(":");
    datagrams.set(id, this);
    this.#ended = this.#receive();
  }

  get port(): number {
    return (this.#socket.addr as Deno.NetAddr).port;
  }

  async send(bytes: Uint8Array, hostname: string, port: number): Promise<void> {
    try {
      const wire = this.#ipv6 ? mapped(hostname) : hostname;
      await this.#socket.send(bytes, { transport: "udp", hostname: wire, port });
    } catch (error) {
      if (datagrams.has(this.id)) say({ ev: "failed", id: this.id, error: textOf(error) });
    }
    say({ ev: "written", id: this.id, bytes: bytes.length });
  }

  credit(bytes: number): void {
    this.#credit += bytes;
    if (this.#credit > 0) this.#resume?.();
  }

  end(): void {
    datagrams.delete(this.id);
    this.#resume?.();
    closes(`udp ${this.port}`, this.#ended);
    this.#socket.close();
  }

  async #receive(): Promise<void> {
    const buffer = new Uint8Array(65_536);
    while (datagrams.has(this.id)) {
      try {
        if (this.#credit <= 0) { // the script is too slow: the system drops datagrams
          await new Promise<void>((resolve) => this.#resume = resolve);
          continue;
        }
        const [view, from] = await this.#socket.receive(buffer);
        if (this.ipv6Only && isIpv4(from as Deno.NetAddr)) continue;
        const bytes = view.slice();
        this.#credit -= bytes.length + MESSAGE_COST;
        say(
          { ev: "datagram", id: this.id, bytes, from: addressOf(from as Deno.NetAddr) },
          bytes.buffer,
        );
      } catch (error) {
        if (!datagrams.has(this.id)) return;
        say({ ev: "failed", id: this.id, error: textOf(error) });
        await sleep(100);
      }
    }
  }
}

/** Opens something for which a script waits, and answers. */
async function answer(
  reply: SharedArrayBuffer,
  name: string,
  open: () => { port: number },
): Promise<void> {
  const before = closing.get(name);
  if (before) await before; // else synchronously: data to send may follow it
  try {
    writeReply(reply, open().port);
  } catch (error) {
    writeReply(reply, 0, textOf(error));
  }
}

function closeListener(id: number, reply: SharedArrayBuffer | undefined): void {
  const listener = listeners.get(id);
  listener?.end();
  const ended = listener?.ended ?? Promise.resolve();
  if (reply) ended.then(() => writeReply(reply, 0));
}

function handle(message: ToWorker): void {
  switch (message.op) {
    case "connect":
      new Connection(message.id).connect(message.hostname, message.port, message.timeout);
      break;
    case "write":
      connections.get(message.id)?.write(message.bytes);
      break;
    case "credit":
      connections.get(message.id)?.credit(message.bytes);
      datagrams.get(message.id)?.credit(message.bytes);
      break;
    case "close":
      connections.get(message.id)?.leave();
      closeListener(message.id, message.reply);
      datagrams.get(message.id)?.end();
      break;
    case "listen": {
      const { id, hostnames, port, rate } = message;
      answer(message.reply, `tcp ${port}`, () => new Listener(id, hostnames, port, rate));
      break;
    }
    case "bind": {
      const { id, hostname, port, ipv6Only } = message;
      answer(
        message.reply,
        `udp ${port}`,
        () => new DatagramSocket(id, hostname, port, ipv6Only),
      );
      break;
    }
    case "send":
      datagrams.get(message.id)?.send(message.bytes, message.hostname, message.port);
      break;
  }
}

self.onmessage = ({ data }: MessageEvent<ToWorker[]>) => {
  for (const message of data) handle(message);
};
say({ ev: "ready" });
