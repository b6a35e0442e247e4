// tools/test_runs.ts: several processes of `deno test`.
import assert from "node:assert/strict";
import { stripVTControlCharacters } from "node:util";
import { TestRuns } from "../tools/test_runs.ts";

Deno.test("TestRuns sums the results of its processes, and prints errors after them", async () => {
  const folder = Deno.makeTempDirSync();
  const file = (name: string, text: string) => {
    Deno.writeTextFileSync(`${folder}/${name}`, text);
    return `${folder}/${name}`;
  };
  const good = file(
    "good_test.ts",
    `Deno.test("good", () => {}); Deno.test.ignore("later", () => {});`,
  );
  const bad = file("bad_test.ts", `Deno.test("bad", () => { throw new Error("as told"); });`);
  const lines: string[] = [];
  const runs = new TestRuns((line) => lines.push(...stripVTControlCharacters(line).split("\n")));
  await Promise.all([runs.runEach([bad, good], 1), runs.run([good], 1)]);
  runs.report(1);
  assert.equal(runs.code, 1);
  assert.match(lines.at(-1)!, /^FAILED \| 2 passed \| 1 failed \| 2 ignored \(0m\d+s\)$/);
  const place = (pattern: RegExp) => lines.findIndex((line) => pattern.test(line));
  assert.ok(place(/good \.\.\. ok/) >= 0 && place(/Error: as told/) > place(/good \.\.\. ok/));
  assert.match(lines.at(-3)!, /^ +\d+\.\d s {2}.*(good|bad)$/);
  Deno.removeSync(folder, { recursive: true });
});
