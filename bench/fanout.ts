// One publisher, many listeners: the server's cost per delivered datagram, the delivered share and the
// added delay.
import { numberOption } from "../src/client/cli/arguments.ts";
import { measureFanOut } from "./support/fan_out.ts";
import { type Bench, runBench } from "./support/options.ts";

function measure({ args, server, generator, app }: Bench) {
  const listeners = numberOption(args, "listeners", 1, 100_000) ?? 200;
  const seconds = numberOption(args, "seconds", 0.5, 3600) ?? 5;
  const rate = numberOption(args, "rate", 8000) ?? 1_000_000;
  const stalled = numberOption(args, "stalled", 0, listeners) ?? 0;
  const handshakes = numberOption(args, "handshakes", 0, 100_000) ?? 0;
  const meanwhile = handshakes > 0 ? () => openSessions(handshakes, seconds) : undefined;
  const options = { listeners, seconds, rate, stalled, meanwhile };
  return measureFanOut(options, generator, app, server.pid);

  /** Opens sessions at a steady pace from a process of its own. */
  async function openSessions(perSecond: number, seconds: number): Promise<void> {
    const group = args.options.get("handshake-group") ?? "14";
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--allow-all", new URL("handshake.ts", import.meta.url).pathname],
        ...["--url", server.url, "--idle", "0", "--group", group],
        ...["--rate", `${perSecond}`, "--count", `${Math.round(perSecond * seconds)}`],
      ],
      stdout: "null",
      stderr: "piped",
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr).split("\n", 1)[0]);
  }
}

await runBench(
  "bench/fanout.ts",
  "Publishes video to many listeners and prints the cost for the server.",
  {
    listeners: { value: "N", help: "how many listeners (default 200)" },
    rate: { value: "BITS", help: "bits per second of the video (default 1000000)" },
    seconds: { value: "N", help: "how long to measure (default 5)" },
    stalled: { value: "N", help: "listeners that stop acknowledging when it begins (default 0)" },
    handshakes: { value: "N", help: "sessions to open a second meanwhile (default 0)" },
    "handshake-group": { value: "N", help: "their Diffie-Hellman group (default 14)" },
  },
  measure,
);
