// Calls of a function in Lua that returns its argument.
import { encodeAmf0 } from "../src/amf/mod.ts";
import { numberOption } from "../src/client/cli/arguments.ts";
import { Generator } from "./load/generator.ts";
import type { LeanClient } from "./load/lean_client.ts";
import { type Bench, runBench } from "./support/options.ts";
import { ownCpu, usageOf } from "./support/process.ts";
import { rounded, Samples } from "./support/samples.ts";
import { connectAll } from "./support/steps.ts";

async function measure({ args, server, generator: options, app }: Bench) {
  const count = numberOption(args, "clients", 1, 100_000) ?? 50;
  const seconds = numberOption(args, "seconds", 0.5, 3600) ?? 5;
  const bytes = numberOption(args, "bytes", 0, 60_000) ?? 64;
  const generator = new Generator(options);
  try {
    const clients = Array.from({ length: count }, () => generator.add());
    await connectAll(generator, clients, app);
    const text = "x".repeat(bytes);
    const values = encodeAmf0(null, text);
    const samples = new Samples();
    let failed = 0;
    const again = (client: LeanClient) => {
      const started = performance.now();
      client.call("echo", values, (error, answer) => {
        samples.add(performance.now() - started);
        if (error || (samples.count % 1000 === 0 && answer.readValue() !== text)) failed++;
        again(client);
      });
    };
    for (const client of clients) again(client);
    await generator.run(() => false, performance.now() + 1000); // to warm up
    samples.clear();
    failed = 0;
    const before = server.pid === undefined ? undefined : usageOf(server.pid);
    const cpuBefore = ownCpu();
    const started = performance.now();
    await generator.run(() => false, started + seconds * 1000);
    const elapsed = performance.now() - started;
    const after = server.pid === undefined ? undefined : usageOf(server.pid);
    return {
      clients: count,
      argument_bytes: bytes,
      calls_per_second: rounded(samples.count / elapsed * 1000, 0),
      failed,
      latency_p50_us: rounded((samples.quantile(0.5) ?? NaN) * 1000, 0),
      latency_p99_us: rounded((samples.quantile(0.99) ?? NaN) * 1000, 0),
      server_cpu_us_per_call: rounded(
        before && after ? (after.cpu - before.cpu) / samples.count : NaN,
        2,
      ),
      generator_cpu_share: rounded((ownCpu() - cpuBefore) / elapsed / 1000, 3),
    };
  } finally {
    generator.close();
  }
}

await runBench(
  "bench/rpc.ts",
  "Calls echo in Lua, each client one call at a time.",
  {
    clients: { value: "N", help: "how many clients (default 50)" },
    bytes: { value: "N", help: "length of the argument, a string (default 64)" },
    seconds: { value: "N", help: "how long to measure (default 5)" },
  },
  measure,
);
