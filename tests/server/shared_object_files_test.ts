import assert from "node:assert/strict";
import { encodeAmf } from "../../src/amf/mod.ts";
import { SHARED_OBJECT_BOUNDS } from "../../src/media/shared_objects.ts";
import { SharedObject } from "../../src/media/shared_object.ts";
import { readSharedObjectFile, writeSharedObjectFile } from "../../src/media/shared_object_file.ts";
import { Log } from "../../src/log/log.ts";
import { SharedObjectFiles } from "../../src/server/shared_object_files.ts";
import { objectFile } from "../../src/server/shared_object_names.ts";
import { WireError } from "../../src/bytes/wire_error.ts";

const ownedBy = (changed: (object: SharedObject) => void) => ({
  now: 0,
  changed,
  collects: () => {},
});

interface World {
  readonly folder: string;
  /** Opens the store as a starting server does. */
  store(objects?: number): SharedObjectFiles;
}

/** Runs with a folder that is removed afterwards. */
async function within(run: (world: World) => Promise<void> | void): Promise<void> {
  const folder = await Deno.makeTempDir();
  const log = new Log({ level: 0, format: "text" });
  const store = (objects = 10) =>
    new SharedObjectFiles({
      enabled: () => true,
      folder: (application) => folder + application,
      objects: () => objects,
      log,
    });
  try {
    await run({ folder, store });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Loads an object whose changes go to the store; undefined if the store has none. */
function open(store: SharedObjectFiles, name = "o", path = ""): SharedObject | undefined {
  const changed = (one: SharedObject) => store.changed(one);
  const object = new SharedObject(path, name, true, SHARED_OBJECT_BOUNDS, ownedBy(changed));
  return store.load(object, "") ? object : undefined;
}

const slots = (object: SharedObject) =>
  [...object.slots()].map((slot) => [slot, object.get(slot), object.versionOf(slot)]);

Deno.test("SharedObjectFiles restores an object with its versions", async () => {
  await within(async ({ store }) => {
    const first = store();
    const object = open(first)!;
    object.set("x", encodeAmf({ a: [1] }));
    object.set("é", encodeAmf("text"));
    await first.close();
    const again = open(store())!;
    assert.deepEqual(slots(again), slots(object));
    assert.equal(again.version, 2);
    assert.equal(again.bytes, object.bytes);
  });
});

Deno.test("SharedObjectFiles reads back an object that left memory unchanged", async () => {
  await within(async ({ store }) => {
    const files = store();
    const object = open(files)!;
    object.set("x", encodeAmf(1));
    files.forget(object); // it is being written to the disk
    const again = open(files)!;
    assert.deepEqual(slots(again), slots(object));
    again.set("x", encodeAmf(2));
    await files.close();
    assert.deepEqual(slots(open(store())!), slots(again));
  });
});

Deno.test("SharedObjectFiles moves a broken file aside, and begins with an empty object", async () => {
  await within(async ({ folder, store }) => {
    Deno.writeTextFileSync(`${folder}/o.so`, "CSO1, or so");
    const files = store();
    const object = open(files)!;
    assert.equal(object.size, 0);
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
    assert.equal(names.length, 1);
    assert.match(names[0], /^o\.so\.broken-\d+$/);
    object.set("x", encodeAmf(1));
    await files.close();
    assert.equal(open(store())!.size, 1);
  });
});

Deno.test("SharedObjectFiles ignores a partial write of a crash", async () => {
  await within(async ({ folder, store }) => {
    const files = store();
    const object = open(files)!;
    object.set("x", encodeAmf("before"));
    await files.close();
    const whole = Deno.readFileSync(`${folder}/o.so`);
    Deno.writeFileSync(`${folder}/o.so.tmp`, whole.subarray(0, 9));
    const after = store();
    const again = open(after)!;
    assert.deepEqual(slots(again), slots(object));
    again.set("x", encodeAmf("after"));
    await after.close();
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["o.so"]);
  });
});

Deno.test("SharedObjectFiles returns no object for an unreadable file, and keeps the file", async () => {
  await within(({ folder, store }) => {
    Deno.mkdirSync(`${folder}/o.so`);
    assert.equal(open(store()), undefined);
    assert.ok(Deno.statSync(`${folder}/o.so`).isDirectory);
  });
});

Deno.test(
  "SharedObjectFiles returns no object for links, pipes and too large files, without waiting",
  {
    ignore: Deno.build.os === "windows",
  },
  async () => {
    await within(async ({ folder, store }) => {
      Deno.symlinkSync("/dev/null", `${folder}/o.so`);
      assert.equal(open(store()), undefined);
      Deno.removeSync(`${folder}/o.so`);
      assert.ok((await new Deno.Command("mkfifo", { args: [`${folder}/o.so`] }).output()).success);
      // Opened for reading and writing, so that a server that reads the pipe gets bytes and fails the test.
      using pipe = Deno.openSync(`${folder}/o.so`, { read: true, write: true });
      pipe.writeSync(new Uint8Array(10));
      assert.equal(open(store()), undefined);
      Deno.removeSync(`${folder}/o.so`);
      Deno.writeFileSync(`${folder}/o.so`, new Uint8Array(0));
      Deno.truncateSync(`${folder}/o.so`, 1e12); // takes no room
      assert.equal(open(store()), undefined);
      assert.equal(Deno.statSync(`${folder}/o.so`).size, 1e12);
    });
  },
);

Deno.test("SharedObjectFiles reads back the largest object, and follows no link when it writes", {
  ignore: Deno.build.os === "windows",
}, async () => {
  await within(async ({ folder, store }) => {
    const files = store();
    const object = open(files)!;
    const { slots: most, object: bytes } = SHARED_OBJECT_BOUNDS;
    const size = Math.floor(bytes / most) - 16; // names of 8 bytes, and the headers of texts
    let set = 0;
    while (object.set(`slot${1_000 + set}`, encodeAmf("x".repeat(size)))) set++;
    assert.equal(set, most);
    Deno.writeTextFileSync(`${folder}/other`, "other");
    Deno.symlinkSync(`${folder}/other`, `${folder}/o.so.tmp`);
    await files.close();
    assert.equal(Deno.readTextFileSync(`${folder}/other`), "other");
    assert.equal(open(store())!.size, most);
  });
});

Deno.test("SharedObjectFiles counts existing files against an application's limit of 2 objects", async () => {
  await within(async ({ store }) => {
    const files = store(2);
    for (const name of ["a", "a", "b"]) {
      const object = open(files, name)!;
      object.set("x", encodeAmf(1));
      files.forget(object);
    }
    assert.equal(open(files, "c"), undefined);
    await files.close();
    const next = store(2);
    assert.equal(open(next, "c"), undefined);
    assert.ok(open(next, "b"));
  });
});

Deno.test("objectFile() returns unique paths inside the folder (SO-081)", () => {
  const names = ["a", "a/b", "a.so/b", "/a", "a/", "//", ".", "..", "../a", "%", "%2E", "", "con"];
  const more = ["a\\b", "C:x", "a\0", "é", "e\u0301", " a", "a ", "~", "/", "*", "-", "a.so"];
  const files = [...names, ...more].map((name) => objectFile("", name, ".so"));
  for (const file of files) {
    assert.match(file!, /^[\w% -]+(\/[\w% -]+)*\.so$/);
  }
  assert.equal(new Set(files).size, files.length);
  assert.notEqual(objectFile("/room", "a", ".so"), objectFile("", "room/a", ".so"));
  assert.notEqual(objectFile("/room", "a", ".so"), objectFile("", "/room/a", ".so"));
  assert.equal(objectFile("", "chat/users", ".so"), "chat/users.so");
  assert.equal(objectFile("/room", "a", ".so"), "%2Froom/a.so");
  assert.equal(objectFile("", "é".repeat(50), ".so"), undefined);
  assert.equal(objectFile("", "a/".repeat(8), ".so"), undefined);
});

Deno.test("readSharedObjectFile() refuses truncated files and bytes after the end", () => {
  const object = new SharedObject("", "o", true, SHARED_OBJECT_BOUNDS, ownedBy(() => {}));
  object.set("x", encodeAmf({ a: "b" }));
  const bytes = writeSharedObjectFile(object);
  const empty = () => new SharedObject("", "o", true, SHARED_OBJECT_BOUNDS, ownedBy(() => {}));
  for (let length = 0; length < bytes.length; length++) {
    const into = empty();
    assert.throws(() => readSharedObjectFile(bytes.subarray(0, length), into), WireError);
    assert.equal(into.size, 0);
  }
  assert.throws(() => readSharedObjectFile(Uint8Array.of(...bytes, 0), empty()), WireError);
});
