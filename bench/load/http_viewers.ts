// A process with many viewers of one URL, by HTTP or WebSocket; counts the bytes that they read.
// Arguments: url, viewers, seconds, viewers that never read. Prints "ready", then one JSON object.
import { numbersOf } from "../support/numbers.ts";
import { ownCpu } from "../support/process.ts";
import { rounded } from "../support/samples.ts";
import { LeanStreams } from "./lean_streams.ts";

const [url = "", ...numbers] = Deno.args;
const [viewers, seconds, dead] = numbersOf(numbers, 3);
const { hostname, port, pathname, protocol } = new URL(url);

const upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const request = new TextEncoder().encode(
  `GET ${pathname} HTTP/1.1\r\nHost: ${hostname}\r\n${protocol === "ws:" ? upgrade : ""}\r\n`,
);

const streams = new LeanStreams(hostname, Number(port));
for (let i = 0; i < viewers + dead; i++) {
  const fd = streams.open();
  streams.write(fd, request);
  if (i < viewers) streams.watch(fd);
  if (i % 16 === 15) await streams.run(10);
}
await streams.run(3_000); // until all viewers play
console.log("ready");
const before = streams.bytes;
const cpu = ownCpu();
const begun = performance.now();
await streams.run(seconds * 1_000);
const elapsed = performance.now() - begun;
console.log(JSON.stringify({
  bytes: streams.bytes - before,
  ended: streams.ended,
  generator_cpu_share: rounded((ownCpu() - cpu) / elapsed / 1000, 3),
}));
Deno.exit();
