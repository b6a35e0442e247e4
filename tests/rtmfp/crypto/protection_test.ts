import assert from "node:assert/strict";
import { readComponent } from "../../../src/rtmfp/crypto/component.ts";
import {
  agreeOnProtection,
  answer,
  offer,
  RELAXED,
  STRICT,
} from "../../../src/rtmfp/crypto/protection.ts";
import { captureNames, loadCapture } from "../../support/captures.ts";
import { vector } from "../../support/vectors.ts";

Deno.test("vector:hmac-sseq-negotiation: agreeOnProtection() negotiates HMAC and sequence numbers equally at both ends", () => {
  for (const test of vector("hmac-sseq-negotiation").cases) {
    const policy = test.responder.startsWith("strict") ? STRICT : RELAXED;
    const flags = parseInt(test.initiatorFlags, 16);
    const name = `${test.responder}, ${test.initiatorFlags}`;
    const far = { hmacFlags: flags, hmacLength: 10, sequenceFlags: flags };
    const protection = agreeOnProtection(policy, far);
    if (test.fails) {
      assert.equal(protection, undefined, name);
      continue;
    }
    const { responderSends, responderExpects } = test;
    assert.deepEqual(protection, {
      hmacOut: responderSends ? 16 : 0,
      hmacIn: responderExpects ? 10 : 0,
      sequenceOut: responderSends,
      sequenceIn: responderExpects,
    }, name);
    const said = answer(policy, protection!);
    const used = responderSends || responderExpects;
    const expected = used ? parseInt(test.replyFlags, 16) : 0; // an unused mechanism has no flags
    assert.deepEqual(
      said,
      { hmacFlags: expected, hmacLength: used ? 16 : 0, sequenceFlags: expected },
      name,
    );
    // By the same rule the initiator gets the mirror image if it sends the flags that it announced.
    const initiator = { ...(flags & 1 ? STRICT : RELAXED), hmacLength: 10 };
    if (offer(initiator).hmacFlags !== flags) continue;
    assert.deepEqual(agreeOnProtection(initiator, said), {
      hmacOut: responderExpects ? 10 : 0,
      hmacIn: responderSends ? 16 : 0,
      sequenceOut: responderExpects,
      sequenceIn: responderSends,
    }, name);
  }
});

Deno.test("agreeOnProtection() negotiates HMAC and sequence numbers separately", () => {
  const protection = agreeOnProtection(RELAXED, { hmacFlags: 2, hmacLength: 10, sequenceFlags: 7 });
  assert.deepEqual(protection, { hmacOut: 0, hmacIn: 0, sequenceOut: true, sequenceIn: true });
  assert.deepEqual(answer(RELAXED, protection!), {
    hmacFlags: 0,
    hmacLength: 0,
    sequenceFlags: 7,
  });
  const requireOne = { ...RELAXED, requireSequence: true };
  assert.ok(agreeOnProtection(requireOne, { hmacFlags: 0, hmacLength: 0, sequenceFlags: 2 }));
  assert.ok(!agreeOnProtection(requireOne, { hmacFlags: 7, hmacLength: 16, sequenceFlags: 0 }));
});

Deno.test("agreeOnProtection() accepts an announced HMAC of 4 to 32 bytes", () => {
  for (const hmacLength of [0, 3, 4, 32, 33, Number.MAX_SAFE_INTEGER]) {
    const far = { hmacFlags: 7, hmacLength, sequenceFlags: 0 };
    const agreed = agreeOnProtection(RELAXED, far) !== undefined;
    assert.equal(agreed, hmacLength >= 4 && hmacLength <= 32, `${hmacLength}`);
    assert.ok(agreeOnProtection(RELAXED, { ...far, hmacFlags: 1 }), "no HMAC is announced");
  }
});

Deno.test("agreeOnProtection() returns the negotiated protection of each capture", () => {
  for (const name of captureNames) {
    for (const session of loadCapture(name).sessions) {
      const { hmacLength, sequence } = session;
      const expected = {
        hmacOut: hmacLength,
        hmacIn: hmacLength,
        sequenceOut: sequence,
        sequenceIn: sequence,
      };
      const policy = hmacLength > 0 ? STRICT : RELAXED;
      for (const component of [session.initiatorComponent, session.responderComponent]) {
        const far = readComponent(component);
        assert.deepEqual(agreeOnProtection(policy, far), expected, name);
      }
    }
  }
});
