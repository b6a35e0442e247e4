// docs/spec has every fact, section and decision that code, tests and documentation cite.

import assert from "node:assert/strict";

const root = new URL("../../", import.meta.url);
const spec = new URL("docs/spec/", root);

const ID = /\b(API|AMF|SOCK|CFG|CLU|NATS|RTMP|WEB|SO|VOD)-(\d{3,4})([a-z]?)\b/g;
const CITING = ["src", "tests", "bench", "tools", "docs", "www"];
const TEXT = /\.(ts|lua|md|js|html|ini)$/;
/** Files without citations: recorded data, and names that look like ids. */
const LEFT_OUT = /^(tests\/vectors\/|tests\/docs\/citations_test\.ts)/;

/** A text file of the repository, which may cite a fact. */
interface Page {
  readonly path: string;
  readonly text: string;
}

function* pages(folder: string): Generator<Page> {
  for (const { name, isDirectory, isFile } of Deno.readDirSync(new URL(`${folder}/`, root))) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* pages(path);
    else if (isFile && TEXT.test(name) && !LEFT_OUT.test(path)) {
      yield { path, text: Deno.readTextFileSync(new URL(path, root)) };
    }
  }
}

const cited = [...CITING].flatMap((folder) => [...pages(folder)]);
const books = new Map(
  [...Deno.readDirSync(spec)].filter(({ name }) => name.endsWith(".md"))
    .map(({ name }) => [name.slice(0, -3), Deno.readTextFileSync(new URL(name, spec))]),
);

/** `path:line` of a match. */
const place = ({ path, text }: Page, at: number) =>
  `${path}:${text.slice(0, at).split("\n").length}`;

Deno.test("docs/spec has every fact whose id is cited", () => {
  const known = new Set<string>();
  for (const text of books.values()) {
    // The first cell of a row; "CFG-015…017" and the like cite, and define nothing.
    for (const [, id] of text.matchAll(/^\| ([A-Z]+-\d{3,4}[a-z]?) \|/gm)) known.add(id);
  }
  assert.ok(known.size > 700, `only ${known.size} facts found in docs/spec`);
  const missing: string[] = [];
  for (const page of cited) {
    for (const match of page.text.matchAll(ID)) {
      if (!known.has(match[0])) missing.push(`${place(page, match.index)}: ${match[0]}`);
    }
  }
  assert.deepEqual(missing, []);
});

Deno.test("docs/spec/decisions.md has every decision whose number is cited", () => {
  const known = new Set(
    [...books.get("decisions")!.matchAll(/^(\d+)\. /gm)].map(([, number]) => Number(number)),
  );
  const missing: string[] = [];
  let found = 0;
  for (const page of cited) {
    for (const match of page.text.matchAll(/DECISIONS(?:\.md)? (\d+)/g)) {
      found++;
      if (!known.has(Number(match[1]))) missing.push(`${place(page, match.index)}: ${match[0]}`);
    }
  }
  assert.ok(found > 10, `only ${found} decisions are cited`);
  assert.deepEqual(missing, []);
});

Deno.test("docs/spec/rtmfp-wire.md has every section that is cited", () => {
  const text = books.get("rtmfp-wire")!;
  const sections = new Set([...text.matchAll(/^#+ (\d+(?:\.\d+)*)/gm)].map(([, number]) => number));
  const missing: string[] = [];
  let found = 0;
  for (const page of cited) {
    for (const match of page.text.matchAll(/rtmfp-wire(?:\.md)?,? §(\d+(?:\.\d+)*)/g)) {
      found++;
      if (!sections.has(match[1])) missing.push(`${place(page, match.index)}: ${match[0]}`);
    }
  }
  assert.ok(found > 10, `only ${found} sections are cited`);
  assert.deepEqual(missing, []);
});

Deno.test("Documentation names only source files that exist", () => {
  const missing: string[] = [];
  let found = 0;
  const own = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"].map((path) => ({
    path,
    text: Deno.readTextFileSync(new URL(path, root)),
  }));
  for (const page of [...own, ...cited.filter(({ path }) => /^docs\/.*\.md$/.test(path))]) {
    for (const match of page.text.matchAll(/`((?:src|tests|tools)\/[\w/.-]*\w\.\w+)`/g)) {
      found++;
      if (!isFile(match[1])) missing.push(`${place(page, match.index)}: ${match[1]}`);
    }
  }
  assert.ok(found > 10, `only ${found} paths are named`);
  assert.deepEqual(missing, []);
});

function isFile(path: string): boolean {
  try {
    return Deno.statSync(new URL(path, root)).isFile;
  } catch {
    return false;
  }
}

Deno.test("Every comment in src says more than an id", () => {
  const bare: string[] = [];
  for (const page of cited.filter(({ path }) => path.startsWith("src/"))) {
    const alone =
      /^ *(?:\/\*\*|\/\/|\*) (?:[A-Z]+-\d{3,4}[a-z]?(?:,| and| to)? ?)+\.?(?: \*\/)?$/gm;
    for (const match of page.text.matchAll(alone)) {
      // The last line of a longer comment may close it with its ids.
      const before = page.text.slice(0, match.index).split("\n").at(-2)?.trim() ?? "";
      if (/^(\/\/|\*|\/\*\*) \S/.test(before)) continue;
      bare.push(`${place(page, match.index)}: ${match[0].trim()}`);
    }
  }
  assert.deepEqual(bare, []);
});
