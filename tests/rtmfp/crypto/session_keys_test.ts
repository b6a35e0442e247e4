import assert from "node:assert/strict";
import { fromHex, toHex } from "../../../src/bytes/hex.ts";
import { readCertificate } from "../../../src/rtmfp/crypto/certificate.ts";
import { publicKeyIn, readComponent } from "../../../src/rtmfp/crypto/component.ts";
import { publicKeyOf, sharedSecret } from "../../../src/rtmfp/crypto/dh.ts";
import type { GroupId } from "../../../src/rtmfp/crypto/dh_groups.ts";
import { portable } from "../../../src/rtmfp/crypto/portable.ts";
import { deriveKeys } from "../../../src/rtmfp/crypto/session_keys.ts";
import { captureNames, loadCapture } from "../../support/captures.ts";
import { vector } from "../../support/vectors.ts";

function derive(secret: string, initiatorComponent: string, responderComponent: string) {
  const [s, i, r] = [secret, initiatorComponent, responderComponent].map(fromHex);
  return deriveKeys(portable, s, i, r);
}

Deno.test("vector:session-keys, session-keys-hmac: deriveKeys() returns the vector's keys and nonces", () => {
  for (const id of ["session-keys", "session-keys-hmac"]) {
    const test = vector(id);
    const keys = derive(test.dhSecret, test.initiatorComponent, test.responderComponent);
    for (const direction of ["initiatorToResponder", "responderToInitiator"] as const) {
      assert.equal(toHex(keys[direction].aes), test[direction].aesKey);
      assert.equal(toHex(keys[direction].hmac), test[direction].hmacKey);
    }
    if (id === "session-keys-hmac") continue;
    assert.equal(toHex(keys.initiatorNonce), test.initiatorNonce);
    assert.equal(toHex(keys.responderNonce), test.responderNonce);
  }
});

Deno.test("vector:session-keys-short-secret: deriveKeys() uses a secret of 127 bytes without padding", () => {
  const { initiatorComponent, responderComponent } = vector("session-keys");
  const test = vector("session-keys-short-secret");
  const keys = derive(test.dhSecret, initiatorComponent, responderComponent);
  assert.equal(toHex(keys.initiatorToResponder.aes), test.initiatorToResponderAesKey);
  assert.equal(toHex(keys.responderToInitiator.aes), test.responderToInitiatorAesKey);
  const wrong = derive(`00${test.dhSecret}`, initiatorComponent, responderComponent);
  assert.equal(toHex(wrong.initiatorToResponder.aes), test.wrong.initiatorToResponderAesKey);
});

Deno.test("sharedSecret() and deriveKeys() return the secrets, keys and nonces of each capture", () => {
  for (const name of captureNames) {
    for (const session of loadCapture(name).sessions) {
      const group = session.group as GroupId;
      const { initiatorComponent, responderComponent } = session;
      const sides = [
        {
          certificate: session.initiatorCertificate,
          component: initiatorComponent,
          privateKey: session.initiatorPrivate,
        },
        {
          certificate: session.responderCertificate,
          component: responderComponent,
          privateKey: session.responderPrivate,
        },
      ].map(({ certificate, component, privateKey }) => {
        const parsed = readCertificate(portable, certificate);
        const { publicKey } = publicKeyIn(parsed, readComponent(component), group)!;
        assert.equal(toHex(publicKeyOf(group, privateKey)), toHex(publicKey), name);
        return { group, privateKey, publicKey };
      });
      const secret = sharedSecret(sides[0], sides[1].publicKey)!;
      assert.deepEqual(secret, session.secret);
      assert.deepEqual(sharedSecret(sides[1], sides[0].publicKey), session.secret);

      const keys = deriveKeys(portable, secret, initiatorComponent, responderComponent);
      const { initiatorToResponder: toResponder, responderToInitiator: toInitiator } = keys;
      assert.deepEqual(toResponder.aes, session.initiatorToResponderKey);
      assert.deepEqual(toInitiator.aes, session.responderToInitiatorKey);
      assert.deepEqual(keys.initiatorNonce, session.initiatorNonce);
      assert.deepEqual(keys.responderNonce, session.responderNonce);
      if (session.hmacLength === 0) continue;
      assert.deepEqual(toResponder.hmac, session.initiatorToResponderHmacKey);
      assert.deepEqual(toInitiator.hmac, session.responderToInitiatorHmacKey);
    }
  }
});
