import assert from "node:assert/strict";
import { flvTag } from "../../src/flv/tags.ts";
import { FlvIndex } from "../../src/store/flv_index.ts";
import { buildIndex } from "../../src/store/index_builder.ts";
import { SeekPoints } from "../../src/store/seek_points.ts";
import { audio, FakeDisk, film, flvFile, joined, video } from "./fakes.ts";

/** The index of a file; undefined if it has none. */
function indexOf(bytes: Uint8Array): FlvIndex | undefined {
  const disk = new FakeDisk();
  disk.files.set("/a.flv", bytes);
  let found: FlvIndex | undefined;
  disk.open("", "a.flv", (file) => buildIndex(file!, (index) => found = index));
  for (let steps = 0; disk.settle(); steps++) {
    assert.ok(steps < 1_000, "reading the file does not end");
  }
  return found;
}

const times = (points: SeekPoints) => [...points.values()].map(({ time }) => time);

Deno.test("FlvIndex has duration, key frames and headers of a file, and where playing begins for a time", () => {
  const bytes = flvFile(film());
  const index = indexOf(bytes)!;
  assert.equal(index.duration, 9_750);
  assert.equal(index.end, bytes.length);
  assert.deepEqual(times(index.video), [0, 1e3, 2e3, 3e3, 4e3, 5e3, 6e3, 7e3, 8e3, 9e3]);
  assert.equal(index.pointBefore(3_999).time, 3_000);
  assert.equal(index.pointBefore(4_000).time, 4_000);
  assert.equal(index.headersAt(index.pointBefore(4_000).position).length, 1);
  const { position } = index.pointBefore(2_000);
  assert.deepEqual(bytes.subarray(position, position + 31), flvTag(video(2_000, true)));
});

Deno.test("VOD-103: FlvIndex counts times in ms from the first frame of the file", () => {
  for (const first of [1, 40_000, 2 ** 31 - 3_000, 2 ** 32 - 4_000]) {
    const index = indexOf(flvFile(film(first)))!;
    assert.equal(index.duration, 9_750, `${first}`);
    assert.equal(index.video.length, 10, `${first}`);
  }
});

Deno.test("VOD-104: FlvIndex ends at the last whole tag of a file truncated at any byte", () => {
  const tags = film().slice(0, 12);
  const whole = flvFile(tags);
  const ends = tags.map((_, i) => flvFile(tags.slice(0, i + 1)).length);
  for (let length = 13; length < whole.length; length++) {
    const index = indexOf(whole.subarray(0, length))!;
    const expected = Math.max(13, ...ends.filter((end) => end - 4 <= length));
    assert.equal(index.end, Math.min(length, expected), `${length} bytes`);
  }
  for (let length = 0; length < 9; length++) {
    assert.equal(indexOf(whole.subarray(0, length)), undefined, `${length} bytes`);
  }
});

Deno.test("VOD-101 to VOD-104: FlvIndex has all key frames despite wrong lengths, encrypted and unknown tags, and zeros", () => {
  const [header, first, second] = [video(0, true, 0), video(0, true), video(40, true)].map(flvTag);
  const wrong = first.slice();
  wrong.fill(0xee, wrong.length - 4);
  const encrypted = first.slice();
  encrypted[0] |= 0x20;
  const unknown = first.slice();
  unknown[0] = 15;
  const start = flvFile([]);
  const far = joined([start.subarray(0, 9), new Uint8Array(3), start.subarray(9)]);
  far[8] = 12;
  const files = {
    "data offset 12": joined([far, header, first, second]),
    "wrong length behind": joined([start, header, wrong, second]),
    "encrypted": joined([start, header, encrypted, first, second]),
    "unknown": joined([start, header, unknown, first, second]),
    "zeros at the end": joined([start, header, first, second, new Uint8Array(100)]),
  };
  for (const [name, bytes] of Object.entries(files)) {
    const index = indexOf(bytes)!;
    assert.deepEqual(times(index.video), [0, 40], name);
    assert.equal(index.headers.length, 1, name);
  }
});

Deno.test("VOD-056: FlvIndex has a seek point each second of a file without video", () => {
  const tags = Array.from({ length: 500 }, (_, i) => audio(i * 20));
  const index = indexOf(flvFile(tags))!;
  assert.deepEqual(times(index.audio), [0, 1e3, 2e3, 3e3, 4e3, 5e3, 6e3, 7e3, 8e3, 9e3]);
  assert.equal(index.pointBefore(4_500).time, 4_000);
});

Deno.test("buildIndex() does not read the content of large frames", () => {
  const disk = new FakeDisk();
  const large = Array.from({ length: 4 }, (_, i) => video(i * 1_000, true, 1, 1 << 20));
  disk.files.set("/a.flv", flvFile(large));
  let index: FlvIndex | undefined;
  disk.open("", "a.flv", (file) => buildIndex(file!, (built) => index = built));
  while (disk.settle());
  assert.equal(index!.video.length, 4);
  assert.ok(disk.reads <= 6, `${disk.reads} reads`);
});

Deno.test("SeekPoints keeps at most 100,000 points, and finds points less than 100 ms away", () => {
  const points = new SeekPoints();
  for (let i = 0; i < 250_000; i++) points.add(i * 10, i * 100);
  assert.ok(points.length <= 100_000);
  const { time, position } = points.before(1_234_567)!;
  assert.equal(position, time * 10);
  assert.ok(1_234_567 - time < 100);
});
