// What players, publishers and idle connections of RTMP cost this server, nginx-rtmp if installed,
// and node-media-server with `--nms`. Each server runs on core 0, the load on core 1. Options: `--help`.
import { parseArgs } from "node:util";
import { helpOrRun } from "./support/help.ts";
import { numbersOf } from "./support/numbers.ts";
import { type Measured, startNginx, startNodeMediaServer } from "./support/others.ts";
import { freePorts, listening, startServer } from "./support/process.ts";
import { capacity, idleMemory, measureLoad } from "./support/rtmp_measure.ts";
import { rounded } from "./support/samples.ts";

helpOrRun(`
Usage: deno run -A bench/rtmp.ts [OPTIONS]

Measures what players, publishers and idle connections of RTMP cost this server, and nginx-rtmp if
it is installed.

Options:
  --players N      how many players of one stream (default 500)
  --publishers N   how many publishers (default 600)
  --idle N         how many idle connections in each crowd (default 1000)
  --seconds N      how long to measure each part (default 8)
  --capacity       also find how many players one core serves with every frame
                   within a second: at most six minutes a server
  --only PART      measure only this part: idle or capacity
  --nms FOLDER     also measure node-media-server, after
                   npm install --prefix FOLDER node-media-server
  --help           print this and exit
`);
const { values } = parseArgs({
  args: Deno.args,
  options: {
    players: { type: "string", default: "500" },
    publishers: { type: "string", default: "600" },
    idle: { type: "string", default: "1000" },
    seconds: { type: "string", default: "8" },
    capacity: { type: "boolean", default: false },
    only: { type: "string" },
    nms: { type: "string" },
  },
});
const [players, publishers, idle, seconds] = numbersOf(
  [values.players, values.publishers, values.idle, values.seconds],
  4,
);
const FRAMES_PER_SECOND = 25;

async function figuresOf(server: Measured, port: number) {
  const pid = server.pid!;
  try {
    if (values.only === "capacity") return { capacity: await capacity(pid, port, seconds) };
    const memory = await idleMemory(pid, port, idle);
    if (values.only === "idle") return { memory_per_idle_connection_bytes: memory };
    const playing = await measureLoad(pid, port, "players", players, seconds);
    const publishing = await measureLoad(pid, port, "publishers", publishers, seconds);
    const perFrame = playing.cpu / (playing.figures.frames ?? NaN);
    const perPublished = publishing.cpu / (publishing.figures.frames ?? NaN);
    return {
      memory_per_idle_connection_bytes: memory,
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
      ...values.capacity && { capacity: await capacity(pid, port, seconds) },
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
