// A thread that ends the process when the event loop is blocked, so that a service manager restarts it.
import { LoopHeartbeat, type Named } from "./heartbeat.ts";

/** The exit code of a process whose loop was blocked. */
export const STALLED = 70;

/** Milliseconds between two heartbeats. */
const BEAT_INTERVAL = 500;

/** Messages to the worker. */
export interface ToWatchdog {
  /** State of the loop; in the first message. */
  readonly shared?: Int32Array;
  /** Options of the log for the last line. */
  readonly log?: {
    readonly level: number;
    readonly format: "text" | "json";
    readonly directory: string;
    readonly name: string;
  };
  readonly named?: Named;
}

export class Watchdog {
  readonly heartbeat = new LoopHeartbeat((named) => this.#post({ named }));
  readonly #worker: Worker;
  readonly #timer: ReturnType<typeof setInterval>;

  /** @param onUnable called if the watchdog cannot work, as without permission to call system libraries */
  constructor(seconds: number, log: ToWatchdog["log"], onUnable: (reason: string) => void) {
    this.heartbeat.limit = seconds;
    this.#worker = new Worker(new URL("./watchdog_worker.ts", import.meta.url), {
      type: "module",
      name: "watchdog",
    });
    this.#worker.onmessage = ({ data }: MessageEvent<{ ends: boolean }>) => {
      if (!data.ends) onUnable("no permission to call system libraries");
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      onUnable(event.message);
    };
    this.#post({ shared: this.heartbeat.shared, log });
    this.#timer = setInterval(() => this.heartbeat.beat(), BEAT_INTERVAL);
  }

  /** Applies changed settings. */
  reload(seconds: number, log: ToWatchdog["log"]): void {
    this.heartbeat.limit = seconds;
    this.#post({ log });
  }

  close(): void {
    clearInterval(this.#timer);
    this.#worker.terminate();
  }

  #post(message: ToWatchdog): void {
    this.#worker.postMessage(message);
  }
}
