// Deno from 2.9.2 on opens its debugger, TCP port 9229 of the loopback, on SIGUSR1, also for programs
// that listen to this signal themselves. Every user of the machine could run code in the server by it.
import inspector from "node:inspector";

/** Time (ms) to look for the debugger after the signal, and the interval of the looks. */
const LOOK_FOR = 2_000;
const LOOK_INTERVAL = 2;

/** Whether it was asked for, by `deno run --inspect`. */
const wanted = inspector.url() !== undefined;

/**
 * Closes the debugger as soon as it is open. Nothing happens if the server was started with it.
 *
 * @param onClosed called if it was open
 */
export function closeDebugger(onClosed: () => void): void {
  if (wanted) return;
  const end = performance.now() + LOOK_FOR;
  const look = setInterval(() => {
    if (inspector.url() !== undefined) {
      inspector.close();
      onClosed();
    } else if (performance.now() < end) return;
    clearInterval(look);
  }, LOOK_INTERVAL);
  Deno.unrefTimer(look);
}
