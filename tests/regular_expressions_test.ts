// Every regular expression takes time in proportion to the text, for any text.
import assert from "node:assert/strict";
import { countSteps, Parser, type Part, sampleOf, TooLong } from "./support/step_matcher.ts";

const src = new URL("../src/", import.meta.url).pathname;

/** Expressions that may take longer: no client chooses their texts. */
const OWN: Record<string, string> = {
  "/([^/\\\\\\s(]+?)\\.[jt]s:(\\d+):\\d+\\)?$/m": "the stack of a call of the program's own",
  "/[^/\\\\]*$/": "a path of the operator's",
  "/[/\\\\]?[^/\\\\]*$/": "a path of the operator's",
};

interface Expression {
  readonly pattern: string;
  readonly flags: string;
  readonly file: string;
}

function* sources(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) yield* sources(`${folder}${name}/`);
    else if (name.endsWith(".ts") && !name.endsWith(".d.ts")) yield `${folder}${name}`;
  }
}

function expressions(): Expression[] {
  const found = new Map<string, Expression>();
  for (const path of sources(src)) {
    const file = path.slice(src.length);
    const plugin: Deno.lint.Plugin = {
      name: "expressions",
      rules: {
        find: {
          create: () => ({
            Literal(node) {
              const { regex } = node as { regex?: { pattern: string; flags: string } };
              if (!regex) return;
              const { pattern, flags } = regex;
              found.set(`/${pattern}/${flags}`, { pattern, flags, file });
            },
          }),
        },
      },
    };
    Deno.lint.runPlugin(plugin, path, Deno.readTextFileSync(path));
  }
  return [...found.values()];
}

/** Repetitions of an expression, each with the part before it. */
function* repeats(
  part: Part,
  before = "",
): Generator<{ before: string; body: string; after: string }> {
  switch (part.kind) {
    case "sequence": {
      let sum = before;
      for (const one of part.parts) {
        yield* repeats(one, sum);
        sum += sampleOf(one);
      }
      return;
    }
    case "choice":
      for (const one of part.parts) yield* repeats(one, before);
      return;
    case "look":
      return yield* repeats(part.part, before);
    case "repeat":
      if (part.max > 8) yield { before, body: sampleOf(part.part), after: sampleOf(part) };
      yield* repeats(part.part, before);
  }
}

/** Texts of a length (characters) that repeat parts of an expression, its likely slowest inputs. */
function* attacks(part: Part, length: number): Generator<string> {
  const fill = (pump: string) => pump.repeat(Math.ceil(length / pump.length));
  for (const { before, body } of repeats(part)) {
    const bodies = new Set([
      body,
      before,
      before + body,
      body + before,
      `${body} `,
      `${before}${body} `,
    ]);
    for (
      const pump of [
        "a",
        "0",
        " ",
        "-",
        ".",
        ":",
        "/",
        "A",
        "\n",
        "a.",
        "a-",
        "a ",
        "0:",
        "a:",
        "/a",
        ".0",
      ]
    ) {
      bodies.add(pump);
    }
    for (const pump of bodies) {
      if (pump === "") continue;
      for (const first of new Set(["", before])) {
        for (const last of ["", "\x01", "/", ":", " ", "\n", "]", "a"]) {
          yield first + fill(pump) + last;
        }
      }
    }
  }
}

/** Length of a text in characters, and maximum steps for each character; quadratic time takes 600. */
const LENGTH = 600;
const STEPS = 260;

/** A text for which an expression exceeds STEPS for each character; undefined without such a text. */
function worst({ pattern, flags }: Expression): string | undefined {
  const part = new Parser(pattern, flags).parse();
  for (const text of attacks(part, LENGTH)) {
    try {
      countSteps(part, text, STEPS * text.length);
    } catch (error) {
      if (!(error instanceof TooLong)) throw error;
      return text;
    }
  }
  return undefined;
}

Deno.test("Every regular expression takes time proportional to the length of its text", () => {
  const all = expressions();
  assert.ok(all.length > 50, `${all.length} expressions`);
  const long: string[] = [];
  for (const one of all) {
    const name = `/${one.pattern}/${one.flags}`;
    const text = worst(one);
    if (text !== undefined && !OWN[name]) {
      long.push(`${one.file}: ${name} ${JSON.stringify(text.slice(0, 30))}`);
    }
    if (text === undefined) assert.ok(!OWN[name], `${name} needs no exception`);
  }
  assert.deepEqual(long, []);
});

Deno.test("The check finds regular expressions that take quadratic time", () => {
  const quadratic = [
    "\\b([a-z][a-z\\d+.-]*:\\/\\/[^\\s?#]*)[?#]",
    "\\s+$",
    "^(a+)+$",
    "\\/+$",
    "\\$\\{([^}]*)\\}",
    "^[^=]*\\s*=\\s*x$",
  ];
  for (const pattern of quadratic) {
    assert.ok(worst({ pattern, flags: "", file: "" }), pattern);
    new RegExp(pattern);
  }
  for (const pattern of ["^[a-z]+$", ":\\d{1,5}$", "[?#]", "^[a-z]+?(?:\\.[a-z]+)?$"]) {
    assert.equal(worst({ pattern, flags: "", file: "" }), undefined, pattern);
  }
});
