// A process with many TCP connections to an echo server, each with one message in flight. Prints
// "ready", then one JSON object. Arguments: port, connections, connections that never read, messages a
// second in all (0: as fast as they return), bytes of a message, seconds.
import { sleep } from "../../src/common/wait.ts";
import { numbersOf } from "../support/numbers.ts";
import { rounded, Samples } from "../support/samples.ts";
import { ownCpu } from "../support/process.ts";

const [port, count, dead, perSecond, bytes, seconds] = numbersOf(Deno.args, 6);
const message = new Uint8Array(bytes).fill(120);
message[bytes - 1] = 10;
const latency = new Samples();
let failed = 0;
let running = true;
const started = performance.now();

const connect = () => Deno.connect({ hostname: "127.0.0.1", port });

async function writeAll(conn: Deno.TcpConn, data: Uint8Array): Promise<void> {
  for (let at = 0; at < data.length;) at += await conn.write(data.subarray(at));
}

/** Sends messages, and waits for each echo. @param index staggers the connections */
async function talk(conn: Deno.TcpConn, index: number): Promise<void> {
  const buffer = new Uint8Array(bytes);
  const period = perSecond > 0 ? count / perSecond * 1000 : 0;
  let next = performance.now() + period * index / count;
  try {
    while (running) {
      const wait = next - performance.now();
      if (wait > 1) await sleep(wait);
      next += period;
      const sent = performance.now();
      await writeAll(conn, message);
      for (let got = 0; got < bytes;) {
        const length = await conn.read(buffer);
        if (length === null) throw new Error("closed");
        got += length;
      }
      latency.add(performance.now() - sent);
    }
  } catch {
    if (running) failed++;
  }
}

/** Sends as fast as it can, and reads nothing. */
async function fill(conn: Deno.TcpConn): Promise<void> {
  const block = new Uint8Array(65_536);
  try {
    while (running) await writeAll(conn, block);
  } catch {
    // the server has closed the connection, or the load ends
  }
}

const conns: Deno.TcpConn[] = [];
for (let i = 0; i < count + dead; i++) {
  conns.push(await connect());
  await new Promise((r) => setTimeout(r, 6));
}
console.log("ready");
const connectedIn = performance.now() - started;
for (const [i, conn] of conns.entries()) i < count ? talk(conn, i) : fill(conn);
const cpu = ownCpu();
const begun = performance.now();
await sleep(seconds * 1000);
const elapsed = performance.now() - begun;
running = false;
console.log(JSON.stringify({
  connections: count,
  never_reading: dead,
  connected_in_ms: rounded(connectedIn, 0),
  echoes_per_second: rounded(latency.count / elapsed * 1000, 0),
  echo_p50_ms: rounded(latency.quantile(0.5), 2),
  echo_p99_ms: rounded(latency.quantile(0.99), 2),
  echo_max_ms: rounded(latency.quantile(1), 2),
  failed,
  cpu_share: rounded((ownCpu() - cpu) / elapsed / 1000, 3),
}));
Deno.exit(0);
