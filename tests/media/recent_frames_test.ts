import assert from "node:assert/strict";
import { fromHex } from "../../src/bytes/hex.ts";
import { Frame } from "../../src/media/frame.ts";
import type { ListenerOptions } from "../../src/media/listener.ts";
import type { Publisher } from "../../src/media/publisher.ts";
import { seeded } from "../support/random.ts";
import { FakeOutput, once, world } from "./fakes.ts";

const AUDIO_HEADER = "af001210";
const VIDEO_HEADER = "17000000000164";
const KEY = "1701000000aa";
const INTER = "2701000000bb";
const SOUND = "af01cc";

const send = (publisher: Publisher, kind: "audio" | "video", time: number, hex: string) =>
  publisher[kind](new Frame(kind, time, fromHex(hex)), once);

function stage(recent = 2 << 20) {
  const here = world({}, { recent });
  const { hub, client } = here;
  const publishing = client(1);
  const publish = (name = "a"): Publisher => {
    const publisher = hub.publish(publishing, name, hub.newStreamId(), new FakeOutput());
    publisher.start();
    return publisher;
  };
  const listen = (options: ListenerOptions = {}) => {
    const output = new FakeOutput();
    hub.subscriptions.subscribe(client(2), "a", hub.newStreamId(), output, options).start();
    return output;
  };
  return { ...here, publish, listen };
}

function oneGroup(publisher: Publisher): void {
  send(publisher, "audio", 0, AUDIO_HEADER);
  send(publisher, "video", 0, VIDEO_HEADER);
  send(publisher, "video", 0, KEY);
  send(publisher, "audio", 20, SOUND);
  send(publisher, "video", 4000, KEY);
  send(publisher, "audio", 4010, SOUND);
  send(publisher, "video", 4040, INTER);
}

Deno.test("A late listener gets all frames since the last key frame at once, headers first", () => {
  const { publish, listen } = stage();
  const publisher = publish();
  publisher.data(new Frame("data", 0, fromHex("0500"), "onMetaData"));
  oneGroup(publisher);
  const output = listen();
  send(publisher, "video", 4080, INTER);
  assert.deepEqual(output.take(), [
    "data onMetaData 4040 0500",
    `video 4000 ${VIDEO_HEADER}`,
    `video 4000 ${KEY}`,
    `audio 4010 ${AUDIO_HEADER}`,
    `audio 4010 ${SOUND}`,
    `video 4040 ${INTER}`,
    `video 4080 ${INTER}`,
  ]);
  assert.deepEqual(listen({ rebase: true }).take().slice(2, 5), [
    `video 0 ${KEY}`,
    `audio 10 ${AUDIO_HEADER}`,
    `audio 10 ${SOUND}`,
  ]);
});

Deno.test("An unbuffered listener gets only new frames, and Publication keeps no frames with a limit of 0 bytes", () => {
  const { publish, listen } = stage();
  oneGroup(publish());
  assert.deepEqual(listen({ unbuffered: true }).take(), []);
  const without = stage(0);
  oneGroup(without.publish());
  assert.deepEqual(without.listen().take(), []);
  assert.equal(without.hub.recentBytes.used, 0);
});

Deno.test("A late listener of a script's publication gets the frames since the last key frame", () => {
  const { hub, listen } = stage();
  const publication = hub.publishFromScript("a");
  publication.pushVideo(100, fromHex(KEY));
  publication.pushAudio(110, fromHex(SOUND));
  assert.deepEqual(listen().take(), [`video 100 ${KEY}`, `audio 110 ${SOUND}`]);
});

Deno.test("Publication stops keeping frames after 1,000 bytes or 30 s, until the next key frame", () => {
  const { publish, listen, hub } = stage(1000);
  const publisher = publish();
  oneGroup(publisher);
  for (let time = 4080; time < 4400; time += 40) send(publisher, "video", time, INTER);
  assert.equal(hub.recentBytes.used, 0);
  assert.deepEqual(listen().take(), []);
  send(publisher, "video", 5000, KEY);
  assert.deepEqual(listen().take().slice(-1), [`video 5000 ${KEY}`]);
  send(publisher, "audio", 35_001, SOUND);
  assert.deepEqual(listen().take(), []);
});

Deno.test("Publication drops its kept frames at a new video header and when it is unpublished", () => {
  const { publish, listen, hub } = stage();
  const publisher = publish();
  oneGroup(publisher);
  send(publisher, "video", 4100, VIDEO_HEADER);
  assert.equal(hub.recentBytes.used, 0);
  send(publisher, "video", 4100, KEY);
  assert.ok(hub.recentBytes.used > 0);
  hub.unpublish(publisher);
  assert.equal(hub.recentBytes.used, 0);
  assert.deepEqual(listen().take(), []);
});

Deno.test("A listener that starts at any moment gets the same frames as others since the last key frame", () => {
  for (let seed = 1; seed <= 100; seed++) {
    const random = seeded(seed);
    const { publish, listen } = stage(20_000);
    const early = listen();
    const publisher = publish();
    early.take();
    const when = Math.floor(random() * 120);
    let late: FakeOutput | undefined;
    for (let i = 0; i < 120; i++) {
      if (i === when) late = listen();
      if (random() < 0.6) send(publisher, "audio", i * 20, SOUND);
      else send(publisher, "video", i * 20, random() < 0.1 ? KEY : INTER);
    }
    const all = early.take();
    const got = late!.take();
    if (got.some((line) => line.startsWith("video"))) {
      assert.ok(got.find((line) => line.startsWith("video"))!.endsWith(KEY), `seed ${seed}`);
    }
    assert.deepEqual(got, all.slice(all.length - got.length), `seed ${seed}`);
  }
});
