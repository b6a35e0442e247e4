/**
 * Lists that are short, and mostly empty: all empty ones are the same, and none is changed after it
 * was made. A set of its own costs each of many thousand clients 200 bytes, whether it is used or not.
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
