/// <reference lib="deno.worker" />
// Watches the heartbeat of the loop from another thread: ends the process if its loop is blocked, or at the second
// signal to stop.
import { openExit } from "../net/exit_process.ts";
import { StallDetector } from "./heartbeat.ts";
import { Log } from "../log/log.ts";
import { LogFile } from "../log/log_file.ts";
import { STALLED, type ToWatchdog } from "./watchdog.ts";
import { SAME_SIGNAL_TIMEOUT, SIGNALS } from "./signals.ts";

/** Milliseconds between two looks at the heartbeat; {@link StallDetector} counts looks as seconds. */
const LOOK_INTERVAL = 1_000;
/** Exit code of a process that a signal ended, minus the signal's number. */
const BY_SIGNAL = 128;

const exit = openExit();
let detector: StallDetector | undefined;
let options: ToWatchdog["log"];
let signalled = Infinity;

self.onmessage = ({ data: { shared, log, named } }: MessageEvent<ToWatchdog>) => {
  if (log) options = log;
  if (named) detector?.learn(named);
  if (!shared) return;
  self.postMessage({ ends: exit !== undefined });
  if (!exit) return self.close();
  const seen = detector = new StallDetector(shared);
  setInterval(() => {
    const stall = seen.look();
    if (stall) {
      end(`${stall}: the server ends with exit code ${STALLED} ([script] watchdog)`, STALLED);
    }
  }, LOOK_INTERVAL);
  for (const [signal, number] of Object.entries(SIGNALS)) {
    Deno.addSignalListener(signal as Deno.Signal, () => {
      const now = performance.now();
      if (signalled === Infinity) signalled = now;
      else if (now - signalled >= SAME_SIGNAL_TIMEOUT) {
        end(`A second ${signal}: the server ends at once, ${seen.place()}`, BY_SIGNAL + number);
      }
    });
  }
};

function end(text: string, code: number): void {
  try {
    if (options) {
      const { level, format, directory, name } = options;
      const log = new Log({ level, format, file: new LogFile(directory, name) });
      log.fatal(text);
      log.close();
    }
  } finally {
    exit!(code);
  }
}
