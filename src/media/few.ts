/**
 * Immutable short lists, mostly empty; all empty ones are one object. A set per client would take
 * 200 bytes even when unused.
 */
export type Few<T> = readonly T[];

export const NONE: Few<never> = [];

export function plus<T>(list: Few<T>, item: T): Few<T> {
  return list.length === 0 ? [item] : list.concat(item);
}

export function minus<T>(list: Few<T>, item: T): Few<T> {
  const left = list.filter((one) => one !== item);
  return left.length > 0 ? left : NONE;
}
