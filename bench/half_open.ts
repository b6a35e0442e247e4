// An RTMFP player, and honest RTMFP calls, beside thousands of RTMP connections that never finish
// their handshake.
//
//     deno run -A bench/half_open.ts [--connections 10000] [--seconds 20]
//
// Each connection sends one byte, and another every 10 s. The server closes it after 5 s, and the
// attacker opens it again. The benchmark raises the limits for connections without `connect`: the
// server refuses most of them by default. The server runs on core 0, everything else on core 1.
import { encodeAmf0 } from "../src/amf/mod.ts";
import { numberOption } from "../src/client/cli/arguments.ts";
import { sleep } from "../src/common/wait.ts";
import { Fragment } from "../src/rtmfp/wire/user_data.ts";
import { Generator } from "./load/generator.ts";
import { frame, FRAMES_PER_SECOND, publish, STREAM } from "./support/fan_out.ts";
import { Heartbeat } from "./support/heartbeat.ts";
import { type Bench, runBench } from "./support/options.ts";
import { freePorts, listening, usageOf } from "./support/process.ts";
import { rounded, Samples } from "./support/samples.ts";
import { connectAll, createStream } from "./support/steps.ts";

/** Bytes of a frame: 1 Mb/s. */
const SIZE = 5_000;
/** Milliseconds between the starts of two honest clients, and time-out (ms) of each. */
const CALL_INTERVAL = 500;
const CALL_TIMEOUT = 15_000;
/** Maximum time (ms) until the connections are open. */
const OPENING_TIMEOUT = 60_000;

/** The figures of one phase: frames of the player, calls of the honest clients. */
class Phase {
  readonly #from = Date.now();
  #to = 0;
  frames = 0;
  calls = 0;
  failed = 0;
  readonly gaps = new Samples();
  readonly times = new Samples();

  /** The longest time (ms) between two rounds of this program, which delays the figures as well. */
  ownGap = 0;

  end(): void {
    this.#to = Date.now();
  }

  result() {
    const server = heartbeat.between(this.#from, this.#to);
    return {
      frames: this.frames,
      gap_p99_ms: rounded(this.gaps.quantile(0.99), 1),
      gap_worst_ms: rounded(this.gaps.quantile(1), 1),
      calls: this.calls,
      failed: this.failed,
      connect_and_call_p50_ms: rounded(this.times.quantile(0.5), 1),
      connect_and_call_worst_ms: rounded(this.times.quantile(1), 1),
      server_loop_gap_worst_ms: rounded(server.worst, 1),
      server_loop_own_gap_worst_ms: rounded(server.ownWorst, 1),
      generator_gap_worst_ms: rounded(this.ownGap, 1),
    };
  }
}

/** The honest clients: a publisher, a player, and every {@link CALL_INTERVAL} a new client that calls. */
class Honest {
  phase = new Phase();
  readonly #generator: Generator;
  readonly #app: string;
  #send: () => void = () => {};
  #lastFrame = 0;
  #calledAt = 0;
  #ranAt = performance.now();

  constructor({ generator, app }: Bench) {
    this.#generator = new Generator(generator);
    this.#app = app;
  }

  async start(): Promise<void> {
    const generator = this.#generator;
    const [publisher, player] = [generator.add(), generator.add()];
    await connectAll(generator, [publisher, player], this.#app);
    const video = await publish(generator, publisher);
    player.streamSink = () => (part, data) => this.#onFragment(part, data);
    player.streamCommand(await createStream(generator, player), "play", STREAM, -2, -1, true);
    const start = performance.now();
    let number = 0;
    this.#send = () => {
      const now = generator.now = performance.now();
      while (now >= start + number * 1000 / FRAMES_PER_SECOND) {
        video.write(frame(number++, SIZE, now), now);
      }
    };
  }

  /** Runs until `done` returns true, at most `milliseconds`. */
  async run(milliseconds: number, done = () => false): Promise<void> {
    const until = performance.now() + milliseconds;
    await this.#generator.run(() => {
      const now = performance.now();
      this.phase.ownGap = Math.max(this.phase.ownGap, now - this.#ranAt);
      this.#ranAt = now;
      this.#send();
      this.#callDue();
      return done() || performance.now() >= until;
    }, until);
    await sleep(0); // lets messages of the attacker arrive
  }

  /** Begins a new phase. */
  begin(): Phase {
    this.phase.end();
    this.#lastFrame = performance.now();
    return this.phase = new Phase();
  }

  close(): void {
    this.#generator.close();
  }

  #onFragment(part: Fragment, _data: Uint8Array): void {
    if (part !== Fragment.end) return; // each frame has several fragments
    const { now } = this.#generator;
    this.phase.frames++;
    this.phase.gaps.add(now - this.#lastFrame);
    this.#lastFrame = now;
  }

  /** If due, connects a new client, which calls once and closes. */
  #callDue(): void {
    const now = performance.now();
    if (now < this.#calledAt + CALL_INTERVAL) return;
    this.#calledAt = now;
    const { phase } = this;
    const client = this.#generator.add();
    let open = true;
    phase.calls++;
    const end = (failed: boolean) => {
      if (!open) return;
      open = false;
      if (failed) phase.failed++;
      else phase.times.add(performance.now() - now);
      client.close();
    };
    setTimeout(() => end(true), CALL_TIMEOUT);
    client.onClose = () => end(true);
    client.onOpen = () =>
      client.connect(this.#app, this.#generator.options.url, (refused) => {
        if (refused) return end(true);
        client.call("echo", encodeAmf0(null, "honest"), (failed) => end(failed));
      });
    client.open();
  }
}

const [rtmp] = freePorts(1);
const heartbeat = new Heartbeat();

async function measure(bench: Bench) {
  const connections = numberOption(bench.args, "connections", 1, 15_000) ?? 10_000;
  const seconds = numberOption(bench.args, "seconds", 1, 600) ?? 20;
  await listening(rtmp);
  const honest = new Honest(bench);
  const attacker = new Worker(new URL("./load/half_open.ts", import.meta.url), { type: "module" });
  const attack = { open: 0, opened: 0, closed: 0 };
  attacker.onmessage = ({ data }) => Object.assign(attack, data);
  try {
    await honest.start();
    await honest.run(2_000); // to warm up
    const before = honest.begin();
    await honest.run(seconds * 500);
    attacker.postMessage({ port: rtmp, connections });
    const opening = honest.begin();
    for (const until = performance.now() + OPENING_TIMEOUT; performance.now() < until;) {
      await honest.run(100);
      if (attack.open >= connections * 0.9) break;
    }
    const during = honest.begin();
    const { opened, closed } = attack;
    let [least, most] = [Infinity, 0];
    const cpu = usageOf(bench.server.pid!).cpu;
    const started = performance.now();
    while (performance.now() < started + seconds * 1_000) {
      await honest.run(250);
      least = Math.min(least, attack.open);
      most = Math.max(most, attack.open);
    }
    const elapsed = performance.now() - started;
    during.end();
    const used = usageOf(bench.server.pid!).cpu - cpu;
    return {
      connections,
      open_least: least,
      open_most: most,
      opened_per_second: rounded((attack.opened - opened) / elapsed * 1000, 0),
      closed_per_second: rounded((attack.closed - closed) / elapsed * 1000, 0),
      server_cpu_share: rounded(used / elapsed / 1000, 2),
      before: before.result(),
      opening: opening.result(),
      during: during.result(),
    };
  } finally {
    attacker.terminate();
    honest.close();
  }
}

await runBench(
  "bench/half_open.ts",
  "An RTMFP player and calls beside half-open RTMP connections.",
  {
    connections: { value: "N", help: "half-open connections (default 10000)" },
    seconds: { value: "N", help: "how long to measure them (default 20)" },
  },
  measure,
  {
    settings: `[rtmp]\nport = ${rtmp}\naddress = 127.0.0.1\nconnections = 20000\n` +
      "connectionsOfAddress = 0\nunconnected = 20000\nunconnectedOfAddress = 20000",
    heartbeat,
  },
);
heartbeat.close();
