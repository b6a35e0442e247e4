import assert from "node:assert/strict";
import { fromHex } from "../../src/bytes/hex.ts";
import { pictureSize } from "../../src/flv/picture_size.ts";

/** AVC sequence headers made by x264, through ffmpeg 5.1. */
const HEADERS: Record<string, string> = {
  // high profile, cropped from 1088 lines
  "1920x1080":
    "170000000001640028ffe1001b67640028acd940780227e5c044000003000400000300283c60c65801000668ebe3cb22c0fdf8f800",
  "322x182":
    "17000000000164000cffe1001b6764000cacd941519e226c044000000300400000030283c50a658001000668ebe3cb22c0fdf8f800",
  // interlaced
  "720x576":
    "17000000000164001effe100186764001eacd940b424d8088000000300800000190f8a14cb01000668fba3cb22c0fdf8f800",
  // 4:4:4
  "250x130":
    "170000000001f4000cffe1001b67f4000c919b282027cf1f80880000030008000003019078a14cb001000668ebe3c44844fff8f800",
  // baseline
  "100x76":
    "17000000000142c00affe100186742c00ad9072f9ef011000003000100000300320f12264801000568cb83cb20",
};

Deno.test("pictureSize() reads the size in headers of x264, in the classic and the enhanced form", () => {
  for (const [size, hex] of Object.entries(HEADERS)) {
    const found = pictureSize(fromHex(hex))!;
    assert.equal(`${found.width}x${found.height}`, size);
    const enhanced = fromHex(`9061766331${hex.slice(10)}`);
    assert.deepEqual(pictureSize(enhanced), found);
  }
});

Deno.test("pictureSize() returns undefined for truncated headers and other frames", () => {
  for (const hex of Object.values(HEADERS)) {
    const header = fromHex(hex);
    for (let length = 0; length < 30; length++) {
      assert.equal(pictureSize(header.subarray(0, length)), undefined, `${length} bytes`);
    }
    for (let at = 0; at < header.length; at++) {
      for (const byte of [0, 1, 0x55, 0xff]) {
        const broken = header.slice();
        broken[at] = byte;
        const size = pictureSize(broken);
        assert.ok(!size || (size.width > 0 && size.height > 0));
      }
    }
  }
  assert.equal(pictureSize(fromHex("1701000000aabbccdd")), undefined);
  assert.equal(pictureSize(fromHex("90687663310000000000000000")), undefined);
});
