import assert from "node:assert/strict";
import { fromHex } from "../../src/bytes/hex.ts";
import { codecName } from "../../src/flv/codec_name.ts";

Deno.test("codecName() names classic and four-character codecs, and returns undefined for other bytes", () => {
  const names: [kind: "audio" | "video", hex: string, name: string][] = [
    ["video", "1700000000", "H.264"],
    ["video", "27", "H.264"],
    ["video", "12", "Sorenson H.263"],
    ["video", "14aa", "VP6"],
    ["video", "1f", ""],
    ["video", "", ""],
    ["video", "90 68766331 00", "H.265"],
    ["video", "a1 61763031 00", "AV1"],
    ["video", "90 61626364", "abcd"],
    ["video", "90 01020304", ""],
    ["video", "90 6876", ""],
    ["video", "96 00 68766331", ""], // the code stands further back
    ["audio", "af00", "AAC"],
    ["audio", "2f", "MP3"],
    ["audio", "5b", "Nellymoser"],
    ["audio", "b6", "Speex"],
    ["audio", "90 4f707573", "Opus"],
    ["audio", "95 00 4f707573", ""],
    ["audio", "cf", ""],
  ];
  for (const [kind, hex, name] of names) {
    assert.equal(codecName(kind, fromHex(hex.replaceAll(" ", ""))), name, `${kind} ${hex}`);
  }
});
