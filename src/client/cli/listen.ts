import { waitAtMost } from "../../common/wait.ts";
import { connectTo, parseAnyUrl } from "../connect.ts";
import { ConnectionError } from "../status.ts";
import { type Arguments, type Command, numberOption, operand } from "./arguments.ts";
import { connectionOptions, readConnectionOptions } from "./connection_options.ts";
import { Interrupt } from "./interrupt.ts";
import { toJson } from "./json.ts";

export const listen: Command = {
  name: "listen",
  operands: "URL",
  count: [1, 1],
  summary: "Connects to the application at URL and prints the server's calls to this client:\n" +
    "a line of JSON each, an array of the function's name and its arguments. It ends on\n" +
    "Ctrl-C, after --seconds, or with the connection (then the exit code is 1).",
  options: {
    seconds: { value: "N", help: "disconnect after N seconds" },
    ...connectionOptions,
  },
  notes: `Example:
  client listen --connect '["Tom"]' rtmfp://localhost/hello`,
};

/** Runs the command. @returns the exit code */
export async function runListen(
  args: Arguments,
  print: (line: string) => void,
): Promise<number> {
  const target = parseAnyUrl(operand(args, 0));
  const seconds = numberOption(args, "seconds", 0) ?? Infinity;
  let ended = () => {};
  const end = new Promise<void>((resolve) => ended = resolve);
  const interrupt = new Interrupt();
  try {
    const connection = await connectTo(target, {
      ...readConnectionOptions(args, target),
      handler: {
        onCall: (method, values) =>
          print(JSON.stringify([method, ...values.map((value) => toJson(value))])),
        onClose: ended,
      },
    });
    try {
      const over = Promise.race([end, interrupt.raised]);
      await (seconds === Infinity ? over : waitAtMost(over, seconds * 1000));
      if (connection.closed) throw new ConnectionError("The connection has ended");
    } finally {
      await connection.close();
    }
    return 0;
  } finally {
    interrupt.release();
  }
}
