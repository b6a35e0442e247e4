import { waitAtMost } from "../common/wait.ts";

/** Time (ms) after which a datagram to the own socket counts as lost. */
const LOSS_TIMEOUT = 20;
const BYTE = new Uint8Array(1);

/**
 * Makes Deno poll its sockets. It polls only when it is idle, and a loop over sends that succeed at once
 * prevents that, with or without `setImmediate`: meanwhile the receive buffer overflows. Waiting for a
 * datagram from this socket to itself is the only way to make it poll, and takes some 10 µs.
 */
export class SocketPoll {
  #conn: Deno.DatagramConn | undefined;
  readonly #buffer = new Uint8Array(1);

  /** @param lossTimeout time (ms) after which a datagram to the own socket counts as lost */
  constructor(readonly lossTimeout = LOSS_TIMEOUT) {}

  /** Resolves after the events of all data that have arrived until now. */
  async now(): Promise<void> {
    try {
      const conn = this.#conn ??= Deno.listenDatagram({
        transport: "udp",
        hostname: "127.0.0.1",
        port: 0,
      });
      const own = conn.addr as Deno.NetAddr;
      // Wait before sending: a receive of a datagram already there would not poll.
      const arrived = conn.receive(this.#buffer).then(
        ([, from]) => (from as Deno.NetAddr).port === own.port,
        () => false,
      );
      await conn.send(BYTE, own);
      const came = await waitAtMost(arrived, this.lossTimeout);
      // If it still arrives, or another program sent one, later calls would find one too many.
      if (!came) this.close();
    } catch { // the address does not exist, or it was closed meanwhile
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  close(): void {
    this.#conn?.close();
    this.#conn = undefined;
  }
}
