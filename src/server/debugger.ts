// On SIGUSR1, Deno from 2.9.2 on opens its debugger, TCP port 9229 of the loopback, also for programs that handle
// this signal themselves. Every user of the machine could run code in the server through it.
import inspector from "node:inspector";

/** Ms after the signal during which to look for the debugger, and ms between two looks. */
const LOOK_TIMEOUT = 2_000;
const LOOK_INTERVAL = 2;

/** Whether the operator asked for the debugger, by `deno run --inspect`. */
const wanted = inspector.url() !== undefined;

/**
 * Closes the debugger as soon as it is open, unless the server was started with it.
 *
 * @param onClosed called after closing it
 */
export function closeDebugger(onClosed: () => void): void {
  if (wanted) return;
  const end = performance.now() + LOOK_TIMEOUT;
  const look = setInterval(() => {
    if (inspector.url() !== undefined) {
      inspector.close();
      onClosed();
    } else if (performance.now() < end) return;
    clearInterval(look);
  }, LOOK_INTERVAL);
  Deno.unrefTimer(look);
}
