import { NetConnection } from "../net_connection.ts";
import { StatusError } from "../status.ts";
import { parseRtmfpUrl } from "../url.ts";
import type { Arguments, Command } from "./arguments.ts";
import { connectionOptions, readConnectionOptions } from "./connection_options.ts";

export const ping: Command = {
  name: "ping",
  operands: "URL",
  count: [1, 1],
  summary: "Connects, and prints how many milliseconds that took. A refusal by the application\n" +
    "is an answer too: the exit code is 1 only if there is none.",
  options: connectionOptions,
  notes: `Example:
  client ping rtmfp://localhost --timeout 2`,
};

/** Runs the command. @returns the exit code */
export async function runPing(args: Arguments, print: (line: string) => void): Promise<number> {
  const target = parseRtmfpUrl(args.operands[0]);
  const began = performance.now();
  const took = () => `${Math.round(performance.now() - began)} ms`;
  try {
    const connection = await NetConnection.connect(target, readConnectionOptions(args));
    print(took());
    await connection.close();
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    print(`${took()}, refused: ${error.message}`);
  }
  return 0;
}
