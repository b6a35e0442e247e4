// Visitors that watch: by HTTP-FLV and WebSocket-FLV.
import { WebSocket } from "ws";
import { sleep } from "../../src/common/wait.ts";
import type { Visit, Visitor } from "./visit.ts";

const path = ({ doors, plan }: Visit): string =>
  `${doors.web}/${doors.app}/${encodeURIComponent(plan.plays!)}.flv`;

/** Leaves by aborting the request, or without reading the rest of the answer. */
export const viewByHttp: Visitor = async (visit) => {
  const { plan, counts, doors } = visit;
  if (plan.vanishes) return await vanish(visit);
  const leaving = new AbortController();
  const response = await fetch(`http://${path(visit)}`, { signal: leaving.signal });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`${doors.web} answered ${response.status} to a viewer`);
  }
  const timer = setTimeout(() => leaving.abort(), plan.stay);
  const end = performance.now() + plan.stay;
  try {
    for await (const _ of response.body!) {
      counts.received++;
      if (performance.now() >= end) break; // Deno does not always end the body of an aborted request
    }
  } catch {
    // the end of the stay
  } finally {
    clearTimeout(timer);
  }
};

/** Reads for half of the stay, then reads nothing, and closes the connection. */
async function vanish(visit: Visit): Promise<void> {
  const { plan, counts, doors } = visit;
  const [hostname, port] = doors.web.split(":");
  const conn = await Deno.connect({ hostname, port: Number(port) });
  try {
    const name = encodeURIComponent(plan.plays!);
    const request = `GET /${doors.app}/${name}.flv HTTP/1.1\r\nHost: ${doors.web}\r\n\r\n`;
    await conn.write(new TextEncoder().encode(request));
    const buffer = new Uint8Array(16_384);
    let reads = true;
    const half = sleep(plan.stay / 2).then(() => reads = false);
    const reading = (async () => {
      while (reads && await conn.read(buffer) !== null) counts.received++;
    })();
    reading.catch(() => {}); // the connection is closed below
    await half;
    await sleep(plan.stay / 2);
  } finally {
    conn.close();
  }
}

export const viewByWebSocket: Visitor = async (visit) => {
  const { plan, counts } = visit;
  const socket = new WebSocket(`ws://${path(visit)}`);
  const failed = new Promise<never>((_, reject) => socket.once("error", reject));
  failed.catch(() => {});
  await Promise.race([failed, new Promise((resolve) => socket.once("open", resolve))]);
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.on("message", () => counts.received++);
  await sleep(plan.stay);
  if (plan.vanishes) socket.terminate();
  else socket.close(1000);
  await closed;
};
