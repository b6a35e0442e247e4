// How long the server takes from its start to listening, and until it has stopped.
// Options: --runs N, --program FILE (a compiled server instead of this source)
import { parseArgs } from "node:util";
import { median } from "./support/numbers.ts";
import { serverFlags } from "./support/process.ts";

const { values } = parseArgs({
  options: { runs: { type: "string", default: "9" }, program: { type: "string" } },
});
const main = new URL("../main.ts", import.meta.url).pathname;
const folder = Deno.makeTempDirSync();
const times: { listening: number; stopped: number }[] = [];
for (let i = 0; i < Number(values.runs) + 1; i++) {
  const began = performance.now();
  const child = new Deno.Command(values.program ?? Deno.execPath(), {
    args: [
      ...values.program ? [] : ["run", "-A", ...serverFlags(), main],
      "--dir",
      folder,
      "--port",
      "0",
    ],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let text = "";
  let listening = 0;
  let stopping = 0;
  for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += part;
    if (listening > 0 || !text.includes("RTMFP server starts")) continue;
    listening = performance.now() - began;
    stopping = performance.now();
    child.kill("SIGTERM");
  }
  if (!(await child.status).success) throw new Error(text);
  // The first run writes files and fills Deno's cache.
  if (i > 0) times.push({ listening, stopped: performance.now() - stopping });
}
Deno.removeSync(folder, { recursive: true });
const medianOf = (of: (time: typeof times[number]) => number) => Math.round(median(times.map(of)));
console.log(JSON.stringify({
  bench: "start",
  runs: times.length,
  listeningMs: medianOf(({ listening }) => listening),
  stoppedMs: medianOf(({ stopped }) => stopped),
}));
