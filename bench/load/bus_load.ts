// A process with publishers or listeners at one server of a bus. Arguments: "publish" or "listen", the
// server's URL, then streams, each with its number of clients: `s0*1`. Prints "ready"; reads the window
// to measure, two times in milliseconds since 1970, from its input; prints one JSON object. Frames carry
// their sending time by the clock that all processes share.
import { sleep } from "../../src/common/wait.ts";
import { MessageType } from "../../src/tc/format/messages.ts";
import { Fragment } from "../../src/rtmfp/wire/user_data.ts";
import { frame, FRAMES_PER_SECOND, MARK, publish } from "../support/fan_out.ts";
import { numbersOf } from "../support/numbers.ts";
import { ownCpu } from "../support/process.ts";
import { rounded, Samples } from "../support/samples.ts";
import { connectAll, createStream } from "../support/steps.ts";
import type { OutFlow, Sink } from "./flows.ts";
import { Generator } from "./generator.ts";

/** Bytes of a frame: 1 Mb/s. */
const FRAME = 5_000;
const PERIOD = 1000 / FRAMES_PER_SECOND;
/** Milliseconds to wait for frames in flight after the end of the window. */
const ARRIVAL_TIMEOUT = 3_000;

const [what, url = "", ...streams] = Deno.args;
const names = streams.flatMap((stream) => {
  const [name = "", count] = stream.split("*");
  return Array.from({ length: Number(count) }, () => name);
});
const { hostname, port, pathname } = new URL(url.replace("rtmfp", "http"));
const generator = new Generator({ url, target: { hostname, port: Number(port) } });
const epoch = () => performance.timeOrigin + performance.now();
let [begin, end] = [Infinity, Infinity];
let frames = 0;
const delays = new Samples();

/** Counts the frames of one listener that were sent within the window. */
function sink(): Sink {
  let counts = false;
  let sentAt = 0;
  return (part, data) => {
    if (part === Fragment.whole || part === Fragment.begin) {
      counts = data[0] === MessageType.video && data.length >= MARK + 12 && data[6] === 1;
      if (counts) sentAt = new DataView(data.buffer, data.byteOffset + MARK).getFloat64(4);
    }
    if (!counts || sentAt < begin || sentAt >= end) return;
    if (part !== Fragment.end && part !== Fragment.whole) return;
    frames++;
    delays.add(epoch() - sentAt);
  };
}

const clients = names.map((name) => ({ name, client: generator.add() }));
await connectAll(generator, clients.map(({ client }) => client), pathname.slice(1));
const flows: OutFlow[] = [];
for (const { name, client } of clients) {
  if (what === "publish") {
    flows.push(await publish(generator, client, name));
  } else {
    client.streamSink = sink;
    client.streamCommand(await createStream(generator, client), "play", name, -2, -1, true);
  }
}

/** Frames sent on each flow. The flows spread their frames over the period. */
const publications = flows.map((flow, i) => ({
  flow,
  phase: i * PERIOD / flows.length,
  frames: 0,
}));
const start = performance.now();
function sendDue(): void {
  const now = generator.now = performance.now();
  for (const one of publications) {
    while (now >= start + one.phase + one.frames * PERIOD) {
      const sentAt = epoch();
      one.flow.write(frame(one.frames++, FRAME, sentAt), now);
      if (sentAt >= begin && sentAt < end) frames++;
    }
  }
}

console.log("ready");
const input = Deno.stdin.readable.pipeThrough(new TextDecoderStream()).getReader();
input.read().then(({ value }) => [begin, end] = numbersOf(value!.trim().split(" "), 2));
/** Runs the generator, and after each period the event loop, which reads the input. */
const runUntil = async (over: () => boolean) => {
  while (!over()) {
    const until = performance.now() + PERIOD;
    await generator.run(() => (sendDue(), over()), until);
    await sleep(0);
  }
};
await runUntil(() => epoch() >= begin);
const before = ownCpu();
await runUntil(() => epoch() >= end);
const cpu = ownCpu() - before;
await runUntil(() => epoch() >= end + ARRIVAL_TIMEOUT);
console.log(JSON.stringify({
  clients: clients.length,
  frames,
  delay_p50_ms: rounded(delays.quantile(0.5), 2),
  delay_p99_ms: rounded(delays.quantile(0.99), 2),
  delay_max_ms: rounded(delays.quantile(1), 2),
  cpu_share: rounded(cpu / (end - begin) / 1000, 3),
}));
generator.close();
Deno.exit();
