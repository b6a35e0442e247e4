// Viewers that stop reading, in virtual time.
import assert from "node:assert/strict";
import { Frame } from "../../src/media/frame.ts";
import { FlvReader } from "../../src/flv/reader.ts";
import { type FlvTag, TagType } from "../../src/flv/tags.ts";
import { FlvViewer } from "../../src/web/flv_viewer.ts";
import { world } from "../media/fakes.ts";
import { viewing } from "./viewing.ts";

const STALLED = 1_000;
const RECEPTION = { received: 1, lost: 0, ping: 0 };
/** 25 frames a second, 1 Mb/s, a key frame each second. */
const INTERVAL = 40;
const SIZE = 5_000;
const avc = (frameType: number, type: number, size: number) => {
  const body = new Uint8Array(size);
  body.set([frameType << 4 | 7, type]);
  return body;
};
const HEADER = avc(1, 0, 16);

Deno.test("FlvViewer keeps at most 2 s of media for each of 1,000 stalled viewers, and closes them without delaying others", () => {
  const { hub } = world();
  const publisher = hub.relay("cam", "test");
  publisher.start();
  publisher.video(new Frame("video", 0, HEADER), RECEPTION);
  const ended: (string | undefined)[] = [];
  const awake = new Set<FlvViewer>();
  const host = {
    wake: (viewer: FlvViewer) => void awake.add(viewer),
    over: (_: FlvViewer, failure: string | undefined) => void ended.push(failure),
  };
  const view = () =>
    new FlvViewer(
      hub,
      viewing(),
      host,
    );
  const stalled = Array.from({ length: STALLED }, view);
  for (const viewer of stalled) viewer.take(65_536); // the header: then they stop
  const reader = view();
  const file = new FlvReader();
  const tags: FlvTag[] = [];
  let most = 0;
  let published = 0;
  const run = (seconds: number) => {
    const end = hub.now + seconds * 1_000;
    for (let next = hub.now + 2_000; hub.now < end; published++) {
      hub.now += INTERVAL;
      const isKey = published % 25 === 0;
      const payload = avc(isKey ? 1 : 2, 1, SIZE);
      publisher.video(new Frame("video", published * INTERVAL, payload), RECEPTION);
      while (reader.output.waiting) {
        for (const tag of file.push(reader.take(65_536))) tags.push({ ...tag });
      }
      for (const { output } of stalled) most = Math.max(most, output.queuedBytes);
      if (hub.now < next) continue;
      next += 2_000;
      for (const viewer of [...stalled, reader]) viewer.manage();
    }
  };
  run(55);
  assert.ok(most <= 300_000, `${most} bytes wait for a viewer`);
  assert.deepEqual(ended, []);
  run(10);
  assert.equal(ended.length, STALLED);
  assert.equal(ended[0], "it received nothing for 60 s");
  const frames = tags.filter(({ type, data }) => type === TagType.video && data[1] === 1);
  assert.deepEqual(
    frames.map(({ timestamp }) => timestamp),
    Array.from({ length: published }, (_, i) => i * INTERVAL),
  );
});
