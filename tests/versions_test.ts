// What stands in several places of the repository, and has to be the same in all of them.

import assert from "node:assert/strict";

const root = new URL("../", import.meta.url);
const read = (path: string) => Deno.readTextFileSync(new URL(path, root));

Deno.test("the Deno version of .deno-version is the one that every file names", () => {
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

Deno.test("main.lock has what the program needs of deno.lock, and no package of the tests", () => {
  type Lock = { specifiers: Record<string, string>; npm: Record<string, { integrity: string }> };
  const all: Lock = JSON.parse(read("deno.lock"));
  const main: Lock = JSON.parse(read("main.lock"));
  for (const [name, version] of Object.entries(main.specifiers)) {
    assert.equal(all.specifiers[name], version, name);
  }
  for (const [name, { integrity }] of Object.entries(main.npm)) {
    assert.equal(all.npm[name]?.integrity, integrity, name);
  }
  for (const name of ["fast-check", "playwright-core", "smtp-server"]) {
    assert.ok(!Object.keys(main.npm).some((one) => one.startsWith(`${name}@`)), name);
  }
});
