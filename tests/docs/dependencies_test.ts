// docs/dependencies.md lists every package with its version in use.
import assert from "node:assert/strict";

const root = new URL("../../", import.meta.url);
const read = (path: string) => Deno.readTextFileSync(new URL(path, root));

Deno.test("docs/dependencies.md has a row for each package, with its version", () => {
  const text = read("docs/dependencies.md");
  const imports: Record<string, string> = JSON.parse(read("tests/deno.json")).imports;
  const missing: string[] = [];
  for (const place of Object.values(imports)) {
    const [, name, version] = /^npm:\/?(@?[^@]+)@([^/]+)/.exec(place)!;
    if (name.startsWith("@types/")) continue;
    const row = text.split("\n").find((line) => line.startsWith(`| [${name}](`));
    const columns = row?.split("|").map((cell) => cell.trim());
    if (columns?.[2] !== version) missing.push(`${name} ${version}: ${row ?? "no row"}`);
  }
  assert.deepEqual(missing, []);
});
