// A bad network in virtual time, which can be replayed: see STYLE.md.
import { type Address, sameAddress } from "../../src/common/address.ts";
import type { Outbox } from "../../src/rtmfp/outbox.ts";
import { seeded } from "./random.ts";

/** One end of the link, with an endpoint's methods. */
export interface Node {
  receive(datagram: Uint8Array, from: Address, now: number): void;
  flush(now: number, out: Outbox): void;
  readonly deadline: number;
}

/** Properties of a line, the same in both directions. */
export interface LineSettings {
  /** Share of datagrams lost (0 to 1). */
  readonly loss?: number;
  /** Minimum and maximum delay (ms); datagrams overtake each other if these differ. */
  readonly delay?: readonly [number, number];
  /** Datagrams keep their order with any delay. */
  readonly ordered?: boolean;
  /** Share of datagrams that arrive twice (0 to 1). */
  readonly duplicate?: number;
  /** Share of datagrams that arrive with a changed byte (0 to 1). */
  readonly corrupt?: number;
  /** Maximum bytes of a datagram with IP and UDP headers; longer ones are lost. */
  readonly mtu?: number;
  /** Bits per second, headers included. */
  readonly bandwidth?: number;
  /** Maximum bytes queued at a limited bandwidth; further datagrams are lost. */
  readonly queue?: number;
  /** The line drops every datagram from the first time to the second. */
  readonly blackOut?: readonly [number, number];
}

export interface LinkSettings extends LineSettings {
  readonly seed: number;
}

/** Changes datagrams in flight, in tests of attacks. */
export type Tap = (datagram: Uint8Array, from: Address, to: Address) => boolean;

interface Flying {
  readonly at: number;
  readonly order: number;
  readonly datagram: Uint8Array;
  readonly from: Address;
  readonly to: Address;
}

interface Attached {
  readonly node: Node;
  readonly side: 0 | 1;
  address: Address;
  readonly rebindEvery: number;
  nextRebind: number;
  /** The node's own line, if it has one. */
  readonly line: Line | undefined;
}

/** A line between the sides. */
interface Line {
  readonly settings: LineSettings;
  /** For each sending side: the times (ms) when the line is free and when its latest datagram arrives. */
  readonly busyUntil: [number, number];
  readonly lastArrival: [number, number];
}

const HEADERS = 28;
/** Bytes of a slab of datagrams. */
const SLAB = 65_536;
const STEPS = 20_000_000;

/**
 * Nodes on two sides, with one line between the sides, except for nodes with their own line. It jumps from event to event, so that two
 * minutes take no time, and does the same again for the same seed.
 */
export class LossyLink {
  now = 0;
  datagrams = 0;
  lost = 0;
  /** Bytes delivered to each side. */
  readonly delivered: [number, number] = [0, 0];
  /** Called with every sent datagram; drops the datagram by returning false. */
  tap: Tap | undefined;
  readonly #line: Line;
  readonly #random: () => number;
  readonly #attached: Attached[] = [];
  readonly #flying = new Heap();
  #order = 0;
  /** The node being flushed. */
  #sender: Attached | undefined;
  readonly #buffer = new Uint8Array(4400);
  #slab = new Uint8Array(0);
  #slabUsed = 0;
  readonly #outbox: Outbox = {
    buffer: () => this.#buffer,
    room: Infinity,
    post: (length, to) => this.#send(this.#sender!, this.#copy(length), to),
  };

  constructor(settings: LinkSettings) {
    this.#line = makeLine(settings);
    this.#random = seeded(settings.seed);
  }

  /**
   * Attaches a node.
   *
   * @param rebindEvery interval (ms) after which the node's NAT gives it another port
   * @param line its own line to the other side
   */
  attach(
    node: Node,
    address: Address,
    side: 0 | 1,
    rebindEvery = Infinity,
    line?: LineSettings,
  ): void {
    const own = line && makeLine(line);
    this.#attached.push({ node, side, address, rebindEvery, nextRebind: rebindEvery, line: own });
  }

  /** The current address of a node, as other nodes see it. */
  addressOf(node: Node): Address {
    return this.#attached.find((attached) => attached.node === node)!.address;
  }

  /** Gives a node another address; datagrams to the old address are lost. */
  rebind(node: Node, address: Address): void {
    this.#attached.find((attached) => attached.node === node)!.address = address;
  }

  /** Injects a datagram that no node has sent. It arrives at once. */
  inject(datagram: Uint8Array, from: Address, to: Address): void {
    const flying = { at: this.now, order: ++this.#order, datagram: datagram.slice(), from, to };
    this.#flying.push(flying);
  }

  /** Runs until a time, or until `done` returns true. */
  run({ until, done }: { until: number; done?: () => boolean }): void {
    for (let step = 0; !done?.(); step++) {
      if (step > STEPS) throw new Error(`The link does not come to rest, at ${this.now} ms`);
      for (const attached of this.#attached) this.#flush(attached);
      const next = this.#next();
      if (next > until) break;
      this.now = Math.max(this.now, next);
      while (this.#flying.first && this.#flying.first.at <= this.now) {
        this.#deliver(this.#flying.pop()!);
      }
    }
    if (!done?.()) this.now = Math.max(this.now, until);
  }

  #next(): number {
    let next = this.#flying.first?.at ?? Infinity;
    for (const { node, nextRebind } of this.#attached) {
      next = Math.min(next, node.deadline, nextRebind);
    }
    return next;
  }

  #flush(attached: Attached): void {
    if (this.now >= attached.nextRebind) {
      const { hostname, port } = attached.address;
      attached.address = { hostname, port: 1024 + (port * 7 + 13) % 60_000 };
      attached.nextRebind += attached.rebindEvery;
    }
    this.#sender = attached;
    attached.node.flush(this.now, this.#outbox);
  }

  /** Copies the start of the buffer into a slab: a separate buffer for each datagram would be slow. */
  #copy(length: number): Uint8Array {
    if (this.#slabUsed + length > this.#slab.length) {
      this.#slab = new Uint8Array(SLAB);
      this.#slabUsed = 0;
    }
    const copy = this.#slab.subarray(this.#slabUsed, this.#slabUsed += length);
    copy.set(this.#buffer.subarray(0, length));
    return copy;
  }

  #send({ address, side, line: own }: Attached, datagram: Uint8Array, to: Address): void {
    const line = own ?? this.#at(to)?.line ?? this.#line;
    const { settings } = line;
    this.datagrams++;
    if (this.tap && !this.tap(datagram, address, to)) return;
    const [from, until] = settings.blackOut ?? [Infinity, Infinity];
    const dark = this.now >= from && this.now < until;
    const tooLong = datagram.length + HEADERS > (settings.mtu ?? Infinity);
    if (dark || tooLong || this.#random() < (settings.loss ?? 0)) {
      this.lost++;
      return;
    }
    if (this.#random() < (settings.corrupt ?? 0)) {
      datagram[Math.floor(this.#random() * datagram.length)] ^= 1 +
        Math.floor(this.#random() * 255);
    }
    this.#fly(line, datagram, address, to, side);
    if (this.#random() >= (settings.duplicate ?? 0)) return;
    this.#fly(line, datagram.slice(), address, to, side);
  }

  #fly(line: Line, datagram: Uint8Array, from: Address, to: Address, side: 0 | 1): void {
    const { busyUntil, lastArrival } = line;
    const { delay, ordered, bandwidth, queue } = line.settings;
    const [least, most] = delay ?? [0, 0];
    let at = this.now + least + this.#random() * (most - least);
    if (bandwidth !== undefined) {
      const perByte = 8000 / bandwidth;
      const wait = Math.max(0, busyUntil[side] - this.now);
      if (wait / perByte > (queue ?? Infinity)) {
        this.lost++;
        return;
      }
      busyUntil[side] = this.now + wait + (datagram.length + HEADERS) * perByte;
      at += busyUntil[side] - this.now;
    }
    if (ordered) at = lastArrival[side] = Math.max(at, lastArrival[side]);
    this.#flying.push({ at, order: ++this.#order, datagram, from, to });
  }

  #deliver({ datagram, from, to }: Flying): void {
    const attached = this.#at(to);
    if (!attached) return;
    this.delivered[attached.side] += datagram.length;
    attached.node.receive(datagram, from, this.now);
  }

  #at(address: Address): Attached | undefined {
    return this.#attached.find((attached) => sameAddress(attached.address, address));
  }
}

function makeLine(settings: LineSettings): Line {
  return { settings, busyUntil: [0, 0], lastArrival: [0, 0] };
}

/** Datagrams in flight, the earliest first. */
class Heap {
  readonly #items: Flying[] = [];

  get first(): Flying | undefined {
    return this.#items[0];
  }

  push(item: Flying): void {
    const items = this.#items;
    let i = items.push(item) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(items[i], items[parent])) break;
      [items[i], items[parent]] = [items[parent], items[i]];
      i = parent;
    }
  }

  pop(): Flying | undefined {
    const items = this.#items;
    const first = items[0];
    const last = items.pop();
    if (items.length === 0 || !last) return first;
    items[0] = last;
    for (let i = 0;;) {
      const left = 2 * i + 1;
      if (left >= items.length) return first;
      const right = left + 1;
      const child = right < items.length && before(items[right], items[left]) ? right : left;
      if (!before(items[child], items[i])) return first;
      [items[i], items[child]] = [items[child], items[i]];
      i = child;
    }
  }
}

function before(a: Flying, b: Flying): boolean {
  return a.at !== b.at ? a.at < b.at : a.order < b.order;
}
