// Opens, reads, writes and seals captured datagrams of other programs, and compares the bytes.
import assert from "node:assert/strict";
import { toHex } from "../../src/bytes/hex.ts";
import { Writer } from "../../src/bytes/writer.ts";
import { portable } from "../../src/rtmfp/crypto/portable.ts";
import { sessionIdOf, startupCipher } from "../../src/rtmfp/crypto/packet_cipher.ts";
import { ChunkType } from "../../src/rtmfp/wire/chunk.ts";
import { readFlowOptions, writeFlowOptions } from "../../src/rtmfp/wire/flow_options.ts";
import { Mode, PacketFlag, PacketReader, writePacketHeader } from "../../src/rtmfp/wire/packet.ts";
import { UserData } from "../../src/rtmfp/wire/user_data.ts";
import { captureNames, ciphersOf, loadCapture, openedPackets } from "../support/captures.ts";
import { rewriteChunk } from "../support/chunks.ts";

for (const name of captureNames) {
  Deno.test(`RTMFP codecs and ciphers reproduce every datagram of the capture ${name}`, () => {
    const capture = loadCapture(name);
    const startup = startupCipher(portable);
    const ciphers = new Map(capture.sessions.map((session) => [session, ciphersOf(session)]));
    const reader = new PacketReader();
    const slot = new Uint8Array(8192);
    let count = 0;
    for (const { datagram, packet } of openedPackets(capture)) {
      const { session, fromInitiator } = datagram;
      const pair = session && ciphers.get(session)!;
      const cipher = !pair ? startup : fromInitiator ? pair.initiator : pair.responder;
      const to = Writer.over(slot, cipher.headroom);
      rewritePacket(reader.open(packet), to);
      const id = sessionIdOf(datagram.bytes);
      if (session) {
        assert.equal(id, fromInitiator ? session.responderSessionId : session.initiatorSessionId);
      }
      const length = cipher.seal(slot, to.at, id);
      assert.equal(
        toHex(slot.subarray(0, length)),
        toHex(datagram.bytes),
        `at ${datagram.time} ms: ${toHex(packet)}`,
      );
      const mode = !session ? Mode.startup : fromInitiator ? Mode.initiator : Mode.responder;
      assert.equal(reader.mode, mode);
      count++;
    }
    assert.equal(count, capture.datagrams.length);
    assert.ok(count > 10);
  });
}

function rewritePacket(packet: PacketReader, to: Writer): void {
  const { timeCritical, timeCriticalReverse } = PacketFlag;
  const flags = packet.mode | (packet.timeCritical ? timeCritical : 0) |
    (packet.timeCriticalReverse ? timeCriticalReverse : 0);
  writePacketHeader(to, flags, packet.timestamp, packet.timestampEcho);
  const data = new UserData();
  while (packet.next()) {
    assert.ok(rewriteChunk(packet.type, packet.payload, to, data));
    if (packet.type !== ChunkType.userData || !data.options) continue;
    assert.deepEqual(writeFlowOptions(readFlowOptions(data.options)), data.options.slice());
  }
}
