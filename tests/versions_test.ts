// Versions and package lists that several files of the repository repeat must be equal.

import assert from "node:assert/strict";

const root = new URL("../", import.meta.url);
const read = (path: string) => Deno.readTextFileSync(new URL(path, root));

Deno.test("Every file names the Deno version of .deno-version", () => {
  const version = read(".deno-version").trim();
  assert.match(version, /^\d+\.\d+\.\d+$/);
  const others: string[] = [];
  for (const path of ["README.md", "Dockerfile", "CONTRIBUTING.md", "docs/getting-started.md"]) {
    const found = [...read(path).matchAll(/(?:deno@|DENO_VERSION=)(\d+\.\d+\.\d+)/g)];
    assert.ok(found.length > 0, `${path} names no version`);
    for (const [text, named] of found) if (named !== version) others.push(`${path}: ${text}`);
  }
  assert.deepEqual(others, []);
});

interface Config {
  readonly imports: Record<string, string>;
  readonly unstable: readonly string[];
  readonly compilerOptions: Record<string, unknown>;
}

interface Lock {
  readonly npm: Record<string, { integrity: string }>;
}

Deno.test("tests/deno.json has all entries of deno.json, and the packages of tests", () => {
  const program: Config = JSON.parse(read("deno.json"));
  const tests: Config = JSON.parse(read("tests/deno.json"));
  for (const [name, from] of Object.entries(program.imports)) {
    assert.equal(tests.imports[name], from, name);
  }
  assert.deepEqual(tests.unstable, program.unstable);
  assert.deepEqual(program.compilerOptions.noUncheckedIndexedAccess, true);
  assert.deepEqual(tests.compilerOptions, {
    ...program.compilerOptions,
    noUncheckedIndexedAccess: false, // a test that reads beyond the end fails
  });
  for (const name of ["fast-check", "playwright-core", "smtp-server"]) {
    assert.ok(name in tests.imports && !(name in program.imports), name);
  }
});

Deno.test("tests/deno.lock has the packages of deno.lock as they are there", () => {
  const program: Lock = JSON.parse(read("deno.lock"));
  const tests: Lock = JSON.parse(read("tests/deno.lock"));
  for (const [name, { integrity }] of Object.entries(program.npm)) {
    assert.equal(tests.npm[name]?.integrity, integrity, name);
  }
  assert.ok(Object.keys(program.npm).length < Object.keys(tests.npm).length);
});
