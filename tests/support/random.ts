// Reproducible randomness.

/** Numbers in [0, 1) derived from a seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** Bytes derived from a seed, for the random source of the protocol's rooms. */
export function seededBytes(seed: number): (length: number) => Uint8Array {
  const next = seeded(seed);
  return (length) => Uint8Array.from({ length }, () => Math.floor(next() * 256));
}
