import { sleep } from "../common/wait.ts";
import { SLOT_SIZE, type SocketCounters } from "./datagram_socket.ts";

/** Number of consecutive errors after which receiving pauses, and the pause in milliseconds. */
const MAX_ERRORS = 10;
const PAUSE = 10;

/**
 * Receives into one buffer until `closed` returns true. `each` gets a view of it, which the next
 * datagram overwrites; an exception of `each` ends the loop.
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
      // Some systems report here that an earlier datagram was unreachable.
      if (closed()) return;
      counters.receiveErrors++;
      if (++errors > MAX_ERRORS) await sleep(PAUSE);
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
