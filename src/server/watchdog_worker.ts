/// <reference lib="deno.worker" />
// Sees the heartbeat of the loop from another thread: ends a process whose loop stands, and one that gets a second
// signal to stop.
import { openExit } from "../net/exit_process.ts";
import { StallDetector } from "./heartbeat.ts";
import { Log } from "../log/log.ts";
import { LogFile } from "../log/log_file.ts";
import { STALLED, type ToWatchdog } from "./watchdog.ts";
import { SAME_SIGNAL, SIGNALS } from "./signals.ts";

const LOOK_INTERVAL = 1_000;
/** What shells add to the number of a signal that ended a process. */
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
    if (stall) end(`${stall}: it ends with exit code ${STALLED} ([script] watchdog)`, STALLED);
  }, LOOK_INTERVAL);
  for (const [signal, number] of Object.entries(SIGNALS)) {
    Deno.addSignalListener(signal as Deno.Signal, () => {
      const now = performance.now();
      if (signalled === Infinity) signalled = now;
      else if (now - signalled >= SAME_SIGNAL) {
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
