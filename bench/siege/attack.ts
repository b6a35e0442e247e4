// The interface of an attack.
import { sleep } from "../../src/common/wait.ts";

export interface SiegeDoors {
  readonly rtmfp: number;
  readonly rtmp: number;
  readonly web: number;
  readonly http: number;
  readonly servers: number;
  /** Port of the attacked server's NATS server, for attacks by the bus. */
  readonly bus?: number;
}

/** Attacks until `until` (ms, `performance.now()`). An attack that the server stops has not failed. */
export type Attack = (doors: SiegeDoors, until: number) => Promise<void>;

/** Runs `count` attackers at once, and starts each again after its end. */
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

/** @returns a different text for each number */
export const longText = (number: number, length: number): string =>
  `${number}-`.padEnd(length, "x");
