// Reads the options of a benchmark, and prints its help or an error in the options.
import {
  type Arguments,
  type Command,
  helpText,
  type Option,
  readArguments,
} from "../../src/client/cli/arguments.ts";
import { UsageError } from "../../src/common/arguments.ts";

/**
 * Runs a program that has no operands.
 * @param name path of its file, as in `deno run`
 * @param run if it throws a `UsageError`, the program prints it and ends with exit code 2
 */
export async function runProgram(
  name: string,
  summary: string,
  options: Readonly<Record<string, Option>>,
  run: (args: Arguments) => Promise<void>,
): Promise<void> {
  const command: Command = { name, operands: "", count: [0, 0], summary, options };
  try {
    const args = readArguments(command, Deno.args);
    if (args.help) console.log(helpText("deno run -A", command));
    else await run(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(error.message);
    Deno.exitCode = 2;
  }
}
