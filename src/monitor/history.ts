// Traffic and clients of the last hour, for the charts of the page.

/** Milliseconds between two samples. */
export const SAMPLE_INTERVAL = 10_000;
/** Number of samples kept: an hour. */
export const MAX_SAMPLES = 360;

/** Number of samples kept of one stream: five minutes. */
export const MAX_RATES = 30;

/** Totals since the start of the server, and current values. */
interface Sample {
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly clients: number;
}

/** Samples, oldest first; the same index is the same time in all lists. */
export interface HistoryRows {
  /** Milliseconds between two samples. */
  readonly interval: number;
  /** Bytes per second. */
  readonly bytesIn: number[];
  readonly bytesOut: number[];
  readonly clients: number[];
}

/** A ring of samples, in memory allocated once. `now` is monotonic, in milliseconds. */
export class History {
  readonly #bytesIn = new Float32Array(MAX_SAMPLES);
  readonly #bytesOut = new Float32Array(MAX_SAMPLES);
  readonly #clients = new Uint32Array(MAX_SAMPLES);
  #count = 0;
  #last: { readonly at: number; readonly sample: Sample } | undefined;

  /** Takes a sample, unless the last one is less than SAMPLE_INTERVAL old. */
  add(sample: () => Sample, now: number): void {
    const last = this.#last;
    if (last && now < last.at + SAMPLE_INTERVAL) return;
    const next = sample();
    this.#last = { at: now, sample: next };
    if (!last) return;
    const seconds = (now - last.at) / 1000;
    const at = this.#count++ % MAX_SAMPLES;
    this.#bytesIn[at] = Math.max(0, next.bytesIn - last.sample.bytesIn) / seconds;
    this.#bytesOut[at] = Math.max(0, next.bytesOut - last.sample.bytesOut) / seconds;
    this.#clients[at] = next.clients;
  }

  rows(): HistoryRows {
    return {
      interval: SAMPLE_INTERVAL,
      bytesIn: this.#inOrder(this.#bytesIn),
      bytesOut: this.#inOrder(this.#bytesOut),
      clients: this.#inOrder(this.#clients),
    };
  }

  #inOrder(ring: Float32Array | Uint32Array): number[] {
    const start = this.#count > MAX_SAMPLES ? this.#count % MAX_SAMPLES : 0;
    const end = Math.min(this.#count, MAX_SAMPLES);
    return [...ring.subarray(start, end), ...ring.subarray(0, start)].map(Math.round);
  }
}

/** Bytes per second of one stream over the last minutes. */
export class RateHistory {
  readonly #rates: number[] = [];
  #lastAt = -Infinity;

  /** Takes a sample, unless the last one is less than SAMPLE_INTERVAL old. `now` is monotonic, in ms. */
  add(rate: () => number, now: number): void {
    if (now < this.#lastAt + SAMPLE_INTERVAL) return;
    this.#lastAt = now;
    this.#rates.push(Math.round(rate()));
    if (this.#rates.length > MAX_RATES) this.#rates.shift();
  }

  /** Oldest first. */
  rows(): number[] {
    return [...this.#rates];
  }
}
