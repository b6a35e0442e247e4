// Streams of 1 Mb/s over a bus, with publishers and listeners in separate processes.
import { sleep } from "../../src/common/wait.ts";
import { pin, type Server, usageOf } from "./process.ts";
import { rounded } from "./samples.ts";

/** Load of one server: streams as arguments of `load/bus_load.ts`. All have the same number of listeners. */
export interface LoadOf {
  readonly server: number;
  readonly publish: readonly string[];
  readonly listen: readonly string[];
}

interface Measured {
  readonly clients: number;
  readonly frames: number;
  readonly delay_p50_ms: number;
  readonly delay_p99_ms: number;
  readonly delay_max_ms: number;
  readonly cpu_share: number;
}

/** Milliseconds between the last connection and the window that is measured. */
const WARM_UP = 3_000;
/** Above this CPU share a full core may have delayed frames. */
const MAX_SHARE = 0.9;
/** Below this share of delivered frames the delays are not valid. */
const MIN_DELIVERED = 0.999;

class Load {
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  #text = "";

  constructor(readonly server: number, what: "publish" | "listen", url: string, names: string[]) {
    const script = new URL("../load/bus_load.ts", import.meta.url).pathname;
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-all", script, what, url, ...names],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    pin(this.#child.pid, 1);
    this.#lines = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  async line(): Promise<string> {
    while (!this.#text.includes("\n")) {
      const { value, done } = await this.#lines.read();
      if (done) throw new Error("The load ended early");
      this.#text += value;
    }
    const [line = "", ...rest] = this.#text.split("\n");
    this.#text = rest.join("\n");
    return line;
  }

  async measure(begin: number, end: number): Promise<Measured> {
    const writer = this.#child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(`${begin} ${end}\n`));
    await writer.close();
    const measured = JSON.parse(await this.line());
    await this.#child.status;
    return measured;
  }

  stop(): void {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // it has ended
    }
  }
}

/** @param nats process id of nats-server */
export async function measureStreams(
  servers: readonly Server[],
  loads: readonly LoadOf[],
  seconds: number,
  nats: number,
) {
  const made: Load[] = [];
  // Other programs delay frames as well.
  const [loadBefore = 0] = Deno.loadavg();
  const isBusy = loadBefore >= navigator.hardwareConcurrency;
  const load = async (what: "publish" | "listen") => {
    for (const { server, [what]: names } of loads) {
      if (names.length === 0) continue;
      const one = new Load(server, what, servers[server]!.url, [...names]);
      made.push(one);
      await one.line();
    }
    return made.splice(0);
  };
  try {
    const publishers = await load("publish");
    const listeners = await load("listen");
    made.push(...publishers, ...listeners);
    const pids = [...servers.map(({ pid }) => pid!), nats];
    const cpu = () => pids.map((pid) => usageOf(pid).cpu);
    const begin = performance.timeOrigin + performance.now() + WARM_UP;
    const end = begin + seconds * 1000;
    const measuring = Promise.all(made.map((one) => one.measure(begin, end)));
    await sleep(WARM_UP);
    const before = cpu();
    await sleep(seconds * 1000);
    const shares = cpu().map((one, i) => (one - before[i]!) / (seconds * 1e6));
    const measured = await measuring;
    const results = made.map((one, i) => ({ load: one, ...measured[i]! }));
    const played = results.filter(({ load }) => listeners.includes(load));
    const home = new Set(publishers.map(({ server }) => server));
    // A stream played at the server where it is published does not use the bus.
    const isHere = ({ load: { server } }: typeof played[number]) =>
      home.size === 1 && home.has(server);
    const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
    const ofLoad = sum(measured.map(({ cpu_share }) => cpu_share));
    const sent = results.filter(({ load }) => publishers.includes(load));
    const ofEach = sum(played.map(({ clients }) => clients)) /
      sum(sent.map(({ clients }) => clients));
    const expected = sum(sent.map(({ frames }) => frames)) * ofEach;
    const delivered = sum(played.map(({ frames }) => frames)) / expected;
    const elsewhere = played.filter((one) => !isHere(one));
    const worst = (field: keyof Measured, some = elsewhere) =>
      Math.max(...some.map(({ [field]: value }) => value));
    const here = played.filter(isHere);
    const ofServers = sum(shares.slice(0, servers.length));
    return {
      valid: !isBusy && delivered >= MIN_DELIVERED && ofLoad < MAX_SHARE && ofServers < MAX_SHARE,
      load_average_before: rounded(loadBefore, 2),
      seconds,
      listeners: sum(played.map(({ clients }) => clients)),
      delivered_share: rounded(delivered, 5),
      elsewhere_p50_ms: worst("delay_p50_ms"),
      elsewhere_p99_ms: worst("delay_p99_ms"),
      elsewhere_max_ms: worst("delay_max_ms"),
      ...here.length > 0 && {
        here_p50_ms: worst("delay_p50_ms", here),
        here_p99_ms: worst("delay_p99_ms", here),
      },
      server_cpu_share: shares.slice(0, servers.length).map((share) => rounded(share, 3)),
      nats_cpu_share: rounded(shares.at(-1), 3),
      load_cpu_share: rounded(ofLoad, 3),
    };
  } finally {
    for (const one of made) one.stop();
  }
}
