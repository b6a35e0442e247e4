import assert from "node:assert/strict";
import { WireError } from "../../src/bytes/wire_error.ts";
import type { FlvTag } from "../../src/flv/tags.ts";
import { Frame } from "../../src/media/frame.ts";
import { FlvIndex } from "../../src/store/flv_index.ts";
import { readIndexFile, writeIndexFile } from "../../src/store/flv_index_file.ts";
import { TagReader } from "../../src/store/tag_reader.ts";
import { once } from "../media/fakes.ts";
import { seeded } from "../support/random.ts";
import { audio, film, flvFile, Stage, video } from "./fakes.ts";

/** A film of more than 4 MiB. */
function longFilm(): FlvTag[] {
  const tags = film();
  for (let time = 10_000; time < 60_000; time += 1_000) {
    tags.push(video(time, true, 1, 100_000), audio(time));
  }
  return tags;
}

function indexOf(bytes: Uint8Array): FlvIndex {
  const index = new FlvIndex(13);
  const reader = new TagReader(13);
  reader.setBlock(bytes.subarray(13));
  for (let tag = reader.next(); tag; tag = reader.next()) index.add(tag, bytes.length);
  return index;
}

function stage(files: Stage["disk"]["files"], indexes: Stage["disk"]["indexes"] = new Map()) {
  const on = new Stage();
  for (const [key, bytes] of files) on.disk.files.set(key, bytes);
  for (const [key, bytes] of indexes) on.disk.indexes.set(key, bytes);
  return on;
}

const LONG = flvFile(longFilm());
const files = new Map([["/film.flv", LONG]]);

Deno.test("VOD-210: readIndexFile() returns the written index, which can grow further", () => {
  for (const first of [0, 40_000, 2 ** 31 - 3_000]) {
    const tags = film(first);
    const bytes = flvFile(tags);
    const index = indexOf(bytes);
    const kept = readIndexFile(writeIndexFile({ index, size: bytes.length, modified: 1_234 })!);
    assert.deepEqual([kept.size, kept.modified], [bytes.length, 1_234]);
    const grown = flvFile([...tags, video(first + 20_000, true)]);
    for (const each of [index, kept.index]) {
      const reader = new TagReader(each.end);
      reader.setBlock(grown.subarray(each.end));
      each.add(reader.next()!);
    }
    assert.deepEqual(kept.index, indexOf(grown));
    assert.deepEqual([...kept.index.video.values()], [...indexOf(grown).video.values()]);
    assert.equal(kept.index.pointBefore(30_000).time, 20_000);
  }
});

Deno.test("VOD-210: readIndexFile() returns a written index without video, and an empty index", () => {
  const index = new FlvIndex(13);
  index.metadata = Uint8Array.of(1, 2, 3);
  index.metadataPosition = 13;
  index.metadataEnd = 31;
  index.hasAudio = true;
  index.audioCodec = 0x4f707573;
  index.firstTime = -5;
  index.addHeader(31, new Frame("audio", 2 ** 32 - 5, Uint8Array.of(0xaf, 0, 1)));
  index.audio.add(0, 2 ** 40);
  for (const one of [index, new FlvIndex(20)]) {
    const kept = readIndexFile(writeIndexFile({ index: one, size: 2 ** 41, modified: 1e12 })!);
    assert.deepEqual(kept, { index: one, size: 2 ** 41, modified: 1e12 });
    assert.deepEqual([...kept.index.audio.values()], [...one.audio.values()]);
  }
});

Deno.test("VOD-210: readIndexFile() throws WireError for a truncated or changed file", () => {
  const index = indexOf(flvFile(film()));
  const bytes = writeIndexFile({ index, size: 1, modified: 1 })!;
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => readIndexFile(bytes.subarray(0, length)), WireError, `${length}`);
  }
  const random = seeded(21);
  for (let i = 0; i < 2_000; i++) {
    const changed = bytes.slice();
    changed[Math.floor(random() * bytes.length)] ^= 1 + Math.floor(random() * 255);
    assert.throws(() => readIndexFile(changed), WireError);
  }
});

Deno.test("VOD-210: readIndexFile() throws WireError for offsets outside the recording, and the store makes a new index", () => {
  const lies: ((index: FlvIndex, place: number) => FlvIndex | void)[] = [
    (index, place) => void (index.end = place),
    (index, place) => void (index.metadataEnd = place),
    (index, place) => void (index.metadataPosition = place),
    (index, place) => index.video.add(1e6, place),
    (index, place) => index.audio.add(1e6, place),
    (index, place) => index.addHeader(place, new Frame("audio", 0, Uint8Array.of(0xaf, 0))),
    (_, place) => new FlvIndex(place),
  ];
  for (const place of [NaN, Infinity, -2, 0.5, LONG.length + 1, 2 ** 60]) {
    for (const [i, lie] of lies.entries()) {
      const index = indexOf(LONG);
      const lying = lie(index, place) ?? index;
      const bytes = writeIndexFile({ index: lying, size: LONG.length, modified: 1 })!;
      assert.throws(() => readIndexFile(bytes), WireError, `${place} at ${i}`);
      if (!Number.isNaN(place)) continue;
      const on = stage(files, new Map([["/film.flv", bytes]]));
      const { output } = on.play("film");
      on.pass(1_000);
      assert.ok(output.lines.length > 0, `${i}`);
    }
  }
});

Deno.test("VOD-210: the store keeps the index of a large file, and does not read the file again", () => {
  const first = stage(files);
  first.open("film")!.close();
  assert.deepEqual([...first.disk.indexes.keys()], ["/film.flv"]);
  const next = stage(files, first.disk.indexes);
  const recorded = next.open("film")!;
  assert.equal(next.disk.reads, 0);
  assert.equal(recorded.duration, 59_000);
  assert.equal(next.open("film")!.duration, 59_000);
  assert.equal(next.disk.reads, 0);
});

Deno.test("VOD-210: the store replaces a broken or outdated index", () => {
  const first = stage(files);
  first.open("film")!.close();
  const kept = first.disk.indexes.get("/film.flv")!;
  const broken = kept.slice();
  broken[100] ^= 1;
  const longer = new Map([["/film.flv", flvFile([...longFilm(), video(90_000, true)])]]);
  for (
    const [files_, index, duration] of [[files, broken, 59_000], [longer, kept, 90_000]] as const
  ) {
    const on = stage(files_, new Map([["/film.flv", index]]));
    assert.equal(on.open("film")!.duration, duration);
    assert.ok(on.disk.reads > 0);
    const again = stage(files_, on.disk.indexes);
    assert.equal(again.open("film")!.duration, duration);
    assert.equal(again.disk.reads, 0);
  }
});

Deno.test("VOD-210: Recorder stores an index at the end of a large recording, but not of a small one", () => {
  for (const [length, keeps] of [[100_000, true], [1_000, false]] as const) {
    const on = new Stage();
    const publisher = on.clock.relay("cam", "test");
    publisher.start();
    on.store.record(publisher.publication, "", "cam", "record");
    on.settle();
    for (let time = 0; time < 60_000; time += 1_000) {
      publisher.video(new Frame("video", time, video(time, true, 1, length).data), once);
      on.settle();
    }
    on.clock.unpublish(publisher);
    on.pass(2_000);
    assert.equal(on.disk.indexes.has("/cam.flv"), keeps);
    const bytes = on.disk.files.get("/cam.flv")!;
    const next = stage(new Map([["/cam.flv", bytes]]), on.disk.indexes);
    assert.equal(next.open("cam")!.duration, 59_000);
    assert.equal(next.disk.reads === 0, keeps);
  }
});
