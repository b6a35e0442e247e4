import assert from "node:assert/strict";
import type { ListedRecording } from "../../src/media/recordings.ts";
import { RecordingFolders } from "../../src/net/recording_folders.ts";
import type { NotWritable, StoredFile, WritableFile } from "../../src/store/stored_file.ts";
import { until } from "../support/wait.ts";

async function folders(maxFiles = 8, keepFree = 0) {
  const root = await Deno.makeTempDir({ prefix: "recordings-" });
  Deno.mkdirSync(`${root}/a/streams/sub`, { recursive: true });
  Deno.mkdirSync(`${root}/b/streams`, { recursive: true });
  Deno.writeTextFileSync(`${root}/a/streams/one.flv`, "0123456789");
  Deno.writeTextFileSync(`${root}/b/streams/other.flv`, "other");
  Deno.writeTextFileSync(`${root}/main.lua`, "secret");
  const warnings: string[] = [];
  const all = new RecordingFolders({
    root,
    maxFiles: () => maxFiles,
    keepFree: () => keepFree,
    maxIndex: 100,
    input: (action) => action(),
    warn: (text) => warnings.push(text),
  });
  return {
    root,
    all,
    warnings,
    create: (path: string, name: string, keep = 0) =>
      new Promise<WritableFile | NotWritable>((done) => all.createFile(path, name, keep, done)),
    open: (path: string, name: string) =>
      new Promise<StoredFile | undefined>((done) => all.openFile(path, name, done)),
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

const listed = (all: RecordingFolders) =>
  new Promise<readonly ListedRecording[]>((done) => all.listFiles("/a", done));

const read = (file: StoredFile, position: number, length: number) =>
  new Promise<string>((done) =>
    file.read(position, length, (bytes) => done(new TextDecoder().decode(bytes)))
  );

Deno.test("RecordingFolders reads blocks of a file, up to its end", async () => {
  await using on = await folders();
  const file = (await on.open("/a", "one.flv"))!;
  assert.equal(file.size, 10);
  assert.equal(await read(file, 2, 3), "234");
  assert.equal(await read(file, 8, 10), "89");
  assert.equal(await read(file, 20, 10), "");
  file.close();
  assert.equal(on.all.open, 0);
});

Deno.test({
  name: "VOD-060: RecordingFolders opens no links, folders, pipes and files of other applications",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using on = await folders();
    const streams = `${on.root}/a/streams`;
    Deno.symlinkSync(`${on.root}/main.lua`, `${streams}/link.flv`);
    Deno.symlinkSync(`${on.root}`, `${streams}/up`);
    Deno.symlinkSync(`${streams}/loop.flv`, `${streams}/loop.flv`);
    Deno.symlinkSync(`${streams}/one.flv`, `${streams}/inside.flv`);
    await new Deno.Command("mkfifo", { args: [`${streams}/pipe.flv`] }).output();
    Deno.mkdirSync(`${streams}/folder.flv`);
    const refused = ["link.flv", "up/main.lua", "up/b/streams/other.flv", "loop.flv", "pipe.flv"];
    for (const name of [...refused, "folder.flv", "none.flv", "other.flv", "", "one.flv/x"]) {
      assert.equal(await on.open("/a", name), undefined, name);
    }
    const inside = await on.open("/a", "inside.flv");
    assert.equal(await read(inside!, 0, 4), "0123", "links inside the folder may be used");
    inside!.close();
    assert.equal(on.all.open, 0);
    assert.deepEqual(on.warnings, []);
  },
});

Deno.test("RecordingFolders opens no more files than its limit, and logs the limit once", async () => {
  await using on = await folders(2);
  const open = [await on.open("/a", "one.flv"), await on.open("/a", "one.flv")];
  assert.equal(await on.open("/a", "one.flv"), undefined);
  assert.equal(await on.open("/a", "one.flv"), undefined);
  assert.equal(on.warnings.length, 1);
  for (const file of open) file!.close();
  const again = await on.open("/a", "one.flv");
  assert.ok(again);
  again.close();
});

Deno.test("RecordingFolders finds a recording while clients look up hundreds of missing names", async () => {
  await using on = await folders(16);
  const absent = Array.from({ length: 500 }, (_, i) => on.open("/a", `none ${i}.flv`));
  const file = await on.open("/a", "one.flv");
  assert.ok(file, "look-ups do not count as open files");
  file.close();
  assert.ok((await Promise.all(absent)).every((found) => found === undefined));
  assert.deepEqual(on.warnings, []);
});

const write = (file: WritableFile, position: number, text: string) =>
  new Promise<string | undefined>((done) =>
    file.write(position, new TextEncoder().encode(text), done)
  );
const close = (file: WritableFile) =>
  new Promise<number>((done) => file.close((size) => done(size)));

Deno.test("RecordingFolders makes folders, writes in place and keeps the start of a continued file", async () => {
  await using on = await folders();
  const file = await on.create("/b", "new/deep/film.flv") as WritableFile;
  assert.equal(await write(file, 0, "0123456789"), undefined);
  assert.equal(await write(file, 4, "xx"), undefined);
  assert.equal(await close(file), 10);
  const path = `${on.root}/b/streams/new/deep/film.flv`;
  assert.equal(Deno.readTextFileSync(path), "0123xx6789");
  const again = await on.create("/b", "new/deep/film.flv", 5) as WritableFile;
  assert.equal(await write(again, 5, "end"), undefined);
  await close(again);
  assert.equal(Deno.readTextFileSync(path), "0123xend");
});

Deno.test({
  name:
    "VOD-060, VOD-202: RecordingFolders does not write through links, over folders, or without permission",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using on = await folders();
    const streams = `${on.root}/a/streams`;
    Deno.symlinkSync(`${on.root}/main.lua`, `${streams}/link.flv`);
    Deno.symlinkSync(`${on.root}/b`, `${streams}/up`);
    Deno.mkdirSync(`${streams}/folder.flv`);
    for (const name of ["link.flv", "up/x.flv", "folder.flv"]) {
      const refused = await on.create("/a", name) as NotWritable;
      assert.equal(refused.reason, "no access", name);
    }
    assert.equal(Deno.readTextFileSync(`${on.root}/main.lua`), "secret");
    const nowhere = await on.create("/none", "x.flv") as NotWritable;
    assert.equal(nowhere.reason, "failed");
  },
});

Deno.test("VOD-212: RecordingFolders does not write to a disk with too little free space", async () => {
  await using on = await folders(8, Number.MAX_SAFE_INTEGER);
  const refused = await on.create("/a", "film.flv") as NotWritable;
  assert.match(refused.text, /too little room/);
});

Deno.test("RecordingFolders lists the newest 1,000 files, in any order of the folder", async () => {
  await using on = await folders();
  const streams = `${on.root}/many/streams`;
  Deno.mkdirSync(streams, { recursive: true });
  const count = 3_100;
  for (let i = 0; i < count; i++) {
    const path = `${streams}/${i}.flv`;
    Deno.writeTextFileSync(path, "x");
    Deno.utimeSync(path, i * 7_919 % count, i * 7_919 % count); // a different second for each file
  }
  Deno.writeTextFileSync(`${streams}/newer.txt`, "x");
  const list = () =>
    new Promise<readonly ListedRecording[]>((done) => on.all.listFiles("/many", done));
  const [files, same] = await Promise.all([list(), list()]);
  assert.equal(files, same, "both lists come from one reading");
  const seconds = files.map(({ modified }) => modified / 1_000);
  assert.deepEqual(seconds, Array.from({ length: 1_000 }, (_, i) => count - 1 - i));
  Deno.utimeSync(`${streams}/0.flv`, count, count);
  assert.equal((await list())[0].name, "0");
});

Deno.test("RecordingFolders stores an index beside a recording, and deletes indices of deleted recordings", async () => {
  await using on = await folders();
  const streams = `${on.root}/a/streams`;
  const key = `${Deno.realPathSync(streams)}/one.flv`;
  const index = () => new Promise<Uint8Array | undefined>((done) => on.all.readIndex(key, done));
  assert.equal(await index(), undefined);
  for (const left of ["gone.flv.idx", "gone.flv.idx.tmp", "one.flv.idx.tmp", "notes.idx"]) {
    Deno.writeTextFileSync(`${streams}/${left}`, "left");
  }
  on.all.writeIndex(key, Uint8Array.of(1, 2, 3));
  const names = () => [...Deno.readDirSync(streams)].map(({ name }) => name).sort();
  await until(() => names().length === 4 ? true : undefined, "the index alone");
  assert.deepEqual(names(), ["notes.idx", "one.flv", "one.flv.idx", "sub"]);
  assert.deepEqual(await index(), Uint8Array.of(1, 2, 3));
  assert.deepEqual((await listed(on.all)).map(({ name }) => name), ["one"]);
  Deno.writeFileSync(`${key}.idx`, new Uint8Array(101));
  assert.equal(await index(), undefined, "too long for an index");
  Deno.removeSync(`${key}.idx`);
  Deno.symlinkSync(`${on.root}/main.lua`, `${key}.idx`);
  assert.equal(await index(), undefined, "a link");
  on.all.writeIndex(key, Uint8Array.of(4));
  await until(() => Deno.lstatSync(`${key}.idx`).isFile || undefined, "the index in its place");
  assert.equal(Deno.readTextFileSync(`${on.root}/main.lua`), "secret");
  on.all.writeIndex(`${on.root}/nowhere/x.flv`, Uint8Array.of(4)); // fails without a message
  assert.deepEqual(on.warnings, []);
});
