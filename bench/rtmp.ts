// What players, publishers and idle connections of RTMP cost this server, nginx-rtmp where that is
// installed and node-media-server where it is given, each on core 0; the load runs on the other core.
//
//     deno run -A bench/rtmp.ts [--players N] [--publishers N] [--idle N] [--seconds S] [--capacity]
//       [--nms FOLDER]
//
// FOLDER has node-media-server in its node_modules: `npm install --prefix FOLDER node-media-server`.
// --capacity tries how many players one core serves with every frame within a second.
import { parseArgs } from "node:util";
import { type Measured, startNginx, startNodeMediaServer } from "./support/others.ts";
import { freePorts, listening, startServer, usageOf } from "./support/process.ts";
import { rounded } from "./support/samples.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    players: { type: "string", default: "500" },
    publishers: { type: "string", default: "600" },
    idle: { type: "string", default: "1000" },
    seconds: { type: "string", default: "8" },
    capacity: { type: "boolean", default: false },
    nms: { type: "string" },
  },
});
const [players, publishers, idle, seconds] = [
  values.players,
  values.publishers,
  values.idle,
  values.seconds,
].map(Number);
const FRAMES_PER_SECOND = 25;
/** With --capacity: the first number of players, by how much more the next has, and the last one. */
const FIRST_STEP = 500;
const STEP = 1.25;
const LAST_STEP = 9_000;
/** A step succeeds if this share of frames arrived, and the second share within a second. */
const DELIVERED = 0.98;
const WITHIN = 1_000;

/** Runs the load, and measures its cost for the server between "ready" and the end. */
async function measure(pid: number, port: number, kind: string, count: number) {
  const empty = usageOf(pid).memory;
  const load = new Deno.Command("taskset", {
    args: [
      ...["-c", "1", Deno.execPath(), "run", "-A"],
      new URL("./load/rtmp_load.ts", import.meta.url).pathname,
      ...[port, kind, count, seconds].map(String),
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let text = "";
  let before: { cpu: number; memory: number; at: number } | undefined;
  for await (const chunk of load.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (!before && text.startsWith("ready\n")) before = { ...usageOf(pid), at: performance.now() };
  }
  if (!text.includes("{")) throw new Error(`The load of ${count} ${kind} did not end`);
  const after = usageOf(pid);
  const figures = JSON.parse(text.slice(text.indexOf("{")));
  const cpu = after.cpu - before!.cpu;
  const elapsed = performance.now() - before!.at;
  return { figures, cpu, share: cpu / elapsed / 1000, memory: before!.memory - empty };
}

/** The maximum tested number of players that had every frame within a second, and their cost. */
async function capacity(pid: number, port: number) {
  let held: Record<string, unknown> = { players: 0 };
  for (let count = FIRST_STEP; count <= LAST_STEP; count = Math.round(count * STEP)) {
    const { figures, cpu, share } = await measure(pid, port, "players", count).catch(() => NOTHING);
    const { delivered_in_time_share, delay_p99_ms, ended, frames, generator_cpu_share } = figures;
    if (!(delivered_in_time_share >= DELIVERED && delay_p99_ms <= WITHIN && ended === 0)) break;
    held = {
      players: count,
      cpu_us_per_frame_and_player: rounded(cpu / frames, 2),
      server_cpu_share: rounded(share, 3),
      delay_p50_ms: figures.delay_p50_ms,
      delay_p99_ms,
      generator_cpu_share,
    };
  }
  return held;
}

const NOTHING = { figures: {} as Record<string, number>, cpu: NaN, share: NaN };

async function figuresOf(server: Measured, port: number) {
  const pid = server.pid!;
  try {
    const idling = await measure(pid, port, "idle", idle);
    const playing = await measure(pid, port, "players", players);
    const publishing = await measure(pid, port, "publishers", publishers);
    const perFrame = playing.cpu / playing.figures.frames;
    const perPublished = publishing.cpu / publishing.figures.frames;
    return {
      memory_per_idle_connection_bytes: rounded(idling.memory / idle, 0),
      players,
      cpu_us_per_frame_and_player: rounded(perFrame, 2),
      players_that_one_core_would_hold: rounded(1e6 / perFrame / FRAMES_PER_SECOND, 0),
      ...playing.figures,
      server_cpu_share: rounded(playing.share, 3),
      publishers,
      publishers_sent_share: publishing.figures.sent_share,
      publishers_held_up_share: publishing.figures.held_up_share,
      publishers_server_cpu_share: rounded(publishing.share, 3),
      cpu_us_per_published_frame: rounded(perPublished, 2),
      publishers_that_one_core_would_hold: rounded(1e6 / perPublished / FRAMES_PER_SECOND, 0),
      publishers_generator_cpu_share: publishing.figures.generator_cpu_share,
      ...values.capacity && { capacity: await capacity(pid, port) },
    };
  } finally {
    await server.stop();
  }
}

const [own, nginx, nms, http] = freePorts(4);
const limits = "connections = 20000\nconnectionsOfAddress = 0\nunconnectedOfAddress = 10000";
const server = await startServer(`[rtmp]\nport = ${own}\naddress = 127.0.0.1\n${limits}`);
await listening(own);
const cumulus = await figuresOf(server, own);
const other = await startNginx(nginx);
const nginx_rtmp = other ? await figuresOf(other, nginx) : "not installed";
const third = values.nms && await startNodeMediaServer(values.nms, nms, http);
const node_media_server = third ? await figuresOf(third, nms) : "not given";
console.log(JSON.stringify({ bench: "rtmp", cumulus, nginx_rtmp, node_media_server }));
