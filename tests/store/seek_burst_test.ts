import assert from "node:assert/strict";
import { SeekBurst } from "../../src/store/seek_burst.ts";

const AVC_KEY = Uint8Array.of(0x17, 1, 0, 0, 0);
const BEGIN = Uint8Array.of(0x57, 0);
const END = Uint8Array.of(0x57, 1);

Deno.test("SeekBurst encloses AVC frames in the video commands of a seek", () => {
  const burst = new SeekBurst(400);
  assert.deepEqual(burst.begin(AVC_KEY)?.payload, BEGIN);
  assert.equal(burst.begin(AVC_KEY), undefined, "only before the first frame");
  assert.deepEqual(burst.end()?.payload, END);
});

Deno.test("SeekBurst determines the codec from the first frame, not from an empty message before it", () => {
  const burst = new SeekBurst(400);
  assert.equal(burst.begin(new Uint8Array(0)), undefined);
  assert.deepEqual(burst.begin(AVC_KEY)?.payload, BEGIN);
  assert.deepEqual(burst.end()?.payload, END);
});

Deno.test("SeekBurst sends no commands around frames of other codecs, nor without frames", () => {
  const burst = new SeekBurst(400);
  assert.equal(burst.end(), undefined);
  assert.equal(burst.begin(Uint8Array.of(0x12, 0)), undefined); // Sorenson H.263
  assert.equal(burst.end(), undefined);
  assert.equal(new SeekBurst(400).begin(Uint8Array.of(0x97, 0)), undefined); // enhanced form
});
