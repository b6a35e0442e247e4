// Compares the original server's answers during introductions of peers with ours: clients with the
// keys and addresses of the recorded ones send librtmfp's chunks to our server.
import assert from "node:assert/strict";
import { fromHex, toHex } from "../../src/bytes/hex.ts";
import { Reader } from "../../src/bytes/reader.ts";
import { type Address, addressText } from "../../src/common/address.ts";
import { FlashServer } from "../../src/flash/flash_server.ts";
import { portable } from "../../src/rtmfp/crypto/portable.ts";
import type { Endpoint } from "../../src/rtmfp/endpoint.ts";
import { ChunkType } from "../../src/rtmfp/wire/chunk.ts";
import { iHello } from "../../src/rtmfp/wire/ihello.ts";
import { PacketReader } from "../../src/rtmfp/wire/packet.ts";
import { world } from "../media/fakes.ts";
import { loadCapture, openedPackets } from "../support/captures.ts";
import { makeServer } from "../support/pair.ts";
import { RawPeer } from "../support/raw_peer.ts";
import { brokenFlows, recordedMessages } from "./recorded.ts";

/** Chunks of servers other than acknowledgements and handshakes. */
const KINDS = new Set<number>([
  ChunkType.userData,
  ChunkType.nextUserData,
  ChunkType.fiHello,
  ChunkType.redirect,
]);

function chunksOf(packet: Uint8Array): { type: number; hex: string }[] {
  const reader = new PacketReader();
  const chunks: { type: number; hex: string }[] = [];
  for (reader.open(packet); reader.next();) {
    chunks.push({ type: reader.type, hex: toHex(reader.payload.rest()) });
  }
  return chunks;
}

/** Chunks of both servers to each client: user data, redirects and forwarded hellos. */
function replay(name: string): { theirs: string[]; ours: string[] }[] {
  const capture = loadCapture(name);
  // Members that the recorded application adds to the answer to connect.
  const members = "00076d6573736167651106" + "0f77656c636f6d65" + "0005636f756e74110407" +
    "0004666c61670101";
  const { hub } = world({ connect: () => fromHex(members) });
  const flash = new FlashServer(hub, {
    keepAliveServer: 15_000,
    keepAlivePeer: 10_000,
    sha256: (bytes) => portable.sha256(bytes),
    resolve: () => undefined,
  });
  const server: Endpoint = makeServer(1, flash);
  const sessions = capture.sessions.filter(({ responderCertificate }) =>
    responderCertificate.length === 77
  );
  const halves = sessions.map(() => ({ theirs: [] as string[], ours: [] as string[] }));
  const peers: RawPeer[] = [];
  const addresses: Address[] = [];
  for (const session of sessions) {
    const first = capture.datagrams.find((datagram) => datagram.session === session)!;
    addresses.push(first.from);
  }
  const isServer = ({ port }: Address) => port === 1935;
  const which = (address: Address) =>
    addresses.findIndex((one) => addressText(one) === addressText(address));
  const flush = (now: number) => {
    hub.now = now;
    const buffer = new Uint8Array(4400);
    server.flush(now, {
      buffer: () => buffer,
      room: Infinity,
      post: (length, to) => peers[which(to)].see(buffer.slice(0, length), to),
    });
    for (const [i, peer] of peers.entries()) {
      for (const chunk of peer?.takeChunks() ?? []) {
        if (KINDS.has(parseInt(chunk.split(" ")[0], 16))) halves[i].ours.push(chunk);
      }
    }
  };
  for (const { datagram, packet } of openedPackets(capture)) {
    const { session, from, to, time } = datagram;
    const now = 1000 + time;
    if (isServer(from)) {
      for (const { type, hex } of chunksOf(packet)) {
        if (KINDS.has(type)) {
          halves[which(to)].theirs.push(`${type.toString(16).padStart(2, "0")} ${hex}`);
        }
      }
      continue;
    }
    if (!isServer(to)) continue;
    const i = which(from);
    if (session) {
      if (!peers[i]) {
        hub.now = now;
        const { group, initiatorPrivate, initiatorCertificate, initiatorSessionId } = session;
        const peer = new RawPeer(server, now);
        Object.assign(peer, {
          address: from,
          nearId: initiatorSessionId,
          certificate: initiatorCertificate,
          pair: { group, publicKey: new Uint8Array(0), privateKey: initiatorPrivate },
        });
        peers[i] = peer.open();
      }
      const chunks = chunksOf(packet).map(({ type, hex }) =>
        toHex(Uint8Array.of(type, hex.length >> 9, (hex.length >> 1) & 255)) + hex
      );
      peers[i].now = now;
      hub.now = now;
      peers[i].send(chunks.join(""));
      flush(now);
    } else {
      const [{ type, hex }] = chunksOf(packet);
      if (type !== ChunkType.iHello || !peers[i]) continue;
      peers[i].now = now;
      peers[i].sendStartup(iHello, iHello.read(new Reader(fromHex(hex))));
      flush(now);
    }
  }
  return halves;
}

/** In both captures the peers share one address, so the original sends a reported address first. */
const REPORTED: Record<string, string> = {
  "0f 22210fdaf177bcba42f19e5aa64434db0a45b30c654297ddc36c45351d2b2aafb24ab6": "01c0000202",
  "0f 22210f3efd131ec4d3f2349bbceee50508a1f795ea938f1eec1c1f34d8f80f796df0d4": "01c0000202",
};
const OBSERVED = "027f000001";
/** fd00::2 as the original writes it to the wire, and correctly. */
const MISREAD = "81fd000000000200000000000000000000";
const READ = "81fd000000000000000000000000000002";

/** Returns the chunk that our server must send for the original's. */
function corrected(chunk: string): string {
  const head = Object.keys(REPORTED).find((head) => chunk.startsWith(head + REPORTED[head]));
  if (head) return head + OBSERVED + chunk.slice(head.length + OBSERVED.length);
  return chunk.replace(MISREAD, READ);
}

for (const name of ["librtmfp-cumulus-p2p", "librtmfp-cumulus-netgroup"]) {
  Deno.test(`Our server sends the recorded clients of ${name} the original's messages`, () => {
    const halves = replay(name);
    assert.equal(halves.length, 2);
    let introductions = 0;
    for (const { theirs, ours } of halves) {
      assert.deepEqual(ours, theirs.map(corrected));
      introductions += ours.filter((chunk) => /^(0f|71) /.test(chunk)).length;
    }
    assert.equal(introductions, 2, "one redirect and one forwarded hello");
  });
}

Deno.test("recordedMessages() assigns every fragment of the peers' captures to a message of a known kind", () => {
  const kinds = (name: string) => {
    const counts: Record<string, number> = {};
    for (const { metadata, message } of recordedMessages(name)) {
      const kind = `${toHex(metadata)} ${toHex(message.subarray(0, 1))}`;
      counts[kind] = (counts[kind] ?? 0) + 1;
    }
    return counts;
  };
  assert.deepEqual(brokenFlows("librtmfp-cumulus-netgroup"), []);
  assert.deepEqual(kinds("librtmfp-cumulus-netgroup"), {
    "54430400 14": 6, // connect, its answer, setPeerInfo, of two clients
    "54430400 04": 2, // set keepalive
    "4743 01": 2, // join
    "4743 0b": 1, // member
    // Between the peers, without the server: identification, availability, and fragments of media.
    "47521c 01": 2,
    "47521c 02": 2,
    "47521c 0a": 2,
    "47521c 0e": 2,
    "475211 21": 3,
    "475211 22": 79,
    "475211 23": 4,
    "475211 2b": 237,
    "475212 00": 9,
    "475212 10": 28,
    "475212 20": 306,
    "475212 30": 10,
  });
  assert.deepEqual(brokenFlows("librtmfp-cumulus-p2p"), []);
  assert.deepEqual(kinds("librtmfp-cumulus-p2p"), PEERS);
});

/** Of a direct stream: stream 2,000,001 between the peers. */
const PEERS = {
  "54430400 14": 6,
  "54430400 04": 2,
  "544304fa8901 14": 3, // play, Play.Reset, Play.Start
  "544304fa8901 04": 1, // stream begin
  "544304fa8901 12": 2, // |RtmpSampleAccess, @setDataFrame
  "544304fa8901 08": 261,
  "544304fa8901 09": 152,
};
