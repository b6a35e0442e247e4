/** Sender maximum segment size, the unit of RFC 7016 appendix A. */
const SMSS = 1460;
const FIRST_WINDOW = 3 * SMSS;
/** Factor by which a window may exceed the capacity of the path. */
const MAX_EXCESS = 1.15;
/** Share of the path's capacity that a reduced window keeps, so that queues drain. */
const DRAINED_SHARE = 0.9;
/** Factor over the minimum round trip from which a round trip indicates queues. */
const QUEUEING_FACTOR = 1.25;
/** Share of lost bytes above which the start phase ends, even without queues. */
const MAX_RANDOM_LOSS = 0.2;
/** Measurement error of a round trip, in milliseconds. */
const GRAIN = 8;
/** Loss (bytes) in a period that is too small to count. */
const MAX_STRAY_LOSS = 5 * SMSS;
/** Number of samples in each of the two spans over which the maximum rate is taken. */
const RATE_SAMPLES = 8;
/** Duration (ms) of each of the two spans over which the minimum round trip is taken. */
const RTT_SPAN = 10_000;

/** Summary of the acknowledgements of one packet. */
export interface AckSummary {
  now: number;
  /** Bytes that were in flight before it. */
  before: number;
  /** The window, not a lack of data, limited the bytes in flight. */
  used: boolean;
  /** Bytes acknowledged. */
  acked: number;
  /** Number of acknowledgements if each covered two packets. */
  answered: number;
  /** -1: no negative acknowledgement; otherwise the number of fragments declared lost. */
  naks: number;
  /** Time-critical data were sent in this session recently. RFC 7016 §3.5.2.1. */
  timeCritical: boolean;
  /** No time-critical traffic needs the link. */
  fastGrow: boolean;
}

/**
 * Number of bytes that may be in flight in a session: RFC 7016 appendix A, with another reaction to loss.
 *
 * Appendix A takes every loss for congestion, so that 1 % of random loss at a round trip of 100 ms
 * leaves 85 % of a link of 10 Mb/s unused. Here a loss changes nothing while the window is at most the
 * capacity of the path without queueing: the measured delivery rate times the minimum round trip. A
 * larger window has built up queues, and a loss halves it (7/8 for real-time data), but not below the
 * size that drains them. Large windows are reduced like small ones, so that two sessions come to share
 * a link equally.
 */
export class Congestion {
  /** Bytes that may be in flight. */
  window = FIRST_WINDOW;
  #threshold = Infinity;
  #accumulated = 0;
  #reducedUntil = 0;
  /** Bytes per millisecond, the highest of the current and of the previous span. */
  #rate = 0;
  #rateBefore = 0;
  #rateSamples = 0;
  #periodStart = -1;
  #periodBytes = 0;
  /** Approximate bytes lost in the current period, and the share lost in the one before. */
  #periodLost = 0;
  #lossShare = 0;
  #latestRtt = 0;
  #leastRtt = Infinity;
  #leastRttBefore = Infinity;
  #leastRttSince = 0;

  /** Takes a sample of the round trip, in milliseconds. */
  measureRtt(rtt: number, now: number): void {
    if (now - this.#leastRttSince > RTT_SPAN) {
      this.#leastRttBefore = this.#leastRtt;
      this.#leastRtt = Infinity;
      this.#leastRttSince = now;
    }
    this.#latestRtt = rtt;
    if (rtt < this.#leastRtt) this.#leastRtt = Math.max(rtt, 1);
  }

  /** Counts bytes that were acknowledged now, when a round trip takes `rtt` milliseconds. */
  measureRate(bytes: number, rtt: number, now: number): void {
    if (this.#periodStart < 0) {
      this.#periodStart = now;
      return;
    }
    this.#periodBytes += bytes;
    const period = now - this.#periodStart;
    if (period < Math.max(rtt, 20)) return;
    if (++this.#rateSamples > RATE_SAMPLES) {
      this.#rateBefore = this.#rate;
      this.#rate = 0;
      this.#rateSamples = 1;
    }
    this.#rate = Math.max(this.#rate, this.#periodBytes / period);
    this.#lossShare = this.#lost / (this.#periodLost + this.#periodBytes);
    this.#periodBytes = this.#periodLost = 0;
    this.#periodStart = now;
  }

  /** Processes the acknowledgements of one packet. */
  receive(summary: AckSummary): void {
    if (summary.naks > 0) {
      this.#periodLost += summary.naks * SMSS;
      this.#reduce(summary);
    } else if (summary.naks < 0 && summary.acked > 0 && summary.used) {
      this.#grow(summary);
    }
  }

  /** The retransmission time-out expired. @param lost whether anything was in flight */
  expire(lost: boolean): void {
    this.#threshold = Math.max(this.#threshold, this.window * 3 / 4);
    this.#accumulated = 0;
    this.window = lost ? SMSS : FIRST_WINDOW;
    this.#periodStart = -1;
  }

  /** The path has changed. */
  reset(): void {
    this.window = FIRST_WINDOW;
    this.#threshold = Infinity;
    this.#accumulated = this.#rate = this.#rateBefore = 0;
    this.#periodStart = -1;
    this.#leastRtt = this.#leastRttBefore = Infinity;
  }

  /** Estimated capacity of the path without queueing, in bytes. */
  get #pipe(): number {
    const rtt = this.#least;
    return rtt < Infinity ? Math.max(this.#rate, this.#rateBefore) * rtt : 0;
  }

  get #least(): number {
    return Math.min(this.#leastRtt, this.#leastRttBefore);
  }

  /** Bytes lost in the current period; a few fragments do not count. */
  get #lost(): number {
    return this.#periodLost > MAX_STRAY_LOSS ? this.#periodLost : 0;
  }

  /** Whether more is lost than at random. */
  get #heavyLoss(): boolean {
    const share = this.#lost / (this.#periodLost + this.#periodBytes + this.window / 2);
    return Math.max(share, this.#lossShare) > MAX_RANDOM_LOSS;
  }

  #reduce({ before, timeCritical, now }: AckSummary): void {
    const share = timeCritical ? 7 / 8 : 1 / 2;
    const pipe = this.#pipe;
    // While the window doubles each round trip, the rate that is measured lags behind.
    const starting = this.window < this.#threshold;
    const queueing = this.#latestRtt > QUEUEING_FACTOR * this.#least + GRAIN;
    if (starting ? !queueing && !this.#heavyLoss : before <= MAX_EXCESS * pipe) return;
    if (now < this.#reducedUntil) return; // already, by a loss of the same round trip
    this.#reducedUntil = now + this.#latestRtt;
    const least = Math.max(Math.min(DRAINED_SHARE * pipe, before), FIRST_WINDOW);
    this.#threshold = Math.max(before * share, least);
    this.window = this.#threshold;
    this.#accumulated = 0;
  }

  #grow({ acked, answered, timeCritical, fastGrow }: AckSummary): void {
    let growth = 0;
    let most = SMSS;
    if (fastGrow && this.window < this.#threshold) {
      growth = acked;
      most *= answered;
    } else if (!fastGrow && timeCritical && this.window < this.#threshold) {
      growth = Math.ceil(acked / 4);
    } else {
      this.#accumulated += acked;
      const longest = !fastGrow && timeCritical ? 2400 : 4800;
      const step = Math.min(Math.max(this.window / 16, 64), longest);
      const steps = Math.floor(this.#accumulated / step);
      this.#accumulated -= steps * step;
      growth = steps * (fastGrow ? 48 : 24);
    }
    this.window = Math.max(this.window + Math.min(growth, most), FIRST_WINDOW);
  }
}
