// A command's options and operands, described once: for reading them and for --help.
import { type OptionForm, parseArguments, UsageError } from "../../common/arguments.ts";

const HELP: OptionForm = { short: "h" };

export interface Option extends OptionForm {
  readonly help: string;
}

export interface Command {
  readonly name: string;
  /** Operands after the options, such as "URL FILE.flv". */
  readonly operands: string;
  /** Minimum and maximum number of operands. */
  readonly count: readonly [least: number, most: number];
  readonly summary: string;
  /** Paragraphs below the options in --help. */
  readonly notes?: string;
  readonly options: Readonly<Record<string, Option>>;
}

export interface Arguments {
  readonly operands: string[];
  /** Values by option name; "" for an option that takes none. */
  readonly options: ReadonlyMap<string, string>;
  readonly help: boolean;
}

/**
 * Reads a command's arguments.
 *
 * @throws {UsageError} on an unknown option, a missing or surplus value, or a wrong operand count
 */
export function readArguments(command: Command, args: readonly string[]): Arguments {
  const { options, operands } = parseArguments(args, { ...command.options, help: HELP });
  const values = new Map(options.map(([name, value = ""]) => [name, value]));
  const help = values.delete("help");
  if (!help) checkCount(command, operands);
  return { operands: [...operands], options: values, help };
}

/**
 * The operand at `index`, from 0.
 *
 * @throws {UsageError} if it is missing, which {@link Command.count} should prevent
 */
export function operand({ operands }: Arguments, index: number): string {
  const text = operands[index];
  if (text === undefined) throw new UsageError(`Operand ${index + 1} is missing`);
  return text;
}

/**
 * The numeric value of an option.
 *
 * @returns undefined if the option is not given
 * @throws {UsageError} if it is not a number from `least` to `most`
 */
export function numberOption(
  { options }: Arguments,
  name: string,
  least: number,
  most = Infinity,
): number | undefined {
  const text = options.get(name);
  if (text === undefined) return undefined;
  const value = text.trim() === "" ? NaN : Number(text);
  if (!(value >= least && value <= most)) {
    const range = most === Infinity ? `of at least ${least}` : `from ${least} to ${most}`;
    throw new UsageError(`Option --${name} needs a number ${range}, not "${text}"`);
  }
  return value;
}

/** The options with their values, such as `--name NAME`, and their help. */
export function optionLines(command: Command): [left: string, help: string][] {
  const options: [string, string][] = Object.entries(command.options).map(
    ([name, { value, help }]) => [value ? `--${name} ${value}` : `--${name}`, help],
  );
  options.push(["--help", "print this and exit"]);
  return options;
}

/** The text of `--help` for one command. */
export function helpText(program: string, command: Command): string {
  const options = optionLines(command);
  const width = Math.max(...options.map(([left]) => left.length));
  const lines = options.map(([left, right]) =>
    `  ${left.padEnd(width)}  ${right.replaceAll("\n", `\n${" ".repeat(width + 4)}`)}`
  );
  return [
    `Usage: ${program} ${command.name} [OPTIONS] ${command.operands}`,
    "",
    command.summary,
    "",
    "Options:",
    ...lines,
    ...(command.notes ? ["", command.notes.replaceAll(/^ {2}client /gm, `  ${program} `)] : []),
    "",
  ].join("\n");
}

function checkCount(
  { name, operands, count: [least, most] }: Command,
  given: readonly string[],
): void {
  if (given.length < least) throw new UsageError(`"${name}" needs ${operands}`);
  if (given.length > most) {
    throw new UsageError(`"${name}" takes ${operands}; "${given[most]}" is too many`);
  }
}
