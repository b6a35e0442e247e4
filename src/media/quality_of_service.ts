import type { Clock } from "./clock.ts";

/** Time (ms) that figures cover. */
const WINDOW = 5000;
const BUCKETS = 20;
const BUCKET = WINDOW / BUCKETS;

/** A message that arrived at the measuring end. */
export interface Arrival {
  /** Media time in milliseconds modulo 2^32. */
  readonly time: number;
  readonly bytes: number;
  /** Fragments that arrived and were lost since the last arrival. */
  readonly received: number;
  readonly lost: number;
  /** Round trip in milliseconds. */
  readonly ping: number;
}

interface Bucket {
  /** Number of its interval of {@link BUCKET} milliseconds, from 0. */
  slot: number;
  bytes: number;
  received: number;
  lost: number;
  /** The minimum delay of its arrivals, in ms: retransmitted messages arrive late on any line. */
  delay: number;
  /** Arrival time (ms) of the one with that delay. */
  at: number;
}

/**
 * Statistics of one kind of media in one direction. API-450 to API-455. Figures over the last 5 s come
 * from buckets of 250 ms, so an arrival costs the same at any rate.
 */
export class QualityOfService {
  #clock: Clock;
  #buckets: Bucket[] = [];
  /** A dropped bucket for reuse: a listener needs eight per second. */
  #spare: Bucket | undefined;
  #started = false;
  #since = 0;
  #time = 0;
  #arrived = 0;
  /** Delay relative to the first arrival in ms: arrival time minus media time. */
  #delay = 0;
  /** The minimum delay so far, and half the round trip at that time: the delay of the idle line. */
  #leastDelay = 0;
  #leastLatency = 0;
  /** Frames of a publisher dropped before a key frame, or dropped for a slow listener. API-454. */
  droppedFrames = 0;
  /** Video frames not sent to a listener because it started, or continued, after their key frame. */
  skippedFrames = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Bytes per second over the last 5 s, or since the first arrival if that is less. API-450. */
  get byteRate(): number {
    let bytes = 0;
    for (const bucket of this.#recent()) bytes += bucket.bytes;
    return bytes === 0 ? 0 : bytes * 1000 / this.#span();
  }

  /** Lost of all fragments, 0 to 1, over the last 5 s. API-451. */
  get lostRate(): number {
    let received = 0;
    let lost = 0;
    for (const bucket of this.#recent()) {
      received += bucket.received;
      lost += bucket.lost;
    }
    return lost === 0 ? 0 : lost / (received + lost);
  }

  /** -1 to 1: growth of delay per elapsed time over the last 5 s, plus the lost rate. API-452. */
  get congestionRate(): number {
    const buckets = this.#recent();
    const oldest = buckets[0];
    let newest = buckets.at(-1);
    if (!oldest || !newest) return 0;
    const before = buckets.at(-2);
    // The newest may hold a single arrival.
    if (buckets.length > 2 && before && before.delay < newest.delay) newest = before;
    const elapsed = newest.at - oldest.at;
    const growth = elapsed > 0 ? (newest.delay - oldest.delay) / elapsed : 0;
    return Math.min(1, Math.max(-1, growth + this.lostRate));
  }

  /**
   * Latency in milliseconds: half a round trip, plus the delay relative to the earliest arrival of all, as
   * the first one may have been late. API-453.
   */
  get latency(): number {
    return this.#leastLatency + this.#delay - this.#leastDelay;
  }

  add({ time, bytes, received, lost, ping }: Arrival): void {
    const now = this.#clock.now;
    if (!this.#started) {
      this.#started = true;
      this.#since = now;
    } else {
      this.#delay += (now - this.#arrived) - ((time - this.#time) | 0); // media time wraps at 2^32
    }
    if (this.#delay <= this.#leastDelay) {
      this.#leastDelay = this.#delay;
      this.#leastLatency = ping / 2;
    }
    this.#time = time;
    this.#arrived = now;
    const slot = Math.floor(now / BUCKET);
    let bucket = this.#buckets[this.#buckets.length - 1];
    if (bucket?.slot !== slot) {
      bucket = this.#begin(slot, now);
    } else if (this.#delay < bucket.delay) {
      bucket.delay = this.#delay;
      bucket.at = now;
    }
    bucket.bytes += bytes;
    bucket.received += received;
    bucket.lost += lost;
  }

  /** Counts frames dropped for a slow listener, also as lost. */
  gaveUp(frames: number): void {
    if (frames === 0) return;
    this.droppedFrames += frames;
    const now = this.#clock.now;
    const slot = Math.floor(now / BUCKET);
    let bucket = this.#buckets[this.#buckets.length - 1];
    if (bucket?.slot !== slot) bucket = this.#begin(slot, now);
    bucket.lost += frames;
  }

  #begin(slot: number, now: number): Bucket {
    const buckets = this.#recent();
    let bucket = this.#spare;
    this.#spare = undefined;
    if (bucket) {
      bucket.slot = slot;
      bucket.bytes = bucket.received = bucket.lost = 0;
      bucket.delay = this.#delay;
      bucket.at = now;
    } else {
      bucket = { slot, bytes: 0, received: 0, lost: 0, delay: this.#delay, at: now };
    }
    buckets.push(bucket);
    return bucket;
  }

  /** Resets all figures to 0. API-455. */
  reset(): void {
    this.#buckets = [];
    this.#started = false;
    this.#since =
      this.#time =
      this.#arrived =
      this.#delay =
      this.#leastDelay =
      this.#leastLatency =
        0;
    this.droppedFrames = this.skippedFrames = 0;
  }

  /** Drops buckets older than the window. @returns the rest */
  #recent(): Bucket[] {
    const oldest = Math.floor(this.#clock.now / BUCKET) - BUCKETS;
    const buckets = this.#buckets;
    for (let first = buckets[0]; first && first.slot <= oldest; first = buckets[0]) {
      this.#spare = buckets.shift();
    }
    return buckets;
  }

  /** Time (ms) that the buckets cover. */
  #span(): number {
    const now = this.#clock.now;
    const full = WINDOW - BUCKET + now % BUCKET;
    return Math.min(full, Math.max(BUCKET, now - this.#since));
  }
}
