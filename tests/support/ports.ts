// Ports that no other test uses, in this process or another: each test file has its own.

/** First and last port, below the system's range of ephemeral ports. */
const [FIRST, LAST] = [10_000, 32_000];
/** Ports of a block. A process that listens on the first one owns the block. */
const BLOCK = 256;
/** Minimum distance of ports that share no state, such as a worker of sockets. */
const FAR = 2_048;

/** Listener open until the file ends; opened before the first test, so that Deno reports no leak in a test. */
const claim = claimBlock();
let last = 0;

/** @param from a port at a distance from the block */
function claimBlock(from = -Infinity): Deno.TcpListener {
  for (;;) {
    const blocks = Math.floor((LAST - FIRST) / BLOCK);
    const port = FIRST + BLOCK * Math.floor(Math.random() * blocks);
    if (Math.abs(port - from) < FAR) continue;
    const listener = listen(() => Deno.listen({ hostname: "127.0.0.1", port }));
    if (!listener) continue;
    listener.unref();
    return listener;
  }
}

function listen<T>(open: () => T): T | undefined {
  try {
    return open();
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return undefined;
    throw error;
  }
}

/** A port without a listener by UDP or TCP, reserved for the caller. */
export function freePort(): number {
  return freeIn(claim);
}

/** Like {@link freePort}, for ports at least 1,024 away from its ports; call it before the first test of a file. */
export function farPorts(): () => number {
  const far = claimBlock(claim.addr.port);
  return () => freeIn(far);
}

function freeIn({ addr }: Deno.TcpListener): number {
  for (;;) {
    const port = addr.port + 1 + last++ % (BLOCK - 1);
    const hostname = "0.0.0.0";
    const tcp = listen(() => Deno.listen({ hostname, port }));
    const udp = listen(() => Deno.listenDatagram({ transport: "udp", hostname, port }));
    tcp?.close();
    udp?.close();
    if (tcp && udp) return port;
  }
}
