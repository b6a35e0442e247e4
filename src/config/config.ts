// Reads the configuration of the server and its scripts from one text: CFG-001 to CFG-066.
import { ConfigError, keyText, valueProblem } from "./config_error.ts";
import { expand, type IniEntry, type IniProblem, parseIni } from "./ini.ts";
import { type Config, obsolete, settings } from "./settings.ts";
import type { Setting } from "./setting.ts";
import { nearest } from "../bytes/spelling.ts";

/** The value of `cumulus.configs` for scripts: texts, `false`, and tables of them. */
interface ConfigTree {
  [name: string]: string | false | ConfigTree;
}

export interface Configuration {
  readonly config: Config;
  readonly scripts: ConfigTree;
  /** The text of each value in the file, with references replaced; keys in lower case. */
  readonly texts: ReadonlyMap<string, string>;
  /** Warnings for the operator, one line each. */
  readonly warnings: readonly string[];
}

/**
 * Reads the text of CumulusServer.ini.
 *
 * @param text "" gives the defaults
 * @param file its name, for messages
 * @param facts `application.*` and `system.*`, for references in values and for scripts (CFG-064)
 * @throws {ConfigError} with all invalid lines and values
 */
export function readConfig(
  text: string,
  file: string,
  facts: Readonly<Record<string, string>> = {},
): Configuration {
  const { entries, problems } = parseIni(text);
  const report = new Report(file, problems);
  const expanded = expandAll(lastOfEach(entries, report), facts, report);
  const config = readSettings(expanded, report);
  report.throwErrors();
  return {
    config,
    scripts: tree(facts, expanded.filter(({ name }) => !isSecret(name))),
    texts: new Map(expanded.map(({ name, value }) => [name.toLowerCase(), value])),
    warnings: report.warnings,
  };
}

/** Messages about a file, for the operator. */
class Report {
  readonly warnings: string[] = [];
  readonly #errors: IniProblem[] = [];

  constructor(readonly file: string, problems: readonly IniProblem[]) {
    for (const { line, text } of problems) this.#error(line, `${file}:${line}: ${text}`);
  }

  warn(line: number, text: string): void {
    this.warnings.push(`${this.file}:${line}: ${text}`);
  }

  /** A value is not what its key allows. */
  refuse({ name, value, line }: IniEntry, allowed: string): void {
    const shown = isSecret(name) ? undefined : value;
    this.#error(line, valueProblem(name, shown, allowed, `${this.file}:${line}`));
  }

  /** @throws {ConfigError} with all errors in the order of their lines, if there are any */
  throwErrors(): void {
    if (this.#errors.length === 0) return;
    const ordered = this.#errors.sort((a, b) => a.line - b.line);
    throw new ConfigError(ordered.map(({ text }) => text));
  }

  #error(line: number, text: string): void {
    this.#errors.push({ line, text });
  }
}

/** The last entry of each key, by the key in lower case, in the order and spelling of the first. */
function lastOfEach(entries: readonly IniEntry[], report: Report): Map<string, IniEntry> {
  const byName = new Map<string, IniEntry>();
  for (const entry of entries) {
    const name = entry.name.toLowerCase();
    const before = byName.get(name);
    if (before) {
      const overridden = `${keyText(entry.name)} overrides its value in line ${before.line}`;
      report.warn(entry.line, overridden);
    }
    byName.set(name, before ? { ...entry, name: before.name } : entry);
  }
  return byName;
}

/** An entry whose references are replaced, unless one was refused. */
interface ExpandedEntry extends IniEntry {
  readonly refused?: boolean;
}

function expandAll(
  byName: ReadonlyMap<string, IniEntry>,
  facts: Readonly<Record<string, string>>,
  report: Report,
): ExpandedEntry[] {
  const factsByName = new Map(
    Object.entries(facts).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const lookUp = (name: string) =>
    byName.get(name.toLowerCase())?.value ?? factsByName.get(name.toLowerCase());
  return [...byName.values()].map((entry) => {
    try {
      return { ...entry, value: expand(entry.name, entry.value, lookUp) };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      report.refuse(entry, error.message);
      return { ...entry, refused: true };
    }
  });
}

/** The server's settings: of the file, else the defaults. Warns of keys that may be misspelled. */
function readSettings(entries: readonly ExpandedEntry[], report: Report): Config {
  const config = defaults();
  for (const entry of entries) {
    const { name, value, line } = entry;
    const known = keys.get(name.toLowerCase());
    if (!known) {
      const doubt = doubtAbout(name);
      if (doubt) report.warn(line, doubt);
      continue;
    }
    if (entry.refused) continue;
    const setting: Setting<unknown> = settings[known];
    const read = setting.read(value, (text) => report.warn(line, `${keyText(name)}: ${text}`));
    if (read === undefined) report.refuse(entry, setting.allowed);
    else config[known] = read;
  }
  return config as Config;
}

/** Names of settings by their lower case. */
const keys = new Map(
  Object.keys(settings).map((name) => [name.toLowerCase(), name as keyof Config]),
);

function isSecret(name: string): boolean {
  const known = keys.get(name.toLowerCase());
  const setting: Setting<unknown> | undefined = known && settings[known];
  return setting?.secret === true;
}

/** The secrets among the values of a configuration. */
export function secretsOf({ texts }: Configuration): string[] {
  return [...texts].filter(([name]) => isSecret(name)).map(([, value]) => value);
}

/** Keys of the values that differ, as `[section] key`: those that apply at once, and those that need a restart. */
export function configChanges(
  before: Configuration,
  after: Configuration,
): { live: string[]; restart: string[] } {
  const changes = { live: [] as string[], restart: [] as string[] };
  for (const name of new Set([...keys.keys(), ...before.texts.keys(), ...after.texts.keys()])) {
    const known = keys.get(name);
    const setting: Setting<unknown> | undefined = known && settings[known];
    const textOf = ({ texts }: Configuration) => texts.get(name) ?? setting?.text;
    if (textOf(before) === textOf(after)) continue;
    changes[setting?.live ? "live" : "restart"].push(keyText(known ?? name));
  }
  return changes;
}

/** The server's own sections, in lower case; keys above the first section may belong to scripts. */
const sections = new Set([...keys.keys()].map((name) => sectionOf(name)).filter((name) => name));

/** Whether the server neither reads a key (in lower case) nor ever did, so that it is for scripts. */
export function isForScripts(name: string): boolean {
  return !keys.has(name) && !Object.hasOwn(obsolete, name) && !sections.has(sectionOf(name));
}

/** The part of a key before its last dot: "" above the first section. */
export function sectionOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf(".")));
}

/** Warning about a key that the server does not read; undefined if it is plainly a script's. */
function doubtAbout(name: string): string | undefined {
  const lower = name.toLowerCase();
  if (Object.hasOwn(obsolete, lower)) return `${keyText(name)} has no effect: ${obsolete[lower]}`;
  const section = sectionOf(lower);
  const key = lower.slice(section ? section.length + 1 : 0);
  const inSection = (section: string) =>
    [...keys.values()].filter((at) => sectionOf(at).toLowerCase() === section);
  if (sections.has(section)) {
    const names = inSection(section).map((known) => known.slice(section.length + 1));
    const near = nearest(key, names);
    const elsewhere = [...keys.values()].find((known) =>
      known.split(".").at(-1)!.toLowerCase() === key
    );
    const meant = near ? inSection(section).find((known) => known.endsWith(`.${near}`)) : elsewhere;
    const place = meant && !sectionOf(meant) ? " above the first section" : "";
    return `unknown key ${keyText(name)}; ` +
      (meant
        ? `did you mean ${keyText(meant)}${place}?`
        : `[${sectionOf(inSection(section)[0] ?? name)}] has ${names.join(", ")}`);
  }
  // Other keys may be a script's: warn only of those that nearly match one of the server's.
  const other = section ? nearest(section, sections) : undefined;
  const meant = section
    ? inSection(other ?? "").find((known) => other && known.toLowerCase() === `${other}.${key}`)
    : nearest(key, inSection(""));
  if (!meant) return undefined;
  return `only scripts see the key ${keyText(name)}; did you mean ${keyText(meant)}?`;
}

function defaults(): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(settings).map(([name, setting]) => [name, setting.default]),
  );
}

/** Dots become tables; where a name has both a value and a table, the table wins (CFG-065). */
function tree(
  facts: Readonly<Record<string, string>>,
  entries: readonly { name: string; value: string }[],
): ConfigTree {
  const root: ConfigTree = Object.create(null);
  const spellings = new Map<string, string>(); // of sections and keys as first written
  const insert = (name: string, value: string) => {
    const parts = name.split(".");
    const spelled = parts.map((part, i) => {
      const id = parts.slice(0, i + 1).join(".").toLowerCase();
      if (!spellings.has(id)) spellings.set(id, part);
      return spellings.get(id)!;
    });
    const key = spelled.pop()!;
    let table = root;
    for (const part of spelled) {
      const inner = table[part];
      table = typeof inner === "object" ? inner : table[part] = Object.create(null) as ConfigTree;
    }
    if (typeof table[key] !== "object") table[key] = value === "false" ? false : value;
  };
  for (const { name, value } of entries) insert(name, value);
  for (const [name, value] of Object.entries(facts)) {
    if (!entries.some((entry) => entry.name.toLowerCase() === name.toLowerCase())) {
      insert(name, value);
    }
  }
  return root;
}
