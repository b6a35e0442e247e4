import assert from "node:assert/strict";
import { type Tag, TagBlock, tagLength } from "../../src/web/tag_block.ts";

const bodies = [[0x17, 1, 2, 3], [0xaf, 1], []].map((bytes) => Uint8Array.from(bytes));
const tagsAt = (time: number): Tag[] =>
  bodies.map((body, i) => ({
    kind: (["video", "audio", "data"] as const)[i],
    body,
    time: time + i,
  }));
const LENGTH = 3 * 15 + 6;

/** The three tags, by hand from the FLV specification, annex E.4. */
const BYTES = (t: number[][]) => [
  ...[9, 0, 0, 4, ...t[0], 0, 0, 0, 0x17, 1, 2, 3, 0, 0, 0, 15],
  ...[8, 0, 0, 2, ...t[1], 0, 0, 0, 0xaf, 1, 0, 0, 0, 13],
  ...[18, 0, 0, 0, ...t[2], 0, 0, 0, 0, 0, 0, 11],
];

/** Bytes written for a viewer; later writers use the bytes before and after them. */
function write(block: TagBlock, head: number[], tags: Tag[]): number[] {
  const end = block.write(Uint8Array.from(head), tags, head.length + LENGTH);
  const bytes = [...block.bytes.subarray(block.from, end)];
  block.bytes.fill(0xee, 0, block.from);
  block.bytes.fill(0xee, end, end + block.from);
  return bytes;
}

Deno.test("TagBlock writes the same bytes for each viewer as for a single one", () => {
  const block = new TagBlock(16, 200);
  const early = BYTES([[0, 0, 7, 0], [0, 0, 8, 0], [0, 0, 9, 0]]);
  const late = BYTES([[2, 3, 4, 1], [2, 3, 5, 1], [2, 3, 6, 1]]);
  assert.deepEqual(write(block, [], tagsAt(7)), early);
  assert.deepEqual(write(block, [], tagsAt(0x01020304)), late);
  assert.deepEqual(write(block, [70, 76], tagsAt(7)), [70, 76, ...early]);
  assert.deepEqual(write(block, [], tagsAt(7)), early);
  const [video, audio, data] = tagsAt(7);
  const copied = { ...audio, body: Uint8Array.of(0xaf, 2) };
  const expected = [...early];
  expected[expected.indexOf(0xaf) + 1] = 2;
  assert.deepEqual(write(block, [], [video, copied, data]), expected);
});

Deno.test("TagBlock grows for larger tags, and shrinks again", () => {
  const block = new TagBlock(2, 20);
  assert.equal(block.bytes.length, 24);
  assert.equal(write(block, [], tagsAt(7)).length, LENGTH);
  assert.ok(block.bytes.length >= LENGTH + 4);
  block.write(new Uint8Array(0), tagsAt(7).slice(0, 1), 19);
  assert.equal(block.bytes.length, 24);
});

Deno.test("TagBlock copies bodies once for viewers of the same frames", () => {
  const block = new TagBlock(0, 200);
  write(block, [], tagsAt(7));
  block.bytes[11] = 0x55; // the first byte of a body: writing the body again undoes this
  assert.equal(write(block, [], tagsAt(9))[11], 0x55);
});

Deno.test("TagBlock writes more or fewer tags than it holds, of the same frames", () => {
  const block = new TagBlock(2, 200);
  const all = BYTES([[0, 0, 7, 0], [0, 0, 8, 0], [0, 0, 9, 0]]);
  for (const count of [1, 3, 2]) {
    const tags = tagsAt(7).slice(0, count);
    const length = tags.reduce((sum, { body }) => sum + tagLength(body), 0);
    const end = block.write(new Uint8Array(0), tags, length);
    assert.deepEqual([...block.bytes.subarray(2, end)], all.slice(0, length));
  }
});
