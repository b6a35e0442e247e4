// A bus in virtual time that loses, duplicates, reorders and splits messages, and servers on it.
import { createHash, createHmac } from "node:crypto";
import { Bus, type BusUser, type Wire } from "../../src/bus/bus.ts";
import type { BusFrame } from "../../src/bus/frames.ts";
import type { Found, Lookup } from "../../src/bus/messages.ts";
import type { Neighbor } from "../../src/bus/presence.ts";
import { toHex } from "../../src/bytes/hex.ts";
import { seeded, seededBytes } from "../support/random.ts";

export const sha256 = (bytes: Uint8Array) =>
  new Uint8Array(createHash("sha256").update(bytes).digest());
export const hmac = (key: Uint8Array, message: Uint8Array) =>
  new Uint8Array(createHmac("sha256", key).update(message).digest());

export interface Faults {
  /** Probabilities. */
  loss?: number;
  duplicates?: number;
  /** Maximum extra delay of a message in ms. */
  reorder?: number;
  /** Subjects without faults. */
  except?: RegExp;
}

interface Delivery {
  readonly at: number;
  readonly order: number;
  readonly to: FakeServer;
  readonly subject: string;
  readonly bytes: Uint8Array;
}

export class FakeBus {
  now = 0;
  faults: Faults = {};
  /** Messages and bytes that were published. */
  published = { messages: 0, bytes: 0 };
  readonly servers: FakeServer[] = [];
  readonly random: () => number;
  #queue: Delivery[] = [];
  #order = 0;

  constructor(readonly seed: number, faults: Faults = {}) {
    this.random = seeded(seed);
    this.faults = faults;
  }

  add(name: string, options: Partial<FakeOptions> = {}): FakeServer {
    const server = new FakeServer(this, name, this.servers.length, options);
    this.servers.push(server);
    server.connect();
    return server;
  }

  publish(from: FakeServer, subject: string, bytes: Uint8Array): void {
    this.published.messages++;
    this.published.bytes += bytes.length;
    const { loss = 0, duplicates = 0, reorder = 0 } = this.faults.except?.test(subject)
      ? {}
      : this.faults;
    for (const to of this.servers) {
      if (to.side !== from.side || !to.up || !to.subjects.has(subject)) continue;
      if (this.random() < loss) continue;
      const copies = this.random() < duplicates ? 2 : 1;
      for (let i = 0; i < copies; i++) {
        const at = this.now + 1 + Math.floor(this.random() * reorder);
        this.#queue.push({ at, order: this.#order++, to, subject, bytes: bytes.slice() });
      }
    }
  }

  /** Advances time from event to event. */
  run(milliseconds: number): void {
    const end = this.now + milliseconds;
    for (;;) {
      let next = end;
      for (const { at } of this.#queue) next = Math.min(next, at);
      for (const { up, bus } of this.servers) if (up) next = Math.min(next, bus.deadline);
      this.now = Math.max(this.now, next);
      const due = this.#queue.filter(({ at }) => at <= this.now)
        .sort((a, b) => a.at - b.at || a.order - b.order);
      this.#queue = this.#queue.filter(({ at }) => at > this.now);
      for (const { to, subject, bytes } of due) {
        if (to.up && to.subjects.has(subject)) to.bus.receive(subject, bytes, this.now);
      }
      for (const { up, bus } of this.servers) if (up) bus.flush(this.now);
      if (next >= end) return;
    }
  }
}

export interface FakeOptions {
  publicAddress: string;
  cluster: string;
  secret: string;
  maxPayload: number;
  startedAt: number;
}

/** A server whose applications, hub and clients are lists. */
export class FakeServer implements Wire, BusUser<string> {
  readonly bus: Bus<string>;
  readonly subjects = new Set<string>();
  readonly events: string[] = [];
  readonly logs: string[] = [];
  readonly maxPayload: number;
  readonly properties = new Map<string, string>();
  paths: string[] = [];
  /** Peer ids of this server's clients, hexadecimal. */
  readonly peers = new Set<string>();
  readonly members = new Map<string, Uint8Array[]>();
  readonly foreign = new Map<string, Set<string>>();
  /** Local publications with the initial state for a new listener. */
  readonly publications = new Map<string, BusFrame[]>();
  /** Frames that this server's listeners got, by name, each with whether earlier frames were lost. */
  readonly relays = new Map<string, { frame: BusFrame; lost: boolean }[]>();
  /** Names of this server's publications that other servers have listeners for. */
  readonly interests = new Set<string>();
  /** False while the process is killed. */
  up = true;
  /** Side of a split; servers of different sides cannot reach each other. */
  side = 0;
  readonly #startedAt: number;

  constructor(
    readonly network: FakeBus,
    readonly name: string,
    index: number,
    options: Partial<FakeOptions>,
  ) {
    this.maxPayload = options.maxPayload ?? 1 << 20;
    this.publicAddress = options.publicAddress ?? `${name}.example:1935`;
    this.#startedAt = options.startedAt ?? network.now;
    this.bus = new Bus(this, {
      cluster: options.cluster ?? "test",
      secret: new TextEncoder().encode(options.secret ?? ""),
      hmac,
      sha256,
      random: seededBytes(network.seed * 1000 + index),
      epoch: (now) => 1_700_000_000_000 + now,
      log: (level, text) => this.logs.push(`${level} ${text}`),
    }, this);
  }

  readonly publicAddress: string;

  connect(): void {
    this.bus.connected(this.network.now);
  }

  kill(): void {
    this.up = false;
  }

  /** A client of this server begins to publish. */
  publishes(name: string, snapshot: BusFrame[] = []): void {
    this.publications.set(name, snapshot);
    this.bus.publications.begun(name, this.network.now);
  }

  unpublishes(name: string): void {
    this.publications.delete(name);
    this.bus.publications.ended(name, this.network.now);
  }

  sends(name: string, frame: BusFrame): void {
    if (this.interests.has(name)) this.bus.publications.frame(name, frame, this.network.now);
  }

  plays(name: string, on = true): void {
    this.bus.publications.wanted(name, on, this.network.now);
  }

  joins(group: string, peer: Uint8Array): void {
    this.members.set(group, [...this.members.get(group) ?? [], peer]);
    this.bus.groups.joined(group, peer, this.network.now);
  }

  leaves(group: string, peer: Uint8Array): void {
    const rest = this.localMembers(group).filter((one) => toHex(one) !== toHex(peer));
    this.members.set(group, [...rest]);
    this.bus.groups.left(group, peer);
  }

  /** Names of the servers that this server sees. */
  get sees(): string[] {
    return [...this.bus.presence.servers.values()].map(({ publicAddress }) =>
      publicAddress.split(".")[0]
    ).sort();
  }

  // Wire

  publish(subject: string, bytes: Uint8Array): boolean {
    if (!this.bus.isConnected || bytes.length > this.maxPayload) return false;
    this.network.publish(this, subject, bytes);
    return true;
  }

  subscribe(subject: string): void {
    this.subjects.add(subject);
  }

  unsubscribe(subject: string): void {
    this.subjects.delete(subject);
  }

  // BusUser

  self() {
    return {
      startedAt: this.#startedAt,
      publicAddress: this.publicAddress,
      load: { clients: this.peers.size, publications: this.publications.size, lag: 0 },
      properties: this.properties,
      paths: this.paths,
    };
  }

  onServer({ publicAddress }: Neighbor): void {
    this.events.push(`+${publicAddress}`);
  }

  onGone({ publicAddress }: Neighbor, why: string): void {
    this.events.push(`-${publicAddress}: ${why}`);
  }

  onPaths({ publicAddress }: Neighbor, paths: string[]): void {
    this.events.push(`${publicAddress} runs ${paths}`);
  }

  onCall({ publicAddress }: Neighbor, handler: string, payload: Uint8Array): void {
    this.events.push(`${publicAddress} calls ${handler}(${toHex(payload)})`);
  }

  onLookup({ peerId }: Lookup): Pick<Found, "addresses" | "silence"> | undefined {
    if (!this.peers.has(toHex(peerId))) return undefined;
    return { addresses: [`${this.name}:1`], silence: 0 };
  }

  onFound(asker: string, addresses: readonly string[]): void {
    this.events.push(`${asker} found at ${addresses}`);
  }

  onNobody(_peerId: Uint8Array, asker: string): void {
    this.events.push(`${asker} found nowhere`);
  }

  localMembers(group: string): readonly Uint8Array[] {
    return this.members.get(group) ?? [];
  }

  localCount(group: string): number {
    return this.localMembers(group).length;
  }

  onMember(group: string, peerId: Uint8Array): void {
    const known = this.foreign.get(group) ?? new Set();
    this.foreign.set(group, known.add(toHex(peerId)));
  }

  onMemberGone(group: string, peerId: Uint8Array): void {
    this.foreign.get(group)?.delete(toHex(peerId));
  }

  onInterest(name: string, wanted: boolean): void {
    if (wanted) this.interests.add(name);
    else this.interests.delete(name);
  }

  snapshot(name: string): BusFrame[] {
    return this.publications.get(name) ?? [];
  }

  onTaken(name: string): void {
    this.events.push(`${name} is taken`);
    this.unpublishes(name);
  }

  onBegin(name: string): void {
    this.relays.set(name, []);
    this.events.push(`${name} begins`);
  }

  onFrame(name: string, frame: BusFrame, lost: boolean): void {
    this.relays.get(name)!.push({ frame, lost });
  }

  onEnd(name: string): void {
    this.relays.delete(name);
    this.events.push(`${name} ends`);
  }
}

export const frameOf = (n: number, kind: BusFrame["kind"] = "video", length = 4): BusFrame => ({
  kind,
  time: n,
  name: kind === "data" || kind === "metadata" ? "onMetaData" : "",
  payload: new Uint8Array(length).fill(n),
});
