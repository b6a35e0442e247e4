// The numbered facts of the specifications, as tests/conformance/ids.txt lists them.

/** One fact: `API-121`, and its content in about five words. */
export interface Fact {
  readonly id: string;
  readonly words: string;
}

const LINE = /^((?:API|AMF|SOCK|CFG|CLU)-\d{3}[a-z]?) (\S.*)$/;

/**
 * Reads the text of ids.txt: a fact a line, `#` comments, empty lines.
 *
 * @throws {Error} on another line, and on an id that is there twice
 */
export function parseFacts(text: string): Map<string, Fact> {
  const facts = new Map<string, Fact>();
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const [, id, words] = LINE.exec(line) ?? [];
    if (!id || !words) throw new Error(`Cannot read "${line}" as a fact`);
    if (facts.has(id)) throw new Error(`${id} is there twice`);
    facts.set(id, { id, words });
  }
  return facts;
}

/** All facts by id, in the order of the file. */
export const facts: ReadonlyMap<string, Fact> = parseFacts(
  Deno.readTextFileSync(new URL("../ids.txt", import.meta.url)),
);
