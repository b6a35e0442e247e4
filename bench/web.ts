// What viewers by HTTP-FLV and WebSocket-FLV cost this server, and node-media-server with `--nms`.
// ffmpeg publishes 1 Mb/s at 25 frames a second to each server by RTMP. Options: `--help`.
import { parseArgs } from "node:util";
import { sleep } from "../src/common/wait.ts";
import { helpOrRun } from "./support/help.ts";
import { startNodeMediaServer } from "./support/others.ts";
import { freePorts, listening, startServer, usageOf } from "./support/process.ts";

helpOrRun(`
Usage: deno run -A bench/web.ts [OPTIONS]

Measures what viewers by HTTP-FLV and WebSocket-FLV cost. Needs ffmpeg.

Options:
  --viewers N      how many viewers (default 200)
  --seconds N      how long to measure (default 8)
  --stalled N      further viewers that do not read (default 0)
  --native MODE    [rtmfp] native of the server: auto, on, off (default auto)
  --nms FOLDER     also measure node-media-server, after
                   npm install --prefix FOLDER node-media-server
  --help           print this and exit
`);
const { values } = parseArgs({
  args: Deno.args,
  options: {
    viewers: { type: "string", default: "200" },
    seconds: { type: "string", default: "8" },
    stalled: { type: "string", default: "0" },
    native: { type: "string", default: "auto" },
    nms: { type: "string" },
  },
});
const viewers = Number(values.viewers);
const seconds = Number(values.seconds);
const stalled = Number(values.stalled);
/** Frames of video and audio a second, as published. */
const FRAMES = 25 + 43;

interface Figures {
  readonly server: string;
  readonly protocol: string;
  readonly viewers: number;
  /** CPU of one core (%), and data that one viewer received (Mb/s). */
  readonly cpuPercent: number;
  readonly megabitsPerViewer: number;
  /** CPU (µs) for one frame to one viewer, and viewers that one core holds at this cost. */
  readonly cpuPerFrame: number;
  readonly viewersPerCore: number;
  /** Bytes. */
  readonly memoryPerViewer: number;
  /** CPU share of the generator; near 1 the generator was the limit. */
  readonly generatorCpuShare: number;
}

/** Starts ffmpeg, which publishes until it is killed. */
function publish(url: string): Deno.ChildProcess {
  return new Deno.Command("ffmpeg", {
    args: [
      ...["-hide_banner", "-nostdin", "-loglevel", "error", "-re"],
      ...["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25"],
      ...["-f", "lavfi", "-i", "sine=sample_rate=44100"],
      ...["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "25"],
      ...["-b:v", "940k", "-minrate", "940k", "-maxrate", "940k", "-bufsize", "940k"],
      ...["-x264-params", "nal-hrd=cbr", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "64k"],
      ...["-f", "flv", url],
    ],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
}

async function measure(server: string, pid: number, url: string): Promise<Figures> {
  const empty = usageOf(pid).memory;
  const load = new Deno.Command("taskset", {
    args: [
      ...["-c", "1", Deno.execPath(), "run", "-A"],
      new URL("./load/http_viewers.ts", import.meta.url).pathname,
      ...[url, viewers, seconds, stalled].map(String),
    ],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  let text = "";
  let before: { cpu: number } | undefined;
  for await (const chunk of load.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (!before && text.includes("ready")) before = usageOf(pid);
    if (text.includes("}")) break;
  }
  const after = usageOf(pid);
  const { bytes, ended, generator_cpu_share } = JSON.parse(text.slice(text.indexOf("{")));
  if (ended > 0) throw new Error(`${server} closed ${ended} connections of viewers`);
  const cpu = after.cpu - before!.cpu;
  return {
    server,
    protocol: new URL(url).protocol === "ws:" ? "WebSocket-FLV" : "HTTP-FLV",
    viewers,
    cpuPercent: cpu / seconds / 1e4,
    megabitsPerViewer: bytes * 8 / viewers / seconds / 1e6,
    cpuPerFrame: cpu / (viewers * seconds * FRAMES),
    viewersPerCore: Math.round(viewers * seconds * 1e6 / cpu),
    memoryPerViewer: (after.memory - empty) / (viewers + stalled),
    generatorCpuShare: generator_cpu_share,
  };
}

const results: Figures[] = [];
{
  const [rtmp, web] = freePorts(2);
  const server = await startServer(
    `[rtmfp]\nnative = ${values.native}\n[rtmp]\nport = ${rtmp}\n[web]\nport = ${web}\nviewers = 100000\n[application]\nunknown = nearest`,
  );
  const publisher = publish(`rtmp://127.0.0.1:${rtmp}/bench/cam`);
  await listening(web);
  await sleep(3_000);
  for (const scheme of ["http", "ws"]) {
    const url = `${scheme}://127.0.0.1:${web}/bench/cam.flv`;
    results.push(await measure("CumulusServer", server.pid!, url));
  }
  publisher.kill("SIGKILL");
  await server.stop();
}
if (values.nms) {
  const [rtmp, http] = freePorts(2);
  const server = await startNodeMediaServer(values.nms, rtmp, http);
  const publisher = publish(`rtmp://127.0.0.1:${rtmp}/live/cam`);
  await sleep(3_000);
  for (const scheme of ["http", "ws"]) {
    const url = `${scheme}://127.0.0.1:${http}/live/cam.flv`;
    results.push(await measure("node-media-server", server.pid!, url));
  }
  publisher.kill("SIGKILL");
  await server.stop();
}
console.table(results.map((one) =>
  Object.fromEntries(
    Object.entries(one).map(([name, value]) => [
      name,
      typeof value === "number" ? Number(value.toPrecision(4)) : value,
    ]),
  )
));
