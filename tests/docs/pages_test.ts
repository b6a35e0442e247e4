// Pages agree with the server about its configuration and log.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";

const root = new URL("../../", import.meta.url);
const pages = [
  "README.md",
  ...[...Deno.readDirSync(new URL("docs", root))].map(({ name }) => `docs/${name}`),
]
  .filter((name) => name.endsWith(".md"))
  .map((name) => ({ name, text: Deno.readTextFileSync(new URL(name, root)) }));

Deno.test("Every page with lines for CumulusServer.ini says how they take effect", () => {
  const silent = pages.filter(({ text }) =>
    text.includes("```ini") && !/restart|SIGHUP|reload/i.test(text)
  );
  assert.deepEqual(silent.map(({ name }) => name), []);
});

function* sources(folder: URL): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) yield* sources(new URL(`${name}/`, folder));
    else if (name.endsWith(".ts")) yield Deno.readTextFileSync(new URL(name, folder));
  }
}

Deno.test("Pages quote only lines of the log that the server writes", () => {
  const code = [...sources(new URL("src/", root))].join("\n");
  let count = 0;
  const wrong: string[] = [];
  for (const { name, text } of pages) {
    for (
      const [line, words] of text.matchAll(
        /^ {4}(?:FATAL|ERROR|WARN|NOTE|INFO) +\S+\[(?:\d*|…)\] (.*)$/gm,
      )
    ) {
      count++;
      // The text before the first inserted value, if longer than a word.
      const fixed = /^(?:[A-Za-z,]+ )+/.exec(words)?.[0].trim() ?? words;
      if (!code.includes(fixed)) wrong.push(`${name}: ${line.trim()}`);
    }
  }
  assert.ok(count >= 3, `${count} lines`);
  assert.deepEqual(wrong, []);
});

/** Pages beside the code, and those at the top that name files. */
function* pagesOfCode(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(folder, root))) {
    if (isDirectory) yield* pagesOfCode(`${folder}${name}/`);
    else if (name === "README.md") yield `${folder}${name}`;
  }
}

Deno.test("Pages name only files that exist", () => {
  const missing: string[] = [];
  let count = 0;
  for (const page of ["ARCHITECTURE.md", "CONTRIBUTING.md", ...pagesOfCode("src/")]) {
    const folder = page.slice(0, page.lastIndexOf("/") + 1);
    const text = Deno.readTextFileSync(new URL(page, root));
    for (const [, name] of text.matchAll(/`([\w./-]+\.(?:ts|lua|wat))`/g)) {
      if (folder === "" && !name.includes("/")) continue; // its folder stands in the sentence
      count++;
      const there = [folder, "", "src/"].some((base) => existsSync(new URL(base + name, root)));
      if (!there) missing.push(`${page}: ${name}`);
    }
  }
  assert.ok(count >= 30, `${count} names`);
  assert.deepEqual(missing, []);
});
