import assert from "node:assert/strict";
import { fromHex } from "../../src/bytes/hex.ts";
import { audioRole, headerSlot, videoRole } from "../../src/flv/codec.ts";

Deno.test("videoRole() classifies frames of the classic codecs", () => {
  const roles: [string, string][] = [
    ["", "other"],
    ["12", "key"], // Sorenson H.263
    ["22", "inter"],
    ["32", "inter"], // disposable
    ["42", "key"], // generated key frame
    ["5200", "other"], // seek begins
    ["14aa", "key"], // VP6
    ["1700000000", "header"],
    ["1701000000", "key"],
    ["2701000000", "inter"],
    ["1702000000", "other"], // end of sequence
    ["2702000000", "other"],
    ["1c00000000", "header"], // HEVC by number
    ["1c01000000", "key"],
    ["17", "key"],
  ];
  for (const [hex, role] of roles) assert.equal(videoRole(fromHex(hex)), role, hex);
});

Deno.test("videoRole() classifies frames of four-character codecs", () => {
  const hvc1 = "68766331";
  const roles: [string, string][] = [
    [`90${hvc1}00`, "header"], // sequence start, key frame
    [`91${hvc1}00000001`, "key"], // coded frames
    [`a1${hvc1}00000001`, "inter"],
    [`93${hvc1}01`, "key"], // coded frames X
    [`a3${hvc1}01`, "inter"],
    [`92${hvc1}`, "other"], // sequence end
    [`94${hvc1}02`, "header"], // metadata
    [`95${hvc1}`, "header"], // MPEG-2 TS sequence start
    ["d200", "other"], // command
    [`96 00 ${hvc1} 01 aa`, "header"], // multitrack, one track, sequence start
    [`96 01 ${hvc1} 01 aa`, "key"],
    [`a6 01 ${hvc1} 01 aa`, "inter"],
    [`97 02 000000 01 ${hvc1}`, "key"], // modifier of three bytes, then coded frames
    [`97 ff 0000 aa 00 ${hvc1}`, "header"], // long modifier, then sequence start
    ["97 02 00", "key"], // cut off: forwarded for what its frame type says
    ["96", "key"],
  ];
  for (const [hex, role] of roles) assert.equal(videoRole(fromHex(hex)), role, hex);
});

Deno.test("audioRole() classifies frames of classic and four-character codecs", () => {
  const mp4a = "6d703461";
  const roles: [string, string][] = [
    ["", "other"],
    ["2f", "key"],
    ["2fff", "key"], // MP3
    ["b200", "key"], // Speex
    ["af001210", "header"],
    ["a0001210", "header"],
    ["af01aa", "key"],
    [`90${mp4a}1210`, "header"],
    [`91${mp4a}aa`, "key"],
    [`92${mp4a}`, "other"],
    [`94${mp4a}01`, "header"],
    [`95 00 ${mp4a} 03 1210`, "header"],
    [`95 01 ${mp4a} 03 aa`, "key"],
  ];
  for (const [hex, role] of roles) assert.equal(audioRole(fromHex(hex)), role, hex);
});

Deno.test("headerSlot() is equal for headers of the same kind, type and track, and differs otherwise", () => {
  const hvc1 = "68766331";
  const slot = (hex: string) => headerSlot("video", fromHex(hex));
  assert.equal(slot("1700000000"), slot("1c00000000"));
  assert.equal(slot(`90${hvc1}00`), slot(`90${hvc1}ff`));
  assert.notEqual(slot(`90${hvc1}00`), slot(`94${hvc1}00`));
  assert.notEqual(slot(`96 00 ${hvc1} 01`), slot(`96 00 ${hvc1} 02`));
  assert.notEqual(slot(`96 00 ${hvc1} 00`), slot(`90 ${hvc1} 00`));
  assert.equal(slot(`96 20 ${hvc1} 07`), "video 0 105"); // many codecs: the track comes first
  assert.notEqual(headerSlot("audio", fromHex("af00")), slot("1700"));
});

Deno.test("videoRole() and audioRole() return a role for any bytes", () => {
  for (let first = 0; first < 256; first++) {
    for (const rest of ["", "00", "ff", "ffffff", "07070707", "0600", "feffff"]) {
      const payload = fromHex(first.toString(16).padStart(2, "0") + rest);
      const roles = ["header", "key", "inter", "other"];
      assert.ok(roles.includes(videoRole(payload)));
      assert.ok(roles.includes(audioRole(payload)));
      assert.equal(typeof headerSlot("video", payload), "string");
    }
  }
});
