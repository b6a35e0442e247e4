// Targets: parsers that receive UDP datagrams of strangers.
import assert from "node:assert/strict";
import { equalBytes } from "../../src/bytes/equal.ts";
import { fromHex } from "../../src/bytes/hex.ts";
import { Reader } from "../../src/bytes/reader.ts";
import { WireError } from "../../src/bytes/wire_error.ts";
import { Writer } from "../../src/bytes/writer.ts";
import { readCertificate } from "../../src/rtmfp/crypto/certificate.ts";
import { publicKeyIn, readComponent } from "../../src/rtmfp/crypto/component.ts";
import { acceptablePublic } from "../../src/rtmfp/crypto/dh.ts";
import { PacketCipher, startupCipher } from "../../src/rtmfp/crypto/packet_cipher.ts";
import { portable } from "../../src/rtmfp/crypto/portable.ts";
import { ChunkType } from "../../src/rtmfp/wire/chunk.ts";
import { readEpd } from "../../src/rtmfp/wire/epd.ts";
import { readFlowOptions } from "../../src/rtmfp/wire/flow_options.ts";
import { iHello } from "../../src/rtmfp/wire/ihello.ts";
import { iiKeying } from "../../src/rtmfp/wire/iikeying.ts";
import { PacketReader } from "../../src/rtmfp/wire/packet.ts";
import { UserData } from "../../src/rtmfp/wire/user_data.ts";
import { captureNames, loadCapture, openedPackets } from "../support/captures.ts";
import { rewriteChunk } from "../support/chunks.ts";
import { vector } from "../support/vectors.ts";
import type { FuzzTarget } from "./harness.ts";

/** Computes something once. */
const once = <T>(make: () => T): () => T => {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
};

const captures = once(() => captureNames.map(loadCapture));

/** All captured packets, and packets of the chunks that no capture has. */
const packets = once(() => {
  const seldom = [...vector("chunk-misc").cases, ...vector("chunk-ack").cases];
  return [
    ...captures().flatMap((capture) => [...openedPackets(capture)].map(({ packet }) => packet)),
    ...seldom.map(({ hex }: { hex: string }) => fromHex(`090000${hex}`)),
  ];
});

const datagrams = once(() => captures().flatMap(({ datagrams }) => datagrams.map((d) => d.bytes)));

/** Parsers of the content of a chunk. */
function readInside(type: number, payload: Uint8Array, data: UserData): void {
  const from = new Reader(payload);
  if (type === ChunkType.iHello) readEpd(iHello.read(from).epd);
  if (type === ChunkType.userData && data.options) readFlowOptions(data.options);
  if (type !== ChunkType.iiKeying) return;
  const { certificate, component } = iiKeying.read(from);
  const key = publicKeyIn(readCertificate(portable, certificate), readComponent(component));
  if (key) acceptablePublic(key.group, key.publicKey);
}

/** Maximum malformed chunks skipped in one packet, as a session does; then the packet is dropped. */
const MAX_MALFORMED = 8;

const wholePackets: FuzzTarget = {
  name: "packets",
  samples: packets,
  run(bytes) {
    const packet = new PacketReader().open(bytes);
    const data = new UserData();
    for (let bad = 0; bad < MAX_MALFORMED && packet.next();) {
      const payload = packet.payload.input.slice(
        packet.payload.at,
        packet.payload.at + packet.payload.left,
      );
      try {
        const to = new Writer();
        if (!rewriteChunk(packet.type, packet.payload, to, data)) continue;
        readInside(packet.type, payload, data);
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        bad++;
      }
    }
  },
};

const singleChunks: FuzzTarget = {
  name: "chunks",
  samples: once(() =>
    packets().flatMap((bytes) => {
      const packet = new PacketReader().open(bytes);
      const chunks: Uint8Array[] = [];
      while (packet.next()) {
        chunks.push(new Writer().u8(packet.type).bytes(packet.payload.rest()).copy());
      }
      return chunks;
    })
  ),
  /** Reads a type and a payload. A parsed value must be written so that it parses again. */
  run(bytes) {
    const from = new Reader(bytes);
    const type = from.u8();
    const first = new Writer();
    if (!rewriteChunk(type, from, first)) return;
    const second = new Writer();
    rewriteChunk(type, new Reader(first.copy(), 3), second);
    assert.ok(equalBytes(second.view(), first.view()), "the second writing differs from the first");
  },
};

const startup = startupCipher(portable);

const startupDatagrams: FuzzTarget = {
  name: "datagrams",
  samples: datagrams,
  run(bytes) {
    startup.open(bytes);
  },
};

const key = new Uint8Array(16).fill(7);
const protection = {
  aes: portable.aes(key),
  hmac: { hmac: portable.hmacSha256(key), length: 10 },
  sequence: true,
};

const openedDatagrams: FuzzTarget = {
  name: "plaintexts",
  samples: packets,
  /** Arbitrary content in a packet that passes the integrity checks, as a malicious far end sends it. */
  run(bytes) {
    const aes = { encrypt() {}, decrypt() {}, free() {} };
    const slot = new Uint8Array(bytes.length + 64);
    const { hmac } = protection;
    const near = new PacketCipher({ aes, hmac }, { aes, hmac });
    slot.set(bytes, near.headroom);
    const datagram = slot.subarray(0, near.seal(slot, near.headroom + bytes.length, 1));
    const opened = new PacketCipher({ aes, hmac }, { aes, hmac, sequence: true }).open(datagram);
    if (opened) wholePackets.run(opened);
  },
};

export const rtmfpTargets: readonly FuzzTarget[] = [
  wholePackets,
  singleChunks,
  startupDatagrams,
  openedDatagrams,
];
