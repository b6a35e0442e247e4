// Arguments of a command line. `parseArgs` of node:util would do, at 10 ms and 6 MB of every start.

/** The command line is invalid; the message is for the user. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** How an option is written. */
export interface OptionForm {
  /** One letter. */
  readonly short?: string;
  /** Placeholder of the value, such as "N"; undefined: the option takes no value. */
  readonly value?: string;
  /** The value may be left out. */
  readonly optional?: boolean;
}

interface ParsedArguments {
  /** Long names and values in their order; undefined without a value. */
  readonly options: readonly (readonly [name: string, value: string | undefined])[];
  readonly operands: readonly string[];
}

/**
 * Reads `--name`, `--name=value`, `--name value`, `-x`, `-xvalue` and `-x=value` anywhere, and behind
 * `--` operands only. A number below zero is an operand.
 *
 * @param forms by long name
 * @param windows `/name=value` is an option too
 * @param explain gives the reason why an option that is not in `forms` is unknown
 * @throws {UsageError} on an unknown option, or a missing or surplus value
 */
export function parseArguments(
  args: readonly string[],
  forms: Readonly<Record<string, OptionForm>>,
  { windows = false, explain }: {
    readonly windows?: boolean;
    readonly explain?: (name: string) => string | undefined;
  } = {},
): ParsedArguments {
  const options: [string, string | undefined][] = [];
  const operands: string[] = [];
  const left = [...args];
  for (let arg = left.shift(); arg !== undefined; arg = left.shift()) {
    if (arg === "--") {
      operands.push(...left);
      break;
    }
    const { name, value: given, short } = split(arg, windows);
    if (name === undefined) {
      operands.push(arg);
      continue;
    }
    const [long, form] = Object.entries(forms).find(([long, form]) =>
      short ? form.short === name : long === name
    ) ?? [];
    if (!form || long === undefined) {
      const why = explain?.(name);
      throw new UsageError(why ? `${arg}: ${why}` : `unknown option ${arg}`);
    }
    if (!form.value && given !== undefined) throw new UsageError(`--${long} takes no value`);
    const needed = form.value !== undefined && !form.optional;
    const value = needed && given === undefined ? left.shift() : given;
    if (needed && value === undefined) {
      throw new UsageError(`--${long} needs a value: ${form.value}`);
    }
    options.push([long, value]);
  }
  return { options, operands };
}

/** The name of an option, its value, and whether it is written short; no name for an operand. */
function split(
  arg: string,
  windows: boolean,
): { name?: string; value?: string; short?: boolean } {
  const long = /^--([^=]+)(?:=([^]*))?$/.exec(arg) ??
    (windows ? /^\/([^=]+)(?:=([^]*))?$/.exec(arg) : null);
  if (long) return { name: long[1], value: long[2] };
  const short = /^-([a-zA-Z])=?([^]*)$/.exec(arg);
  return short ? { name: short[1], value: short[2] || undefined, short: true } : {};
}
