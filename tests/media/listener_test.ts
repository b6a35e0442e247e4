import assert from "node:assert/strict";
import { fromHex } from "../../src/bytes/hex.ts";
import { Frame } from "../../src/media/frame.ts";
import type { ListenerOptions } from "../../src/media/listener.ts";
import type { Publisher } from "../../src/media/publisher.ts";
import { FakeOutput, once, world } from "./fakes.ts";

const AUDIO_HEADER = "af001210";
const VIDEO_HEADER = "17000000000164";
const KEY = "1701000000aa";
const INTER = "2701000000bb";
const SOUND = "af01cc";

const audio = (time: number, hex = SOUND) => new Frame("audio", time, fromHex(hex));
const video = (time: number, hex = INTER) => new Frame("video", time, fromHex(hex));
const data = (name: string, hex: string) => new Frame("data", 7, fromHex(hex), name);

function stage(options: ListenerOptions = {}, sendQueue = 1000) {
  const here = world({}, { sendQueue });
  const { hub, client } = here;
  const publishing = client(1);
  const publish = (name = "a"): Publisher => {
    const publisher = hub.publish(publishing, name, hub.newStreamId(), new FakeOutput());
    publisher.start();
    return publisher;
  };
  const listen = (more: ListenerOptions = options) => {
    const output = new FakeOutput();
    const listener = hub.subscriptions.subscribe(client(2), "a", hub.newStreamId(), output, more);
    listener.start();
    return { output, listener };
  };
  return { ...here, publish, listen };
}

Deno.test("A listener that waits for a publisher gets every frame unchanged from the first key frame on", () => {
  const { publish, listen } = stage();
  const { output } = listen();
  const publisher = publish();
  publisher.data(data("onMetaData", "0500"));
  publisher.video(video(0, VIDEO_HEADER), once);
  publisher.audio(audio(0, AUDIO_HEADER), once);
  publisher.video(video(0, KEY), once);
  publisher.audio(audio(10), once);
  publisher.video(video(40), once);
  assert.deepEqual(output.take(), [
    "published",
    "data onMetaData 7 0500",
    `video 0 ${VIDEO_HEADER}`,
    `audio 0 ${AUDIO_HEADER}`,
    `video 0 ${KEY}`,
    `audio 10 ${SOUND}`,
    `video 40 ${INTER}`,
  ]);
});

Deno.test("A late listener gets metadata, then headers and a key frame before other frames", () => {
  const { publish, listen } = stage();
  const publisher = publish();
  publisher.data(data("onMetaData", "0500"));
  publisher.video(video(0, VIDEO_HEADER), once);
  publisher.audio(audio(0, AUDIO_HEADER), once);
  publisher.video(video(0, KEY), once);
  const { output, listener } = listen();
  assert.deepEqual(output.take(), ["data onMetaData 0 0500"]);
  publisher.video(video(40), once);
  publisher.audio(audio(45), once);
  assert.deepEqual(output.take(), []);
  const { droppedFrames, skippedFrames, lostRate } = listener.videoQos;
  assert.deepEqual([droppedFrames, skippedFrames, lostRate], [0, 1, 0]);
  publisher.video(video(80, KEY), once);
  publisher.audio(audio(90), once);
  publisher.video(video(120), once);
  assert.deepEqual(output.take(), [
    `video 80 ${VIDEO_HEADER}`,
    `video 80 ${KEY}`,
    `audio 90 ${AUDIO_HEADER}`,
    `audio 90 ${SOUND}`,
    `video 120 ${INTER}`,
  ]);
});

Deno.test("A listener that gets a header before its first frame also gets the headers of the other kinds", () => {
  const { publish, listen } = stage();
  const publisher = publish();
  const [sequence, hdr, newHdr] = ["9068766331aa", "946876633101", "946876633102"];
  const enhancedKey = "9368766331ff";
  publisher.video(video(0, sequence), once);
  publisher.video(video(0, hdr), once);
  publisher.video(video(0, enhancedKey), once);
  const { output } = listen();
  publisher.video(video(40, newHdr), once);
  publisher.video(video(80, enhancedKey), once);
  publisher.video(video(120, hdr), once);
  assert.deepEqual(output.take(), [
    `video 40 ${sequence}`,
    `video 40 ${newHdr}`,
    `video 80 ${enhancedKey}`,
    `video 120 ${hdr}`,
  ]);
});

Deno.test("A listener gets audio at once if video is absent, silent or far from it in time", () => {
  const { publish, listen } = stage();
  const publisher = publish();
  publisher.audio(audio(0, AUDIO_HEADER), once);
  const first = listen().output;
  publisher.audio(audio(20), once);
  assert.deepEqual(first.take(), [`audio 20 ${AUDIO_HEADER}`, `audio 20 ${SOUND}`]);

  publisher.video(video(30, KEY), once);
  const second = listen().output;
  publisher.audio(audio(2030), once);
  assert.deepEqual(second.take(), []);
  publisher.audio(audio(2031), once); // the video was silent for more than 2 s
  assert.equal(second.take().length, 2);

  const third = listen().output;
  for (let time = 2040; time <= 5020; time += 20) {
    publisher.video(video(time), once);
    publisher.audio(audio(time), once);
  }
  assert.deepEqual(third.take(), []);
  publisher.video(video(5040), once);
  publisher.audio(audio(5040), once); // held for 3 s
  assert.deepEqual(third.take(), [`audio 5040 ${AUDIO_HEADER}`, `audio 5040 ${SOUND}`]);
});

Deno.test("Publication drops video frames until a key frame, and again after the publisher's packets were lost", () => {
  const { publish, listen, events } = stage();
  const { output } = listen();
  const publisher = publish();
  output.take();
  events();
  publisher.video(video(0), once);
  assert.deepEqual(output.take(), []);
  assert.deepEqual(events(), []);
  publisher.video(video(40, KEY), once);
  publisher.video(video(80), once);
  publisher.video(video(120), { received: 1, lost: 2, ping: 0 });
  publisher.video(video(160), once);
  publisher.video(video(200, KEY), once);
  assert.deepEqual(output.take(), [`video 40 ${KEY}`, `video 80 ${INTER}`, `video 200 ${KEY}`]);
  assert.equal(publisher.publication.videoQos.droppedFrames, 3);
  assert.equal(publisher.publication.pushVideo(240, fromHex(INTER), 1), true);
  assert.equal(publisher.publication.videoQos.droppedFrames, 4);
});

Deno.test("A listener that unmutes gets the headers again, and video from a key frame", () => {
  const { publish, listen } = stage();
  const { output, listener } = listen();
  const publisher = publish();
  publisher.audio(audio(0, AUDIO_HEADER), once);
  publisher.video(video(0, VIDEO_HEADER), once);
  publisher.video(video(0, KEY), once);
  output.take();
  listener.receiveVideo = false;
  publisher.video(video(40), once);
  publisher.audio(audio(40), once);
  assert.deepEqual(output.take(), [`audio 40 ${SOUND}`]);
  listener.receiveAudio = false;
  listener.receiveVideo = true;
  publisher.audio(audio(60), once);
  publisher.video(video(80), once);
  publisher.video(video(120, KEY), once);
  assert.deepEqual(output.take(), [`video 120 ${VIDEO_HEADER}`, `video 120 ${KEY}`]);
  listener.receiveAudio = true;
  listener.receiveVideo = true; // as it was: nothing changes
  publisher.audio(audio(130), once);
  publisher.video(video(160), once);
  assert.deepEqual(output.take(), [
    `audio 130 ${AUDIO_HEADER}`,
    `audio 130 ${SOUND}`,
    `video 160 ${INTER}`,
  ]);
});

Deno.test("A listener that muted video gets audio without waiting for a key frame", () => {
  const { publish, listen } = stage();
  const publisher = publish();
  publisher.video(video(0, KEY), once);
  const { output, listener } = listen();
  listener.receiveVideo = false;
  publisher.audio(audio(10), once);
  assert.deepEqual(output.take(), [`audio 10 ${SOUND}`]);
});

Deno.test("A paused listener gets data only, and video from a key frame after the pause", () => {
  const { publish, listen } = stage();
  const { output, listener } = listen();
  const publisher = publish();
  publisher.video(video(0, KEY), once);
  output.take();
  listener.paused = true;
  publisher.video(video(40), once);
  publisher.audio(audio(40), once);
  publisher.data(data("hello", "05"));
  assert.deepEqual(output.take(), ["data hello 7 05"]);
  listener.paused = false;
  publisher.video(video(80), once);
  publisher.video(video(120, KEY), once);
  assert.deepEqual(output.take(), [`video 120 ${KEY}`]);
});

Deno.test("Listener sends sample access only when it changes", () => {
  const { listen } = stage();
  const { output, listener } = listen();
  assert.equal(listener.audioSampleAccess, false);
  listener.audioSampleAccess = false;
  assert.deepEqual(output.take(), []);
  listener.audioSampleAccess = true;
  listener.videoSampleAccess = true;
  listener.videoSampleAccess = true;
  assert.deepEqual(output.take(), ["sample access true false", "sample access true true"]);
});

Deno.test("Listener sends sample access that onSubscribe allowed once, when it starts", () => {
  const { hub, client } = world({ subscribe: (_, listener) => listener.audioSampleAccess = true });
  const output = new FakeOutput();
  const listener = hub.subscriptions.subscribe(client(), "a", 1, output);
  assert.deepEqual(output.take(), []);
  listener.start();
  listener.start(); // once
  assert.deepEqual(output.take(), ["sample access true false"]);
});

Deno.test("Publication keeps data of @setDataFrame for later listeners until @clearDataFrame", () => {
  const { publish, listen, events } = stage();
  const early = listen().output;
  const publisher = publish();
  early.take();
  events();
  publisher.setDataFrame("onMetaData", fromHex("0501"));
  publisher.data(data("onMetaData", "0502"));
  publisher.setDataFrame("title", fromHex("06"));
  assert.deepEqual(early.take(), [
    "data onMetaData 0 0501",
    "data onMetaData 7 0502",
    "data title 0 06",
  ]);
  assert.deepEqual(events(), [
    "onDataPacket onMetaData 0501",
    "onDataPacket onMetaData 0502",
    "onDataPacket title 06",
  ]);
  assert.deepEqual(listen().output.take(), ["data onMetaData 7 0502", "data title 0 06"]);
  publisher.clearDataFrame("onMetaData");
  assert.deepEqual(listen().output.take(), ["data title 0 06"]);
});

Deno.test("Publication keeps at most 16 data frames, 32 video headers and no data frame of 2 MiB", () => {
  const { publish, hub } = stage();
  const publisher = publish();
  for (let i = 0; i < 100; i++) publisher.setDataFrame(`n${i}`, new Uint8Array(10));
  assert.equal(publisher.publication.metadata.size, 16);
  publisher.setDataFrame("n3", new Uint8Array(2 << 20));
  assert.ok(!publisher.publication.metadata.has("n3"));
  for (let i = 0; i < 100; i++) {
    publisher.video(video(i, `96 00 68766331 ${i.toString(16).padStart(2, "0")}`), once);
  }
  assert.equal([...publisher.publication.headers("video")].length, 32);
  hub.unpublish(publisher);
  assert.equal([...publisher.publication.headers("video")].length, 0);
  assert.equal(publisher.publication.metadata.size, 0);
});

Deno.test("Listener continues its times when another publisher begins with smaller times", () => {
  const { publish, listen, hub } = stage();
  const { output } = listen();
  const first = publish();
  first.video(video(1000, KEY), once);
  first.audio(audio(1010), once);
  hub.unpublish(first);
  const second = publish();
  output.take();
  second.audio(audio(0, AUDIO_HEADER), once);
  second.video(video(0, VIDEO_HEADER), once);
  second.video(video(20, KEY), once);
  second.audio(audio(20), once);
  assert.deepEqual(output.take(), [
    `audio 1010 ${AUDIO_HEADER}`,
    `video 1010 ${VIDEO_HEADER}`,
    `video 1010 ${KEY}`,
    `audio 1010 ${SOUND}`,
  ]);
  const late = listen().output;
  second.video(video(60, KEY), once);
  assert.deepEqual(late.take(), [`video 60 ${VIDEO_HEADER}`, `video 60 ${KEY}`]);
  assert.deepEqual(output.take(), [`video 1050 ${KEY}`]);
});

Deno.test("Listener sends the times of another publisher unchanged if they are later", () => {
  const { publish, listen, hub } = stage();
  const { output } = listen();
  const first = publish();
  first.video(video(1000, KEY), once);
  hub.unpublish(first);
  const second = publish();
  output.take();
  second.video(video(5000, KEY), once);
  assert.deepEqual(output.take(), [`video 5000 ${KEY}`]);
});

Deno.test("Listener clamps times that go back, and continues at the last time when the clock restarts", () => {
  const { publish, listen, logged } = stage();
  const { output } = listen();
  const publisher = publish();
  output.take();
  const times = (...list: number[]) => {
    for (const time of list) publisher.audio(audio(time), once);
    return output.take().map((line) => Number(line.split(" ")[1]));
  };
  assert.deepEqual(times(0, 40, 30, 50), [0, 40, 40, 50]);
  assert.deepEqual(times(9000, 20, 40, 60), [9000, 9000, 9020, 9040]);
  assert.equal(logged.filter((line) => line.startsWith("warn")).length, 1);
});

Deno.test("Listener sends times that wrap at 2^32 ms", () => {
  const { publish, listen } = stage();
  const { output } = listen();
  const publisher = publish();
  output.take();
  for (const time of [0xfffffff0, 0xfffffffa, 4, 14]) publisher.audio(audio(time), once);
  assert.deepEqual(output.take().map((line) => line.split(" ")[1]), [
    "4294967280",
    "4294967290",
    "4",
    "14",
  ]);
});

Deno.test("Hub drops queued frames of a slow listener, sends a status, and continues at the next key frame", () => {
  const { publish, listen } = stage({}, 1000);
  const slow = listen();
  const quick = listen();
  const publisher = publish();
  publisher.video(video(0, VIDEO_HEADER), once);
  publisher.video(video(0, KEY), once);
  publisher.audio(audio(0), once);
  slow.output.take();
  quick.output.take();
  slow.output.queuedBytes = 995;
  slow.output.abandoned = { audio: 7, video: 12 };
  publisher.video(video(40), once); // 1001 bytes
  slow.output.queuedBytes = 0;
  assert.deepEqual(slow.output.take(), ["abandon audio", "abandon video", "overflowed"]);
  assert.equal(slow.listener.audioQos.droppedFrames, 7);
  assert.equal(slow.listener.videoQos.droppedFrames, 13);
  publisher.audio(audio(50), once);
  publisher.video(video(80), once);
  publisher.video(video(120, KEY), once);
  publisher.audio(audio(130), once);
  assert.deepEqual(slow.output.take(), [
    `video 120 ${VIDEO_HEADER}`,
    `video 120 ${KEY}`,
    `audio 130 ${SOUND}`,
  ]);
  assert.equal(quick.output.take().length, 5);
  assert.equal(quick.listener.videoQos.droppedFrames, 0);
});

Deno.test("A slow listener of audio alone continues with the frame that exceeded the queue's limit of 1,000 bytes", () => {
  const { publish, listen } = stage({}, 1000);
  const { output } = listen();
  const publisher = publish();
  publisher.audio(audio(0, AUDIO_HEADER), once);
  publisher.audio(audio(10), once);
  output.take();
  output.queuedBytes = 1000;
  publisher.audio(audio(20), once);
  assert.deepEqual(output.take(), [
    "abandon audio",
    "abandon video",
    "overflowed",
    `audio 20 ${AUDIO_HEADER}`,
    `audio 20 ${SOUND}`,
  ]);
});

Deno.test("Listener sends a frame larger than the queue's limit of 4 bytes if the queue is empty", () => {
  const { publish, listen } = stage({}, 4);
  const { output } = listen();
  const publisher = publish();
  publisher.video(video(0, KEY), once);
  assert.deepEqual(output.take(), ["published", `video 0 ${KEY}`]);
});

Deno.test("An unbuffered listener gets unreliable frames, and skips to the next key frame while 200,000 bytes wait", () => {
  const { publish, listen } = stage({ unbuffered: true });
  const { output, listener } = listen();
  const publisher = publish();
  publisher.video(video(0, KEY), once);
  publisher.audio(audio(0), once);
  publisher.data(data("hello", "05"));
  assert.deepEqual(output.take(), [
    "published",
    `video 0 ${KEY} unreliable`,
    `audio 0 ${SOUND} unreliable`,
    "data hello 7 05",
  ]);
  output.queuedBytes = 200_000;
  publisher.video(video(40), once);
  publisher.audio(audio(40), once);
  output.queuedBytes = 0;
  publisher.video(video(80), once);
  assert.deepEqual(output.take(), []);
  assert.equal(listener.videoQos.droppedFrames, 2);
  assert.equal(listener.audioQos.droppedFrames, 1);
  assert.equal(listener.videoQos.lostRate, 1);
  publisher.video(video(120, KEY), once);
  assert.deepEqual(output.take(), [`video 120 ${KEY} unreliable`]);
});

Deno.test("An unbuffered listener that lost a video fragment gets no video until the next key frame", () => {
  const { publish, listen } = stage({ unbuffered: true });
  const { output, listener } = listen();
  const publisher = publish();
  publisher.video(video(0, KEY), once);
  const arrival = { time: 0, bytes: 10, received: 1, ping: 0 };
  listener.delivered("audio", { ...arrival, lost: 1 });
  publisher.video(video(40), once);
  listener.delivered("video", { ...arrival, lost: 1 });
  publisher.video(video(80), once);
  publisher.video(video(120, KEY), once);
  assert.deepEqual(output.take().slice(1), [
    `video 0 ${KEY} unreliable`,
    `video 40 ${INTER} unreliable`,
    `video 120 ${KEY} unreliable`,
  ]);
  assert.equal(listener.videoQos.droppedFrames, 1);
});

Deno.test("Publication forwards messages other than frames after the first frame", () => {
  const { publish, listen } = stage();
  const { output } = listen();
  const publisher = publish();
  output.take();
  publisher.video(video(0, "5200"), once); // a command, before any frame
  publisher.audio(audio(0, ""), once);
  publisher.video(video(0, KEY), once);
  publisher.video(video(40, "1702000000"), once);
  publisher.video(video(40, ""), once);
  assert.deepEqual(output.take(), [
    "audio 0 ",
    `video 0 ${KEY}`,
    "video 40 1702000000",
    "video 40 ",
  ]);
});

Deno.test("A listener gets no messages before its start", () => {
  const { publish, hub, client } = stage();
  const publisher = publish();
  const output = new FakeOutput();
  const listener = hub.subscriptions.subscribe(client(3), "a", 9, output);
  publisher.video(video(0, KEY), once);
  publisher.data(data("x", "05"));
  hub.unpublish(publisher);
  assert.deepEqual(output.take(), []);
  hub.subscriptions.unsubscribe(listener);
  listener.start();
  assert.deepEqual(output.take(), []);
});

Deno.test("Listener drops data that would exceed the queue's limit of 1,000 bytes", () => {
  const { publish, listen } = stage({}, 1000);
  const { output } = listen();
  const publisher = publish();
  output.take();
  output.queuedDataBytes = 999;
  publisher.data(data("a", "05"));
  publisher.data(data("b", "0506"));
  assert.deepEqual(output.take(), ["data a 7 05"]);
});

Deno.test("An unbuffered listener without loss gets all headers, audio and key frames", () => {
  const { publish, listen } = stage({ unbuffered: true });
  const { output, listener } = listen();
  const { publication } = publish();
  output.take();
  output.queuedBytes = 1; // nothing has left yet
  output.videoWaitsSince = 1000;
  publication.pushVideo(0, fromHex(VIDEO_HEADER));
  publication.pushAudio(0, fromHex(AUDIO_HEADER));
  publication.pushVideo(0, fromHex(KEY));
  publication.pushAudio(0, fromHex(SOUND));
  assert.deepEqual(output.take(), [
    `video 0 ${VIDEO_HEADER}`,
    `audio 0 ${AUDIO_HEADER}`,
    `video 0 ${KEY} unreliable`,
    `audio 0 ${SOUND} unreliable`,
  ]);
  assert.deepEqual([listener.videoQos.lostRate, listener.videoQos.droppedFrames], [0, 0]);
});

Deno.test("An unbuffered listener abandons video that waited 200 ms for a key frame, and gets the headers again", () => {
  const { publish, listen, hub } = stage({ unbuffered: true });
  const { output, listener } = listen();
  const publisher = publish();
  publisher.video(video(0, VIDEO_HEADER), once);
  publisher.video(video(0, KEY), once);
  output.take();
  output.queuedBytes = 5000;
  output.abandoned = { audio: 99, video: 3 };
  output.videoWaitsSince = hub.now;
  hub.now += 199;
  publisher.video(video(199, KEY), once);
  assert.deepEqual(output.take(), [`video 199 ${KEY} unreliable`]);
  hub.now += 1;
  publisher.video(video(200, KEY), once);
  assert.deepEqual(output.take(), [
    "abandon video",
    `video 200 ${VIDEO_HEADER}`,
    `video 200 ${KEY} unreliable`,
  ]);
  assert.equal(listener.videoQos.droppedFrames, 3);
  assert.equal(listener.videoQos.lostRate, 1);
  assert.equal(listener.audioQos.droppedFrames, 0);
});

Deno.test("An unbuffered listener gets an audio header even while 1 MiB waits", () => {
  const { publish, listen } = stage({ unbuffered: true });
  const { output } = listen();
  const publisher = publish();
  publisher.audio(audio(0), once);
  output.take();
  output.queuedBytes = 1 << 20;
  publisher.audio(audio(20, AUDIO_HEADER), once);
  publisher.audio(audio(20), once);
  assert.deepEqual(output.take(), [`audio 20 ${AUDIO_HEADER}`]);
});

Deno.test("A listener with rebase gets times from 0, which continue when another publisher begins", () => {
  const { publish, listen, hub } = stage({ rebase: true });
  const publisher = publish();
  publisher.audio(audio(3990, AUDIO_HEADER), once);
  publisher.video(video(4000, VIDEO_HEADER), once);
  publisher.video(video(4000, KEY), once);
  publisher.data(data("onMetaData", "0500"));
  const { output } = listen();
  publisher.audio(audio(4080), once);
  publisher.video(video(4100, KEY), once);
  publisher.audio(audio(4090), once);
  publisher.audio(audio(4120), once);
  publisher.data(new Frame("data", 4125, fromHex("05"), "cue"));
  publisher.video(video(4140), once);
  assert.deepEqual(output.take(), [
    "data onMetaData 0 0500",
    `video 0 ${VIDEO_HEADER}`,
    `video 0 ${KEY}`,
    `audio 0 ${AUDIO_HEADER}`,
    `audio 0 ${SOUND}`,
    `audio 20 ${SOUND}`,
    "data cue 25 05",
    `video 40 ${INTER}`,
  ]);
  hub.unpublish(publisher);
  const next = publish();
  output.take();
  next.video(video(900_000, KEY), once);
  next.audio(audio(900_010), once);
  assert.deepEqual(output.take(), [`video 40 ${KEY}`, `audio 50 ${SOUND}`]);
});

Deno.test("Listeners, also late ones, get times near the last one when the publisher's clock restarts", () => {
  for (const rebase of [false, true]) {
    const { publish, listen } = stage({ rebase });
    const { output } = listen();
    const publisher = publish();
    output.take();
    publisher.video(video(0, KEY), once);
    publisher.audio(audio(60_005), once);
    publisher.audio(audio(0), once);
    publisher.video(video(60_100), once);
    for (const time of [0, 40, 200]) publisher.video(video(time, KEY), once);
    publisher.audio(audio(210), once);
    assert.deepEqual(output.take().map((line) => line.split(" ").slice(0, 2).join(" ")), [
      "video 0",
      "audio 60005",
      "audio 60005",
      "video 60100",
      "video 60100",
      "video 60100",
      "video 60205",
      "audio 60215",
    ]);
    assert.equal(publisher.publication.lastVideoTime, 60_205);
  }
});

Deno.test("With rebase of late listeners an earlier listener gets the publisher's times", () => {
  const { publish, listen } = stage({ rebase: "late" });
  const { output: early } = listen();
  const publisher = publish();
  early.take();
  publisher.video(video(4000, KEY), once);
  const { output: late } = listen();
  publisher.video(video(4040, KEY), once);
  assert.deepEqual(early.take(), [`video 4000 ${KEY}`, `video 4040 ${KEY}`]);
  assert.deepEqual(late.take(), [`video 0 ${KEY}`]);
});

Deno.test("A listener with rebase gets times from 0 if the publisher begins 1,000 ms or more after 0", () => {
  for (const [first, base] of [[20_000_000, 20_000_000], [999, 0]]) {
    const { publish, listen } = stage({ rebase: true });
    const { output } = listen();
    const publisher = publish();
    output.take();
    publisher.video(video(0, VIDEO_HEADER), once); // ffmpeg sends it at 0 with any later times
    publisher.audio(audio(first), once);
    publisher.video(video(first - 20, KEY), once);
    publisher.video(video(first + 40), once);
    assert.deepEqual(output.take(), [
      `video 0 ${VIDEO_HEADER}`,
      `audio ${first - base} ${SOUND}`,
      `video ${Math.max(0, first - 20 - base)} ${KEY}`,
      `video ${first + 40 - base} ${INTER}`,
    ]);
  }
});
