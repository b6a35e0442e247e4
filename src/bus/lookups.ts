// Look-ups of peers of other servers. NATS-302 to NATS-307.
import { toHex } from "../bytes/hex.ts";
import { TokenBucket } from "../common/token_bucket.ts";
import { type Found, found, type Lookup, lookup } from "./messages.ts";
import type { Post } from "./post.ts";

/** Maximum time (ms) to wait for an answer. */
const ANSWER_TIMEOUT = 200;
/** Time (ms) to wait for a better answer after one about a peer that has been silent for {@link MIN_SILENCE}. */
const BETTER_ANSWER_TIMEOUT = 20;
const MIN_SILENCE = 1_000;
/** Time (ms) for which an unknown peer is not looked up again. */
const UNKNOWN_LIFETIME = 1_000;
const MAX_UNKNOWN = 10_000;
const MAX_PENDING = 10_000;
/** Maximum number of requests per second. */
const MAX_RATE = 200;

export interface LookupEvents<T> {
  /** Introduces a peer of this server to the seeker. @returns undefined if the peer is not here */
  onLookup(request: Lookup): Pick<Found, "addresses" | "silence"> | undefined;
  onFound(asker: T, addresses: readonly string[]): void;
  onNobody(peerId: Uint8Array, asker: T): void;
}

interface Pending<T> {
  readonly asker: T;
  readonly peerId: Uint8Array;
  readonly key: string;
  until: number;
  best?: Found;
}

/** `T`: the user's data for answering the asking peer. */
export class Lookups<T> {
  readonly counters = { requests: 0, hits: 0, timeouts: 0 };
  readonly #post: Post;
  readonly #events: LookupEvents<T>;
  readonly #pending = new Map<number, Pending<T>>();
  /** Pending requests by peer and tag. */
  readonly #asked = new Set<string>();
  /** Unknown peers, with the time until which they are not looked up again. */
  readonly #unknown = new Map<string, number>();
  #lastRequest = 0;
  readonly #allowance = new TokenBucket(MAX_RATE, MAX_RATE);

  constructor(post: Post, events: LookupEvents<T>) {
    this.#post = post;
    this.#events = events;
  }

  /**
   * Requests a peer of all servers.
   *
   * @returns false if no look-up is sent: the peer was unknown a moment ago, or too many look-ups are open
   */
  find(request: Omit<Lookup, "request">, asker: T, now: number): boolean {
    const peer = toHex(request.peerId);
    const key = `${peer} ${toHex(request.tag)}`;
    if (this.#asked.has(key)) return true;
    const until = this.#unknown.get(peer);
    if (until !== undefined && now < until) return false;
    if (this.#pending.size >= MAX_PENDING || !this.#allowance.take(now)) return false;
    const id = this.#lastRequest = (this.#lastRequest + 1) >>> 0;
    const sent = this.#post.send(this.#post.subjects.lookup, lookup, { ...request, request: id });
    if (!sent) return false;
    this.counters.requests++;
    this.#asked.add(key);
    const { peerId } = request;
    this.#pending.set(id, { asker, peerId, key, until: now + ANSWER_TIMEOUT });
    return true;
  }

  onLookup(sender: string, message: Lookup): void {
    const answer = this.#events.onLookup(message);
    if (!answer) return;
    const { request } = message;
    this.#post.send(this.#post.subjects.server(sender), found, { request, ...answer });
  }

  onFound(message: Found, now: number): void {
    const pending = this.#pending.get(message.request);
    if (!pending) return;
    if (pending.best && pending.best.silence <= message.silence) return;
    if (!pending.best) pending.until = Math.min(pending.until, now + BETTER_ANSWER_TIMEOUT);
    pending.best = message;
    if (message.silence < MIN_SILENCE) this.#settle(message.request, pending, now);
  }

  get deadline(): number {
    let deadline = Infinity;
    for (const { until } of this.#pending.values()) deadline = Math.min(deadline, until);
    return deadline;
  }

  flush(now: number): void {
    for (const [id, pending] of this.#pending) {
      if (now >= pending.until) this.#settle(id, pending, now);
    }
    for (const [peer, until] of this.#unknown) {
      if (now < until) break; // in the order of their times
      this.#unknown.delete(peer);
    }
  }

  #settle(id: number, { best, asker, peerId, key }: Pending<T>, now: number): void {
    this.#pending.delete(id);
    this.#asked.delete(key);
    if (best) {
      this.counters.hits++;
      return this.#events.onFound(asker, best.addresses);
    }
    this.counters.timeouts++;
    const peer = toHex(peerId);
    this.#unknown.delete(peer);
    if (this.#unknown.size < MAX_UNKNOWN) this.#unknown.set(peer, now + UNKNOWN_LIFETIME);
    this.#events.onNobody(peerId, asker);
  }
}
