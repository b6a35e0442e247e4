// A process with many RTMP clients, each of which publishes or plays one stream. Arguments: port, what
// ("publish" or "play"), clients, seconds, number of names, their prefix. Clients use the names
// `<prefix>0`, `<prefix>1`, … in turn. Prints "ready", then one JSON object.
import { sleep } from "../../src/common/wait.ts";
import { LeanRtmp, PERIOD } from "./lean_rtmp.ts";
import { numbersOf } from "../support/numbers.ts";

const [port] = numbersOf(Deno.args, 1);
const what = Deno.args[1] as "publish" | "play";
const [count, seconds, names] = numbersOf(Deno.args.slice(2), 3);
const prefix = Deno.args[5];
let bytes = 0;
let ended = 0;
let running = true;

for (let i = 0; i < count; i++) {
  const client = await LeanRtmp.open({
    port,
    what,
    name: `${prefix}${i % names}`,
    onBytes: (some) => bytes += some.length,
    onEnd: () => running && ended++,
  });
  // spreads the frames over the period
  if (what === "publish") {
    setTimeout(() => setInterval(() => client.frame(), PERIOD), i * 7 % PERIOD);
  }
  if (i % 8 === 7) await sleep(20);
}
await sleep(3_000); // until all clients send or receive
console.log("ready");
const before = bytes;
await sleep(seconds * 1_000);
running = false;
console.log(JSON.stringify({ bytes: bytes - before, ended }));
Deno.exit();
