// The TCP ports of the shipped CumulusServer.ini: one test at a time may use them.
import { sleep } from "./wait.ts";

const PORTS = [1935, 8080];
/** The process that listens on this port has the turn; it is below every port of `freePort()`. */
const TURN = 9_935;
/** Milliseconds to wait for tests that have the ports now; each takes seconds. */
const LONGEST = 120_000;

/**
 * Waits until the ports are free and no other test file is about to use them.
 *
 * @returns the turn; dispose of it when the ports are free again
 * @throws {Error} that names the ports in use by another program
 */
export async function shippedPorts(ports = PORTS, turn = TURN): Promise<Disposable> {
  const end = performance.now() + LONGEST;
  for (;; await sleep(20)) {
    const mine = listen(turn);
    const taken = mine ? ports.filter((port) => !isFree(port)) : [turn];
    if (mine && taken.length === 0) return { [Symbol.dispose]: () => mine.close() };
    mine?.close();
    if (performance.now() > end) {
      throw new Error(`Another program listens on TCP port ${taken.join(" and ")}`);
    }
  }
}

function isFree(port: number): boolean {
  const listener = listen(port);
  listener?.close();
  return listener !== undefined;
}

function listen(port: number): Deno.TcpListener | undefined {
  try {
    return Deno.listen({ hostname: "0.0.0.0", port });
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return undefined;
    throw error;
  }
}
