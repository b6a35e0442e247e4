// How many simulated networks a test tries.

/**
 * Such a test tries the seeds from 1 to this one: 50, unless the environment variable `SEEDS` sets another
 * number. A change to flows or sessions deserves `SEEDS=1000 deno task test tests/rtmfp`.
 */
export const SEEDS = Number(Deno.env.get("SEEDS") ?? 50);
if (!(SEEDS >= 1)) throw new Error("invalid SEEDS (a number from 1)");
