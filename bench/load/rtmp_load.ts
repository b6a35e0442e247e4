// A process with clients of an RTMP server. Arguments: port, kind ("players" of one publisher,
// "publishers", or "idle" connections), how many, seconds. Prints "ready" when all are connected and the
// server is warm, then one JSON object.
import { ChunkReader } from "../../src/rtmp/chunk_reader.ts";
import { ControlType } from "../../src/rtmp/control.ts";
import { MessageType } from "../../src/tc/format/messages.ts";
import { numbersOf } from "../support/numbers.ts";
import { ownCpu } from "../support/process.ts";
import { rounded, Samples } from "../support/samples.ts";
import { FRAME, HANDSHAKE, LeanSpeaker, MARK, PERIOD } from "./lean_rtmp.ts";
import { LeanStreams } from "./lean_streams.ts";

const [port] = numbersOf(Deno.args, 1);
const kind = Deno.args[1] as "players" | "publishers" | "idle";
const [count, seconds] = numbersOf(Deno.args.slice(2), 2);
/** Milliseconds after the last has connected: players get the key frame, V8 compiles the server's code. */
const WARM_UP = 3_000;
/** Players whose frames are read; of the others only bytes are counted. */
const SAMPLED = 16;
/** Connections opened between two polls of input. */
const AT_ONCE = 16;
/** Milliseconds to wait for the last frames. */
const ARRIVAL_TIMEOUT = 1_000;
/** Number of moments in a period over which the publishers spread their frames. */
const PHASES = 8;

const streams = new LeanStreams("127.0.0.1", port);
const delays = new Samples();
let measuring = false;
let begun = Infinity;
let frames = 0;
let sent = 0;
let late = 0;

/** @returns a receiver of a player's bytes that records the delay of each frame */
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

/** Connects clients at the same time, and sends `opening` on each connection. */
function open(clients: number, opening: Uint8Array): number[] {
  const fds = Array.from({ length: clients }, () => streams.open());
  for (const fd of fds) streams.write(fd, Uint8Array.of(3, ...new Uint8Array(HANDSHAKE)));
  for (const fd of fds) {
    const answer = streams.read(fd, 1 + 2 * HANDSHAKE);
    streams.write(fd, answer.subarray(1, 1 + HANDSHAKE));
    streams.write(fd, opening);
  }
  return fds;
}

function publish(name: string, phase: number): void {
  const speaker = new LeanSpeaker();
  const fd = open(1, speaker.opening("publish", name, -2))[0]!;
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

const sampleEach = Math.max(1, Math.floor(count / SAMPLED));
const opening = new LeanSpeaker().opening(kind === "players" ? "play" : "nothing", "s", -2);
for (let i = 0; i < count; i += AT_ONCE) {
  const group = Math.min(AT_ONCE, count - i);
  if (kind === "publishers") {
    for (let k = i; k < i + group; k++) publish(`p${k}`, k % PHASES * PERIOD / PHASES);
  } else {
    open(group, opening).forEach((fd, k) => {
      const isSampled = kind === "players" && (i + k) % sampleEach === 0;
      streams.watch(fd, isSampled ? observer() : undefined);
    });
  }
  await streams.run(10);
}
// Only now: a server that writes to many players would delay the handshakes of the others.
if (kind === "players") publish("s", 0);
const sampled = Math.ceil(count / sampleEach);
await streams.run(WARM_UP);
measuring = true;
const cpu = ownCpu();
const before = streams.bytes;
begun = performance.now();
console.log("ready");
await streams.run(seconds * 1_000);
const sentInTime = sent;
if (kind === "players") await streams.run(ARRIVAL_TIMEOUT);
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
