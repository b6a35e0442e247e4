/** Sender maximum segment size, the unit of RFC 7016 appendix A. */
const SMSS = 1460;
const FIRST_WINDOW = 3 * SMSS;
/** A window is too large if it exceeds the capacity of the path by this factor. */
const TOLERANCE = 1.15;
/** A window that was too large leaves this much of the path used, so that queues drain. */
const DRAINED = 0.9;
/** Round trips longer than the least one by this factor tell of queues. */
const QUEUEING = 1.25;
/** More lost than this share ends the start, even where nothing queues up. */
const RANDOM_LOSS = 0.2;
/** Measurement error of a round trip, in milliseconds. */
const GRAIN = 8;
const FEW = 5 * SMSS;
/** Samples of the rate in one of the two spans that its maximum is taken of. */
const RATE_SPAN = 8;
/** The same for the least round trip, in milliseconds. */
const RTT_SPAN = 10_000;

/** Summary of the acknowledgements of one packet. */
export interface AckSummary {
  now: number;
  /** Bytes that were in flight before it. */
  before: number;
  /** More would have been in flight, had it been allowed. */
  used: boolean;
  /** Bytes acknowledged. */
  acked: number;
  /** How many acknowledgements this would be if each told of two packets. */
  answered: number;
  /** Fragments that are late: -1 none, else how many of them were given up as lost. */
  naks: number;
  /** Time-critical data were sent in this session lately. RFC 7016 §3.5.2.1. */
  timeCritical: boolean;
  /** No time-critical traffic needs the link. */
  fastGrow: boolean;
}

/**
 * How much may be in flight in a session: RFC 7016 appendix A, with a change to what a loss does.
 *
 * Appendix A takes every loss for congestion, so that 1 % of random loss at a round trip of 100 ms
 * leaves 85 % of a link of 10 Mb/s unused. Here a loss changes nothing while the window is at most the
 * capacity of the path without queueing: the measured delivery rate times the least round trip. A
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
  /** Bytes lost, about, in the current period, and the share that was in the one before. */
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
    if (++this.#rateSamples > RATE_SPAN) {
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

  /** Nothing was acknowledged in time, and whether something had been in flight. */
  expire(lost: boolean): void {
    this.#threshold = Math.max(this.#threshold, this.window * 3 / 4);
    this.#accumulated = 0;
    this.window = lost ? SMSS : FIRST_WINDOW;
    this.#periodStart = -1;
  }

  /** The path is another one now. */
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

  /** Bytes lost in the current period; a few fragments tell nothing. */
  get #lost(): number {
    return this.#periodLost > FEW ? this.#periodLost : 0;
  }

  /** Whether more is lost than by accident. */
  get #heavyLoss(): boolean {
    const share = this.#lost / (this.#periodLost + this.#periodBytes + this.window / 2);
    return Math.max(share, this.#lossShare) > RANDOM_LOSS;
  }

  #reduce({ before, timeCritical, now }: AckSummary): void {
    const share = timeCritical ? 7 / 8 : 1 / 2;
    const pipe = this.#pipe;
    // While the window doubles each round trip, the rate that is measured lags behind.
    const starting = this.window < this.#threshold;
    const queueing = this.#latestRtt > QUEUEING * this.#least + GRAIN;
    if (starting ? !queueing && !this.#heavyLoss : before <= TOLERANCE * pipe) return;
    if (now < this.#reducedUntil) return; // by what was lost at the same time
    this.#reducedUntil = now + this.#latestRtt;
    const least = Math.max(Math.min(DRAINED * pipe, before), FIRST_WINDOW);
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
