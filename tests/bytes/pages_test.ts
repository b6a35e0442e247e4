import assert from "node:assert/strict";
import { Pages } from "../../src/bytes/pages.ts";

Deno.test("Pages.take() returns pieces that share buffers and do not overlap", () => {
  const pages = new Pages(256);
  const pieces = Array.from({ length: 100 }, (_, i) => pages.take(i % 60).fill(i));
  pieces.forEach((piece, i) => {
    assert.equal(piece.length, i % 60);
    assert.ok(piece.every((byte) => byte === i), `piece ${i}`);
  });
  const bytes = pieces.reduce((sum, { length }) => sum + length, 0);
  const buffers = new Set(pieces.map(({ buffer }) => buffer));
  assert.ok(buffers.size <= 1 + bytes / (256 - 60), `${buffers.size} buffers`);
});

Deno.test("Pages.take() allocates a separate buffer for long data", () => {
  const pages = new Pages(256);
  const short = pages.take(10);
  const long = pages.take(65);
  assert.equal(long.buffer.byteLength, 65);
  assert.equal(pages.take(10).buffer, short.buffer);
});
