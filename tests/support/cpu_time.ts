// Measures CPU time, independent of other processes.

/** CPU time (ms) of this thread; elapsed time if the system does not provide it. */
export function cpuTime(): number {
  try {
    // nanoseconds on a processor, nanoseconds in its queue, and how often
    return Number(Deno.readTextFileSync("/proc/thread-self/schedstat").split(" ")[0]) / 1e6;
  } catch {
    return performance.now(); // no Linux
  }
}

/** Milliseconds that a function computes. */
export function computing(work: () => unknown): number {
  const before = cpuTime();
  work();
  return cpuTime() - before;
}
