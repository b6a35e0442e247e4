import assert from "node:assert/strict";
import { fromHex, toHex } from "../../../src/bytes/hex.ts";
import { fromUtf8, toUtf8 } from "../../../src/bytes/text.ts";
import { WireError } from "../../../src/bytes/wire_error.ts";
import { readEpd, writeEpd } from "../../../src/rtmfp/wire/epd.ts";
import { vector } from "../../support/vectors.ts";

Deno.test("vector:pkt-ihello, -long-url, -p2p: readEpd() and writeEpd() agree with the endpoint discriminators", () => {
  for (const id of ["pkt-ihello", "pkt-ihello-long-url"]) {
    const { url, epd } = vector(id);
    assert.equal(fromUtf8(readEpd(fromHex(epd)).ancillary!), url);
    assert.equal(toHex(writeEpd({ ancillary: toUtf8(url) })), epd);
  }
  const { peerId } = vector("pkt-ihello-p2p");
  const epd = writeEpd({ fingerprint: fromHex(peerId) });
  assert.equal(toHex(epd), `210f${peerId}`);
  assert.equal(toHex(readEpd(epd).fingerprint!), peerId);
});

Deno.test("readEpd() reads the first of each of three members, and ignores unknown ones", () => {
  const epd = { hostname: toUtf8("h"), ancillary: toUtf8("a"), fingerprint: toUtf8("f") };
  assert.equal(toHex(writeEpd(epd)), "020068020a61020f66");
  assert.deepEqual(readEpd(fromHex("0201ff 020f66 020a61 020068 020069")), epd);
});

Deno.test("readEpd() throws WireError for empty and truncated endpoint discriminators", () => {
  for (const hex of ["", "0201ff", "00 020a61", "030a61", "020a61 81"]) {
    assert.throws(() => readEpd(fromHex(hex)), WireError, hex);
  }
});
