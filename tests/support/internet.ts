// A simulated network of hosts, some behind NATs, in virtual time; a seed replays it.
import { type Address, addressText } from "../../src/common/address.ts";
import type { Outbox } from "../../src/rtmfp/outbox.ts";
import type { Node } from "./lossy_link.ts";
import { seeded } from "./random.ts";

export interface InternetSettings {
  readonly seed: number;
  /** Share of datagrams lost (0 to 1). */
  readonly loss?: number;
  /** Minimum and maximum delay (ms). */
  readonly delay?: readonly [number, number];
}

/**
 * A common NAT: each inside port has one outside port, which accepts packets only from addresses that
 * the inside port has sent to. Inside hosts cannot reach each other by outside addresses.
 */
export class Nat {
  readonly #ports = new Map<string, number>();
  readonly #inside = new Map<number, string>();
  readonly #expected = new Set<string>();
  #last = 40_000;

  /** @param hostname address of the NAT outside @param prefix prefix of addresses inside */
  constructor(readonly hostname: string, readonly prefix: string) {}

  /** The outside address of an inside host that sends to `to`. */
  leave(from: Address, to: Address): Address {
    const key = addressText(from);
    let port = this.#ports.get(key);
    if (port === undefined) {
      this.#ports.set(key, port = ++this.#last);
      this.#inside.set(port, key);
    }
    this.#expected.add(`${port} ${addressText(to)}`);
    return { hostname: this.hostname, port };
  }

  /** The inside host that receives what `from` sends to an outside port. */
  enter(from: Address, port: number): string | undefined {
    return this.#expected.has(`${port} ${addressText(from)}`) ? this.#inside.get(port) : undefined;
  }
}

interface Host {
  readonly node: Node;
  /** One address, or one of each family. */
  readonly addresses: readonly Address[];
  readonly nat: Nat | undefined;
  /** Time (ms) of the node's next flush. */
  dueAt: number;
}

interface Flying {
  readonly datagram: Uint8Array;
  readonly from: Address;
  /** Destination, see {@link placeOf}. */
  readonly place: string;
}

export class Internet {
  now = 0;
  datagrams = 0;
  readonly #random: () => number;
  /** Nodes by address, prefixed with their NAT. */
  readonly #hosts = new Map<string, Host>();
  readonly #nats = new Map<string, Nat>();
  /** Datagrams by the millisecond of their arrival. */
  readonly #flying = new Map<number, Flying[]>();
  readonly #buffer = new Uint8Array(4400);

  constructor(readonly settings: InternetSettings) {
    this.#random = seeded(settings.seed);
  }

  /** @param addresses one, or one of each family @param nat NAT in front of the node, for all families */
  attach(node: Node, addresses: readonly Address[], nat?: Nat): void {
    if (nat) this.#nats.set(nat.hostname, nat);
    const host = { node, addresses, nat, dueAt: 0 };
    for (const address of addresses) this.#hosts.set(placeOf(addressText(address), nat), host);
  }

  /** Removes a host, which sends no more packets. */
  detach(node: Node): void {
    for (const [place, host] of this.#hosts) if (host.node === node) this.#hosts.delete(place);
  }

  /** Schedules the flush of a node that has something to send. */
  touch(node: Node): void {
    for (const host of this.#hosts.values()) if (host.node === node) host.dueAt = 0;
  }

  /** Runs for some milliseconds of virtual time, or until `done` returns true; promises settle meanwhile. */
  async run(milliseconds: number, done?: () => boolean): Promise<void> {
    const end = this.now + milliseconds;
    await settled();
    while (this.now < end && !done?.()) {
      for (const host of this.#hosts.values()) if (host.dueAt <= this.now) this.#flush(host);
      const arrived = this.#flying.get(this.now);
      this.#flying.delete(this.now);
      for (const { datagram, from, place } of arrived ?? []) {
        const host = this.#hosts.get(place);
        if (!host) continue;
        host.node.receive(datagram, from, this.now);
        host.dueAt = 0;
      }
      await settled();
      if (arrived) continue; // its answer leaves in the same millisecond
      this.now++;
    }
    if (done && !done()) throw new Error(`Not within ${milliseconds} ms`);
  }

  #flush(host: Host): void {
    const outbox: Outbox = {
      buffer: () => this.#buffer,
      room: Infinity,
      post: (length, to) => this.#send(host, this.#buffer.slice(0, length), to),
    };
    host.node.flush(this.now, outbox);
    host.dueAt = Math.max(host.node.deadline, this.now + 1);
  }

  #send(host: Host, datagram: Uint8Array, to: Address): void {
    const { loss = 0, delay: [least, most] = [1, 1] } = this.settings;
    this.datagrams++;
    const own = host.addresses.find(({ hostname }) => familyOf(hostname) === familyOf(to.hostname));
    if (!own) return;
    const inside = host.nat !== undefined && to.hostname.startsWith(host.nat.prefix);
    const from = host.nat && !inside ? host.nat.leave(own, to) : own;
    const nat = this.#nats.get(to.hostname);
    const text = nat ? nat.enter(from, to.port) : addressText(to);
    if (text === undefined || (nat && nat === host.nat)) return;
    if (this.#random() < loss) return;
    const at = Math.floor(this.now + least + this.#random() * (most - least));
    const flying = this.#flying.get(at);
    const one = { datagram, from, place: placeOf(text, inside ? host.nat : nat) };
    if (flying) flying.push(one);
    else this.#flying.set(at, [one]);
  }
}

const familyOf = (hostname: string) => hostname.includes(":") ? 6 : 4;
const placeOf = (address: string, nat: Nat | undefined) => `${nat?.hostname ?? ""} ${address}`;

/** Lets promises settle. */
async function settled(): Promise<void> {
  for (let i = 0; i < 3; i++) await undefined;
}
