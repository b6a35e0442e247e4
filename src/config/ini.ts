// The syntax of CumulusServer.ini: CFG-002, CFG-003.
/** One `key = value` of the file; `name` is `section.key`, or `key` above the first section. */
export interface IniEntry {
  readonly name: string;
  readonly value: string;
  readonly line: number;
}

/** A message about a line. */
export interface IniProblem {
  readonly line: number;
  readonly text: string;
}

interface Ini {
  readonly entries: IniEntry[];
  /** Of lines that are neither a key, a section nor a comment. */
  readonly problems: IniProblem[];
}

/**
 * Reads the lines of a file. A comment is a whole line from `;` or `#`, so that a value may hold
 * both. Never throws: lines that it cannot read become problems.
 */
export function parseIni(text: string): Ini {
  const ini: Ini = { entries: [], problems: [] };
  let section = "";
  for (const [i, raw] of text.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/).entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith(";") || line.startsWith("#")) continue;
    const [, header] = /^\[([^\]]*)\]$/.exec(line) ?? [];
    const equals = line.indexOf("=");
    if (header !== undefined) section = header.trim();
    else if (equals > 0 && !line.startsWith("[")) {
      const key = line.slice(0, equals).trimEnd();
      const name = section === "" ? key : `${section}.${key}`;
      ini.entries.push({ name, value: line.slice(equals + 1).trimStart(), line: i + 1 });
    } else ini.problems.push({ line: i + 1, text: problemOf(line) });
    if (line.includes("\uFFFD")) ini.problems.push({ line: i + 1, text: "not UTF-8" });
  }
  return ini;
}

/** Message about an invalid line; shows only its first word, as the rest may be a password. */
function problemOf(line: string): string {
  if (line.startsWith("[") && !line.includes("]")) return `section without "]": ${line}`;
  if (line.startsWith("[")) {
    return `section with text after "]": ${/^\[[^\]]*\]/.exec(line)![0]}`;
  }
  if (line.startsWith("=")) return '"key = value" line without a key';
  return `not a "key = value" line: ${line.replace(/\s.*/, " …")}`;
}

/**
 * Maximum length of a value after replacing references, which can double it line by line. Each reference
 * counts as one character, as that to an empty value takes time too.
 */
const MAX_EXPANDED = 65_536;

/**
 * Replaces every `${name}` in a value by the result of `lookUp`, which may contain references too. An
 * unknown reference stays unchanged.
 *
 * @throws {RangeError} if the value refers to itself or becomes longer than 65,536 characters; the
 *   message completes "expected …"
 */
export function expand(
  name: string,
  value: string,
  lookUp: (name: string) => string | undefined,
): string {
  let left = MAX_EXPANDED;
  const spend = (characters: number): void => {
    left -= characters;
    if (left < 0) {
      throw new RangeError("at most 65,536 characters after replacing references");
    }
  };
  const take = (text: string): string => {
    spend(text.length);
    return text;
  };
  const expandWithin = (value: string, open: string[]): string => {
    let expanded = "";
    let at = 0;
    for (let start = value.indexOf("${"); start >= 0; start = value.indexOf("${", at)) {
      const end = value.indexOf("}", start);
      if (end < 0) break;
      const other = value.slice(start + 2, end);
      if (open.includes(other.toLowerCase())) {
        throw new RangeError(`a value without a cycle through \${${other}}`);
      }
      spend(1);
      const replacement = lookUp(other);
      expanded += take(value.slice(at, start));
      expanded += replacement === undefined
        ? take(value.slice(start, end + 1))
        : expandWithin(replacement, [...open, other.toLowerCase()]);
      at = end + 1;
    }
    return expanded + take(value.slice(at));
  };
  return expandWithin(value, [name.toLowerCase()]);
}
