// The client commands of the command line.
import { WireError } from "../bytes/wire_error.ts";
import { UsageError } from "../common/arguments.ts";
import { type Arguments, type Command, helpText, readArguments } from "./cli/arguments.ts";
import { call, runCall } from "./cli/call.ts";
import { listen, runListen } from "./cli/listen.ts";
import { peerJoin, runPeerJoin } from "./cli/peer_join.ts";
import { peerPlay, runPeerPlay } from "./cli/peer_play.ts";
import { peerServe, runPeerServe } from "./cli/peer_serve.ts";
import { JsonError } from "./cli/json.ts";
import { ping, runPing } from "./cli/ping.ts";
import { play, runPlay } from "./cli/play.ts";
import { type ProgressOutput, standardError } from "./cli/progress.ts";
import { publish, runPublish } from "./cli/publish.ts";
import { runShared, shared } from "./cli/shared.ts";
import { FlvError } from "../flv/tags.ts";
import { ConnectionError, StatusError } from "./status.ts";
import { UrlError } from "./url.ts";

/** The program and subcommand, as typed on the command line. */
const PROGRAM = Deno.build.standalone
  ? `${Deno.execPath().split(/[/\\]/).at(-1)} client`
  : "deno task -q client";

interface Entry {
  readonly command: Command;
  run(args: Arguments, output: ProgressOutput, print: (line: string) => void): Promise<number>;
}

const listOf = (entries: Entry[]) =>
  entries.map(({ command }) => `  ${command.name} ${command.operands}`).join("\n");

const commands: Entry[] = [
  { command: publish, run: runPublish },
  { command: play, run: runPlay },
  { command: call, run: (args, _output, print) => runCall(args, print) },
  { command: listen, run: (args, _output, print) => runListen(args, print) },
  { command: shared, run: (args, _output, print) => runShared(args, print) },
  { command: ping, run: (args, _output, print) => runPing(args, print) },
  { command: peerServe, run: runPeerServe },
  { command: peerPlay, run: runPeerPlay },
  { command: peerJoin, run: runPeerJoin },
];

/** The commands and their options as they are typed. */
export const commandWords = (): Record<string, string[]> =>
  Object.fromEntries(
    commands.map(({ command: { name, options } }) => [
      name,
      [...Object.keys(options), "help"].map((option) => `--${option}`),
    ]),
  );

/** The commands, for the manual page. */
export const commandTable = (): Command[] => commands.map(({ command }) => command);

const HELP = `Usage: ${PROGRAM} COMMAND ...

Talks to a server as Flash Player does, by rtmfp://, rtmp:// or rtmps://; peer and shared
only by rtmfp://.

Commands:
${listOf(commands)}

"${PROGRAM} COMMAND --help" shows the options of a command.
`;

/**
 * Runs a client command, such as publish, play or call.
 *
 * @param args arguments after "client" on the command line
 * @returns the exit code: 0, 1 if it failed, 2 if the command line is wrong
 */
export async function runClient(
  args: string[],
  output: ProgressOutput = standardError,
  print: (line: string) => void = console.log,
): Promise<number> {
  const [name] = args;
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    if (args.length > 1) return await runClient([...args.slice(1), "--help"], output, print);
    print(HELP.trimEnd());
    return name === undefined ? 2 : 0;
  }
  const words = ({ command }: Entry) => command.name.split(" ");
  const found = commands.find((entry) => words(entry).every((word, i) => args[i] === word));
  const family = commands.filter((entry) => words(entry)[0] === name);
  try {
    if (!found && family.length > 0) {
      print(
        `Usage:\n${listOf(family)}\n\n"${PROGRAM} COMMAND --help" shows the options of a command.`,
      );
      return /^(--help|-h|help)$/.test(args[1] ?? "") ? 0 : 2;
    }
    if (!found) throw new UsageError(`Unknown command ${name}`);
    const parsed = readArguments(found.command, args.slice(words(found).length));
    if (parsed.help) {
      print(helpText(PROGRAM, found.command).trimEnd());
      return 0;
    }
    return await found.run(parsed, output, print);
  } catch (error) {
    if (error instanceof UsageError || error instanceof UrlError || error instanceof JsonError) {
      output.write(
        `${error.message}\nTry ${PROGRAM} ${found ? `${found.command.name} ` : ""}--help\n`,
      );
      return 2;
    }
    const message = explain(error);
    if (message === undefined) throw error; // a bug: print its stack
    output.write(`${message}\n`);
    return 1;
  }
}

/** Message for an expected error, which is not a bug of this program. */
function explain(error: unknown): string | undefined {
  if (error instanceof StatusError) return `The server refused: ${error.message}`;
  if (error instanceof ConnectionError || error instanceof FlvError) return error.message;
  if (error instanceof Deno.errors.AddrNotAvailable) return "This machine has no such IP address";
  if (error instanceof WireError) return `Cannot send this: ${error.message}`;
  if (
    error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied ||
    error instanceof Deno.errors.IsADirectory ||
    error instanceof Deno.errors.AlreadyExists
  ) {
    return error.message;
  }
  return undefined;
}
