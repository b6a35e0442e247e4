// The server as a separate process, and its cost.
import config from "../../deno.json" with { type: "json" };
import { sleep } from "../../src/common/wait.ts";
import type { Heartbeat } from "./heartbeat.ts";
import type { Tuple } from "./numbers.ts";

/** Clock ticks a second in /proc/PID/stat: USER_HZ, which is 100 on every Linux. */
const TICKS = 100;

export interface Usage {
  /** CPU time (µs) of all its threads since its start, in steps of 10 ms. */
  readonly cpu: number;
  /** The part of {@link cpu} outside of the kernel (µs). */
  readonly user: number;
  /** Resident memory in bytes. */
  readonly memory: number;
}

/** @throws {Deno.errors.NotFound} if the process does not exist */
export function usageOf(pid: number): Usage {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" "); // the name may have blanks
  const [user, system] = [Number(fields[11]), Number(fields[12])];
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  const memory = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? NaN) * 1024;
  return { cpu: (user + system) * 1e6 / TICKS, user: user * 1e6 / TICKS, memory };
}

/** @returns CPU time (µs) of this process; NaN except on Linux */
export function ownCpu(): number {
  return Deno.build.os === "linux" ? usageOf(Deno.pid).cpu : NaN;
}

/** Keeps a process on one core, if taskset exists and the machine has this core. */
export function pin(pid: number, core: number): void {
  try {
    new Deno.Command("taskset", {
      args: ["-acp", String(core), String(pid)],
      stdout: "null",
      stderr: "null",
    }).outputSync();
  } catch {
    // no taskset here
  }
}

export interface Server {
  readonly url: string;
  /** Undefined for a server on another machine. */
  readonly pid: number | undefined;
  /** Milliseconds from its start to its first answer; undefined if the benchmark did not start it. */
  readonly startTime?: number;
  /** @returns characters that it has printed; undefined if the benchmark did not start it */
  readonly printed?: () => number;
  stop(): Promise<void>;
}

/** The application of most benchmarks: it has echo, and allows everything. */
const APPLICATION = `
function onConnection(client)
  function client:echo(...)
    return ...
  end
end
`;

/**
 * Starts this project's server on a free port, on core 0.
 *
 * @param settings lines for its CumulusServer.ini
 * @param application the main.lua of its application
 * @param heartbeat measures its event loop
 * @param log its level
 * @throws {Error} with what it printed, if it does not answer within ten seconds
 */
export async function startServer(
  settings = "",
  application = APPLICATION,
  heartbeat?: Heartbeat,
  log = "error",
): Promise<Server> {
  const folder = Deno.makeTempDirSync({ prefix: "cumulus-bench-" });
  Deno.mkdirSync(`${folder}/www/bench`, { recursive: true });
  Deno.writeTextFileSync(`${folder}/www/bench/main.lua`, application);
  const port = freePort();
  Deno.writeTextFileSync(`${folder}/CumulusServer.ini`, `port = ${port}\n${settings}\n`);
  const main = new URL("../../main.ts", import.meta.url).pathname;
  const started = performance.now();
  const child = new Deno.Command("taskset", {
    args: [
      ...["-c", "0", Deno.execPath(), "run", "--allow-all", ...serverFlags()],
      ...heartbeat?.flags ?? [],
      main,
      ...["--ini", `${folder}/CumulusServer.ini`, "--log", log],
    ],
    env: { ...heartbeat?.env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = { text: "" };
  const reading = [collect(child.stdout, output), collect(child.stderr, output)];
  const stop = async () => {
    try {
      child.kill("SIGTERM");
    } catch {
      // it has ended by itself
    }
    await child.status;
    await Promise.all(reading);
    Deno.removeSync(folder, { recursive: true });
  };
  if (!await answers(port, 10_000)) {
    await stop();
    throw new Error(`The server does not answer on port ${port}. It printed:\n${output.text}`);
  }
  const startTime = performance.now() - started;
  return {
    url: `rtmfp://127.0.0.1:${port}/bench`,
    pid: child.pid,
    startTime,
    printed: () => output.text.length,
    stop,
  };
}

/** Flags for the server's Deno, such as --cpu-prof, from BENCH_SERVER_FLAGS; by default as in `deno task start`. */
export function serverFlags(): string[] {
  const own = Deno.env.get("BENCH_SERVER_FLAGS");
  if (own !== undefined) return own.split(" ").filter((flag) => flag !== "");
  return config.tasks.start.split(" ").filter((word) => word.startsWith("--v8-flags="));
}

async function collect(stream: ReadableStream<Uint8Array>, into: { text: string }): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of stream) into.text += decoder.decode(chunk, { stream: true });
}

function freePort(): number {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const { port } = socket.addr as Deno.NetAddr;
  socket.close();
  return port;
}

/** Whether a server on this machine answers RTMFP on a port within `timeout` (ms). */
async function answers(port: number, timeout: number): Promise<boolean> {
  const { Generator } = await import("../load/generator.ts");
  const target = { hostname: "127.0.0.1", port };
  const generator = new Generator({ url: `rtmfp://127.0.0.1:${port}/bench`, target });
  const until = performance.now() + timeout;
  try {
    while (performance.now() < until) {
      const client = generator.add().prepare();
      client.open();
      const known = () => client.state !== "hello";
      if (await generator.run(known, Math.min(until, performance.now() + 20))) return true;
    }
    return false;
  } finally {
    generator.close();
  }
}

/** TCP ports that were free a moment ago. */
export function freePorts<N extends number>(count: N): Tuple<number, N> {
  const listeners = Array.from(
    { length: count },
    () => Deno.listen({ hostname: "127.0.0.1", port: 0 }),
  );
  const ports = listeners.map(({ addr }) => addr.port);
  for (const listener of listeners) listener.close();
  return ports as Tuple<number, N>;
}

/** Resolves when a port of this machine accepts connections. @throws {Error} after ten seconds */
export async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch {
      await sleep(50);
    }
  }
  throw new Error(`Nothing listens on port ${port}`);
}
