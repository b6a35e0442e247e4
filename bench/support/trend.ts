// Whether a figure grows with time: a line through its samples.

export interface Sample {
  /** Time (ms) from any origin. */
  readonly at: number;
  readonly value: number;
}

export interface Trend {
  /** Mean of the samples. */
  readonly mean: number;
  /** Growth in an hour, by least squares. */
  readonly perHour: number;
  /** Growth of that line between the first sample and the last. */
  readonly growth: number;
}

/** @returns the smallest value of each span of `span` ms, to exclude garbage not yet collected */
export function floors(samples: readonly Sample[], span: number): Sample[] {
  const result: Sample[] = [];
  let end = -Infinity;
  for (const { at, value } of samples) {
    if (at >= end) {
      result.push({ at, value });
      end = at + span;
    } else if (value < result.at(-1)!.value) {
      result[result.length - 1] = { at: result.at(-1)!.at, value };
    }
  }
  return result;
}

/** Fits a line by least squares. */
export function trend(samples: readonly Sample[]): Trend {
  const count = samples.length;
  const mean = samples.reduce((sum, { value }) => sum + value, 0) / count;
  const middle = samples.reduce((sum, { at }) => sum + at, 0) / count;
  let both = 0;
  let square = 0;
  for (const { at, value } of samples) {
    both += (at - middle) * (value - mean);
    square += (at - middle) ** 2;
  }
  const slope = square === 0 ? 0 : both / square;
  const [first] = samples;
  const last = samples.at(-1);
  const length = first && last ? last.at - first.at : 0;
  return { mean, perHour: slope * 3_600_000, growth: slope * length };
}

/** @returns the samples of the second half of the time */
export function secondHalf(samples: readonly Sample[]): Sample[] {
  const [first] = samples;
  const last = samples.at(-1);
  if (!first || !last) return [];
  const middle = (first.at + last.at) / 2;
  return samples.filter(({ at }) => at >= middle);
}

/** Whether a figure grew at most by the share `part` of its mean, or by `least` if that is more. */
export const isFlat = ({ growth, mean }: Trend, part: number, least: number): boolean =>
  growth <= Math.max(part * mean, least);
