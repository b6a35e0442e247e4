// Options of all benchmarks: the server, and the protection of its sessions.
import { type Arguments, numberOption, type Option } from "../../src/client/cli/arguments.ts";
import { resolve } from "../../src/client/resolve.ts";
import { parseRtmfpUrl } from "../../src/client/url.ts";
import { UsageError } from "../../src/common/arguments.ts";
import type { GeneratorOptions } from "../load/generator.ts";
import type { Heartbeat } from "./heartbeat.ts";
import { pin, type Server, startServer } from "./process.ts";
import { runProgram } from "./program.ts";

const common: Record<string, Option> = {
  url: { value: "URL", help: "a server that runs; without it one is started on core 0" },
  pid: { value: "PID", help: "its process, for CPU and memory, if it is on this machine" },
  group: { value: "N", help: "Diffie-Hellman group: 2 (the default), 14 or 16" },
  strict: { help: "require HMACs and sequence numbers" },
  native: { value: "MODE", help: "[rtmfp] native of the server that is started: auto, on, off" },
  "ack-every": { value: "N", help: "packets for each acknowledgement (default 2)" },
};

export interface Bench {
  readonly args: Arguments;
  readonly server: Server;
  readonly generator: GeneratorOptions;
  /** The path of the URL. */
  readonly app: string;
}

/**
 * Runs a benchmark: reads its options, starts a server, keeps the benchmark on core 1, and prints its
 * result as one JSON object.
 *
 * @param start further options of a server that is started here
 */
export async function runBench(
  name: string,
  summary: string,
  options: Record<string, Option>,
  measure: (bench: Bench) => Promise<Record<string, unknown>>,
  start: {
    readonly settings?: string;
    readonly application?: string;
    readonly heartbeat?: Heartbeat;
  } = {},
): Promise<void> {
  await runProgram(name, summary, { ...options, ...common }, async (args) => {
    const group = numberOption(args, "group", 2, 16) ?? 2;
    if (group !== 2 && group !== 14 && group !== 16) throw new UsageError("No such group");
    const url = args.options.get("url");
    const pid = numberOption(args, "pid", 1);
    const native = `[rtmfp]\nnative = ${args.options.get("native") ?? "auto"}`;
    const server: Server = url === undefined
      ? await startServer(
        `${native}\n${start.settings ?? ""}`,
        start.application,
        start.heartbeat,
      )
      : { url, pid, stop: () => Promise.resolve() };
    try {
      pin(Deno.pid, 1);
      const target = parseRtmfpUrl(server.url);
      const [address] = await resolve(target);
      if (!address) throw new Error(`${target.hostname} has no address`);
      const result = await measure({
        args,
        server,
        app: target.app,
        generator: {
          url: server.url,
          target: address,
          group,
          strict: args.options.has("strict"),
          ackEvery: numberOption(args, "ack-every", 1, 100) ?? 2,
        },
      });
      console.log(JSON.stringify({
        bench: name.replace(/^bench\/|\.ts$/g, ""),
        group,
        strict: args.options.has("strict"),
        ...result,
      }));
    } finally {
      await server.stop();
    }
  });
}
