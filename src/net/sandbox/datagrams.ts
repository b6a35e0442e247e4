import { type Address, addressText } from "../../common/address.ts";
import { canonicalIp } from "../../common/ip.ts";
import type { Udp, UdpEvents } from "../../common/socket_events.ts";
import { isBroadcast } from "./broadcast.ts";
import type { Ledger } from "./ledger.ts";
import { type FromWorker, MESSAGE_COST, REPLY_SIZE } from "./messages.ts";
import { hostFault } from "./resolve.ts";
import type { SocketHost } from "./socket_host.ts";
import { named, portFault } from "./texts.ts";
import { Credit, type WorkerLink } from "./worker_link.ts";

/** Time (ms) for which the addresses of a name stay valid. */
const NAME_LIFETIME = 10_000;
/** Maximum number of names whose addresses are kept. */
const MAX_NAMES = 64;

/** A UDP socket. */
export class ScriptDatagramSocket implements Udp {
  #id = 0;
  #held = 0;
  /** Further sockets for addresses with workers of their own, by address. */
  readonly #aside = new Map<string, Aside>();
  /** Addresses of recently used names. */
  readonly #names = new Map<string, { addresses: Promise<string[]>; until: number }>();
  local: Address = { hostname: "", port: 0 };

  private constructor(
    readonly ledger: Ledger,
    readonly host: SocketHost,
    readonly worker: WorkerLink,
    readonly events: UdpEvents,
    readonly broadcast: boolean,
    /** Whether the script chose its port. */
    readonly bound: boolean,
  ) {}

  static open(
    ledger: Ledger,
    host: SocketHost,
    hostname: string,
    port: number,
    events: UdpEvents,
    broadcast: boolean,
  ): ScriptDatagramSocket | string {
    const worker = host.bound(hostname, port);
    if (typeof worker === "string") return worker;
    const socket = new ScriptDatagramSocket(ledger, host, worker, events, broadcast, port !== 0);
    const id = worker.add((message) => {
      if (message.ev === "datagram") credit.done(message.bytes.length + MESSAGE_COST);
      socket.#receive(message);
    });
    const credit = new Credit(worker, id);
    const reply = new SharedArrayBuffer(REPLY_SIZE);
    const ipv6Only = port !== 0 && hostname === "::" && !host.policy.listen("0.0.0.0", port);
    const outcome = worker.ask({ op: "bind", id, hostname, port, ipv6Only, reply });
    if (typeof outcome === "string") {
      worker.remove(id);
      worker.post({ op: "close", id });
      return outcome;
    }
    socket.local = { hostname, port: outcome };
    socket.#id = id;
    if (port !== 0) host.udpPorts.take(hostname, port);
    ledger.opened(socket);
    return socket;
  }

  /** Sends a datagram once its name is resolved and its address allowed; reports a refusal to `events`. */
  send(bytes: Uint8Array, hostname: string, port: number): void {
    const fault = hostFault(hostname) ?? portFault(port);
    if (fault) return this.events.onError(fault);
    if (!this.ledger.hold(bytes.length + MESSAGE_COST)) {
      return this.events.onError("too many bytes wait to be sent");
    }
    this.#held += bytes.length + MESSAGE_COST;
    const ip = canonicalIp(hostname);
    if (ip !== undefined) this.#post(bytes, hostname, [ip], port);
    else {
      this.#resolve(hostname).then(
        (addresses) => this.#post(bytes, hostname, addresses, port),
        (error: Error) => this.#drop(bytes, error.message),
      );
    }
  }

  /** Resolves a name; caches the addresses for {@link NAME_LIFETIME}. */
  #resolve(name: string): Promise<string[]> {
    const now = performance.now();
    let known = this.#names.get(name);
    if (!known || now >= known.until) {
      if (this.#names.size >= MAX_NAMES) this.#names.clear();
      known = { addresses: this.host.resolve(name), until: now + NAME_LIFETIME };
      this.#names.set(name, known);
    }
    return known.addresses;
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
    const [worker, id] = this.#wayTo(allowed, port);
    if (worker) worker.post({ op: "send", id, bytes, hostname: allowed, port });
    else this.#drop(bytes, `sending to ${named(hostname, addresses, port)}: ${id}`);
  }

  /** The worker and its socket that reach an address, or the reason why none does. */
  #wayTo(ip: string, port: number): [WorkerLink, id: number] | [undefined, error: string] {
    if (!this.host.policy.alone?.("udp", ip, port)) return [this.worker, this.#id];
    if (this.bound) {
      return [undefined, "a bound socket reaches only the IPv4 addresses in [sandbox] udp"];
    }
    const worker = this.host.workerFor("udp", ip, port);
    if (typeof worker === "string") return [undefined, worker];
    const key = addressText({ hostname: ip, port });
    let aside = this.#aside.get(key);
    if (!aside) {
      if (this.ledger.full()) return [undefined, "too many sockets are open already"];
      aside = new Aside(this.ledger, worker, ip, (message) => {
        if (message.ev === "closed") this.#aside.get(key)?.close(); // the next one opens it again
        else this.#receive(message);
      });
      this.#aside.set(key, aside);
      aside.onClose = () => this.#aside.delete(key);
    }
    return [aside.worker, aside.id];
  }

  #drop(bytes: Uint8Array, error: string): void {
    if (this.#id === 0) return;
    this.#release(bytes.length + MESSAGE_COST);
    this.events.onError(error);
  }

  close(): void {
    if (this.#id === 0) return;
    this.worker.post({ op: "close", id: this.#id });
    this.worker.remove(this.#id);
    this.#id = 0;
    for (const aside of [...this.#aside.values()]) aside.close();
    this.#release(this.#held);
    const { hostname, port } = this.local;
    if (this.bound) this.host.udpPorts.release(hostname, port);
    this.ledger.closed(this);
  }

  #release(bytes: number): void {
    this.#held -= bytes;
    this.ledger.release(bytes);
  }

  #receive(message: FromWorker): void {
    if (message.ev === "datagram") this.events.onDatagram(message.bytes, message.from);
    else if (message.ev === "written") this.#release(message.bytes + MESSAGE_COST);
    else if (message.ev === "failed") this.events.onError(message.error);
    else if (message.ev === "closed") {
      this.close();
      this.events.onError(message.error ?? "the worker of the sockets ended");
    }
  }
}

/** A socket for one address and its answers; closed with the socket that created it. */
class Aside {
  readonly id: number;
  onClose: (() => void) | undefined;

  constructor(
    readonly ledger: Ledger,
    readonly worker: WorkerLink,
    ip: string,
    receive: (message: FromWorker) => void,
  ) {
    this.id = worker.add((message) => {
      if (message.ev === "datagram") credit.done(message.bytes.length + MESSAGE_COST);
      receive(message);
    });
    const credit = new Credit(worker, this.id);
    ledger.opened(this);
    const hostname = ip.includes(":") ? "::" : "0.0.0.0";
    const reply = new SharedArrayBuffer(REPLY_SIZE); // not waited for
    worker.post({ op: "bind", id: this.id, hostname, port: 0, ipv6Only: false, reply });
  }

  close(): void {
    this.onClose?.();
    this.worker.post({ op: "close", id: this.id });
    this.worker.remove(this.id);
    this.ledger.closed(this);
  }
}
