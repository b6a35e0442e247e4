// Measures CPU time, independent of other processes.

/** CPU time (ms) of this thread; elapsed time if the system does not provide it. */
export function cpuTime(): number {
  try {
    // nanoseconds on a processor, nanoseconds in its queue, number of time slices
    return Number(Deno.readTextFileSync("/proc/thread-self/schedstat").split(" ")[0]) / 1e6;
  } catch {
    return performance.now(); // not Linux
  }
}

/** CPU time (ms) of a function. */
export function computing(work: () => unknown): number {
  const before = cpuTime();
  work();
  return cpuTime() - before;
}
