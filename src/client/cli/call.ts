import { connectTo, parseAnyUrl } from "../connect.ts";
import { answerWithin } from "./answer.ts";
import { type Arguments, type Command, operand } from "./arguments.ts";
import { connectionOptions, parseJson, readConnectionOptions } from "./connection_options.ts";
import { fromJson, JSON_NOTES, toJson } from "./json.ts";

export const call: Command = {
  name: "call",
  operands: "URL METHOD [JSON ARGS...]",
  count: [2, Infinity],
  summary: "Calls a function of the application at URL and prints its result as JSON.\n" +
    "The exit code is 1, and the error goes to standard error, if the call fails.",
  options: connectionOptions,
  notes: `${JSON_NOTES}

Example:
  client call rtmfp://localhost/chat add 1 2 '{"name": "Tom"}'`,
};

/** Runs the command. @returns the exit code */
export async function runCall(args: Arguments, print: (line: string) => void): Promise<number> {
  const target = parseAnyUrl(operand(args, 0));
  const method = operand(args, 1);
  const values = args.operands.slice(2).map((text, i) =>
    fromJson(parseJson(text, `Argument ${i + 1}`))
  );
  const options = { timeout: 10_000, ...readConnectionOptions(args, target) };
  const connection = await connectTo(target, options);
  try {
    const called = connection.call(method, ...values);
    const answer = await answerWithin(options.timeout, called, `No answer to ${method}`);
    print(JSON.stringify(toJson(answer)));
  } finally {
    await connection.close();
  }
  return 0;
}
