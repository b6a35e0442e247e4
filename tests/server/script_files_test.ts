import assert from "node:assert/strict";
import type { HostFile } from "../../src/script/api/host.ts";
import { scriptFiles as files } from "../../src/server/script_files.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

function opened(file: HostFile | string): HostFile {
  assert.ok(typeof file !== "string", String(file));
  return file;
}

Deno.test("scriptFiles reads, writes, seeks and truncates, and returns a reason instead of throwing", () => {
  const folder = Deno.makeTempDirSync().replaceAll("\\", "/");
  const path = `${folder}/a.txt`;
  const within = [`${folder}/`];
  assert.equal(files.isFolder(folder), true);
  assert.equal(files.isFolder(path), false);
  assert.equal(files.modified(path), undefined);
  assert.equal(files.modified(folder), "Is a directory");
  assert.equal(files.read(path, 100), undefined);
  assert.equal(files.modified(`${folder}/${"x".repeat(300)}`), undefined);
  assert.equal(files.isFolder(`${folder}/${"x".repeat(300)}`), false);
  assert.match(String(files.open(path, { read: true }, within)), /^No such file or directory$/);
  assert.match(
    String(files.open(folder, { read: true }, [folder.replace(/[^/]*$/, "")])),
    /directory/i,
  );

  if (Deno.build.os !== "windows") {
    Deno.symlinkSync(`${folder}/none`, `${folder}/link`);
    assert.equal(files.modified(`${folder}/link`), "Dangling link");
    Deno.writeTextFileSync(`${folder}/file`, "");
    assert.equal(files.isFolder(`${folder}/file/below`), false);
    assert.equal(files.modified(`${folder}/file/below`), undefined);
    for (const name of ["link", "file"]) {
      assert.equal(files.remove(`${folder}/${name}`, within), undefined);
    }
  }

  const file = opened(files.open(path, { read: true, write: true, create: true }, within));
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
  assert.deepEqual(files.read(path, 100), bytes("012"));
  assert.ok(Math.abs(Number(files.modified(path)) - Date.now()) < 60_000);

  const readOnly = opened(files.open(path, { read: true }, within));
  assert.equal(typeof readOnly.write(bytes("x")), "string");
  readOnly.close();

  const other = `${folder}/b.txt`;
  assert.equal(files.rename(path, other, within), undefined);
  assert.match(files.rename(path, other, within)!, /No such file/);
  assert.match(files.remove(folder, [folder.replace(/[^/]*$/, "")])!, /not empty/i);
  assert.equal(files.remove(other, within), undefined);
  assert.equal(files.remove(folder, [folder.replace(/[^/]*$/, "")]), undefined);
});

Deno.test({
  name: "scriptFiles opens only regular files, and follows no link out of the folders",
  ignore: Deno.build.os === "windows",
  fn: () => {
    const top = Deno.realPathSync(Deno.makeTempDirSync());
    try {
      const [own, other] = [`${top}/own/`, `${top}/other/`];
      for (const folder of [own, other]) Deno.mkdirSync(folder);
      Deno.writeTextFileSync(`${other}secret`, "secret");
      Deno.writeTextFileSync(`${own}inside`, "inside");
      Deno.symlinkSync(`${other}secret`, `${own}link`);
      Deno.symlinkSync(`${other}new`, `${own}dangling`);
      Deno.symlinkSync(other, `${own}folder`);
      Deno.symlinkSync("inside", `${own}near`);
      Deno.symlinkSync(own, `${top}/linked`);
      const within = [own];
      const out = /^Permission denied: a symbolic link leads out/;
      const write = { write: true, create: true, truncate: true };
      for (const name of ["link", "folder/secret", "folder/new"]) {
        assert.match(String(files.open(own + name, { read: true }, within)), out);
        assert.match(String(files.open(own + name, write, within)), out);
      }
      for (const name of ["link", "folder/secret"]) {
        assert.match(String(files.read(own + name, 100, within)), out);
      }
      assert.equal(files.open(`${own}dangling`, write, within), "Dangling link");
      assert.match(files.remove(`${own}folder/secret`, within)!, out);
      assert.match(files.rename(`${own}folder/secret`, `${own}taken`, within)!, out);
      assert.match(files.rename(`${own}inside`, `${own}folder/given`, within)!, out);
      assert.equal(Deno.readTextFileSync(`${other}secret`), "secret");
      assert.deepEqual([...Deno.readDirSync(other)].map(({ name }) => name), ["secret"]);

      assert.deepEqual(files.read(`${own}near`, 100, within), bytes("inside"));
      assert.deepEqual(files.read(`${top}/linked/near`, 100, [`${top}/linked/`]), bytes("inside"));
      assert.equal(files.remove(`${own}link`, within), undefined);
      assert.equal(Deno.readTextFileSync(`${other}secret`), "secret");

      assert.equal(files.open("/dev/zero", { read: true }, ["/dev/"]), "Not a regular file");
      assert.equal(files.read("/dev/zero", 100), "Not a regular file");
      const listener = Deno.listen({ transport: "unix", path: `${own}socket` });
      assert.equal(files.open(`${own}socket`, { read: true }, within), "Not a regular file");
      listener.close();
    } finally {
      Deno.removeSync(top, { recursive: true });
    }
  },
});

Deno.test("scriptFiles.read() refuses a file of 10 bytes with a limit of 9 bytes, and reads files of reported size 0", () => {
  const path = Deno.makeTempFileSync();
  Deno.writeTextFileSync(path, "0123456789");
  assert.deepEqual(files.read(path, 10), bytes("0123456789"));
  assert.equal(files.read(path, 9), "File too large (more than 9 bytes)");
  Deno.removeSync(path);
  if (Deno.build.os !== "linux") return;
  const own = files.read("/proc/self/status", 100_000); // its size is 0
  assert.ok(own instanceof Uint8Array && own.length > 100);
});

Deno.test("scriptFiles refuses to open and read named pipes without waiting", {
  ignore: Deno.build.os === "windows",
}, async () => {
  const folder = Deno.makeTempDirSync();
  const path = `${folder}/pipe`;
  assert.ok((await new Deno.Command("mkfifo", { args: [path] }).output()).success);
  // Opened for reading and writing, so that a server that opens the pipe continues and fails the test.
  const pipe = Deno.openSync(path, { read: true, write: true });
  try {
    const within = [`${folder}/`];
    for (const options of [{ read: true }, { write: true }, { append: true, create: true }]) {
      assert.equal(files.open(path, options, within), "Not a regular file");
    }
    assert.equal(files.read(path, 100, within), "Not a regular file");
    assert.equal(files.modified(path), "Not a file");
  } finally {
    pipe.close();
    Deno.removeSync(folder, { recursive: true });
  }
});
