// The sockets of one application's script, seen from the thread that runs scripts: nothing here
// blocks but opening a port, for whose outcome a script asks at once (SOCK-032, SOCK-042).
import { startWorker } from "./confined_worker.ts";
import {
  DATAGRAM_COST,
  type Endpoint,
  type FromWorker,
  READ_WINDOW,
  REPLY_SIZE,
  type ToWorker,
  waitReply,
} from "./messages.ts";
import { isBroadcast } from "./broadcast.ts";
import { DEFAULT_LIMITS, type Limits, type Policy, type RuleName, SandboxError } from "./policy.ts";
import { canonicalIp, hostFault, resolve } from "./resolve.ts";

/** How long a script waits for the worker to open a port, in ms; the worker may have to start. */
const OPEN_TIMEOUT = 5_000;
/** How long a worker that is not needed any more is left to send what it has, in ms. */
const LINGER = 10_000;
/** How long clients may wait while scripts hear of their sockets, in ms; the rest comes later. */
const TURN = 2;
/** Bytes that were read, before the worker is told that it may read as many more. */
const CREDIT_STEP = READ_WINDOW / 4;

export interface TcpEvents {
  /** The connection stands. */
  onOpen(local: Endpoint, peer: Endpoint): void;
  onData(bytes: Uint8Array): void;
  /** It ended: by the other end, or with an error. Not called after `close`. */
  onClose(error: string | undefined): void;
}

export interface Tcp {
  /** Bytes that were taken and are not on their way yet. */
  readonly unsent: number;
  /** @returns why the bytes were not taken, or undefined */
  write(bytes: Uint8Array): string | undefined;
  close(): void;
}

export interface ListenEvents {
  /** @returns who hears of the connection, or undefined to close it */
  onAccept(connection: Tcp, local: Endpoint, peer: Endpoint): TcpEvents | undefined;
  onError(error: string): void;
}

export interface UdpEvents {
  onDatagram(bytes: Uint8Array, from: Endpoint): void;
  onError(error: string): void;
}

export interface Udp {
  readonly local: Endpoint;
  send(bytes: Uint8Array, hostname: string, port: number): void;
  close(): void;
}

/** What all applications share: the policy, the workers and the counts. */
export class SocketHost {
  readonly refusals: Record<RuleName, number> = { connect: 0, listen: 0, udp: 0, mail: 0 };
  readonly #workers = new Map<"connect" | "listen" | "udp", SocketWorker>();
  readonly #retired = new Set<SocketWorker>();
  #policy: Policy;
  #limits: Limits;

  constructor(policy: Policy, limits: Limits = DEFAULT_LIMITS) {
    this.#policy = policy;
    this.#limits = limits;
  }

  get policy(): Policy {
    return this.#policy;
  }

  get limits(): Limits {
    return this.#limits;
  }

  /** From now on others count. Connections and listening ports that are open stay. */
  reload(policy: Policy, limits: Limits): void {
    this.#policy = policy;
    this.#limits = limits;
    for (const worker of this.#workers.values()) {
      this.#retired.add(worker);
      worker.retire(() => this.#retired.delete(worker));
    }
    this.#workers.clear();
  }

  /** The worker for one list; it starts at the first socket that needs it. */
  worker(kind: "connect" | "listen" | "udp"): SocketWorker {
    let worker = this.#workers.get(kind);
    if (!worker) {
      const { permissions } = this.policy;
      const started = worker = new SocketWorker(
        kind === "udp" ? both(permissions.udp, permissions.listen) : permissions[kind],
        () => {
          if (this.#workers.get(kind) === started) this.#workers.delete(kind);
        },
      );
      this.#workers.set(kind, worker);
    }
    return worker;
  }

  refuse(rule: RuleName, what: string): SandboxError {
    this.refusals[rule]++;
    return new SandboxError(rule, what);
  }

  close(): void {
    for (const worker of [...this.#workers.values(), ...this.#retired]) worker.terminate();
    this.#workers.clear();
    this.#retired.clear();
  }
}

/** A UDP socket is bound to a port before it sends; any port will do where none is asked for. */
function both(udp: readonly string[] | true, listen: readonly string[] | true) {
  return udp === true || listen === true ? true : [...udp, ...listen, "0.0.0.0:0", "[::]:0"];
}

/** One worker, and who its messages are for. */
class SocketWorker {
  readonly #worker: ReturnType<typeof startWorker>;
  readonly #sockets = new Map<number, (message: FromWorker) => void>();
  #lastId = 0;
  #onEmpty: (() => void) | undefined;
  #outbox: ToWorker[] = [];
  /** What the worker has told and scripts have not heard yet, from `#next` on. */
  #inbox: FromWorker[] = [];
  #next = 0;
  #ended = false;

  constructor(net: readonly string[] | true, onEnd: () => void) {
    this.#worker = startWorker(net, (messages) => {
      const idle = this.#inbox.length === 0;
      if (idle) this.#inbox = messages;
      else for (const message of messages) this.#inbox.push(message);
      if (idle) this.#deliver();
    }, (error) => {
      onEnd();
      this.terminate();
      for (const [id, receive] of [...this.#sockets]) receive({ ev: "closed", id, error });
      this.#sockets.clear();
    });
  }

  add(receive: (message: FromWorker) => void, id = ++this.#lastId): number {
    this.#sockets.set(id, receive);
    return id;
  }

  remove(id: number): void {
    this.#sockets.delete(id);
    if (this.#onEmpty && this.#sockets.size === 0) this.#leave(this.#onEmpty);
  }

  /** It gets no more sockets, and ends with its last one. */
  retire(onEnd: () => void): void {
    this.#onEmpty = onEnd;
    if (this.#sockets.size === 0) this.#leave(onEnd);
  }

  /** What was written to the last socket may still be on its way. */
  #leave(onEnd: () => void): void {
    const timer = setTimeout(() => {
      this.terminate();
      onEnd();
    }, LINGER);
    Deno.unrefTimer(timer as unknown as number);
  }

  /** Sends a message, together with those that come before this turn ends. */
  post(message: ToWorker): void {
    if (this.#outbox.length === 0) queueMicrotask(() => this.#flush());
    this.#outbox.push(message);
  }

  /** Sends a message at once, and waits for its answer. @returns the port, or why there is none */
  ask(message: ToWorker & { reply: SharedArrayBuffer }): number | string {
    this.post(message);
    this.#flush();
    return waitReply(message.reply, OPEN_TIMEOUT);
  }

  terminate(): void {
    this.#ended = true;
    this.#worker.terminate();
  }

  #flush(): void {
    if (this.#outbox.length === 0 || this.#ended) return;
    const messages = this.#outbox;
    this.#outbox = [];
    this.#worker.post(messages);
  }

  /** Tells scripts what happened, as much as clients can wait for. */
  #deliver(): void {
    const end = performance.now() + TURN;
    while (this.#next < this.#inbox.length && !this.#ended) {
      this.#tell(this.#inbox[this.#next++]);
      if (this.#next < this.#inbox.length && performance.now() >= end) {
        setTimeout(() => this.#deliver(), 0);
        return;
      }
    }
    this.#inbox = [];
    this.#next = 0;
  }

  #tell(message: FromWorker): void {
    if (message.ev === "ready") return;
    const receive = this.#sockets.get(message.id);
    if (receive) receive(message);
    else if (message.ev === "accepted") this.post({ op: "close", id: message.child }); // too late
  }
}

/** The sockets of one application. */
export class ScriptSockets {
  readonly #host: SocketHost;
  readonly #open = new Set<{ close(): void }>();
  #buffered = 0;

  constructor(host: SocketHost) {
    this.#host = host;
  }

  /** How many sockets are open. */
  get count(): number {
    return this.#open.size;
  }

  /** Closes them all; nobody hears of it. */
  close(): void {
    for (const socket of [...this.#open]) socket.close();
  }

  /**
   * Opens a connection; the outcome is told to `events`, never during the call.
   *
   * @returns why it is refused at once, or the connection, to which bytes can be written already
   */
  connect(host: string, port: number, events: TcpEvents): Tcp | string {
    const fault = hostFault(host) ?? portFault(port) ?? this.#roomFault();
    if (fault) return fault;
    const ip = canonicalIp(host);
    if (ip !== undefined && !this.#host.policy.connect(ip, port)) {
      return this.#host.refuse("connect", `connecting to ${textOf(ip, port)}`).message;
    }
    const connection = new Connection(this.#ledger(), this.#host.worker("connect"), events);
    this.#dial(connection, host, port);
    return connection;
  }

  /** @returns why the port cannot be listened on, or the listening socket */
  listen(port: number, events: ListenEvents): { readonly port: number; close(): void } | string {
    const fault = portFault(port) ?? this.#roomFault();
    if (fault) return fault;
    if (!this.#host.policy.listen("0.0.0.0", port)) {
      return this.#host.refuse("listen", `listening on port ${port}`).message;
    }
    return Listener.open(this.#ledger(), this.#host, port, events);
  }

  /**
   * @param broadcast whether it may send to broadcast addresses, if the policy allows them as well
   * @returns why the address cannot be bound, or the socket; port 0 is any that is free
   */
  bind(hostname: string, port: number, events: UdpEvents, broadcast = false): Udp | string {
    const ip = canonicalIp(hostname);
    const fault = (ip === undefined ? `"${hostname}" is no IP address` : undefined) ??
      this.#roomFault();
    if (fault || ip === undefined) return fault!;
    if (port !== 0 && !this.#host.policy.listen(ip, port)) {
      return this.#host.refuse("listen", `listening on ${textOf(ip, port)}`).message;
    }
    return DatagramSocket.open(this.#ledger(), this.#host, ip, port, events, broadcast);
  }

  /** Resolves a name, checks every address and connects to the first that is allowed. */
  async #dial(connection: Connection, host: string, port: number): Promise<void> {
    const { policy, limits } = this.#host;
    const started = performance.now();
    try {
      const addresses = await within(resolve(host), limits.connectTimeout, `resolving "${host}"`);
      const name = canonicalIp(host) === undefined ? host : undefined;
      const allowed = addresses.find((ip) => policy.connect(ip, port, name));
      if (allowed === undefined) {
        throw this.#host.refuse("connect", `connecting to ${named(host, addresses, port)}`);
      }
      const left = limits.connectTimeout - (performance.now() - started);
      connection.connect(allowed, port, Math.max(left, 1));
    } catch (error) {
      connection.fail((error as Error).message);
    }
  }

  #roomFault(): string | undefined {
    const { sockets } = this.#host.limits;
    return this.#open.size < sockets ? undefined : `${sockets} sockets are open already`;
  }

  #ledger(): Ledger {
    return {
      opened: (socket) => this.#open.add(socket),
      closed: (socket) => this.#open.delete(socket),
      hold: (bytes) => {
        if (this.#buffered + bytes > this.#host.limits.buffered) return false;
        this.#buffered += bytes;
        return true;
      },
      release: (bytes) => this.#buffered -= bytes,
      full: () => this.#roomFault() !== undefined,
    };
  }
}

/** What an application's sockets are counted in. */
interface Ledger {
  opened(socket: { close(): void }): void;
  closed(socket: { close(): void }): void;
  hold(bytes: number): boolean;
  release(bytes: number): void;
  full(): boolean;
}

class Connection implements Tcp {
  readonly #ledger: Ledger;
  readonly #worker: SocketWorker;
  #events: TcpEvents | undefined;
  #id: number;
  /** What a script wrote before the address of the host was known. */
  #early: Uint8Array[] | undefined;
  #held = 0;
  /** Bytes that were read and that the worker has not been told of. */
  #read = 0;

  constructor(ledger: Ledger, worker: SocketWorker, events: TcpEvents | undefined, child?: number) {
    this.#ledger = ledger;
    this.#worker = worker;
    this.#events = events;
    this.#early = child === undefined ? [] : undefined;
    this.#id = worker.add((message) => this.#receive(message), child);
    ledger.opened(this);
  }

  set events(events: TcpEvents) {
    this.#events = events;
  }

  get unsent(): number {
    return this.#held;
  }

  connect(hostname: string, port: number, timeout: number): void {
    if (this.#id === 0) return;
    this.#worker.post({ op: "connect", id: this.#id, hostname, port, timeout });
    for (const bytes of this.#early ?? []) this.#worker.post({ op: "write", id: this.#id, bytes });
    this.#early = undefined;
  }

  fail(error: string): void {
    if (this.#id === 0) return;
    this.#end();
    this.#events?.onClose(error);
  }

  write(bytes: Uint8Array): string | undefined {
    if (this.#id === 0) return "the socket is closed";
    if (bytes.length === 0) return undefined;
    if (!this.#ledger.hold(bytes.length)) return "too many bytes wait to be sent";
    this.#held += bytes.length;
    if (this.#early) this.#early.push(bytes);
    else this.#worker.post({ op: "write", id: this.#id, bytes });
    return undefined;
  }

  close(): void {
    if (this.#id === 0) return;
    this.#worker.post({ op: "close", id: this.#id });
    this.#end();
  }

  #end(): void {
    this.#worker.remove(this.#id);
    this.#id = 0;
    this.#ledger.release(this.#held);
    this.#held = 0;
    this.#ledger.closed(this);
  }

  #receive(message: FromWorker): void {
    switch (message.ev) {
      case "open":
        this.#events?.onOpen(message.local, message.peer);
        break;
      case "data":
        this.#read += message.bytes.length;
        if (this.#read >= CREDIT_STEP) {
          this.#worker.post({ op: "credit", id: this.#id, bytes: this.#read });
          this.#read = 0;
        }
        this.#events?.onData(message.bytes);
        break;
      case "written":
        this.#held -= message.bytes;
        this.#ledger.release(message.bytes);
        break;
      case "closed":
        this.#end();
        this.#events?.onClose(message.error);
        break;
    }
  }
}

class Listener {
  #id = 0;

  private constructor(
    readonly ledger: Ledger,
    readonly host: SocketHost,
    readonly worker: SocketWorker,
    readonly port: number,
    readonly events: ListenEvents,
  ) {}

  static open(ledger: Ledger, host: SocketHost, port: number, events: ListenEvents) {
    const worker = host.worker("listen");
    const listener = new Listener(ledger, host, worker, port, events);
    const id = worker.add((message) => listener.#receive(message));
    const reply = new SharedArrayBuffer(REPLY_SIZE);
    const rate = host.limits.acceptsPerSecond;
    const outcome = worker.ask({ op: "listen", id, hostname: "0.0.0.0", port, rate, reply });
    if (typeof outcome === "string") {
      worker.remove(id);
      worker.post({ op: "close", id });
      return outcome;
    }
    listener.#id = id;
    ledger.opened(listener);
    return listener;
  }

  close(): void {
    if (this.#id === 0) return;
    this.worker.post({ op: "close", id: this.#id });
    this.worker.remove(this.#id);
    this.#id = 0;
    this.ledger.closed(this);
  }

  #receive(message: FromWorker): void {
    if (message.ev === "failed") this.events.onError(message.error);
    else if (message.ev === "closed") {
      this.close();
      this.events.onError(message.error ?? "the worker of the sockets ended");
    } else if (message.ev === "accepted") this.#accept(message);
  }

  #accept(message: FromWorker & { ev: "accepted" }): void {
    if (this.ledger.full()) {
      this.worker.post({ op: "close", id: message.child });
      return;
    }
    const connection = new Connection(this.ledger, this.worker, undefined, message.child);
    const events = this.events.onAccept(connection, message.local, message.peer);
    if (events) connection.events = events;
    else connection.close();
  }
}

class DatagramSocket implements Udp {
  #id = 0;
  #held = 0;
  #read = 0;
  local: Endpoint = { hostname: "", port: 0 };

  private constructor(
    readonly ledger: Ledger,
    readonly host: SocketHost,
    readonly worker: SocketWorker,
    readonly events: UdpEvents,
    readonly broadcast: boolean,
  ) {}

  static open(
    ledger: Ledger,
    host: SocketHost,
    hostname: string,
    port: number,
    events: UdpEvents,
    broadcast: boolean,
  ): DatagramSocket | string {
    const worker = host.worker("udp");
    const socket = new DatagramSocket(ledger, host, worker, events, broadcast);
    const id = worker.add((message) => socket.#receive(message));
    const reply = new SharedArrayBuffer(REPLY_SIZE);
    const outcome = worker.ask({ op: "bind", id, hostname, port, reply });
    if (typeof outcome === "string") {
      worker.remove(id);
      worker.post({ op: "close", id });
      return outcome;
    }
    socket.local = { hostname, port: outcome };
    socket.#id = id;
    ledger.opened(socket);
    return socket;
  }

  /** Sends, once the name is resolved and its address allowed; a refusal is told to the events. */
  send(bytes: Uint8Array, hostname: string, port: number): void {
    const fault = hostFault(hostname) ?? portFault(port);
    if (fault) return this.events.onError(fault);
    if (!this.ledger.hold(bytes.length)) {
      return this.events.onError("too many bytes wait to be sent");
    }
    this.#held += bytes.length;
    const ip = canonicalIp(hostname);
    if (ip !== undefined) this.#post(bytes, hostname, [ip], port);
    else {
      within(resolve(hostname), this.host.limits.connectTimeout, `resolving "${hostname}"`).then(
        (addresses) => this.#post(bytes, hostname, addresses, port),
        (error: Error) => this.#drop(bytes, error.message),
      );
    }
  }

  #post(bytes: Uint8Array, hostname: string, addresses: string[], port: number): void {
    if (this.#id === 0) return;
    const name = addresses[0] === canonicalIp(hostname) ? undefined : hostname;
    const allowed = addresses.find((ip) => this.host.policy.udp(ip, port, name));
    if (allowed === undefined) {
      const what = `sending to ${named(hostname, addresses, port)}`;
      return this.#drop(bytes, this.host.refuse("udp", what).message);
    }
    if (!this.broadcast && isBroadcast(allowed)) {
      return this.#drop(bytes, `send: ${allowed} is broadcast, which takes createUDPSocket(true)`);
    }
    this.worker.post({ op: "send", id: this.#id, bytes, hostname: allowed, port });
  }

  #drop(bytes: Uint8Array, error: string): void {
    if (this.#id === 0) return;
    this.#release(bytes.length);
    this.events.onError(error);
  }

  close(): void {
    if (this.#id === 0) return;
    this.worker.post({ op: "close", id: this.#id });
    this.worker.remove(this.#id);
    this.#id = 0;
    this.#release(this.#held);
    this.ledger.closed(this);
  }

  #release(bytes: number): void {
    this.#held -= bytes;
    this.ledger.release(bytes);
  }

  #receive(message: FromWorker): void {
    if (message.ev === "datagram") {
      this.#read += message.bytes.length + DATAGRAM_COST;
      if (this.#read >= CREDIT_STEP) {
        this.worker.post({ op: "credit", id: this.#id, bytes: this.#read });
        this.#read = 0;
      }
      this.events.onDatagram(message.bytes, message.from);
    } else if (message.ev === "written") this.#release(message.bytes);
    else if (message.ev === "failed") this.events.onError(message.error);
    else if (message.ev === "closed") {
      this.close();
      this.events.onError(message.error ?? "the worker of the sockets ended");
    }
  }
}

const textOf = (ip: string, port: number): string =>
  ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`;

function named(host: string, addresses: string[], port: number): string {
  const ip = textOf(addresses[0], port);
  return addresses[0] === canonicalIp(host) ? ip : `${host} (${ip})`;
}

function portFault(port: number): string | undefined {
  return Number.isInteger(port) && port >= 1 && port <= 65535
    ? undefined
    : `${port} is no port: 1 to 65535 are`;
}

/** The outcome of a promise, or an error when it takes longer than `timeout` ms. */
function within<T>(promise: Promise<T>, timeout: number, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${what} took more than ${timeout / 1000} s`)),
      timeout,
    );
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
