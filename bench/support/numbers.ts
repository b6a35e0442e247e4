/** An array of `N` values. */
export type Tuple<T, N extends number, Known extends T[] = []> = Known["length"] extends N ? Known
  : Tuple<T, N, [T, ...Known]>;

/** Reads the first `count` texts as numbers. @throws {Error} if one is missing, or not a number */
export function numbersOf<N extends number>(
  texts: readonly string[],
  count: N,
): Tuple<number, N> {
  const numbers = texts.slice(0, count).map(Number);
  if (numbers.length < count || numbers.some(Number.isNaN)) {
    throw new Error(`Cannot read ${count} numbers in "${texts.join(" ")}"`);
  }
  return numbers as Tuple<number, N>;
}

/** The value that a share of the values, 0 to below 1, does not exceed; NaN without values. */
export function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(share * values.length)] ?? NaN;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);
