// Many RTMP clients that publish, or play each a name: a process of its own. Arguments: port, what
// ("publish" or "play"), clients, seconds, names, and what these begin with. Clients take the names `s0`,
// `s1`, … in turn. Prints "ready", then one JSON object.
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

const begun = performance.now();
for (let i = 0; i < count; i++) {
  const client = await LeanRtmp.open({
    port,
    what,
    name: `${prefix}${i % names}`,
    onBytes: (some) => bytes += some.length,
    onEnd: () => running && ended++,
  });
  // each at its own moment of the period
  if (what === "publish") {
    setTimeout(() => setInterval(() => client.frame(), PERIOD), i * 7 % PERIOD);
  }
  if (i % 8 === 7) await sleep(20);
}
await sleep(Math.max(3_000, begun - performance.now()));
console.log("ready");
const before = bytes;
await sleep(seconds * 1_000);
running = false;
console.log(JSON.stringify({ bytes: bytes - before, ended }));
Deno.exit();
