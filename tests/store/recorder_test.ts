import assert from "node:assert/strict";
import { decodeAmf, encodeAmf0, MixedArray } from "../../src/amf/mod.ts";
import { FlvReader } from "../../src/flv/reader.ts";
import { type FlvTag, TagType } from "../../src/flv/tags.ts";
import { Frame } from "../../src/media/frame.ts";
import type { Publisher } from "../../src/media/publisher.ts";
import type { Recording, RecordMode } from "../../src/media/recordings.ts";
import type { Recorder } from "../../src/store/recorder.ts";
import { once } from "../media/fakes.ts";
import { audio, FakeOutput, film, Stage, video } from "./fakes.ts";

/** A publisher, and the events of its recording. */
function stage() {
  const on = new Stage();
  const events: string[] = [];
  let publisher: Publisher;
  return Object.assign(on, {
    events,
    publication: () => publisher.publication,
    /** Bytes that wait for the disk. */
    waiting: () => (publisher.publication.recording as Recorder | undefined)?.queuedBytes ?? 0,
    data: (name: string, payload: Uint8Array) =>
      publisher.data(new Frame("data", 0, payload, name)),
    publish: () => {
      publisher = on.clock.relay("cam", "test");
      publisher.start();
    },
    record: (name = "cam", mode: RecordMode = "record") => {
      const recording = on.store.record(publisher.publication, "", name, mode, {
        started: () => events.push("started"),
        failed: (access, text) => events.push(`${access ? "no access" : "failed"}: ${text}`),
        stopped: () => events.push("stopped"),
      });
      on.settle();
      return recording;
    },
    send: (tags: readonly FlvTag[]) => {
      for (const { type, timestamp, data } of tags) {
        if (type === TagType.data) continue;
        const frame = new Frame(type === TagType.audio ? "audio" : "video", timestamp, data);
        if (type === TagType.audio) publisher.audio(frame, once);
        else publisher.video(frame, once);
      }
      on.settle();
    },
    metadata: (members: Record<string, number>) =>
      publisher.setDataFrame("onMetaData", encodeAmf0({ ...members })),
    end: () => {
      on.clock.unpublish(publisher);
      on.pass(2_000);
    },
    file: (name = "cam") => on.disk.files.get(`/${name}.flv`)!,
  });
}

const mediaOf = (bytes: Uint8Array) => {
  const reader = new FlvReader();
  const tags = reader.push(bytes);
  reader.end();
  return tags.filter(({ type }) => type !== TagType.data);
};

function metadataOf(bytes: Uint8Array) {
  const [tag] = new FlvReader().push(bytes);
  const [name, values] = decodeAmf(tag.data);
  assert.equal(name, "onMetaData");
  return (values as MixedArray).named;
}

Deno.test("VOD-201 to VOD-206, VOD-210: Recorder writes all published frames, with times from 0 ms", () => {
  const on = stage();
  on.publish();
  on.metadata({ width: 640, duration: 99 });
  on.record();
  on.send(film().map((tag) => ({ ...tag, timestamp: tag.timestamp + 5_000 })));
  on.end();
  assert.deepEqual(on.events, ["started", "stopped"]);
  assert.deepEqual(mediaOf(on.file()), film());
  const { duration, filesize, width, ...others } = metadataOf(on.file());
  assert.deepEqual([duration, filesize, width], [9.75, on.file().length, 640]);
  assert.deepEqual(Object.keys(others), []);
  assert.equal(on.file()[4], 5, "flags of audio and video");
  assert.equal(on.store.recordings, 0);
});

Deno.test("VOD-210: Recorder leaves a readable file after every write", () => {
  const on = stage();
  on.publish();
  on.record();
  for (const tag of film()) {
    on.send([tag]);
    on.pass(300);
    const bytes = on.file();
    if (bytes.length > 0) mediaOf(bytes);
  }
  assert.ok(on.disk.writes > 5);
});

Deno.test("VOD-204: Recorder begins in mid-stream with the codec header and a key frame", () => {
  const on = stage();
  on.publish();
  on.send(film().slice(0, 12));
  on.record();
  on.send(film().slice(12));
  on.end();
  const tags = mediaOf(on.file());
  const at = tags.findIndex(({ type, data }) => type === 9 && data[1] === 1);
  assert.equal(tags[at].data[0], 0x17);
  assert.ok(tags.slice(0, at).some(({ type, data }) => type === 9 && data[1] === 0));
});

Deno.test("VOD-205: Recorder appends 25 ms after the last whole frame, and removes a partial frame", () => {
  const on = stage();
  on.publish();
  on.record();
  on.send(film());
  on.end();
  on.disk.files.set("/cam.flv", on.file().slice(0, -7)); // the last sound at 9750 is broken
  on.publish();
  on.record("cam", "append");
  on.send(film(70_000));
  on.end();
  const times = mediaOf(on.file()).map(({ timestamp }) => timestamp);
  assert.equal(times.length, 2 * film().length - 1);
  assert.equal(times[film().length], 9_775, "25 ms after the last frame");
  assert.equal(times.at(-1), 9_775 + 9_750);
  assert.deepEqual(times, times.toSorted((a, b) => a - b));
  assert.equal(metadataOf(on.file()).duration, 19.525);
});

Deno.test("Recorder appends the frames of a publisher that returns before the disk has written the earlier ones", () => {
  const on = stage();
  on.publish();
  const first = on.record() as Recording;
  on.send(film());
  on.disk.stands = true; // the disk completes no further write
  first.stop();
  for (let i = 0; i < 2; i++) {
    const again = on.record("cam", "append") as Recording;
    on.send(film());
    if (i === 0) again.stop();
  }
  on.disk.stands = false;
  on.pass(1_000);
  on.end();
  const both = ["started", "stopped"];
  assert.deepEqual(on.events, [...both, ...both, ...both]);
  const tags = mediaOf(on.file());
  assert.deepEqual(tags.slice(0, film().length), film());
  assert.ok(tags.length > film().length);
});

Deno.test("VOD-205: Recorder does not append frames of another codec than the file's", () => {
  const on = stage();
  on.publish();
  on.record();
  on.send(film());
  on.end();
  const before = on.file();
  on.publish();
  on.record("cam", "append");
  on.send([{ ...video(0, true), data: Uint8Array.of(0x12, 0, 0) }]);
  on.end();
  assert.match(on.events.at(-1)!, /^failed: .* a different video codec/);
  assert.deepEqual(mediaOf(on.file()), mediaOf(before));
});

Deno.test("VOD-202: the store refuses to record to invalid names, files in use and read-only folders", () => {
  const on = stage();
  on.publish();
  assert.match(String(on.record("../main")), /Invalid name of a recording/);
  on.record();
  assert.match(String(on.record("other")), /is recorded as cam/);
  on.send(film());
  on.end();
  const recorded = on.open("cam")!;
  on.publish();
  assert.match(String(on.record()), /is being played/);
  recorded.close();
  on.disk.denied = true;
  on.record();
  assert.equal(on.events.at(-1), "no access: Cannot write cam.flv");
  assert.equal(on.store.recordings, 0);
});

Deno.test("VOD-212: Recorder ends a recording, but not the publication, at a full disk, size or time limit", () => {
  const on = stage();
  on.publish();
  on.record();
  on.send(film().slice(0, 20));
  on.pass(1_000);
  on.disk.full = true;
  on.send(film().slice(20));
  on.pass(1_000);
  assert.deepEqual(on.events, ["started", "failed: The disk is full"]);
  on.disk.full = false;
  on.pass(1_000);
  assert.deepEqual(mediaOf(on.file()), film().slice(0, 20));
  on.limits = { size: 400, time: 0, segment: 0 };
  on.record("small");
  on.send(film(20_000));
  on.pass(2_000);
  assert.ok(on.file("small").length <= 400 + 100);
  on.limits = { size: 0, time: 3_000, segment: 0 };
  on.record("short");
  on.send(film(40_000));
  on.pass(2_000);
  assert.equal(mediaOf(on.file("short")).at(-1)!.timestamp, 3_000);
  on.end();
});

Deno.test("VOD-211: Recorder drops frames up to the next key frame when 100,000 bytes wait for the disk", () => {
  const on = stage();
  on.queueLimit = 100_000;
  on.publish();
  on.record();
  on.disk.stands = true;
  const large = Array.from({ length: 40 }, (_, i) => video(i * 250, i % 4 === 0, 1, 10_000));
  const [header] = film();
  on.send([header, ...large]);
  assert.ok(on.store.overflows > 0);
  on.disk.stands = false;
  on.end();
  const tags = mediaOf(on.file());
  assert.ok(tags.length < large.length);
  let last = -250;
  for (const { timestamp, data } of tags.filter(({ data }) => data[1] === 1)) {
    if (timestamp !== last + 250) assert.equal(data[0], 0x17, "a key frame after the gap");
    last = timestamp;
  }
});

Deno.test("VOD-213: Recorder begins a new file at a key frame after 3 s, each with times from 0 ms", () => {
  const on = stage();
  on.limits = { size: 0, time: 0, segment: 3_000 };
  on.publish();
  on.record();
  for (const tag of film()) {
    on.send([tag]);
    on.pass(125);
  }
  on.end();
  const files = [...on.disk.files.keys()].sort();
  assert.equal(files.length, 4, files.join());
  assert.match(files[0], /^\/cam-20260131-12000\d\.flv$/);
  const pictures = files.flatMap((file) => {
    const tags = mediaOf(on.disk.files.get(file)!);
    assert.equal(tags[0].data[1], 0, "header");
    assert.equal(tags[1].timestamp, 0);
    return tags.filter(({ type, data }) => type === 9 && data[1] === 1);
  });
  assert.equal(pictures.length, 40);
});

Deno.test("VOD-208: FilePlayer plays a recording in progress up to its final end", () => {
  const on = stage();
  on.publish();
  on.record();
  on.send(film().slice(0, 41));
  on.pass(1_000);
  const output = new FakeOutput();
  const listener = { receiveAudio: true, receiveVideo: true };
  const recorded = on.open("cam")!;
  recorded.play(listener as never, output, { start: 0, length: -1, offset: 0 });
  on.pass(10_000);
  assert.equal(output.last, 4_750);
  assert.equal(output.ends, 0);
  on.send(film().slice(41));
  on.pass(10_000);
  assert.equal(output.last, 9_750);
  assert.equal(output.ends, 0);
  on.end();
  on.pass(1_000);
  assert.equal(output.ends, 1);
});

Deno.test("Recorder writes a file of only audio, and marks only audio in the file's header", () => {
  const on = stage();
  on.publish();
  on.record();
  on.send(Array.from({ length: 50 }, (_, i) => audio(i * 20)));
  on.end();
  assert.equal(mediaOf(on.file()).length, 50);
  assert.equal(on.file()[4], 4);
});

Deno.test("The store records the configured publications in the configured mode", () => {
  const paths: string[] = [];
  const files = (mode: RecordMode | "new", segment = 0) => {
    const on = stage();
    on.limits = { ...on.limits, segment };
    on.automatic = (path) => {
      paths.push(path);
      return mode;
    };
    for (let i = 0; i < 2; i++) {
      const publisher = on.clock.relay("cam", "test");
      publisher.start();
      on.store.published(publisher.publication, "/app/room", "/app");
      assert.equal(typeof publisher.publication.recording?.name, "string");
      on.settle();
      for (const { timestamp, data } of film().filter(({ type }) => type === TagType.video)) {
        publisher.video(new Frame("video", timestamp, data), once);
      }
      on.clock.unpublish(publisher);
      on.pass(2_000);
    }
    return [...on.disk.files].map(([name, bytes]) => `${name} ${mediaOf(bytes).length}`);
  };
  const pictures = 41;
  assert.deepEqual(files("record"), [`/app/cam.flv ${pictures}`]);
  assert.deepEqual(files("append"), [`/app/cam.flv ${2 * pictures}`]);
  const dated = (files: string[]) => files.map((file) => file.replace(/\d/g, "0"));
  const name = "/app/cam-00000000-000000.flv";
  assert.deepEqual(dated(files("new")), [`${name} 00`, `${name} 00`]);
  assert.deepEqual(dated(files("new", 600_000)), [`${name} 00`, `${name} 00`]);
  assert.deepEqual([...new Set(paths)], ["/app/room/cam"]);
});

Deno.test("The store records a publication once, and not if the configuration does not select it", () => {
  const on = stage();
  on.publish();
  on.record("own");
  const publication = on.publication();
  on.automatic = () => "record";
  on.store.published(publication, "/app", "/app");
  assert.equal(on.store.recordings, 1);
  publication.recording!.stop();
  on.pass(1_000);
  on.automatic = () => undefined;
  on.store.published(publication, "/app", "/app");
  assert.equal(publication.recording, undefined);
});

/** Key frames of 100 kB. */
const pictures = (count: number, first = 0) => [
  video(0, true, 0),
  ...Array.from({ length: count }, (_, i) => video(first + 40 * i, true, 1, 100_000)),
];

Deno.test("Recorder counts bytes that wait for the disk against the client that began the recording, and limits them", () => {
  const on = stage();
  on.publish();
  const limit = 1 << 20;
  let [held, most] = [0, 0];
  const hold = (bytes: number) => {
    if (bytes > limit) return false;
    held = bytes;
    most = Math.max(most, held);
    return true;
  };
  on.store.record(on.publication(), "", "cam", "record", undefined, hold);
  assert.equal(held, 65_536, "the recording itself");
  on.settle();
  on.disk.stands = true;
  on.send(pictures(100));
  assert.ok(on.store.overflows > 0);
  assert.ok(most > limit * 0.8 && most <= limit, `${most}`);
  assert.ok(on.waiting() <= limit + 100_000, `${on.waiting()} wait`);
  on.disk.stands = false;
  on.settle();
  on.pass(1_000);
  assert.equal(held, 65_536, "no bytes wait for the disk");
  on.send(pictures(3, 10_000));
  on.end();
  assert.equal(held, 0);
  const tags = mediaOf(on.file());
  assert.deepEqual(tags.at(-1)!.data, pictures(3, 10_000).at(-1)!.data);

  const refused = on.store.record(on.publication(), "", "cam", "record", undefined, () => false);
  assert.equal(refused, "Not enough memory for a recording");
  assert.equal(on.publication().recording, undefined);
});

Deno.test("Recorder limits the bytes of data and codec headers that wait for the disk", () => {
  for (const kind of ["data", "header"] as const) {
    const on = stage();
    on.publish();
    on.queueLimit = 1 << 20;
    on.record();
    on.disk.stands = true;
    for (let i = 0; i < 100; i++) {
      if (kind === "data") on.data("onCue", new Uint8Array(100_000));
      else on.send([video(i, true, 0, 100_000)]);
    }
    assert.ok(on.waiting() <= on.queueLimit + 1_000, `${on.waiting()}`);
    on.disk.stands = false;
    on.end();
    assert.deepEqual(
      on.events,
      kind === "data"
        ? ["started", "stopped"]
        : ["started", "failed: The disk is too slow for the codec headers"],
    );
    assert.equal(on.store.recordings, 0);
  }
});
