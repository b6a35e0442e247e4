// What attacks are made of.
export interface SiegeDoors {
  readonly rtmfp: number;
  readonly rtmp: number;
  readonly web: number;
  readonly http: number;
  readonly servers: number;
}

/** Goes on until a moment (as `performance.now()`); whatever the server does to it is no failure. */
export type Attack = (doors: SiegeDoors, until: number) => Promise<void>;

export const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, Math.max(0, milliseconds)));

/** So many attackers at once, each of which begins again when the server has closed it. */
export async function crowd(
  count: number,
  until: number,
  attacker: (number: number) => Promise<void>,
): Promise<void> {
  let number = 0;
  await Promise.all(Array.from({ length: count }, async () => {
    while (performance.now() < until) {
      await attacker(number++).catch(() => pause(20));
      await pause(0);
    }
  }));
}

/** A text of its own for each call. */
export const longText = (number: number, length: number): string =>
  `${number}-`.padEnd(length, "x");
