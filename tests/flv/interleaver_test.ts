import assert from "node:assert/strict";
import { type FlvTag, TagType } from "../../src/flv/tags.ts";
import { FlvInterleaver } from "../../src/flv/interleaver.ts";

const { audio, video, data } = TagType;
const tag = (type: FlvTag["type"], timestamp: number): FlvTag => ({
  type,
  timestamp,
  data: Uint8Array.of(1),
});
const text = (tags: FlvTag[]) => tags.map((tag) => `${tag.type}@${tag.timestamp}`).join(" ");

Deno.test("FlvInterleaver sorts audio and video received in bursts by their times", () => {
  const interleaver = new FlvInterleaver();
  const out: FlvTag[] = [];
  for (const time of [0, 40, 80, 120]) out.push(...interleaver.push(tag(video, time)));
  for (const time of [0, 23, 46, 69, 92]) out.push(...interleaver.push(tag(audio, time)));
  assert.equal(text(out), "9@0 8@0 8@23 9@40 8@46 8@69 9@80 8@92");
  out.push(...interleaver.end());
  assert.equal(text(out), "9@0 8@0 8@23 9@40 8@46 8@69 9@80 8@92 9@120");
});

Deno.test("FlvInterleaver delays video by at most 1 s if audio is missing", () => {
  const interleaver = new FlvInterleaver();
  const out: FlvTag[] = [];
  for (let time = 0; time < 5000; time += 40) out.push(...interleaver.push(tag(video, time)));
  assert.equal(out.length, 4000 / 40);
  assert.equal(interleaver.end().length, 1000 / 40);
});

Deno.test("FlvInterleaver gives data the time of the last written tag", () => {
  const interleaver = new FlvInterleaver();
  assert.equal(text(interleaver.push(tag(data, 0))), "18@0");
  interleaver.push(tag(video, 500));
  assert.equal(text(interleaver.push(tag(audio, 480))), "8@480");
  assert.equal(text(interleaver.push(tag(data, 0))), "18@480");
  assert.equal(text(interleaver.end()), "9@500");
});
