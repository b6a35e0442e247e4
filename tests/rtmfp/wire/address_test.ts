import assert from "node:assert/strict";
import { fromHex, toHex } from "../../../src/bytes/hex.ts";
import { Reader } from "../../../src/bytes/reader.ts";
import { WireError } from "../../../src/bytes/wire_error.ts";
import { Writer } from "../../../src/bytes/writer.ts";
import { ipBytes, Origin, readAddress, writeAddress } from "../../../src/rtmfp/wire/address.ts";
import { vector } from "../../support/vectors.ts";

Deno.test("vector:address: addresses, both ways, and every truncation", () => {
  for (const { ip, port, origin, hex } of vector("address").cases) {
    const address = { hostname: ip, port, origin };
    assert.deepEqual(readAddress(new Reader(fromHex(hex))), address);
    assert.equal(toHex(writeAddress(new Writer(), address).view()), hex);
    for (let length = 0; length < hex.length / 2; length++) {
      assert.throws(() => readAddress(new Reader(fromHex(hex), 0, length)), WireError);
    }
  }
});

Deno.test("an address: reserved bits are ignored, a name is no address", () => {
  const { hostname, origin } = readAddress(new Reader(fromHex("7e c000024d 078f")));
  assert.deepEqual({ hostname, origin }, { hostname: "192.0.2.77", origin: Origin.observed });
  const name = { hostname: "example.org", port: 1935, origin: Origin.reported };
  assert.throws(() => writeAddress(new Writer(), name), WireError);
});

Deno.test("an IPv4 address: four numbers below 256, written in one way", () => {
  assert.deepEqual(ipBytes("0.10.200.255"), Uint8Array.of(0, 10, 200, 255));
  const wrong = [
    "",
    ".",
    "1.2.3",
    "1.2.3.",
    ".1.2.3",
    "1..2.3",
    "1.2.3.4.",
    "1.2.3.4.5",
    "1.2.3.256",
  ];
  wrong.push(
    "01.2.3.4",
    "1.2.3.00",
    "1.2.3.4 ",
    " 1.2.3.4",
    "1.2.3.-4",
    "1.2.3.4e0",
    "1.2.3.\u0664",
  );
  wrong.push("1.2.3.0x4", "1.2.3.4294967300", "1.2.3.4\n", "example.org", "9".repeat(400));
  for (const text of wrong) assert.equal(ipBytes(text), undefined, JSON.stringify(text));
});
