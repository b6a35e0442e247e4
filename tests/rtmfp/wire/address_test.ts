import assert from "node:assert/strict";
import { fromHex, toHex } from "../../../src/bytes/hex.ts";
import { Reader } from "../../../src/bytes/reader.ts";
import { WireError } from "../../../src/bytes/wire_error.ts";
import { Writer } from "../../../src/bytes/writer.ts";
import { Origin, readAddress, writeAddress } from "../../../src/rtmfp/wire/address.ts";
import { vector } from "../../support/vectors.ts";

Deno.test("vector:address: readAddress() and writeAddress() agree with the vector, and truncation is a WireError", () => {
  for (const { ip, port, origin, hex } of vector("address").cases) {
    const address = { hostname: ip, port, origin };
    assert.deepEqual(readAddress(new Reader(fromHex(hex))), address);
    assert.equal(toHex(writeAddress(new Writer(), address).view()), hex);
    for (let length = 0; length < hex.length / 2; length++) {
      assert.throws(() => readAddress(new Reader(fromHex(hex), 0, length)), WireError);
    }
  }
});

Deno.test("readAddress() ignores reserved bits, and writeAddress() refuses a host name", () => {
  const { hostname, origin } = readAddress(new Reader(fromHex("7e c000024d 078f")));
  assert.deepEqual({ hostname, origin }, { hostname: "192.0.2.77", origin: Origin.observed });
  const name = { hostname: "example.org", port: 1935, origin: Origin.reported };
  assert.throws(() => writeAddress(new Writer(), name), WireError);
});
