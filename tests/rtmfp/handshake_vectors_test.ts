// Writes the chunks of a handshake from their fields, and reads them back.
import assert from "node:assert/strict";
import { fromHex, toHex } from "../../src/bytes/hex.ts";
import { Reader } from "../../src/bytes/reader.ts";
import { WireError } from "../../src/bytes/wire_error.ts";
import { Writer } from "../../src/bytes/writer.ts";
import { readCertificate } from "../../src/rtmfp/crypto/certificate.ts";
import { publicKeyIn, readComponent } from "../../src/rtmfp/crypto/component.ts";
import { acceptablePublic } from "../../src/rtmfp/crypto/dh.ts";
import { groupOf } from "../../src/rtmfp/crypto/dh_groups.ts";
import { startupCipher } from "../../src/rtmfp/crypto/packet_cipher.ts";
import { portable } from "../../src/rtmfp/crypto/portable.ts";
import { type ChunkCodec, ChunkType, writeChunk } from "../../src/rtmfp/wire/chunk.ts";
import { cookieChange } from "../../src/rtmfp/wire/cookie_change.ts";
import { readEpd } from "../../src/rtmfp/wire/epd.ts";
import { iHello } from "../../src/rtmfp/wire/ihello.ts";
import { iiKeying } from "../../src/rtmfp/wire/iikeying.ts";
import { Mode, PacketReader, writePacketHeader } from "../../src/rtmfp/wire/packet.ts";
import { redirect } from "../../src/rtmfp/wire/redirect.ts";
import { rHello } from "../../src/rtmfp/wire/rhello.ts";
import { riKeying } from "../../src/rtmfp/wire/rikeying.ts";
import { vector } from "../support/vectors.ts";

/** Checks that the fields and bytes of a vector agree, and its whole packet. */
function check<Chunk>(id: string, codec: ChunkCodec<Chunk>, chunk: Chunk): void {
  const { chunk: hex, packet, timestamp } = vector(id);
  assert.deepEqual(codec.read(new Reader(fromHex(hex), 3)), chunk);
  const to = writePacketHeader(new Writer(), Mode.startup, timestamp);
  writeChunk(to, codec, chunk);
  assert.equal(toHex(to.view()), packet);
  assert.ok(packet.endsWith(hex));
}

Deno.test("vector:pkt-ihello, -long-url, -p2p: iHello reads and writes the chunk, with its packet", () => {
  for (const id of ["pkt-ihello", "pkt-ihello-long-url"]) {
    const { epd, tag } = vector(id);
    check(id, iHello, { epd: fromHex(epd), tag: fromHex(tag) });
  }
  const { peerId, tag } = vector("pkt-ihello-p2p");
  check("pkt-ihello-p2p", iHello, { epd: fromHex(`210f${peerId}`), tag: fromHex(tag) });
});

Deno.test("vector:pkt-rhello: rHello reads and writes the chunk, with its packet", () => {
  const { tag, cookie, certificate } = vector("pkt-rhello");
  const chunk = {
    tag: fromHex(tag),
    cookie: fromHex(cookie),
    certificate: fromHex(certificate),
  };
  check("pkt-rhello", rHello, chunk);
});

Deno.test("vector:pkt-iikeying, pkt-rikeying: iiKeying and riKeying read and write the chunks, with their packets", () => {
  const { initiatorSessionId, cookie, certificate, skic, signature } = vector("pkt-iikeying");
  check("pkt-iikeying", iiKeying, {
    initiatorSessionId: parseInt(initiatorSessionId, 16),
    cookie: fromHex(cookie),
    certificate: fromHex(certificate),
    component: fromHex(skic),
    signature: fromHex(signature),
  });
  const { responderSessionId, skrc } = vector("pkt-rikeying");
  check("pkt-rikeying", riKeying, {
    responderSessionId: parseInt(responderSessionId, 16),
    component: fromHex(skrc),
    signature: fromHex(signature),
  });
});

Deno.test("vector:pkt-cookie-change, pkt-redirect, -implied: cookieChange and redirect read and write the chunks", () => {
  const { oldCookie, newCookie } = vector("pkt-cookie-change");
  check("pkt-cookie-change", cookieChange, {
    oldCookie: fromHex(oldCookie),
    newCookie: fromHex(newCookie),
  });
  for (const id of ["pkt-redirect", "pkt-redirect-implied"]) {
    const { tag, addresses = [] } = vector(id);
    check(id, redirect, {
      tag: fromHex(tag),
      addresses: addresses.map((
        { ip, port, origin }: { ip: string; port: number; origin: 0 | 1 | 2 | 3 },
      ) => ({ hostname: ip, port, origin })),
    });
  }
});

Deno.test("vector:drop: readers throw WireError for malformed startup packets, and public key 1 and group 1 are refused", () => {
  const cipher = startupCipher(portable);
  const opened = (name: string) => {
    const found = vector("drop").cases.find((test: { name: string }) => test.name === name);
    const packet = new PacketReader().open(cipher.open(fromHex(found.datagram))!);
    assert.ok(packet.next(), name);
    return packet;
  };
  const ping = opened("session chunk (ping) in a startup packet");
  assert.deepEqual([ping.mode, ping.type], [Mode.startup, ChunkType.ping]);

  const long = opened("IHello with EPD length past the end");
  assert.throws(() => iHello.read(long.payload), WireError);
  const unknown = opened("IHello whose EPD contains no known option");
  assert.throws(() => readEpd(iHello.read(unknown.payload).epd), WireError);

  const cut = opened("IIKeying truncated in the certificate");
  assert.throws(() => iiKeying.read(cut.payload), WireError);
  const one = iiKeying.read(opened("IIKeying with public key 1 in the certificate").payload);
  const key = publicKeyIn(
    readCertificate(portable, one.certificate),
    readComponent(one.component),
  )!;
  assert.deepEqual([key.group, acceptablePublic(key.group, key.publicKey)], [2, false]);
  const strange = iiKeying.read(opened("IIKeying selecting group 1, which nobody offers").payload);
  const selected = readComponent(strange.component).selectedGroup!;
  assert.deepEqual([selected, groupOf(selected)], [1, undefined]);
});
