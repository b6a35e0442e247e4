import { waitAtMost } from "../common/wait.ts";

/** Milliseconds after which bytes sent to oneself count as lost. */
const PATIENCE = 20;
const BYTE = new Uint8Array(1);

/**
 * Lets Deno look round which sockets something has arrived on. It asks the system only when it has
 * nothing else to do, and a loop over sends that succeed at once keeps it from that, with
 * `setImmediate` in it or not: meanwhile the receive buffer overflows. Waiting for a datagram to a
 * socket of one's own is the one thing that takes the way through the system, for some 10 µs.
 */
export class SocketPoll {
  #conn: Deno.DatagramConn | undefined;
  readonly #buffer = new Uint8Array(1);

  /** @param patience milliseconds after which bytes on their way to oneself are lost */
  constructor(readonly patience = PATIENCE) {}

  /** Everything that has arrived until now has been told of when it resolves. */
  async now(): Promise<void> {
    try {
      const conn = this.#conn ??= Deno.listenDatagram({
        transport: "udp",
        hostname: "127.0.0.1",
        port: 0,
      });
      const own = conn.addr as Deno.NetAddr;
      // Wait before sending: bytes that are there already take the short way.
      const arrived = conn.receive(this.#buffer).then(
        ([, from]) => (from as Deno.NetAddr).port === own.port,
        () => false,
      );
      await conn.send(BYTE, own);
      const came = await waitAtMost(arrived, this.patience);
      // Should it come yet, or somebody else send here, there will be one too many from now on.
      if (!came) this.close();
    } catch { // no such address here, or closed meanwhile
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  close(): void {
    this.#conn?.close();
    this.#conn = undefined;
  }
}
