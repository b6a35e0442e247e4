import assert from "node:assert/strict";
import {
  digestOffset,
  findDigest,
  MEDIA_SERVER,
  PLAYER,
  signAnswer,
} from "../../src/rtmp/digest.ts";
import { RtmpHandshake } from "../../src/rtmp/handshake.ts";
import { RtmpError } from "../../src/rtmp/rtmp_error.ts";
import { handshakeVector, hmac, joined, pieces, pseudoRandom } from "./support.ts";

function responder() {
  const sent: Uint8Array[] = [];
  const handshake = new RtmpHandshake("responder", {
    hmac,
    random: pseudoRandom(3),
    send: (bytes) => sent.push(bytes),
  });
  return { handshake, sent };
}

Deno.test("RtmpHandshake finds the digests of captured handshakes at their offsets", () => {
  for (const name of ["play", "publish"] as const) {
    const { c1, s1, s2, c2, c1_digest, s1_digest } = handshakeVector(name);
    const ofClient = findDigest(c1, PLAYER, hmac)!;
    assert.equal(ofClient.scheme, c1_digest[0]);
    assert.equal(digestOffset(c1, ofClient.scheme), c1_digest[1]);
    const ofServer = findDigest(s1, MEDIA_SERVER, hmac)!;
    assert.equal(ofServer.scheme, s1_digest[0]);
    assert.equal(digestOffset(s1, ofServer.scheme), s1_digest[1]);
    const answer = s2.slice();
    signAnswer(answer, ofClient.digest, MEDIA_SERVER, hmac);
    assert.deepEqual(answer, s2, "nginx signs S2 as we do");
    const second = c2.slice();
    signAnswer(second, ofServer.digest, PLAYER, hmac);
    if (name === "play") assert.deepEqual(second, c2);
    else assert.deepEqual(c2, s1, "ffmpeg that publishes only echoes");
  }
});

Deno.test("RtmpHandshake answers a digest in the client's scheme, in pieces of any size", () => {
  const { c1, c2 } = handshakeVector("play");
  for (const size of [1, 100, 1537, 10_000]) {
    const { handshake, sent } = responder();
    const behind = Uint8Array.of(1, 2, 3);
    let taken = 0;
    for (const piece of pieces(joined(Uint8Array.of(3), c1, c2, behind), size)) {
      taken += handshake.receive(piece);
    }
    assert.ok(handshake.done);
    assert.equal(taken, 1 + 2 * 1536);
    assert.equal(sent.length, 1);
    const [answer] = sent;
    assert.equal(answer.length, 3073);
    assert.equal(answer[0], 3);
    const s1 = answer.slice(1, 1537);
    assert.equal(findDigest(s1, MEDIA_SERVER, hmac)?.scheme, 0);
    assert.ok(s1.subarray(4, 8).some((byte) => byte !== 0));
    const s2 = answer.slice(1537);
    const expected = s2.slice();
    signAnswer(expected, findDigest(c1, PLAYER, hmac)!.digest, MEDIA_SERVER, hmac);
    assert.deepEqual(s2, expected);
  }
});

Deno.test("RtmpHandshake echoes a first packet without a digest", () => {
  const first = pseudoRandom(9)(1536);
  for (const version of [0, 9]) {
    first.fill(0, 4, 8);
    first[4] = version;
    const { handshake, sent } = responder();
    handshake.receive(joined(Uint8Array.of(3), first));
    assert.deepEqual(sent[0].slice(1537), first);
    assert.deepEqual(sent[0].slice(5, 9), new Uint8Array(4));
    assert.ok(!handshake.done);
    handshake.receive(new Uint8Array(1536)); // C2 with any content
    assert.ok(handshake.done);
  }
});

Deno.test("RtmpHandshake refuses RTMPE and other protocols at their first byte", () => {
  const words = { 6: /RTMPE/, 8: /RTMPE/, 0x15: /TLS \(rtmps\)/, 0x16: /TLS \(rtmps\)/ };
  for (const first of [0, 1, 6, 8, 0x15, 0x16, 0x47, 0xff]) {
    const { handshake } = responder();
    const text = words[first as keyof typeof words] ?? new RegExp(`version ${first} of RTMP`);
    assert.throws(() => handshake.receive(Uint8Array.of(first)), (error) => {
      return error instanceof RtmpError && error.reason === "handshake" && text.test(error.message);
    });
  }
});

Deno.test("A client's and a server's RtmpHandshake complete each other", () => {
  const toClient: Uint8Array[] = [];
  const toServer: Uint8Array[] = [];
  const options = { hmac, random: pseudoRandom(5) };
  const client = new RtmpHandshake("initiator", { ...options, send: (to) => toServer.push(to) });
  const server = new RtmpHandshake("responder", { ...options, send: (to) => toClient.push(to) });
  assert.equal(toServer[0].length, 1537);
  server.receive(toServer.shift()!);
  client.receive(toClient.shift()!);
  assert.equal(toServer[0].length, 1536);
  server.receive(toServer.shift()!);
  assert.ok(client.done && server.done);
});
