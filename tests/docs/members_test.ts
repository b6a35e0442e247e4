// docs/api.md and docs/spec have the whole API of scripts.
import assert from "node:assert/strict";

const root = new URL("../../", import.meta.url);

interface Members {
  readonly name: string;
  readonly get?: object;
  readonly set?: object;
  readonly call?: object;
}

/** All tables of members that scripts see. */
async function bindings(): Promise<Members[]> {
  const found: Members[] = [];
  const folder = new URL("src/script/api/", root);
  for (const { name } of Deno.readDirSync(folder)) {
    if (!name.endsWith(".ts")) continue;
    const module: Record<string, unknown> = await import(new URL(name, folder).href);
    for (const value of Object.values(module)) {
      const binding = value as Partial<Members> | undefined;
      if (typeof binding !== "object" || typeof binding?.name !== "string") continue;
      if (binding.get || binding.call) found.push(binding as Members);
    }
  }
  return found;
}

/** A name in backticks, alone or among other words. */
const inBackticks = (name: string) => new RegExp(`\`[^\`\n]*\\b${name}\\b[^\`\n]*\``);

Deno.test("docs/api.md has every property and method of the API", async () => {
  const text = Deno.readTextFileSync(new URL("docs/api.md", root));
  const all = await bindings();
  assert.ok(all.length >= 15, all.map(({ name }) => name).join(", "));
  const missing: string[] = [];
  for (const { name, get = {}, set = {}, call = {} } of all) {
    for (const member of Object.keys({ ...get, ...set, ...call })) {
      if (!inBackticks(member).test(text)) missing.push(`${name}.${member}`);
    }
  }
  assert.deepEqual(missing, [], `docs/api.md has no row for ${missing.join(", ")}`);
});

Deno.test("docs/spec has every property and method of the API in a row or a decision", async () => {
  const spec = new URL("docs/spec/", root);
  const facts = [...Deno.readDirSync(spec)].filter(({ name }) => name.endsWith(".md"))
    .flatMap(({ name }) => Deno.readTextFileSync(new URL(name, spec)).split("\n"))
    .filter((line) => /^(\| [A-Z]+-\d+[a-z]? \||\d+\. )/.test(line)).join("\n");
  const missing: string[] = [];
  for (const { name, get = {}, set = {}, call = {} } of await bindings()) {
    for (const member of Object.keys({ ...get, ...set, ...call })) {
      if (!inBackticks(member).test(facts)) missing.push(`${name}.${member}`);
    }
  }
  const told = "no row of docs/spec/lua-api.md (or another file there), and no decision, names " +
    `${missing.join(", ")}: see "A method or property" in CONTRIBUTING.md`;
  assert.deepEqual(missing, [], told);
});
