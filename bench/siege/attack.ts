// What attacks are made of.
import { sleep } from "../../src/common/wait.ts";

export interface SiegeDoors {
  readonly rtmfp: number;
  readonly rtmp: number;
  readonly web: number;
  readonly http: number;
  readonly servers: number;
  /** Of a NATS server that the attacked server is on, for attacks by the bus. */
  readonly bus?: number;
}

/** Attacks until the time `until` (as `performance.now()`). An attack that the server stops has not failed. */
export type Attack = (doors: SiegeDoors, until: number) => Promise<void>;

/** Runs `count` attackers at once, and starts each again after the server has closed it. */
export async function crowd(
  count: number,
  until: number,
  attacker: (number: number) => Promise<void>,
): Promise<void> {
  let number = 0;
  await Promise.all(Array.from({ length: count }, async () => {
    while (performance.now() < until) {
      await attacker(number++).catch(() => sleep(20));
      await sleep(0);
    }
  }));
}

/** A text of its own for each call. */
export const longText = (number: number, length: number): string =>
  `${number}-`.padEnd(length, "x");
