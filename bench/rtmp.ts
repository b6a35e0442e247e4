// What players, publishers and idle connections of RTMP cost this server, and nginx-rtmp where that is
// installed, each on core 0; the load runs on the other core.
//
//     deno run -A bench/rtmp.ts [--players N] [--publishers N] [--idle N] [--seconds S]
import { parseArgs } from "node:util";
import { freePorts, type Server, startServer, usageOf } from "./support/process.ts";
import { rounded } from "./support/samples.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    players: { type: "string", default: "500" },
    publishers: { type: "string", default: "200" },
    idle: { type: "string", default: "500" },
    seconds: { type: "string", default: "8" },
  },
});
const [players, publishers, idle, seconds] = [
  values.players,
  values.publishers,
  values.idle,
  values.seconds,
].map(Number);
const NGINX = "/usr/sbin/nginx";
const MODULE = "/usr/lib/nginx/modules/ngx_rtmp_module.so";
const FRAMES_PER_SECOND = 25;

type Measured = Pick<Server, "pid" | "stop">;

/** nginx with its RTMP module, on core 0; undefined where it is not installed. */
async function startNginx(port: number): Promise<Measured | undefined> {
  try {
    Deno.statSync(MODULE);
  } catch {
    return undefined;
  }
  const folder = Deno.makeTempDirSync({ prefix: "nginx-bench-" });
  Deno.writeTextFileSync(
    `${folder}/nginx.conf`,
    `load_module ${MODULE}; daemon off; master_process off; pid nginx.pid; error_log stderr crit;
    worker_rlimit_nofile 20000; events { worker_connections 10000; }
    rtmp { server { listen 127.0.0.1:${port}; application bench { live on; } } }`,
  );
  const child = new Deno.Command("taskset", {
    args: ["-c", "0", NGINX, "-p", folder, "-c", "nginx.conf"],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  return {
    pid: child.pid,
    async stop() {
      child.kill("SIGTERM");
      await child.status;
      Deno.removeSync(folder, { recursive: true });
    },
  };
}

/** Runs the load, and sees what it costs the server between "ready" and the end. */
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
  }).spawn();
  let text = "";
  let before: { cpu: number; memory: number; at: number } | undefined;
  for await (const chunk of load.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (!before && text.startsWith("ready\n")) before = { ...usageOf(pid), at: performance.now() };
  }
  const after = usageOf(pid);
  const figures = JSON.parse(text.slice(text.indexOf("{")));
  const cpu = after.cpu - before!.cpu;
  const elapsed = performance.now() - before!.at;
  return { figures, cpu, share: cpu / elapsed / 1000, memory: before!.memory - empty };
}

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
      cpu_us_per_published_frame: rounded(perPublished, 2),
      publishers_that_one_core_would_hold: rounded(1e6 / perPublished / FRAMES_PER_SECOND, 0),
      publishers_generator_cpu_share: publishing.figures.generator_cpu_share,
    };
  } finally {
    await server.stop();
  }
}

const [own, nginx] = freePorts(2);
const limits = "connectionsOfAddress = 0\nunconnectedOfAddress = 10000";
const server = await startServer(`[rtmp]\nport = ${own}\naddress = 127.0.0.1\n${limits}`);
const cumulus = await figuresOf(server, own);
const other = await startNginx(nginx);
console.log(JSON.stringify({
  bench: "rtmp",
  cumulus,
  nginx_rtmp: other ? await figuresOf(other, nginx) : "not installed",
}));
