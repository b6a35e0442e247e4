// The options of the server: CFG-070 to CFG-079, and our own.
import { type OptionForm, parseArguments, UsageError } from "../common/arguments.ts";
import { levelOf } from "../common/log_level.ts";

export interface Options {
  /** 0 to 8; overrides the configuration. */
  readonly log?: number;
  readonly ini?: string;
  readonly dir?: string;
  /** 0: any free port. */
  readonly port?: number;
  readonly dump?: "clients" | "middle" | "all";
  readonly pidfile?: string;
  readonly umask?: number;
  readonly help?: boolean;
  readonly version?: boolean;
}

interface Option extends OptionForm {
  readonly help: string;
  /** @throws {UsageError} */
  read(value: string): Options;
}

const options: Record<string, Option> = {
  ini: {
    value: "FILE",
    help: "configuration file; default: CumulusServer.ini\nin DIR, if it exists",
    read: (ini) => ({ ini }),
  },
  dir: {
    value: "DIR",
    help: "folder of www, logs and CumulusServer.ini;\n" +
      "default: the folder of FILE or of the program, or\n" +
      "the current one if only that has any of them",
    read: (dir) => ({ dir }),
  },
  port: {
    value: "N",
    help: "UDP port, overrides the configured one;\n0: any free port",
    read: (text) => {
      const port = /^\d+$/.test(text) ? Number(text) : NaN;
      if (!(port <= 65_535)) throw new UsageError(`--port=${text}: expected 0 to 65535`);
      return { port };
    },
  },
  log: {
    short: "l",
    value: "LEVEL",
    help: "log level: 0 nothing, 1 fatal, 2 critic,\n3 error, 4 warn, 5 note, 6 info (the " +
      "default),\n7 debug, 8 trace",
    read: (text) => {
      const log = levelOf(text);
      if (log === undefined) throw new UsageError(`--log=${text}: expected 0 to 8, or a name`);
      return { log };
    },
  },
  dump: {
    short: "d",
    value: "middle|all",
    optional: true,
    help: "log packets as hex: of clients; middle: between\nservers; all: both",
    read: (text) => {
      if (text !== "" && text !== "middle" && text !== "all") {
        throw new UsageError(`--dump=${text}: expected middle, all, or no value`);
      }
      return { dump: text || "clients" };
    },
  },
  pidfile: {
    value: "FILE",
    help: "write the process id there while running",
    read: (pidfile) => ({ pidfile }),
  },
  umask: {
    value: "MASK",
    help: "permissions to withhold from new files, in octal",
    read: (text) => {
      if (!/^[0-7]{1,4}$/.test(text)) {
        throw new UsageError(`--umask=${text}: expected octal digits`);
      }
      return { umask: parseInt(text, 8) };
    },
  },
  version: { help: "print the version", read: () => ({ version: true }) },
  help: { short: "h", help: "print this", read: () => ({ help: true }) },
};

const cirrus = "relaying to an Adobe server was removed; publish and play here, " +
  "and use --dump to see packets of clients";
const service = "systemd, launchd or sc.exe run the server as a service";

/** Options of the original that this server recognizes and refuses: CFG-072, 073, 075, 076. */
const refused: Record<string, string> = {
  cirrus,
  c: cirrus,
  middle: cirrus,
  m: cirrus,
  daemon: `${service}; in a shell "nohup … &" leaves it running`,
  registerService: service,
  unregisterService: service,
  displayName: service,
  description: service,
  startup: service,
};

/**
 * Reads the options of the server; on Windows also `/name=value`.
 *
 * @throws {UsageError} for anything else
 */
export function parseCommandLine(args: readonly string[], windows = false): Options {
  const parsed = parseArguments(args, options, { windows, explain: (name) => refused[name] });
  const [operand] = parsed.operands;
  if (operand !== undefined) throw new UsageError(`${operand}: expected an option`);
  let result: Options = {};
  for (const [name, value = ""] of parsed.options) {
    const option = options[name];
    if (!option) continue; // impossible: the parser reads this table
    const { value: form, optional, read } = option;
    if (form && !optional && value === "") throw new UsageError(`--${name} needs a value: ${form}`);
    result = { ...result, ...read(value) };
  }
  return result;
}

/** The options as the user types them. */
export const optionNames = (): string[] => Object.keys(options).map((name) => `--${name}`);

/** The command that starts this program, so that users can paste lines of the help. */
export const PROGRAM = Deno.build.standalone
  ? Deno.execPath().split(/[/\\]/).at(-1)!
  : "deno task -q start";

/** The modes of the program, by the arguments that select them. */
export const MODES: Readonly<Record<string, string>> = {
  "[OPTIONS]":
    "serve, until SIGINT, SIGTERM or SIGQUIT; SIGHUP\nreopens the log and reloads the keys that may\nchange while it runs, SIGUSR2 restarts all\napplications",
  "check [OPTIONS]": "check configuration and scripts only",
  "client COMMAND": 'publish, play, call, listen and more;\n"client --help" lists the commands',
  "completion SHELL": "print completion for bash, zsh or fish",
  "man": "print the manual page, for man(1)",
  "help": "print this",
};

/** The options with their values, such as `-l, --log=LEVEL`, and their help. */
export const optionLines = (): [left: string, help: string][] =>
  Object.entries(options).map(([long, { short, value, optional, help }]) => {
    const argument = value ? (optional ? `[=${value}]` : `=${value}`) : "";
    return [`${short ? `-${short}, ` : "    "}--${long}${argument}`, help];
  });

/** The output of `--help`. */
export function usage(program = PROGRAM): string {
  const table = (rows: [left: string, help: string][]) => {
    const width = Math.max(...rows.map(([left]) => left.length));
    return rows.map(([left, help]) =>
      `  ${left.padEnd(width)}  ${help.replaceAll("\n", `\n${" ".repeat(width + 4)}`)}\n`
    ).join("");
  };
  return `Usage: ${program} [OPTIONS]

Serves Flash, AIR, encoders and browsers. Applications are Lua scripts in www.

${table(Object.entries(MODES))}
Options:
${table(optionLines())}`;
}
