// Numbers of the system about this process, as Prometheus's client libraries report them.
import process from "node:process";
import { descriptors } from "./descriptors.ts";

interface ProcessNumbers {
  /** Seconds of user and system time since the process started. */
  readonly cpuSeconds: number;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly startedAt: number;
  /** Number of open files and sockets, and its limit; null if unknown. */
  readonly openFiles: number | null;
  readonly maxFiles: number | null;
}

export function processNumbers(): ProcessNumbers {
  const { user, system } = process.cpuUsage(); // microseconds
  const { open, limit } = descriptors;
  return {
    cpuSeconds: (user + system) / 1e6,
    startedAt: performance.timeOrigin,
    openFiles: open ?? null,
    maxFiles: Number.isFinite(limit) ? limit : null,
  };
}
