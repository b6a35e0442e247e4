// The syntax of CumulusServer.ini: CFG-002, CFG-003.
/** One `key = value` of the file; `name` is `section.key`, or `key` above the first section. */
export interface IniEntry {
  readonly name: string;
  readonly value: string;
  readonly line: number;
}

export interface Ini {
  readonly entries: IniEntry[];
  /** Lines that are neither a key, a section nor a comment: what each of them is not. */
  readonly problems: { readonly line: number; readonly text: string }[];
}

/**
 * Reads the lines of a file. A comment is a whole line from `;` or `#`, so that a value may hold
 * both. Never throws: what it cannot read is among the problems.
 */
export function parseIni(text: string): Ini {
  const ini: Ini = { entries: [], problems: [] };
  let section = "";
  for (const [i, raw] of text.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/).entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith(";") || line.startsWith("#")) continue;
    const header = /^\[([^\]]*)\]$/.exec(line);
    const pair = /^([^=]*[^=\s])\s*=\s*(.*)$/.exec(line);
    if (header) section = header[1].trim();
    else if (pair && !line.startsWith("[")) {
      const name = section === "" ? pair[1] : `${section}.${pair[1]}`;
      ini.entries.push({ name, value: pair[2], line: i + 1 });
    } else ini.problems.push({ line: i + 1, text: problemOf(line) });
    if (line.includes("\uFFFD")) ini.problems.push({ line: i + 1, text: "not UTF-8" });
  }
  return ini;
}

/** What a line is not; of its text only the first word is shown, for the rest may be a password. */
function problemOf(line: string): string {
  if (line.startsWith("[") && !line.includes("]")) return `not a section, "]" is missing: ${line}`;
  if (line.startsWith("[")) {
    return `not a section, there is text after "]": ${/^\[[^\]]*\]/.exec(line)![0]}`;
  }
  if (line.startsWith("=")) return 'not a "key = value" line, the key is missing';
  return `not a "key = value" line: ${line.replace(/\s.*/, " …")}`;
}

/**
 * Replaces every `${name}` in a value by what `lookUp` gives for it, which may hold others; one
 * that is unknown stays as it stands.
 *
 * @throws {RangeError} if the value leads back to itself; the message completes "expected …"
 */
export function expand(
  name: string,
  value: string,
  lookUp: (name: string) => string | undefined,
): string {
  const expandWithin = (value: string, open: string[]): string =>
    value.replace(/\$\{([^}]*)\}/g, (reference, other: string) => {
      if (open.includes(other.toLowerCase())) {
        throw new RangeError(`a value that does not lead back to \${${other}}`);
      }
      const replacement = lookUp(other);
      if (replacement === undefined) return reference;
      return expandWithin(replacement, [...open, other.toLowerCase()]);
    });
  return expandWithin(value, [name.toLowerCase()]);
}
