// How many listeners one core holds.
import { numberOption } from "../src/client/cli/arguments.ts";
import { measureFanOut } from "./support/fan_out.ts";
import { type Bench, runBench } from "./support/options.ts";

/** Maximum delay (ms) of a frame. */
const MAX_DELAY = 1000;

async function measure({ args, server, generator, app }: Bench) {
  const rate = numberOption(args, "rate", 8000) ?? 1_000_000;
  const seconds = numberOption(args, "seconds", 0.5, 600) ?? 4;
  const from = numberOption(args, "from", 1, 100_000) ?? 200;
  const tries: Record<string, unknown>[] = [];
  const holds = async (listeners: number): Promise<boolean> => {
    let delivered = 0;
    let latest: number | null = null;
    try {
      const result = await measureFanOut({ listeners, seconds, rate }, generator, app, server.pid);
      delivered = result.delivered_share ?? 0;
      latest = result.delay_max_ms;
      tries.push({ listeners, delivered, delay_p99_ms: result.delay_p99_ms, delay_max_ms: latest });
    } catch (error) {
      tries.push({ listeners, error: (error as Error).message });
    }
    return delivered === 1 && latest !== null && latest <= MAX_DELAY;
  };
  let most = 0;
  let tooMany = from;
  while (await holds(tooMany)) {
    most = tooMany;
    tooMany = Math.ceil(tooMany * 1.5);
  }
  while (tooMany - most > Math.max(1, tooMany / 20)) {
    const middle = Math.round((most + tooMany) / 2);
    if (await holds(middle)) most = middle;
    else tooMany = middle;
  }
  return { rate_bps: rate, listeners: most, latest_ms: MAX_DELAY, tries };
}

await runBench(
  "bench/capacity.ts",
  "Finds how many listeners get all frames within a second.",
  {
    from: { value: "N", help: "how many listeners to begin with (default 200)" },
    rate: { value: "BITS", help: "bits per second of the video (default 1000000)" },
    seconds: { value: "N", help: "how long to measure each number (default 4)" },
  },
  measure,
);
