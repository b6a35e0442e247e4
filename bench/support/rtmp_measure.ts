// What RTMP connections cost a server: loads of load/rtmp_load.ts, with bounded time.
import { within } from "../../src/common/wait.ts";
import { median } from "./numbers.ts";
import { usageOf } from "./process.ts";
import { rounded } from "./samples.ts";

export type LoadKind = "players" | "publishers" | "idle";

/** Maximum time (ms) until all clients of a load are connected and warm. */
const READY_TIMEOUT = 60_000;
/** Maximum time (ms) of a load beyond the seconds that it measures. */
const END_TIMEOUT = 20_000;

/** A process on core 1 with RTMP clients. */
class Load {
  readonly #child: Deno.ChildProcess;
  readonly #seconds: number;
  readonly #ended: Promise<void>;
  #text = "";
  #onText = () => {};

  constructor(port: number, kind: LoadKind, count: number, seconds: number) {
    this.#seconds = seconds;
    this.#child = new Deno.Command("taskset", {
      args: [
        ...["-c", "1", Deno.execPath(), "run", "-A"],
        new URL("../load/rtmp_load.ts", import.meta.url).pathname,
        ...[port, kind, count, seconds].map(String),
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#ended = this.#read();
  }

  /** Resolves when all clients are connected and warm. @throws {Error} after a time-out or refusal */
  async ready(): Promise<void> {
    const ready = new Promise<void>((resolve) => {
      this.#onText = () => this.#text.includes("ready\n") && resolve();
      this.#onText();
    });
    await within(Promise.race([ready, this.#ended]), READY_TIMEOUT, "not all clients connected");
    if (!this.#text.includes("ready\n")) throw new Error("a client was refused or closed");
  }

  /** @returns the figures that the load prints at its end. @throws {Error} if it fails or does not end */
  async figures(): Promise<Record<string, number>> {
    await within(this.#ended, this.#seconds * 1_000 + END_TIMEOUT, "the load did not end");
    const at = this.#text.indexOf("{");
    if (at < 0) throw new Error("the load failed");
    return JSON.parse(this.#text.slice(at));
  }

  async end(): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // it has ended by itself
    }
    await this.#child.status;
  }

  async #read(): Promise<void> {
    for await (const chunk of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      this.#text += chunk;
      this.#onText();
    }
  }
}

/**
 * Runs a load, and measures its cost for the server from "ready" to its end.
 * @throws {Error} if the clients cannot connect, or the load does not end
 */
export async function measureLoad(
  pid: number,
  port: number,
  kind: LoadKind,
  count: number,
  seconds: number,
) {
  const load = new Load(port, kind, count, seconds);
  try {
    await load.ready();
    const before = usageOf(pid).cpu;
    const started = performance.now();
    const figures = await load.figures();
    const cpu = usageOf(pid).cpu - before;
    return { figures, cpu, share: cpu / (performance.now() - started) / 1000 };
  } finally {
    await load.end();
  }
}

/** Crowds of idle connections, besides the first. */
const CROWDS = 3;
/** Time (ms) for a server to collect garbage after a crowd has come. */
const SETTLE = 2_000;

/**
 * Growth (bytes) of the server's resident memory for each idle connection, without the system's buffers.
 * The first crowd, whose growth includes compiled code and larger heaps, stays while the others come.
 */
export async function idleMemory(pid: number, port: number, count: number) {
  const loads: Load[] = [];
  const grown: number[] = [];
  try {
    let before = usageOf(pid).memory;
    for (let crowd = 0; crowd <= CROWDS; crowd++) {
      const load = new Load(port, "idle", count, 3_600);
      loads.push(load);
      await load.ready();
      await new Promise((resolve) => setTimeout(resolve, SETTLE));
      const { memory } = usageOf(pid);
      grown.push((memory - before) / count);
      before = memory;
    }
  } finally {
    for (const load of loads) await load.end();
  }
  const [first, ...later] = grown.map(Math.round);
  return {
    counts: "resident memory of the server, without the kernel's buffers, for each connection",
    median: median(later),
    later,
    first,
  };
}

/** Numbers of players to try: the first, the factor to the next, and the maximum. */
const FIRST_STEP = 1_000;
const FACTOR = 1.5;
const LAST_STEP = 9_000;
/** Steps between the last number that held and the first that did not. */
const HALVINGS = 2;
/** A step holds with this share of frames delivered in time, and this 99th percentile (ms) of delays. */
const MIN_DELIVERED = 0.98;
const MAX_DELAY = 1_000;
/** From this CPU share on the generator may be the limit. */
const GENERATOR_FULL = 0.9;
/** From this CPU share on the server is the limit: one that puts frames together never needs all of it. */
const SERVER_FULL = 0.6;
/** No halving begins later than this (ms) after the first step. */
const MAX_TIME = 300_000;

interface Step {
  readonly players: number;
  readonly held: boolean;
  readonly [figure: string]: unknown;
}

/** @returns the largest number of players that held, what limits it, and each step */
export async function capacity(pid: number, port: number, seconds: number) {
  const steps: Step[] = [];
  const until = performance.now() + MAX_TIME;
  const holds = async (players: number): Promise<boolean> => {
    const step = await tryPlayers(pid, port, players, seconds);
    console.error(JSON.stringify(step));
    steps.push(step);
    await idle(pid);
    return step.held;
  };
  let most = 0;
  let tooMany = FIRST_STEP;
  while (tooMany <= LAST_STEP && await holds(tooMany)) {
    most = tooMany;
    tooMany = Math.round(tooMany * FACTOR / 10) * 10;
  }
  for (let i = 0; i < HALVINGS && tooMany <= LAST_STEP && performance.now() < until; i++) {
    const middle = Math.round((most + tooMany) / 20) * 10;
    if (await holds(middle)) most = middle;
    else tooMany = middle;
  }
  const limited_by = limitOf(steps.filter(({ held }) => !held));
  return { players: most, limited_by, steps };
}

/** Names whose core was full in the steps that did not hold. */
function limitOf(failed: readonly Step[]): string {
  if (failed.length === 0) return "the last step";
  const isFull = (share: string, least: number) =>
    failed.some((step) => Number(step[share]) >= least);
  if (isFull("generator_cpu_share", GENERATOR_FULL)) return "the generator";
  if (isFull("server_cpu_share", SERVER_FULL)) return "the server";
  return "something else: neither core was full";
}

async function tryPlayers(
  pid: number,
  port: number,
  players: number,
  seconds: number,
): Promise<Step> {
  try {
    const { figures, cpu, share } = await measureLoad(pid, port, "players", players, seconds);
    const { delivered_in_time_share = 0, delay_p99_ms = Infinity, frames = 0, ended } = figures;
    return {
      players,
      held: delivered_in_time_share >= MIN_DELIVERED && delay_p99_ms <= MAX_DELAY && ended === 0,
      delivered_in_time_share,
      delay_p50_ms: figures.delay_p50_ms,
      delay_p99_ms,
      ended,
      cpu_us_per_frame_and_player: rounded(cpu / frames, 2),
      server_cpu_share: rounded(share, 3),
      generator_cpu_share: figures.generator_cpu_share,
    };
  } catch (error) {
    return { players, held: false, failure: (error as Error).message };
  }
}

/** Resolves when the server is idle after a step, at the latest after 20 s. */
async function idle(pid: number): Promise<void> {
  for (let tries = 0; tries < 20; tries++) {
    const before = usageOf(pid).cpu;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    if (usageOf(pid).cpu - before < 100_000) return;
  }
}
