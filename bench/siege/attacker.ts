// A worker that attacks: receives `{ name, doors, seconds }`; posts its failure, or undefined, at the end.
import { busAttacks } from "./bus_attacks.ts";
import { otherAttacks } from "./other_attacks.ts";
import { rtmpAttacks } from "./rtmp_attacks.ts";

declare const self: Worker;

const attacks = { ...otherAttacks, ...rtmpAttacks, ...busAttacks };

self.onmessage = async ({ data: { name, doors, seconds } }) => {
  let failure: string | undefined;
  try {
    const attack = attacks[name];
    if (!attack) throw new Error(`Unknown attack ${name}`);
    await attack(doors, performance.now() + seconds * 1_000);
  } catch (error) {
    failure = String(error);
  }
  self.postMessage(failure);
};
