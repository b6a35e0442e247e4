import assert from "node:assert/strict";
import { fromHex, toHex } from "../../src/bytes/hex.ts";
import { FlvReader } from "../../src/flv/reader.ts";
import { FlvError, flvHeader, type FlvTag, flvTag } from "../../src/flv/tags.ts";
import { seeded } from "../support/random.ts";
import { isAudioHeader, isKeyFrame, isPicture, isVideoHeader } from "../../src/flv/codec.ts";

const media = Deno.readFileSync(new URL("../fixtures/test.flv", import.meta.url));

function readAll(bytes: Uint8Array, step = bytes.length): FlvTag[] {
  const reader = new FlvReader();
  const tags: FlvTag[] = [];
  for (let at = 0; at < bytes.length; at += step) {
    tags.push(...reader.push(bytes.subarray(at, at + step)));
  }
  return [...tags, ...reader.end()];
}

Deno.test("FlvReader finds every tag that tests/fixtures/README.md counts", () => {
  const tags = readAll(media);
  const of = (type: number) => tags.filter((tag) => tag.type === type);
  assert.deepEqual([of(18).length, of(9).length, of(8).length], [1, 127, 218]);
  assert.deepEqual(
    of(9).filter((tag) => isKeyFrame(tag.data) && tag.data[1] === 1).map((tag) => tag.timestamp),
    [0, 1000, 2000, 3000, 4000],
  );
  assert.equal(of(9).filter((tag) => isVideoHeader(tag.data)).length, 1);
  assert.equal(of(9).filter((tag) => isPicture(tag.data)).length, 125);
  const [header, ...sound] = of(8);
  assert.ok(isAudioHeader(header.data));
  assert.equal(toHex(header.data), "af00120856e500");
  assert.deepEqual([sound[0].timestamp, sound.at(-1)!.timestamp], [57, 5072]);
});

Deno.test("FlvReader reads the same tags from pieces of any size, and the writer writes them back", () => {
  const whole = readAll(media);
  for (const step of [7, 4096, 65536]) assert.deepEqual(readAll(media, step), whole);
  const written = [...flvHeader(true, true)];
  for (const tag of whole) written.push(...flvTag(tag));
  assert.equal(toHex(Uint8Array.from(written)), toHex(media));
});

Deno.test("FlvReader and flvTag() use the fourth timestamp byte as the highest", () => {
  // A tag written by hand: type, size, timestamp, extended timestamp, stream, data, length.
  const tag = fromHex("09 000002 345678 12 000000 1701 0000000d");
  const file = Uint8Array.from([...fromHex("464c56 01 01 00000009 00000000"), ...tag]);
  const [read] = readAll(file);
  assert.equal(read.timestamp, 0x12345678);
  assert.equal(toHex(flvTag(read)), toHex(tag));
  assert.equal(flvTag({ type: 8, timestamp: 0xfffffffe, data: new Uint8Array(0) })[7], 0xff);
  const [last] = readAll(
    Uint8Array.from([
      ...flvHeader(true, false),
      ...flvTag({ type: 8, timestamp: 0xfffffffe, data: new Uint8Array(1) }),
    ]),
  );
  assert.equal(last.timestamp, 0xfffffffe);
});

Deno.test("FlvReader skips the rest of a header longer than nine bytes", () => {
  const reader = new FlvReader();
  const tags = reader.push(
    fromHex("464c56 01 04 0000000b aabb 00000000 08000001 000000 00 000000 2f 0000000c"),
  );
  assert.equal(tags.length, 1);
  assert.deepEqual([reader.hasAudio, reader.hasVideo, reader.left], [true, false, 0]);
});

Deno.test("FlvReader refuses a file that is not FLV, encrypted or truncated, and names the position", () => {
  const refused = (bytes: Uint8Array, message: RegExp) =>
    assert.throws(() => readAll(bytes), (error) => {
      assert.ok(error instanceof FlvError);
      assert.match(error.message, message);
      return true;
    });
  refused(fromHex("00000018 66747970 69736f6d"), /does not begin with "FLV"/);
  refused(fromHex("464c5601"), /too short/);
  refused(fromHex("464c56 01 05 00000003 00000000"), /header of 3 bytes/);
  refused(fromHex("464c56 01 05 00000009 00000000 29000001 00000000 000000"), /at 13 is encrypted/);
  refused(fromHex("464c56 01 05 00000009 00000000 07000001 00000000 000000"), /unknown type 7/);
  const last = 11 + 5 + 4; // the tag of the end of sequence
  for (let cut = 5; cut < last; cut++) {
    refused(media.subarray(0, media.length - cut), /breaks off \d+ bytes into the tag at/);
  }
});

Deno.test("FlvReader reads the last tag of a file that lacks the length after it, or a part of that length", () => {
  const whole = readAll(media);
  for (let cut = 1; cut <= 4; cut++) {
    assert.deepEqual(readAll(media.subarray(0, media.length - cut)), whole);
  }
});

Deno.test("FlvReader returns no more bytes than a damaged file has, or throws FlvError", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = seeded(seed);
    const damaged = media.slice(0, 20_000);
    for (let i = 0; i < 5; i++) {
      const at = Math.floor(random() * (i < 2 ? 100 : damaged.length));
      damaged[at] = Math.floor(random() * 256);
    }
    try {
      const length = readAll(damaged, 3000).reduce((sum, { data }) => sum + data.length + 15, 13);
      assert.ok(length <= damaged.length, `seed ${seed}`);
    } catch (error) {
      assert.ok(error instanceof FlvError, `seed ${seed}: ${error}`);
    }
  }
});

Deno.test("isPicture(), isKeyFrame() and isVideoHeader() classify frames of enhanced codecs, H.263 and VP6 by their first byte", () => {
  const enhanced = (frame: number, packet: number) => Uint8Array.of(0x80 | frame << 4 | packet, 1);
  assert.ok(isVideoHeader(enhanced(1, 0)) && !isPicture(enhanced(1, 0)));
  assert.ok(isPicture(enhanced(2, 1)) && isPicture(enhanced(1, 3)) && !isPicture(enhanced(1, 2)));
  assert.ok(isKeyFrame(enhanced(1, 1)) && !isKeyFrame(enhanced(2, 1)));
  assert.ok(isPicture(Uint8Array.of(0x22, 0)) && isKeyFrame(Uint8Array.of(0x14, 0))); // H.263, VP6
  assert.ok(!isPicture(Uint8Array.of(0x57, 0)) && !isPicture(new Uint8Array(0)));
  assert.ok(!isAudioHeader(Uint8Array.of(0x2f, 0)) && !isAudioHeader(Uint8Array.of(0xaf, 1)));
});
