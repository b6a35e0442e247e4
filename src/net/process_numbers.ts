// Numbers of the system about this process, as in Prometheus's own clients.
import process from "node:process";
import { descriptors } from "./descriptors.ts";

interface ProcessNumbers {
  /** Seconds of user and system time since the process started. */
  readonly cpuSeconds: number;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly startedAt: number;
  /** Files and sockets that are open, and may be; null where the system does not tell. */
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
