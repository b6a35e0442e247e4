import assert from "node:assert/strict";
import type { HostFile } from "../../src/script/api/host.ts";
import { scriptFiles as files } from "../../src/server/script_files.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

function opened(file: HostFile | string): HostFile {
  assert.ok(typeof file !== "string", String(file));
  return file;
}

Deno.test("Files of scripts: read, write, seek, truncate, and reasons instead of exceptions", () => {
  const folder = Deno.makeTempDirSync();
  const path = `${folder}/a.txt`;
  assert.equal(files.isFolder(folder), true);
  assert.equal(files.isFolder(path), false);
  assert.equal(files.modified(path), undefined);
  assert.equal(files.modified(folder), "Is a directory");
  assert.equal(files.read(path), undefined);
  assert.equal(files.modified(`${folder}/${"x".repeat(300)}`), undefined);
  assert.equal(files.isFolder(`${folder}/${"x".repeat(300)}`), false);
  assert.match(String(files.open(path, { read: true })), /^No such file or directory$/);
  assert.match(String(files.open(folder, { read: true })), /directory/i);

  if (Deno.build.os !== "windows") {
    Deno.symlinkSync(`${folder}/none`, `${folder}/link`);
    assert.equal(files.modified(`${folder}/link`), "Dangling link");
    Deno.writeTextFileSync(`${folder}/file`, "");
    assert.equal(files.isFolder(`${folder}/file/below`), false);
    assert.equal(files.modified(`${folder}/file/below`), undefined);
    for (const name of ["link", "file"]) assert.equal(files.remove(`${folder}/${name}`), undefined);
  }

  const file = opened(files.open(path, { read: true, write: true, create: true }));
  assert.equal(file.write(bytes("0123456789")), undefined);
  assert.equal(file.seek("start", 2), 2);
  const into = new Uint8Array(4);
  assert.equal(file.read(into), 4);
  assert.deepEqual(into, bytes("2345"));
  assert.equal(file.seek("current", -1), 5);
  assert.equal(file.seek("end", 0), 10);
  assert.equal(file.read(into), 0);
  assert.equal(file.truncate(3), undefined);
  assert.equal(typeof file.seek("start", -5), "string");
  file.flush();
  file.close();
  assert.deepEqual(files.read(path), bytes("012"));
  assert.ok(Math.abs(Number(files.modified(path)) - Date.now()) < 60_000);

  const readOnly = opened(files.open(path, { read: true }));
  assert.equal(typeof readOnly.write(bytes("x")), "string");
  readOnly.close();

  const other = `${folder}/b.txt`;
  assert.equal(files.rename(path, other), undefined);
  assert.match(files.rename(path, other)!, /No such file/);
  assert.match(files.remove(folder)!, /not empty/i);
  assert.equal(files.remove(other), undefined);
  assert.equal(files.remove(folder), undefined);
});
