// The lists of tools/test_files.ts.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { FAST, fastFiles, NOT_FAST, WAITING } from "../tools/test_files.ts";

Deno.test("Every test file and folder in tools/test_files.ts exists and is listed once", () => {
  for (const names of [FAST, NOT_FAST, WAITING]) {
    assert.deepEqual(names.filter((name) => !existsSync(new URL(name, import.meta.url))), []);
    assert.deepEqual(names.filter((name, i) => names.indexOf(name) !== i), []);
  }
  const outside = (name: string) => !FAST.some((room) => name.startsWith(`${room}/`));
  assert.deepEqual(NOT_FAST.filter(outside), []);
});

Deno.test("fastFiles() lists every test file of its folders except the files in NOT_FAST", () => {
  const files = fastFiles();
  assert.deepEqual(files.filter((name) => NOT_FAST.includes(name)), []);
  for (const name of ["amf/markers_test.ts", "rtmfp/session/closing_test.ts"]) {
    assert.ok(files.includes(name), name);
  }
  assert.equal(new Set(files).size, files.length);
});
