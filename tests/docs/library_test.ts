// library/cumulus.lua, for the Lua language server, agrees with docs/api.md, and is valid Lua.
import assert from "node:assert/strict";
import { library } from "../../tools/library.ts";
import { Lua } from "../../src/script/vm/lua.ts";

const root = new URL("../../", import.meta.url);
const text = Deno.readTextFileSync(new URL("library/cumulus.lua", root));

Deno.test("library/cumulus.lua equals the output of deno task library", () => {
  assert.equal(text, library(Deno.readTextFileSync(new URL("docs/api.md", root))));
});

Deno.test("library() refuses a method without an entry for its result, and names it", () => {
  const page = "## client\n\n| Method | Does |\n| --- | --- |\n| `shoeSize()` | its size |\n";
  assert.throws(() => library(page), /library_types\.ts has no result for Client\.shoeSize/);
});

Deno.test("Lua compiles library/cumulus.lua", () => {
  const lua = new Lua({ clock: () => performance.now() });
  const error = lua.load(new TextEncoder().encode(text), "=library");
  assert.equal(error?.message, undefined);
  lua.close();
});

interface Members {
  readonly name: string;
  readonly get?: object;
  readonly set?: object;
  readonly call?: object;
  readonly lookup?: unknown;
}

/** The class of an object of the API. */
const CLASS: Record<string, string> = {
  flowWriter: "FlowWriter",
  qualityOfService: "QualityOfService",
};

Deno.test("library/cumulus.lua has every property, method and event of the API", async () => {
  const folder = new URL("src/script/api/", root);
  const missing: string[] = [];
  let count = 0;
  for (const { name: file } of Deno.readDirSync(folder)) {
    if (!file.endsWith(".ts")) continue;
    const module: Record<string, unknown> = await import(new URL(file, folder).href);
    for (const value of Object.values(module)) {
      const binding = value as Members | undefined;
      if (typeof binding !== "object" || typeof binding?.name !== "string") continue;
      if (!binding.get && !binding.call) continue;
      const name = CLASS[binding.name] ?? binding.name[0].toUpperCase() + binding.name.slice(1);
      const body = new RegExp(`^---@class ${name}\n([\\s\\S]*?)(?=^---@class |$(?![\\s\\S]))`, "m")
        .exec(
          text,
        );
      for (const member of Object.keys({ ...binding.get, ...binding.set, ...binding.call })) {
        count++;
        const there = new RegExp(`^---@field ${member}\\??|^function ${name}:${member}\\(`, "m");
        if (!there.test(body?.[1] ?? "")) missing.push(`${name}.${member}`);
      }
    }
  }
  const told =
    `library/cumulus.lua lacks ${missing.join(", ")}: give docs/api.md rows in a table ` +
    "with a head that tools/library.ts reads, such as Method | Does, and run deno task library";
  assert.deepEqual(missing, [], told);
  assert.ok(count > 120, `${count} members`);
  const events = Deno.readTextFileSync(new URL("src/script/api/event_names.ts", root))
    .match(/"on[A-Z]\w+"/g)!.map((name) => name.slice(1, -1));
  assert.ok(events.length > 15);
  for (const event of events) assert.match(text, new RegExp(`^${event} = nil$`, "m"));
});
