// Finds the known name closest to a misspelt one.

/** Names with fewer characters are not guessed: too many others are near. */
const MIN_LENGTH = 3;
/** Names with more characters than this are not compared, so that a guess takes bounded time. */
const MAX_LENGTH = 64;

/**
 * The candidate that differs least from a name, without regard to case.
 *
 * @returns undefined if no candidate is within a distance of one, or of two for names of seven characters or more
 */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length < MIN_LENGTH || name.length > MAX_LENGTH) return undefined;
  let best: string | undefined;
  let least = name.length < 7 ? 1 : 2;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) > least) continue;
    const slips = distance(name.toLowerCase(), candidate.toLowerCase());
    if (slips > least || (slips === least && best !== undefined)) continue;
    best = candidate;
    least = slips;
  }
  return best;
}

/**
 * How many characters have to be added, left out, changed or exchanged with their neighbour to turn
 * one text into the other: the optimal string alignment distance.
 */
function distance(a: string, b: string): number {
  let [before, row] = [[] as number[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + change);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        next[j] = Math.min(next[j]!, before[j - 2]! + 1);
      }
    }
    [before, row] = [row, next];
  }
  return row[b.length]!;
}
