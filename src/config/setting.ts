import { ipBytes } from "../common/ip.ts";

/** One key of CumulusServer.ini: its values, default and documentation. */
export interface Setting<T> {
  /** The value if the key is absent. */
  readonly default: T;
  /** The default as text of the file. */
  readonly text: string;
  /** The values that `read` accepts, completing "expected …". */
  readonly allowed: string;
  /** For the shipped file and the documentation. */
  readonly comment: string;
  /** The value that the shipped file sets, if it differs from the default. */
  readonly shipped?: string;
  /** A change takes effect on SIGHUP, without a restart. */
  readonly live?: boolean;
  /** Hidden from logs and scripts. */
  readonly secret?: boolean;
  /**
   * Reads the text of a value, already expanded.
   *
   * @param warn called if the setting uses another value than the written one
   * @returns undefined if the value is not allowed
   */
  read(text: string, warn: (text: string) => void): T | undefined;
}

interface Words {
  readonly comment: string;
  readonly shipped?: string;
  readonly live?: boolean;
  readonly secret?: boolean;
}

/** An integer. With `clamp`, a value out of range becomes the nearest bound, with a warning. */
export function integer(
  value: number,
  { min, max, unit, clamp, ...words }: Words & {
    min: number;
    max: number;
    unit?: string;
    clamp?: boolean;
  },
): Setting<number> {
  const range = `${min} to ${max}${unit ? ` ${unit}` : ""}`;
  return {
    ...words,
    default: value,
    text: String(value),
    allowed: `an integer from ${range}`,
    read(text, warn) {
      if (!/^[+-]?\d+$/.test(text)) return undefined;
      const given = Number(text);
      const number = Math.min(Math.max(given, min), max);
      if (given === number) return number;
      if (!clamp) return undefined;
      warn(`${given} is outside ${range}; using ${number}`);
      return number;
    },
  };
}

/** Any text that `pattern` matches, all of it by default. */
export function text(
  value: string,
  { pattern, allowed, ...words }: Words & { pattern?: RegExp; allowed?: string },
): Setting<string> {
  return {
    ...words,
    default: value,
    text: value,
    allowed: allowed ?? "text",
    read: (text) => !pattern || pattern.test(text) ? text : undefined,
  };
}

/** An IP address, or nothing if that is the default. */
export function ipAddress(value: string, words: Words & { allowed: string }): Setting<string> {
  return {
    ...words,
    default: value,
    text: value,
    read: (text) => text === value || ipBytes(text) ? text : undefined,
  };
}

/** One word of a few, in any case. */
export function oneOf<const T extends string>(
  choices: readonly T[],
  value: T,
  words: Words,
): Setting<T> {
  return {
    ...words,
    default: value,
    text: value,
    allowed: choices.join(", ").replace(/, (?=[^,]*$)/, " or "),
    read: (text) => choices.find((choice) => choice === text.toLowerCase()),
  };
}

/** Entries separated by `,` or `;`, each read by itself. */
export function list<T>(
  value: readonly T[],
  { read, allowed, text, least = 0, ...words }: Words & {
    read(entry: string): T | undefined;
    allowed: string;
    text?: string;
    /** Minimum number of entries. */
    least?: number;
  },
): Setting<readonly T[]> {
  return {
    ...words,
    default: value,
    text: text ?? value.join(", "),
    allowed: `a comma-separated list of ${allowed}`,
    read(text) {
      const entries = text.split(/[,;]/).map((entry) => entry.trim()).filter((entry) => entry);
      const values = entries.map(read);
      if (values.includes(undefined) || values.length < least) return undefined;
      return [...new Set(values as T[])];
    },
  };
}
