// Targets: a whole endpoint that receives packets of strangers; the packets pass its integrity checks.
import assert from "node:assert/strict";
import { fromHex } from "../../src/bytes/hex.ts";
import { WireError } from "../../src/bytes/wire_error.ts";
import { Writer } from "../../src/bytes/writer.ts";
import type { PacketCipher } from "../../src/rtmfp/crypto/packet_cipher.ts";
import { startupCipher } from "../../src/rtmfp/crypto/packet_cipher.ts";
import type { Endpoint } from "../../src/rtmfp/endpoint.ts";
import { ChunkType } from "../../src/rtmfp/wire/chunk.ts";
import { Mode, PacketReader, writePacketHeader } from "../../src/rtmfp/wire/packet.ts";
import { captureNames, loadCapture, openedPackets } from "../support/captures.ts";
import { EPD, makeServer, plain, Recorder } from "../support/pair.ts";
import { RawPeer } from "../support/raw_peer.ts";
import type { FuzzTarget } from "./harness.ts";

const serverEndpoint = (): Endpoint => makeServer(1, { onSession: () => new Recorder() });

/** Reports a WireError as a failure: an endpoint must catch it, while the harness permits it. */
function guarded(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (error instanceof WireError) {
      throw new Error("the endpoint threw a WireError", { cause: error });
    }
    throw error;
  }
}

/** Makes a datagram of a plain packet. */
function seal(cipher: PacketCipher, packet: Uint8Array, sessionId: number): Uint8Array {
  const buffer = new Uint8Array(packet.length + 64);
  const start = cipher.headroom;
  buffer.set(packet, start);
  return buffer.subarray(0, cipher.seal(buffer, start + packet.length, sessionId));
}

/** All captured packets that a predicate selects. */
const captured = (wanted: (inSession: boolean, fromInitiator: boolean) => boolean) =>
  captureNames.flatMap((name) =>
    [...openedPackets(loadCapture(name))]
      .filter(({ datagram }) => wanted(datagram.session !== undefined, datagram.fromInitiator))
      .map(({ packet }) => packet.slice())
  );

let fromStrangers: Uint8Array[] | undefined;
let inSessions: Uint8Array[] | undefined;

const startup = startupCipher(plain);
let server = serverEndpoint();
let now = 0;

/** Startup packets of strangers. Afterwards the endpoint must still answer a hello. */
const startupPackets: FuzzTarget = {
  name: "endpoint, startup packets",
  samples: () => fromStrangers ??= captured((inSession) => !inSession),
  reset() {
    server = serverEndpoint();
    now = 0;
  },
  run(bytes) {
    const stranger = new RawPeer(server, now += 1000);
    guarded(() => {
      stranger.replay(seal(startup, bytes, 0));
      stranger.run(now + 10);
    });
    stranger.take();
    stranger.now = now += 5000; // the endpoint limits its answers to an address
    stranger.sayHello();
    stranger.run();
    assert.ok(
      stranger.takeChunks().some((chunk) => chunk.startsWith("70 ")),
      "the endpoint no longer answers a hello",
    );
  },
};

/** Certificates and components after a valid cookie. */
const keyings: FuzzTarget = {
  name: "endpoint, keying",
  samples: () =>
    (fromStrangers ??= captured((inSession) => !inSession)).flatMap((packet) => {
      const reader = new PacketReader().open(packet);
      if (!reader.next() || reader.type !== ChunkType.iiKeying) return [];
      reader.payload.skip(4);
      reader.payload.skip(reader.payload.vlu());
      return [reader.payload.rest().slice()];
    }),
  reset: startupPackets.reset,
  /** @param bytes the part of an IIKeying after the cookie */
  run(bytes) {
    const stranger = new RawPeer(server, now += 5000);
    stranger.sayHello(EPD);
    stranger.run();
    const hello = fromHex(stranger.takeChunks()[0].slice(3));
    const cookie = hello.subarray(1 + 16 + 1, 1 + 16 + 1 + 64);
    const length = 4 + 1 + cookie.length + bytes.length;
    if (length > 0xffff) return;
    const to = writePacketHeader(new Writer(), Mode.startup, 0)
      .u8(ChunkType.iiKeying).u16(length)
      .u32(now).u8(cookie.length).bytes(cookie).bytes(bytes);
    guarded(() => {
      stranger.replay(seal(startup, to.view(), 0));
      stranger.run(now + 10);
    });
  },
};

let peer: RawPeer | undefined;
let inputs = 0;

/** Packets in an open session. Afterwards the session must be closed, or answer a ping. */
const sessionPackets: FuzzTarget = {
  name: "endpoint, session packets",
  samples: () => inSessions ??= captured((inSession, fromInitiator) => inSession && fromInitiator),
  reset: () => peer = undefined,
  run(bytes) {
    if (!peer || inputs++ % 100 === 0) peer = new RawPeer(serverEndpoint()).open();
    if (bytes.length > 0) bytes[0] = (bytes[0] & ~3) | Mode.initiator;
    const far = peer;
    guarded(() => {
      far.replay(seal(far.cipher!, bytes, far.farId));
      far.run(far.now + 10);
    });
    far.take();
    far.send("01 0001 aa");
    far.run();
    if (far.takeChunks().includes("41 aa")) return;
    const open = [...far.endpoint.sessions()].filter((session) => session.state === "open");
    assert.equal(open.length, 0, "an open session does not answer a ping");
    peer = undefined;
  },
};

export const endpointTargets: readonly FuzzTarget[] = [startupPackets, keyings, sessionPackets];
