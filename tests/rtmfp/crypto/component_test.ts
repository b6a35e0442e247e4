import assert from "node:assert/strict";
import { fromHex, toHex } from "../../../src/bytes/hex.ts";
import { WireError } from "../../../src/bytes/wire_error.ts";
import { readCertificate } from "../../../src/rtmfp/crypto/certificate.ts";
import {
  publicKeyIn,
  readComponent,
  writeInitiatorComponent,
  writeResponderComponent,
} from "../../../src/rtmfp/crypto/component.ts";
import { portable } from "../../../src/rtmfp/crypto/portable.ts";
import { captureNames, loadCapture } from "../../support/captures.ts";
import { vector } from "../../support/vectors.ts";

Deno.test("vector:pkt-iikeying, -rikeying: readComponent() and the writers agree with Flash and its servers", () => {
  const { skic, certificate } = vector("pkt-iikeying");
  const { skrc } = vector("pkt-rikeying");
  const initiator = readComponent(fromHex(skic));
  assert.deepEqual(
    { ...initiator, randomness: initiator.randomness!.length },
    {
      hmacFlags: 2,
      hmacLength: 10,
      sequenceFlags: 2,
      ephemeralKey: undefined,
      selectedGroup: 2,
      randomness: 64,
    },
  );
  assert.equal(toHex(writeInitiatorComponent(initiator)), skic);
  const key = publicKeyIn(readCertificate(portable, fromHex(certificate)), initiator)!;
  assert.equal(toHex(key.publicKey), certificate.slice(8));

  const responder = readComponent(fromHex(skrc));
  assert.deepEqual([responder.hmacFlags, responder.hmacLength, responder.sequenceFlags], [0, 0, 0]);
  assert.equal(toHex(writeResponderComponent(responder)), skrc);
  assert.match(skrc, /^031a0000021e0081020d02/, "librtmfp searches for these bytes");
  assert.equal(toHex(responder.ephemeralKey!.publicKey), skrc.slice(22));
});

Deno.test("publicKeyIn() finds the key of each side in the captures", () => {
  for (const name of captureNames) {
    for (const session of loadCapture(name).sessions) {
      const { group } = session;
      const initiator = readCertificate(portable, session.initiatorCertificate);
      const responder = readCertificate(portable, session.responderCertificate);
      const [i, r] = [session.initiatorComponent, session.responderComponent].map(readComponent);
      const near = publicKeyIn(initiator, i)!;
      const far = publicKeyIn(responder, r, near.group)!;
      assert.deepEqual([near.group, far.group], [group, group]);
      assert.deepEqual([near.publicKey.length, far.publicKey.length], [
        { 2: 128, 14: 256, 16: 512 }[group],
        { 2: 128, 14: 256, 16: 512 }[group],
      ]);
      const written = writeInitiatorComponent(i);
      assert.equal(toHex(written), toHex(session.initiatorComponent));
    }
  }
});

Deno.test("publicKeyIn() returns the public key of a static or offered group, and no key of other groups", () => {
  const three = readCertificate(portable, fromHex("031d10aa 031d0ebb 031d02cc"));
  const key = (hex: string, group?: number) => {
    const found = publicKeyIn(three, readComponent(fromHex(hex)), group);
    return found && toHex(found.publicKey);
  };
  assert.equal(key("021d0e"), "bb");
  assert.equal(key("021d0e", 2), "bb");
  assert.equal(key("", 2), "cc");
  assert.equal(key(""), undefined);
  assert.equal(key("021d05"), undefined);
  const ephemeral = readCertificate(portable, fromHex("02150e"));
  const made = (hex: string) => publicKeyIn(ephemeral, readComponent(fromHex(hex)));
  assert.deepEqual(made("040d0eaabb"), { group: 14, publicKey: fromHex("aabb") });
  assert.equal(made("040d02aabb"), undefined);
  assert.equal(made("021d0e"), undefined);
});

Deno.test("readComponent() returns 0 for missing values and the first of repeated ones, and throws WireError for truncation", () => {
  const none = readComponent(fromHex("0301aabb"));
  assert.deepEqual([none.hmacFlags, none.hmacLength, none.sequenceFlags], [0, 0, 0]);
  const twice = readComponent(fromHex("031a0710 031a0000 021e07 021e00"));
  assert.deepEqual([twice.hmacFlags, twice.hmacLength, twice.sequenceFlags], [7, 16, 7]);
  for (const hex of ["011a", "021a07", "011e", "010d", "011d", "03", "031a07"]) {
    assert.throws(() => readComponent(fromHex(hex)), WireError, hex);
  }
});
