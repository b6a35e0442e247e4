// Measures the allocations of a piece of code, garbage included, by V8's sampling heap profiler.
import { Session } from "node:inspector/promises";

/** Bytes between two samples, on average. */
const INTERVAL = 512;

interface Node {
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly selfSize: number;
  readonly children: readonly Node[];
}

/** A place of allocations. */
export interface Site {
  readonly where: string;
  bytes: number;
}

/**
 * Runs `work` and measures allocations meanwhile.
 *
 * @param inside whether allocations of a function count, by its name and file; undefined: as those of
 *   its caller
 * @returns the places, most bytes first
 */
export async function allocations(
  inside: (name: string, url: string) => boolean | undefined,
  work: () => Promise<unknown>,
): Promise<Site[]> {
  const session = new Session();
  session.connect();
  await session.post("HeapProfiler.enable");
  await session.post("HeapProfiler.startSampling", {
    samplingInterval: INTERVAL,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  } as never);
  await work();
  const { profile } = await session.post("HeapProfiler.stopSampling") as never as {
    profile: { head: Node };
  };
  session.disconnect();
  const sites = new Map<string, Site>();
  const walk = ({ callFrame, selfSize, children }: Node, counts: boolean, caller: string) => {
    const { functionName, url } = callFrame;
    const within = inside(functionName, url) ?? counts;
    // A function without file is built in: name its caller.
    const file = url ? url.replace(/^.*\/(?=[^/]+\/[^/]+$)/, "") : `in ${caller}`;
    const where = `${functionName} ${file}`;
    if (within && selfSize > 0) {
      const site = sites.get(where) ?? { where, bytes: 0 };
      site.bytes += selfSize;
      sites.set(where, site);
    }
    for (const child of children) walk(child, within, url ? where : caller);
  };
  walk(profile.head, false, "");
  return [...sites.values()].sort((a, b) => b.bytes - a.bytes);
}
