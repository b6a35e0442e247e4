// Every fact of the specifications has a test, and one only.
import assert from "node:assert/strict";
import { facts, parseFacts } from "./support/ids.ts";

const folder = new URL("./", import.meta.url);

/** The ids that the tests register, in all files. */
function registered(): string[] {
  const ids: string[] = [];
  for (const { name, isFile } of Deno.readDirSync(folder)) {
    if (!isFile || !name.endsWith("_test.ts")) continue;
    const text = Deno.readTextFileSync(new URL(name, folder));
    for (const [, id] of text.matchAll(/^\s*(?:fact|slow)\(\s*"([A-Z]+-\d{3}[a-z]?)"/gm)) {
      ids.push(id);
    }
  }
  return ids;
}

Deno.test("every fact in ids.txt has a test", () => {
  const there = new Set(registered());
  const missing = [...facts.keys()].filter((id) => !there.has(id));
  assert.deepEqual(missing, [], `no fact("ID", …) in tests/conformance for ${missing.join(", ")}`);
});

Deno.test("every test is of a known fact, and no fact has two tests", () => {
  const ids = registered();
  assert.deepEqual(ids.filter((id, i) => ids.indexOf(id) !== i), []);
  assert.deepEqual(ids.filter((id) => !facts.has(id)), []);
});

Deno.test("ids.txt says each fact in five words", () => {
  for (const { id, words } of facts.values()) {
    assert.equal(words.split(" ").length, 5, id);
    assert.doesNotMatch(words, /\bto be\b/, `${id}: replace the words that the task has put`);
  }
});

Deno.test("a malformed line of ids.txt is refused", () => {
  assert.throws(() => parseFacts("API-1 too short an id"), /Cannot read/);
  assert.throws(() => parseFacts("API-001 once\nAPI-001 twice"), /twice/);
});
