// Handshakes a second, and the cost of idle sessions.
import { numberOption } from "../src/client/cli/arguments.ts";
import { Generator } from "./load/generator.ts";
import { type Bench, runBench } from "./support/options.ts";
import { ownCpu, usageOf } from "./support/process.ts";
import { rounded, Samples } from "./support/samples.ts";
import { connectAll } from "./support/steps.ts";

async function measure({ args, server, generator: options, app }: Bench) {
  const count = numberOption(args, "count", 1, 100_000) ?? 2000;
  const atOnce = numberOption(args, "at-once", 1, 10_000) ?? 32;
  const idle = numberOption(args, "idle", 0, 100_000) ?? 2000;
  const seconds = numberOption(args, "seconds", 1, 600) ?? 5;
  const rate = numberOption(args, "rate", 1) ?? Infinity;
  const opened = await handshakes();
  return { ...opened, ...(idle > 0 ? await sleepers() : {}) };

  async function handshakes() {
    const generator = new Generator(options);
    try {
      const warmUp = Array.from({ length: 100 }, () => generator.add().prepare());
      await connectAll(generator, warmUp, app, { atOnce });
      const clients = Array.from({ length: count }, () => generator.add().prepare());
      const samples = new Samples();
      const before = server.pid === undefined ? undefined : usageOf(server.pid);
      const cpuBefore = ownCpu();
      const started = performance.now();
      const took = (time: number) => samples.add(time);
      await connectAll(generator, clients, app, { atOnce, rate, took });
      const elapsed = performance.now() - started;
      const after = server.pid === undefined ? undefined : usageOf(server.pid);
      return {
        handshakes: count,
        at_once: atOnce,
        handshakes_per_second: rounded(count / elapsed * 1000, 0),
        server_cpu_ms_per_handshake: rounded(
          before && after ? (after.cpu - before.cpu) / 1000 / count : NaN,
          3,
        ),
        connect_p50_ms: rounded(samples.quantile(0.5), 2),
        connect_p99_ms: rounded(samples.quantile(0.99), 2),
        generator_cpu_share: rounded((ownCpu() - cpuBefore) / elapsed / 1000, 3),
        start_to_answer_ms: rounded(server.startTime, 0),
      };
    } finally {
      generator.close();
    }
  }

  /** Sessions that only send and answer keep-alives. */
  async function sleepers() {
    const generator = new Generator({ ...options, clientsPerSocket: 16 });
    try {
      await generator.run(() => false, performance.now() + 2000); // the server forgets the sessions before
      const before = server.pid === undefined ? undefined : usageOf(server.pid);
      const clients = Array.from({ length: idle }, () => generator.add());
      await connectAll(generator, clients, app, { atOnce });
      await generator.run(() => false, performance.now() + 2000);
      const settled = server.pid === undefined ? undefined : usageOf(server.pid);
      const started = performance.now();
      await generator.run(() => false, started + seconds * 1000);
      const elapsed = performance.now() - started;
      const after = server.pid === undefined ? undefined : usageOf(server.pid);
      const open = clients.filter((client) => client.state === "open").length;
      return {
        idle_sessions: open,
        memory_per_idle_session_bytes: rounded(
          before && after ? (after.memory - before.memory) / idle : NaN,
          0,
        ),
        idle_server_memory_bytes: after?.memory ?? null,
        idle_server_cpu_share: rounded(
          settled && after ? (after.cpu - settled.cpu) / elapsed / 1000 : NaN,
          4,
        ),
      };
    } finally {
      generator.close();
    }
  }
}

await runBench(
  "bench/handshake.ts",
  "Opens many sessions and connects; then keeps many that do nothing.",
  {
    count: { value: "N", help: "how many sessions to open (default 2000)" },
    "at-once": { value: "N", help: "how many at the same time (default 32)" },
    rate: { value: "N", help: "how many to begin a second (default: as many as it goes)" },
    idle: { value: "N", help: "how many to keep doing nothing (default 2000; 0: none)" },
    seconds: { value: "N", help: "how long to watch them (default 5)" },
  },
  measure,
);
