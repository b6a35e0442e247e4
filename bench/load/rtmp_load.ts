// Load on an RTMP server: a process of its own. Arguments: port, what ("players" of one publisher,
// "publishers", or "idle" connections), how many, seconds. Prints "ready" when all are connected and
// warm, then one JSON object.
import { ChunkReader } from "../../src/rtmp/chunk_reader.ts";
import { ControlType } from "../../src/rtmp/control.ts";
import { MessageType } from "../../src/tc/format/messages.ts";
import { ownCpu } from "../support/process.ts";
import { rounded, Samples } from "../support/samples.ts";
import { LeanRtmp, MARK, PERIOD } from "./lean_rtmp.ts";

const [port, count, seconds] = [Deno.args[0], Deno.args[2], Deno.args[3]].map(Number);
const kind = Deno.args[1] as "players" | "publishers" | "idle";
const WARM = 2_000;
const delays = new Samples();
let measuring = false;
let frames = 0;
let ended = 0;
let sent = 0;
const ignore = () => {};
const onEnd = () => void ended++;

/** Counts the frames of one player, and how old they are. */
function counter(): (bytes: Uint8Array) => void {
  const reader = new ChunkReader(({ type, payload }) => {
    if (type === ControlType.setChunkSize) {
      reader.chunkSize = new DataView(payload.buffer, payload.byteOffset).getUint32(0);
    }
    if (type !== MessageType.video || !measuring || payload.length < MARK + 8) return;
    frames++;
    const view = new DataView(payload.buffer, payload.byteOffset);
    delays.add(performance.now() - view.getFloat64(MARK));
  });
  return (bytes) => reader.receive(bytes);
}

function publish(client: LeanRtmp, phase: number): void {
  setTimeout(() =>
    setInterval(() => {
      client.frame();
      if (measuring) sent++;
    }, PERIOD), phase);
}

if (kind === "players") {
  publish(await LeanRtmp.open({ port, what: "publish", name: "s", onBytes: ignore, onEnd }), 0);
}
for (let i = 0; i < count; i++) {
  if (kind === "publishers") {
    const options = { port, what: "publish", name: `p${i}`, onBytes: ignore, onEnd } as const;
    publish(await LeanRtmp.open(options), i * 7 % PERIOD);
  } else {
    const what = kind === "players" ? "play" : "nothing";
    const onBytes = kind === "players" ? counter() : ignore;
    await LeanRtmp.open({ port, what, name: "s", start: -2, onBytes, onEnd });
  }
}
await new Promise((resolve) => setTimeout(resolve, WARM));
measuring = true;
const cpu = ownCpu();
const begun = performance.now();
console.log("ready");
await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
const elapsed = performance.now() - begun;
const expected = kind === "players" ? sent * count : sent;
console.log(JSON.stringify({
  frames: kind === "players" ? frames : sent,
  delivered_share: rounded(frames / expected, 4),
  delay_p50_ms: rounded(delays.quantile(0.5), 2),
  delay_p99_ms: rounded(delays.quantile(0.99), 2),
  ended,
  generator_cpu_share: rounded((ownCpu() - cpu) / elapsed / 1000, 3),
}));
Deno.exit();
