import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { equalBytes } from "../../../src/bytes/equal.ts";
import { fromHex, toHex } from "../../../src/bytes/hex.ts";
import { hmacOnce } from "../../../src/rtmfp/crypto/backend.ts";
import { portable } from "../../../src/rtmfp/crypto/portable.ts";
import { seeded, seededBytes } from "../../support/random.ts";

Deno.test("The portable HMAC-SHA256 reproduces cases 1, 2 and 6 of RFC 4231", () => {
  const cases = [
    [
      "0b".repeat(20),
      "4869205468657265",
      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
    ],
    [
      "4a656665",
      "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ],
    [
      "aa".repeat(131),
      "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048617368204b6579204669727374",
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ],
  ];
  for (const [key, message, digest] of cases) {
    assert.equal(toHex(hmacOnce(portable, fromHex(key), fromHex(message))), digest);
  }
});

Deno.test("The portable SHA-256 hashes empty input, the example of FIPS 180-4, and lengths around one block", () => {
  const hash = (bytes: Uint8Array) => toHex(portable.sha256(bytes));
  assert.equal(
    hash(new Uint8Array(0)),
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  );
  assert.equal(
    hash(fromHex("616263")),
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
  const bytes = seededBytes(180)(70_000);
  for (const base of [0, 64, 0x10000]) {
    for (const length of [-1, 0, 1, 8, 54, 55, 56, 57, 63].map((more) => base + more)) {
      if (length < 0) continue;
      const part = bytes.subarray(0, length);
      assert.equal(hash(part), createHash("sha256").update(part).digest("hex"), `${length}`);
    }
  }
});

Deno.test("The portable HMAC-SHA256 and SHA-256 agree with OpenSSL, with several keys in use", () => {
  const next = seeded(4231);
  const random = seededBytes(4231);
  const keys = Array.from({ length: 20 }, () => random(Math.floor(next() * 200)));
  const hmacs = keys.map((key) => portable.hmacSha256(key));
  for (let round = 0; round < 400; round++) {
    const i = Math.floor(next() * keys.length);
    const data = random(Math.floor(next() * 300));
    const start = Math.floor(next() * (data.length + 1));
    const end = start + Math.floor(next() * (data.length - start + 1));
    const expected = createHmac("sha256", keys[i]).update(data.subarray(start, end)).digest("hex");
    assert.equal(toHex(hmacs[i].digest(data, start, end)), expected);
    const hash = createHash("sha256").update(data).digest("hex");
    assert.equal(toHex(portable.sha256(data)), hash);
  }
});

Deno.test("equalBytes() compares every byte and the length", () => {
  assert.ok(equalBytes(fromHex("0102"), fromHex("0102")));
  assert.ok(!equalBytes(fromHex("0102"), fromHex("0103")));
  assert.ok(!equalBytes(fromHex("0102"), fromHex("8102")));
  assert.ok(!equalBytes(fromHex("0102"), fromHex("010200")));
  assert.ok(equalBytes(fromHex(""), fromHex("")));
});
