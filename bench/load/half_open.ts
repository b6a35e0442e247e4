// A worker that keeps RTMP connections open without finishing their handshakes: each sends a byte, and
// another every 10 s; the worker replaces those that the server closes. Receives `{ port, connections }`;
// posts five times a second how many are open, and how many were opened and closed in all.
import { sleep } from "../../src/common/wait.ts";

declare const self: Worker;

/** Milliseconds between two bytes of a connection. */
const BYTE_INTERVAL = 10_000;
/** Connections opened at the same time. */
const AT_ONCE = 64;
const REPORT_INTERVAL = 200;

const open = new Set<Deno.TcpConn>();
let opened = 0;
let closed = 0;

self.onmessage = async ({ data: { port, connections } }) => {
  setInterval(() => self.postMessage({ open: open.size, opened, closed }), REPORT_INTERVAL);
  setInterval(sendBytes, BYTE_INTERVAL);
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (;;) {
      if (open.size >= connections) await sleep(10);
      else await connect(port).catch(() => sleep(100));
    }
  }));
};

async function connect(port: number): Promise<void> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  opened++;
  open.add(conn);
  await conn.write(Uint8Array.of(3)); // the version of the handshake
  waitForEnd(conn);
}

async function waitForEnd(conn: Deno.TcpConn): Promise<void> {
  try {
    while (await conn.read(new Uint8Array(64)) !== null);
  } catch {
    // reset
  }
  closed++;
  open.delete(conn);
  conn.close();
}

function sendBytes(): void {
  for (const conn of open) conn.write(Uint8Array.of(0)).catch(() => {});
}
