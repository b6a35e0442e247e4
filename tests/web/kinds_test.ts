// Kinds named in the header of HTTP-FLV, and codecs that browsers lack: WEB-011, WEB-018.
import assert from "node:assert/strict";
import { Frame } from "../../src/media/frame.ts";
import { FlvReader } from "../../src/flv/reader.ts";
import { type FlvTag, TagType } from "../../src/flv/tags.ts";
import { FlvViewer } from "../../src/web/flv_viewer.ts";
import { world } from "../media/fakes.ts";
import { viewing } from "./viewing.ts";

const RECEPTION = { received: 1, lost: 0, ping: 0 };
const FLAGS = { audio: 4, video: 1 };
const AVC_HEADER = Uint8Array.of(0x17, 0, 0, 0, 0, 1);
const AVC_KEY = Uint8Array.of(0x17, 1, 0, 0, 0, 7);
const AVC_INTER = Uint8Array.of(0x27, 1, 0, 0, 0, 8);
const AAC_HEADER = Uint8Array.of(0xaf, 0, 0x12, 0x10);
const AAC = Uint8Array.of(0xaf, 1, 9);
const MP3 = Uint8Array.of(0x2f, 9);
const SPEEX = Uint8Array.of(0xb6, 9);
const H263 = Uint8Array.of(0x12, 9);

/** A publication, with viewers that read all bytes. */
function scene() {
  const { hub } = world({}, { recent: 1 << 20 });
  const publisher = hub.relay("cam", "test");
  publisher.start();
  const failures: (string | undefined)[] = [];
  const host = { wake() {}, over: (_: FlvViewer, failure?: string) => void failures.push(failure) };
  return {
    failures,
    listeners: () => hub.publications.get("cam")!.listeners.size,
    audio: (time: number, payload: Uint8Array) =>
      publisher.audio(new Frame("audio", time, payload), RECEPTION),
    video: (time: number, payload: Uint8Array) =>
      publisher.video(new Frame("video", time, payload), RECEPTION),
    pass: (milliseconds: number) => void (hub.now += milliseconds),
    view(wanted: { audio?: boolean; video?: boolean } = {}) {
      const viewer = new FlvViewer(hub, viewing(wanted), host);
      const file = new FlvReader();
      let flags: number | undefined;
      const tags: FlvTag[] = [];
      return {
        viewer,
        /** The flags of the header, and the received tags. */
        read() {
          while (viewer.output.waiting) {
            const bytes = viewer.take(65_536);
            flags ??= bytes[4];
            tags.push(...file.push(bytes));
          }
          return { flags, tags: tags.splice(0).map(({ type, data }) => ({ type, data })) };
        },
      };
    },
  };
}

Deno.test("FlvViewer names audio and video in the header if frames of both have arrived", () => {
  for (const [header, sound] of [[AAC_HEADER, AAC], [undefined, MP3]]) {
    const all = scene();
    const early = all.view();
    all.video(0, AVC_HEADER);
    all.video(0, AVC_KEY);
    assert.deepEqual(early.read(), { flags: undefined, tags: [] }, "sound may come");
    if (header) all.audio(0, header);
    all.audio(0, sound!);
    const { flags, tags } = early.read();
    assert.equal(flags, FLAGS.audio | FLAGS.video);
    assert.equal(tags[0].type, TagType.video);
    assert.equal(all.view().read().flags, FLAGS.audio | FLAGS.video, "who comes late");
    assert.equal(all.view({ audio: false }).read().flags, FLAGS.video);
    const sounds = all.view({ video: false });
    all.audio(20, sound!);
    assert.equal(sounds.read().flags, FLAGS.audio);
  }
});

Deno.test("FlvViewer names one kind in the header after 0.5 s of frames, or after 2 s", () => {
  for (const isAudio of [false, true]) {
    const all = scene();
    const early = all.view();
    const send = isAudio ? all.audio : all.video;
    const [header, ...frames] = isAudio ? [AAC_HEADER, AAC, AAC] : [AVC_HEADER, AVC_KEY, AVC_INTER];
    const expected = isAudio ? FLAGS.audio : FLAGS.video;
    send(0, header);
    send(0, frames[0]);
    send(460, frames[1]);
    assert.equal(early.read().flags, undefined);
    send(500, frames[1]);
    assert.equal(early.read().flags, expected);
    if (!isAudio) assert.equal(all.view().read().flags, expected, "kept frames decide as well");
  }
  const all = scene();
  const { viewer, read } = all.view();
  all.video(0, AVC_HEADER);
  all.video(0, AVC_KEY);
  viewer.manage();
  assert.equal(read().flags, undefined);
  all.pass(2_000);
  viewer.manage();
  assert.equal(read().flags, FLAGS.video, "a picture that stands");
});

Deno.test("FlvViewer neither names nor sends codecs that browsers lack, and fails without a playable one", () => {
  const all = scene();
  const picture = all.view();
  all.audio(0, SPEEX);
  all.video(0, AVC_HEADER);
  all.video(0, AVC_KEY);
  const { flags, tags } = picture.read();
  assert.equal(flags, FLAGS.video);
  assert.deepEqual(tags.map(({ type }) => type), [TagType.video, TagType.video]);
  picture.viewer.manage();
  assert.deepEqual(all.failures, []);

  for (
    const [sounds, pictures, words] of [
      [SPEEX, H263, "Browsers play neither Speex nor H.263"],
      [SPEEX, undefined, "Browsers play no Speex"],
      [undefined, H263, "Browsers play no H.263"],
    ] as const
  ) {
    const other = scene();
    const { viewer, read } = other.view();
    for (const time of [0, 250, 500]) {
      if (sounds) other.audio(time, sounds);
      if (pictures) other.video(time, pictures);
    }
    assert.deepEqual(read(), { flags: undefined, tags: [] });
    viewer.manage();
    assert.deepEqual(other.failures, [words]);
    const known = words.replace("H.263", "Sorenson H.263");
    assert.throws(() => other.view(), { status: 415, message: known });
    assert.deepEqual(other.listeners(), 0, "no listener is left");
  }
});
