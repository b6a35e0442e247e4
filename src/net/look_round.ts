/** Bytes on their way to oneself that have not come after so many milliseconds are lost. */
const PATIENCE = 20;
const BYTE = new Uint8Array(1);

/**
 * Lets Deno look round which sockets something has arrived on. It asks the system only when it has
 * nothing else to do, and a loop over sends that succeed at once keeps it from that, with
 * `setImmediate` in it or not: meanwhile the receive buffer overflows. Waiting for a datagram to a
 * socket of one's own is the one thing that takes the way through the system, for some 10 µs.
 */
export class LookRound {
  #conn: Deno.DatagramConn | undefined;
  #arrived: Promise<unknown> | undefined;
  readonly #buffer = new Uint8Array(1);

  /** Everything that has arrived until now has been told of when it resolves. */
  async now(): Promise<void> {
    try {
      const conn = this.#conn ??= Deno.listenDatagram({
        transport: "udp",
        hostname: "127.0.0.1",
        port: 0,
      });
      // It must be waited for before it is sent: what is there already takes the short way.
      const arrived = this.#arrived ??= conn.receive(this.#buffer).catch(() => {});
      await conn.send(BYTE, conn.addr as Deno.NetAddr);
      let timer: ReturnType<typeof setTimeout>;
      const lost = new Promise((resolve) => timer = setTimeout(resolve, PATIENCE, "lost"));
      const what = await Promise.race([arrived, lost]);
      clearTimeout(timer!);
      if (what !== "lost") this.#arrived = undefined;
    } catch { // no such address here, or closed meanwhile
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  close(): void {
    this.#conn?.close();
  }
}
