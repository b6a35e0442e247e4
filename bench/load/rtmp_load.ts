// Load on an RTMP server: a process of its own. Arguments: port, what ("players" of one publisher,
// "publishers", or "idle" connections), how many, seconds. Prints "ready" when all are connected and
// warm, then one JSON object.
import { ChunkReader } from "../../src/rtmp/chunk_reader.ts";
import { ControlType } from "../../src/rtmp/control.ts";
import { MessageType } from "../../src/tc/format/messages.ts";
import { ownCpu } from "../support/process.ts";
import { rounded, Samples } from "../support/samples.ts";
import { FRAME, HANDSHAKE, LeanSpeaker, MARK, PERIOD } from "./lean_rtmp.ts";
import { LeanStreams } from "./lean_streams.ts";

const [port, count, seconds] = [Deno.args[0], Deno.args[2], Deno.args[3]].map(Number);
const kind = Deno.args[1] as "players" | "publishers" | "idle";
/** After the last has connected: players hold the key frame, and the server's code is compiled. */
const WARM = 3_000;
/** Players whose frames are looked at one by one; of the others bytes are counted. */
const SAMPLED = 16;
/** Connections opened between two polls of input. */
const AT_ONCE = 16;
/** Milliseconds that the last frames have to arrive. */
const MOST_LATE = 1_000;
/** Number of moments in a period over which the publishers spread their frames. */
const PHASES = 8;

const streams = new LeanStreams("127.0.0.1", port);
const delays = new Samples();
let measuring = false;
let begun = Infinity;
let frames = 0;
let sent = 0;
let late = 0;

/** Tells how old each frame of a player is. */
function observer(): (bytes: Uint8Array) => void {
  const reader = new ChunkReader(({ type, payload }) => {
    const view = new DataView(payload.buffer, payload.byteOffset);
    if (type === ControlType.setChunkSize) reader.chunkSize = view.getUint32(0);
    if (type !== MessageType.video || !measuring || payload.length < MARK + 8) return;
    const mark = view.getFloat64(MARK);
    if (mark < begun || mark >= begun + seconds * 1_000) return;
    frames++;
    delays.add(performance.now() - mark);
  });
  return (bytes) => reader.receive(bytes);
}

/** Does the handshake, and sends the messages of a client of its kind. */
function open(what: "publish" | "play" | "nothing", name: string, speaker: LeanSpeaker): number {
  const fd = streams.open();
  streams.write(fd, Uint8Array.of(3, ...new Uint8Array(HANDSHAKE)));
  const answer = streams.read(fd, 1 + 2 * HANDSHAKE);
  streams.write(fd, answer.subarray(1, 1 + HANDSHAKE));
  streams.write(fd, speaker.opening(what, name, -2));
  return fd;
}

function publish(name: string, phase: number): void {
  const speaker = new LeanSpeaker();
  const fd = open("publish", name, speaker);
  streams.watch(fd);
  let rest: Uint8Array | undefined;
  const send = () => {
    const frame = rest ?? speaker.frame();
    const taken = Math.max(0, streams.offer(fd, frame));
    rest = taken < frame.length ? frame.subarray(taken) : undefined;
    if (!measuring) return;
    if (rest) late++;
    else sent++;
  };
  setTimeout(() => setInterval(send, PERIOD), phase);
}

if (kind === "players") publish("s", 0);
for (let i = 0; i < count; i++) {
  if (kind === "publishers") publish(`p${i}`, i % PHASES * PERIOD / PHASES);
  else {
    const what = kind === "players" ? "play" : "nothing";
    const isSampled = kind === "players" && i % Math.max(1, Math.floor(count / SAMPLED)) === 0;
    const fd = open(what, "s", new LeanSpeaker());
    if (isSampled) streams.watch(fd, observer());
    else streams.watch(fd);
  }
  if (i % AT_ONCE === AT_ONCE - 1) await streams.run(10);
}
const sampled = Math.ceil(count / Math.max(1, Math.floor(count / SAMPLED)));
await streams.run(WARM);
measuring = true;
const cpu = ownCpu();
const before = streams.bytes;
begun = performance.now();
console.log("ready");
await streams.run(seconds * 1_000);
const sentInTime = sent;
if (kind === "players") await streams.run(MOST_LATE);
const elapsed = performance.now() - begun;
const received = (streams.bytes - before) / FRAME;
console.log(JSON.stringify({
  frames: kind === "players" ? Math.round(received) : sent,
  ...kind === "players" && {
    delivered_share: rounded(received / (sent * count), 4),
    delivered_in_time_share: rounded(frames / (sentInTime * sampled), 4),
    delay_p50_ms: rounded(delays.quantile(0.5), 2),
    delay_p99_ms: rounded(delays.quantile(0.99), 2),
  },
  ...kind === "publishers" && {
    sent_share: rounded(sent / (count * elapsed / PERIOD), 4),
    held_up_share: rounded(late / (sent + late), 4),
  },
  ended: streams.ended,
  generator_cpu_share: rounded((ownCpu() - cpu) / elapsed / 1000, 3),
}));
Deno.exit();
