import { connectTo, parseAnyUrl } from "../connect.ts";
import { StatusError } from "../status.ts";
import { type Arguments, type Command, operand } from "./arguments.ts";
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
  const target = parseAnyUrl(operand(args, 0));
  const began = performance.now();
  const took = () => `${Math.round(performance.now() - began)} ms`;
  try {
    const connection = await connectTo(target, readConnectionOptions(args, target));
    print(took());
    await connection.close();
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    print(`${took()}, refused: ${error.message}`);
  }
  return 0;
}
