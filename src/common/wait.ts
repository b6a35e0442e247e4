// Waiting for promises, but not for ever. Rooms without a clock do not import this file.

/** The outcome of a promise; rejects with the message `late` after `timeout` ms. */
export function within<T>(promise: Promise<T>, timeout: number, late: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout>;
  const end = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(late)), timeout);
  });
  return Promise.race([promise, end]).finally(() => clearTimeout(timer));
}

/**
 * Waits until a promise settles, but no longer than `timeout` ms.
 *
 * @returns the outcome; undefined if it took longer
 * @throws the reason of a promise that rejects in time
 */
export async function waitAtMost<T>(
  promise: Promise<T>,
  timeout: number,
): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout>;
  const end = new Promise<undefined>((resolve) => timer = setTimeout(resolve, timeout, undefined));
  try {
    return await Promise.race([promise, end]);
  } finally {
    clearTimeout(timer!);
  }
}

/** @param time milliseconds */
export const sleep = (time: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, time));
