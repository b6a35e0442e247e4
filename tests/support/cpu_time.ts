// How long something computes, whoever else computes meanwhile.

/** Milliseconds for which this thread has computed; where the system does not tell, those that have passed. */
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
