import { sleep } from "../common/wait.ts";
import { SLOT_SIZE, type SocketCounters } from "./datagram_socket.ts";

/** Errors in a row after which receiving pauses, and for how many milliseconds. */
const ERRORS = 10;
const PAUSE = 10;

/**
 * Receives into one buffer, until `closed` says so. `each` gets a view of it, which the next
 * datagram overwrites; what `each` throws ends the loop.
 */
export async function receiveLoop(
  conn: Deno.DatagramConn,
  counters: SocketCounters,
  closed: () => boolean,
  each: (datagram: Uint8Array, from: Deno.NetAddr) => void,
): Promise<void> {
  const buffer = new Uint8Array(SLOT_SIZE + 1);
  let errors = 0;
  while (!closed()) {
    let datagram: Uint8Array;
    let from: Deno.Addr;
    try {
      [datagram, from] = await conn.receive(buffer);
      errors = 0;
    } catch {
      // On some systems the "unreachable" of a datagram sent before arrives here.
      if (closed()) return;
      counters.receiveErrors++;
      if (++errors > ERRORS) await sleep(PAUSE);
      continue;
    }
    if (datagram.length > SLOT_SIZE) {
      counters.oversize++;
      continue;
    }
    counters.received++;
    each(datagram, from as Deno.NetAddr);
  }
}
