// Publications of this server, and the servers that have listeners for them. NATS-411 to NATS-413.
import { TokenBucket } from "../common/token_bucket.ts";
import { type BusFrame, FrameBatch } from "./frames.ts";
import { type Claim, claim, end, media, state } from "./messages.ts";
import { type Post, soonest } from "./post.ts";

/** A batch of frames is sent at this length (bytes), or when its oldest frame has waited for this time (ms). */
const BATCH_BYTES = 32 * 1024;
const BATCH_DELAY = 10;
/** Time (ms) without a repeated request after which a server has no listeners any more. */
const INTEREST_TIMEOUT = 12_000;
/**
 * Maximum bytes of states for all joins of a publication at once, and per second; a server without answer
 * joins again. A join has a few bytes and its answer megabytes, so the rate must be limited.
 */
const MAX_STATES = 64 << 20, MAX_STATES_PER_SECOND = 16 << 20;
/** Minimum number of bytes counted for a state. */
const MIN_STATE = 4 << 10;
/** Time (ms) between two claims. */
const CLAIM_INTERVAL = 5_000;
/** Minimum time (ms) after the first claim, which a server that claims at the same time may miss. */
const SECOND_CLAIM_INTERVAL = 300;

export interface OutgoingUser {
  /** The first listener of another server has joined, or the last one has left. */
  onInterest(name: string, wanted: boolean): void;
  /** Initial state for a new listener: metadata, codec headers, frames since the last key frame. */
  snapshot(name: string): Iterable<BusFrame>;
}

/** One publication of this server. */
export class Outgoing {
  readonly #post: Post;
  readonly #user: OutgoingUser;
  /** Time (ms) of the last join by server. */
  readonly #listeners = new Map<string, number>();
  readonly #batch: FrameBatch;
  readonly #states = new TokenBucket(MAX_STATES, MAX_STATES_PER_SECOND);
  /** Length of the last state in bytes. */
  #stateBytes = 0;
  #sequence = 0;
  #flushAt = Infinity;
  #claimAt: number;
  #hasClaimed = false;

  constructor(post: Post, user: OutgoingUser, readonly claimed: Claim, now: number) {
    this.#post = post;
    this.#user = user;
    this.#claimAt = now;
    const subject = post.subjects.media(claimed.name);
    this.#batch = new FrameBatch(Math.min(BATCH_BYTES, post.maxBody), (frames) => {
      const { name, id } = claimed;
      post.send(subject, media, { name, id, sequence: this.#sequence, frames }, true);
      this.#sequence = (this.#sequence + 1) >>> 0; // a dropped message is a gap for listeners
    });
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  /** Claims the name again, within `spread` milliseconds. NATS-433. */
  claimAgain(now: number, spread: number): void {
    this.#claimAt = soonest(this.#claimAt, now + this.#post.random(spread), now);
  }

  /** Sends this server's claim to a server that claims the name too. */
  answer(server: string): void {
    this.#post.send(this.#post.subjects.server(server), claim, this.claimed);
  }

  frame(frame: BusFrame, now: number): void {
    if (this.#listeners.size === 0) return;
    this.#batch.add(frame);
    if (this.#batch.length > 0) this.#flushAt = Math.min(this.#flushAt, now + BATCH_DELAY);
    else this.#flushAt = Infinity;
  }

  /**
   * @param request number for the answer
   * @param fresh the server has got no state of this publication yet
   */
  join(server: string, request: number, fresh: boolean, now: number): void {
    const isNew = !this.#listeners.has(server);
    const isFirst = this.#listeners.size === 0;
    this.#listeners.set(server, now);
    if (isFirst) this.#user.onInterest(this.claimed.name, true);
    const cost = Math.max(MIN_STATE, this.#stateBytes);
    if ((isNew || fresh) && this.#states.take(now, cost)) this.#sendState(server, request);
  }

  leave(server: string): void {
    if (!this.#listeners.delete(server) || this.#listeners.size > 0) return;
    this.#flushBatch();
    this.#user.onInterest(this.claimed.name, false);
  }

  /** The publication has ended. */
  end(): void {
    this.#flushBatch();
    this.#post.send(this.#post.subjects.control(this.claimed.name), end, this.claimed);
    if (this.#listeners.size > 0) this.#user.onInterest(this.claimed.name, false);
    this.#listeners.clear();
  }

  get deadline(): number {
    let deadline = Math.min(this.#flushAt, this.#claimAt);
    for (const at of this.#listeners.values()) deadline = Math.min(deadline, at + INTEREST_TIMEOUT);
    return deadline;
  }

  flush(now: number): void {
    if (now >= this.#flushAt) this.#flushBatch();
    for (const [server, at] of [...this.#listeners]) {
      if (now - at >= INTEREST_TIMEOUT) this.leave(server);
    }
    if (now < this.#claimAt) return;
    const pause = SECOND_CLAIM_INTERVAL + this.#post.random(SECOND_CLAIM_INTERVAL);
    this.#claimAt = now + (this.#hasClaimed ? CLAIM_INTERVAL : pause);
    this.#hasClaimed = true;
    this.#post.send(this.#post.subjects.control(this.claimed.name), claim, this.claimed);
  }

  #flushBatch(): void {
    this.#flushAt = Infinity;
    this.#batch.flush();
  }

  /** Sends the state in parts; later frames follow in `media` of the next sequence number. */
  #sendState(server: string, request: number): void {
    this.#flushBatch();
    const subject = this.#post.subjects.server(server);
    let part = 0;
    this.#stateBytes = 0;
    const send = (frames: Uint8Array) => {
      this.#stateBytes += frames.length;
      const next = this.#sequence;
      this.#post.send(subject, state, { ...this.claimed, request, next, part: part++, frames });
    };
    const parts = new FrameBatch(this.#post.maxBody, send);
    for (const frame of this.#user.snapshot(this.claimed.name)) parts.add(frame);
    parts.flush();
    if (part === 0) send(new Uint8Array());
  }
}
