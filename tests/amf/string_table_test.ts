import assert from "node:assert/strict";
import fc from "fast-check";
import { StringTable } from "../../src/amf/string_table.ts";
import { computing } from "../support/cpu_time.ts";

/** Adds each missing string, as a writer does; returns the index of each. */
function indexes(table: StringTable, strings: readonly Uint8Array[]): number[] {
  const message = new Uint8Array(strings.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  let count = 0;
  return strings.map((bytes) => {
    const index = table.find(message, bytes, 0, bytes.length);
    if (index >= 0) return index;
    table.add(at, bytes.length);
    message.set(bytes, at);
    at += bytes.length;
    return count++;
  });
}

/** Reference implementation of {@link indexes}, with a Map. */
function expected(strings: readonly Uint8Array[]): number[] {
  const seen = new Map<string, number>();
  return strings.map((bytes) => {
    const text = bytes.join();
    if (!seen.has(text)) seen.set(text, seen.size);
    return seen.get(text)!;
  });
}

const bytes = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 3, max: 3 }),
  fc.uint8Array({ minLength: 1, maxLength: 100, max: 3 }),
);

Deno.test("StringTable finds a string only if the whole string was added", () => {
  const table = new StringTable();
  fc.assert(fc.property(fc.array(bytes, { maxLength: 200, size: "max" }), (strings) => {
    table.clear();
    assert.deepEqual(indexes(table, strings), expected(strings));
  }));
});

Deno.test("StringTable finds each of 5,000 strings until clear()", () => {
  const strings = Array.from({ length: 5000 }, (_, i) => new TextEncoder().encode(`string ${i}`));
  const table = new StringTable();
  assert.deepEqual(indexes(table, strings), expected(strings));
  for (const [index, bytes] of strings.entries()) {
    // The message is laid out as indexes() laid it out.
    const message = new TextEncoder().encode(strings.map((_, i) => `string ${i}`).join(""));
    if (index % 997 === 0) assert.equal(table.find(message, bytes, 0, bytes.length), index);
  }
  table.clear();
  assert.equal(table.find(new Uint8Array(0), strings[0], 0, strings[0].length), -1);
});

Deno.test("StringTable handles 20,000 strings of one hash in less than 5 s of computing", () => {
  // They differ in bytes that the hash ignores.
  const strings = Array.from({ length: 20_000 }, (_, i) => {
    const bytes = new Uint8Array(1000);
    new DataView(bytes.buffer).setUint16(1, i);
    return bytes;
  });
  assert.ok(computing(() => indexes(new StringTable(), strings)) < 5000);
});
