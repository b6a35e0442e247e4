// Effect of each chunk on a session, byte by byte.
import assert from "node:assert/strict";
import { fromHex, toHex } from "../../../src/bytes/hex.ts";
import { STRICT } from "../../../src/rtmfp/crypto/protection.ts";
import type { SendFlow } from "../../../src/rtmfp/flow/send_flow.ts";
import type { ReceiveFlow } from "../../../src/rtmfp/flow/receive_flow.ts";
import { timestampOf } from "../../../src/rtmfp/wire/packet.ts";
import { makePair, makeServer, METADATA, numbered, open, Recorder } from "../../support/pair.ts";
import { RawPeer } from "../../support/raw_peer.ts";
import { vector } from "../../support/vectors.ts";

function opened(limits = {}, policy?: typeof STRICT) {
  const recorder = new Recorder();
  const server = makeServer(1, { onSession: () => recorder }, { limits, policy });
  const peer = new RawPeer(server, 1000, policy).open();
  const [session] = server.sessions();
  return { server, peer, recorder, session };
}

/** A User Data chunk with one byte of data, by default of flow 2. */
function data(
  sequence: number,
  byte = "61",
  { flow = "02", options = "", offset = sequence } = {},
) {
  const body = `${options ? "80" : "00"}${flow}${hex(sequence)}${hex(offset)}${options}${byte}`;
  return `10${(body.length / 2).toString(16).padStart(4, "0")}${body}`;
}
const hex = (number: number) => number.toString(16).padStart(2, "0");
const TC = "05005443040000"; // metadata "TC" for stream 0, Marker

Deno.test("Session reads connect of Flash, and sends the result with the bytes of Cumulus", () => {
  const [first, second] = vector("chunk-user-data").cases;
  const { peer, recorder, session } = opened();
  let received = "";
  recorder.onMessage = (message, flow) => {
    received = toHex(message);
    session.openFlow(flow.metadata, { association: flow }).write(fromHex(second.message));
  };
  peer.now += 400;
  peer.send(first.hex);
  peer.now += 20;
  peer.run();
  assert.equal(received, first.message);
  const [packet, ...others] = peer.take();
  assert.equal(others.length, 0, "acknowledgement and answer share a packet");
  assert.equal(packet.flags, 0x0e);
  const expected = vector("pkt-session-result").packet.slice(10);
  assert.equal(`51${expected.slice(2, 12)}`, "510003027f01");
  assert.deepEqual(packet.chunks, ["51 027f01", `10 ${expected.slice(12 + 6)}`]);
  assert.equal(packet.timestampEcho, timestampOf(peer.now - 20) + 5);
});

Deno.test("Session acknowledges every second packet, or after 200 ms", () => {
  const { peer } = opened();
  peer.send(data(1, "61", { options: TC }));
  peer.run();
  assert.deepEqual(peer.takeChunks(), ["51 027f01"], "at once for a new flow");
  peer.send(data(2));
  const start = peer.now;
  peer.run(start + 150);
  assert.deepEqual(peer.takeChunks(), []);
  peer.run(start + 200);
  assert.deepEqual(peer.takeChunks(), ["51 027f02"]);
  peer.send(data(3));
  peer.run();
  assert.deepEqual(peer.takeChunks(), []);
  peer.send(data(4));
  peer.run();
  assert.deepEqual(peer.takeChunks(), ["51 027f04"]);
  peer.send(data(5) + data(6));
  peer.run();
  assert.deepEqual(peer.takeChunks(), [], "one packet with two chunks");
  peer.send(data(8, "61", { offset: 3 }));
  peer.run();
  assert.deepEqual(peer.takeChunks(), ["51 027f060000"], "at once for a gap");
});

Deno.test("Session accepts Next User Data only directly after a User Data chunk", () => {
  const { peer, recorder, server } = opened();
  peer.send(
    "11000300 0061".replace(" ", "").slice(0, 12) + data(1, "61", { options: TC }) + "110002 00 62",
  );
  peer.send("110002 00 63");
  peer.send(data(3, "63") + "51000302 7f00" + "110002 00 64" + "110000" + "110002 00 65");
  peer.run();
  assert.deepEqual(recorder.messages.map(toHex), ["61", "62", "63", "64"]);
  assert.equal(server.counters.drops.fragment, 3);
  assert.equal(server.counters.drops.format, 1);
});

Deno.test("Session skips unknown and startup chunks, ECN reports and padding", () => {
  const { peer, recorder, server } = opened();
  peer.send(
    "ec000107" + "cc000401020304" + "300003000000" + "780003000000" + "00000401020304" +
      "ff00020102" + data(1, "61", { options: TC }) + "410000" + "ffff00",
  );
  peer.run();
  assert.deepEqual(recorder.messages.map(toHex), ["61"]);
  assert.deepEqual(server.counters.drops, {});
});

Deno.test("Session drops malformed chunks, and the packet after 9 of them", () => {
  const { peer, recorder, server } = opened();
  peer.send("51000102" + "5e000102" + data(1, "61", { options: TC }));
  assert.deepEqual(recorder.messages.map(toHex), ["61"]);
  peer.send("51000102".repeat(100) + data(2));
  assert.equal(recorder.messages.length, 1);
  assert.equal(server.counters.drops.format, 2 + 9);
});

Deno.test("Session drops damaged packets, and packets of the wrong mode or session", () => {
  const { peer, server } = opened();
  peer.send("010000", 3); // mode 2 | 1: startup
  const damaged = peer.sent.at(-1)!.slice();
  damaged[13] ^= 1;
  peer.replay(damaged);
  peer.replay(Uint8Array.of(...damaged, 1));
  peer.replay(new Uint8Array(40).fill(1));
  peer.replay(new Uint8Array(19));
  peer.run();
  assert.deepEqual(peer.takeChunks(), []);
  const { drops } = server.counters;
  assert.equal(drops.mode, 1);
  assert.equal(drops.size, 1 + 1);
  assert.equal((drops.session ?? 0) + (drops.checksum ?? 0), 2);
});

Deno.test("Session answers pings with their message, up to its limit", () => {
  const { peer, server } = opened();
  peer.send("01000568656c6c6f" + "010000");
  peer.run();
  assert.deepEqual(peer.takeChunks(), ["41 68656c6c6f", "41"]);
  peer.send("010000".repeat(100));
  peer.send(`010800${"00".repeat(2048)}`);
  peer.run();
  assert.equal(peer.takeChunks().length, 4);
  assert.equal(server.counters.drops.limit, 97);
});

Deno.test("Session sends a timestamp in every packet, and accepts packets without one", () => {
  const { peer, session } = opened();
  const before = session.packetsIn;
  peer.now += 500;
  sendBare(peer, "01" + "010000");
  assert.equal(session.packetsIn, before + 1);
  peer.run();
  const [{ flags, timestampEcho }] = peer.take();
  assert.equal(flags, 0x0e);
  assert.equal(timestampEcho, 250 + 125, "the last received timestamp");
});

/** Sends a packet whose header is part of the hexadecimal text. */
function sendBare(peer: RawPeer, packet: string): void {
  const bytes = fromHex(packet);
  const buffer = new Uint8Array(2000);
  const { cipher } = peer;
  buffer.set(bytes, cipher!.headroom);
  const length = cipher!.seal(buffer, cipher!.headroom + bytes.length, peer.farId);
  peer.endpoint.receive(buffer.subarray(0, length), peer.address, peer.now);
}

Deno.test("Session measures the round trip in ms by echoes", () => {
  const { peer, session } = opened();
  assert.equal(session.rtt, 0);
  peer.now += 1000;
  peer.send("010000");
  peer.run();
  peer.take();
  const sentAt = timestampOf(peer.now);
  peer.now += 80;
  peer.send("010000", 0, sentAt);
  assert.equal(session.rtt, 80);
});

Deno.test("Session marks time-critical packets, and reports their reception to other sessions for a while", () => {
  const recorder = new Recorder();
  const server = makeServer(1, { onSession: () => recorder });
  const publisher = new RawPeer(server).open();
  const player = new RawPeer(server, publisher.now);
  player.address = { ...player.address, port: 7 };
  player.nearId++;
  player.open();
  publisher.now = player.now;
  const [, session] = server.sessions();
  session.openFlow(METADATA, { timeCritical: true }).write(numbered(1, 10));
  player.run();
  assert.equal(player.take()[0].flags, 0x8e);
  publisher.send(data(1, "61", { options: TC }), 0x80);
  publisher.run();
  assert.equal(publisher.take()[0].flags, 0x0e, "no report to the sender's own session");
  player.send("010000");
  player.run();
  assert.equal(player.take()[0].flags, 0x4e);
  player.now += 900;
  player.send("010000");
  player.run();
  assert.equal(player.take().at(-1)!.flags, 0x0e);
});

Deno.test("Session rejects and acknowledges flows without metadata, with unknown options or a wrong association", () => {
  const { peer, recorder, session } = opened();
  const rejected = (chunk: string) => {
    peer.send(chunk);
    peer.run();
    return peer.takeChunks();
  };
  assert.deepEqual(rejected(data(1)), ["5e 0200", "51 027f01"]);
  const unknown = "050054430400" + "0121" + "00";
  assert.deepEqual(rejected(data(1, "61", { flow: "03", options: unknown })), [
    "5e 0300",
    "51 037f01",
  ]);
  const association = "050054430400" + "020a09" + "00";
  assert.deepEqual(rejected(data(1, "61", { flow: "04", options: association })), [
    "5e 0400",
    "51 047f01",
  ]);
  const ignorable = "050054430400" + "03c00061" + "00";
  assert.deepEqual(rejected(data(1, "61", { flow: "05", options: ignorable })), ["51 057f01"]);
  const own = session.openFlow(METADATA);
  own.write(numbered(1, 4));
  peer.run();
  peer.take();
  const answering = "050054430400" + `020a${hex(own.id)}` + "00";
  assert.deepEqual(rejected(data(1, "61", { flow: "06", options: answering })), ["51 067f01"]);
  assert.equal(recorder.flows.at(-1)!.association, own);
  assert.deepEqual(recorder.flows.map(({ id }) => id), [5, 6]);
});

Deno.test("Session sends the code with which its user rejects a flow, in onFlow or later", () => {
  const { peer, recorder } = opened();
  let flow: ReceiveFlow | undefined;
  recorder.onFlow = (offered) => {
    flow = offered;
    if (offered.id === 3) offered.reject(9);
    return offered.id === 2 ? { onMessage() {} } : null;
  };
  peer.send(data(1, "61", { options: TC }));
  peer.send(data(1, "61", { flow: "03", options: TC }));
  peer.send(data(1, "61", { flow: "04", options: TC }));
  peer.run();
  assert.deepEqual(peer.takeChunks(), [
    "51 027f01",
    "5e 0309",
    "51 037f01",
    "5e 0400",
    "51 047f01",
  ]);
  flow!.reject();
  assert.equal(flow!.state, "rejected");
});

Deno.test("Session rejects flows beyond its limit, and closes after 1,100 more flows", () => {
  const { peer, recorder } = opened({ flows: 3 });
  for (let flow = 2; flow < 8; flow++) {
    peer.send(data(1, "61", { flow: hex(flow), options: TC }));
  }
  peer.run();
  const exceptions = peer.takeChunks().filter((chunk) => chunk.startsWith("5e"));
  assert.deepEqual(exceptions, ["5e 0500", "5e 0600", "5e 0700"]);
  assert.equal(recorder.flows.length, 3);
  for (let i = 0; i < 1100; i++) {
    peer.send(
      data(1, "61", { flow: hex(0x81) + hex(0x80 + (i >> 7)) + hex(i & 127), options: TC }),
    );
  }
  assert.deepEqual(recorder.closed, ["limit (not orderly)"]);
});

Deno.test("Session closes when its far end uses more than 100,000 bytes of memory", () => {
  const { peer, recorder } = opened({ memory: 100_000 });
  peer.send(data(1, "61", { options: TC }));
  for (let i = 3; i < 120 && recorder.closed.length === 0; i++) {
    peer.send(data(i, "00".repeat(1100)));
    peer.run();
  }
  assert.deepEqual(recorder.closed, ["limit (not orderly)"]);
});

Deno.test("Session ends a flow at its exception chunk, and answers a late one with the end of the flow", () => {
  const { peer, session, recorder } = opened();
  const codes: number[] = [];
  const flow = session.openFlow(METADATA, { handler: { onException: (code) => codes.push(code) } });
  flow.write(numbered(1, 4));
  peer.run();
  peer.take();
  peer.send("5e00020203" + "510003027f01");
  peer.run();
  assert.deepEqual(codes, [3]);
  assert.deepEqual(peer.takeChunks(), ["10 03020201"]);
  peer.send("5e00020203" + "510003027f02");
  peer.run();
  assert.equal(flow.state, "closed");
  peer.take();
  peer.send("5e00020203");
  peer.run();
  assert.deepEqual(peer.takeChunks(), ["10 03020000"]);
  peer.send("5e00020903");
  peer.run();
  assert.deepEqual(peer.takeChunks(), [], "the flow is unknown");
  assert.deepEqual(recorder.closed, []);
});

Deno.test("Session probes a receiver with a window of 0 at growing intervals, until the window opens", () => {
  const { peer, session } = opened();
  const flow = session.openFlow(METADATA);
  flow.write(numbered(1, 4));
  peer.run();
  peer.send("510003020001");
  flow.write(numbered(2, 4));
  peer.run();
  peer.take();
  const times: number[] = [];
  const start = peer.now;
  while (peer.now < start + 200_000) {
    peer.run(peer.now + 100);
    for (const chunk of peer.takeChunks()) {
      if (chunk.startsWith("18")) times.push(Math.round((peer.now - start) / 1000));
    }
    if (Math.round(peer.now) % 10_000 < 100) peer.send("410000");
  }
  assert.equal(times[0], 1);
  for (let i = 2; i < times.length; i++) {
    const [before, after] = [times[i - 1] - times[i - 2], times[i] - times[i - 1]];
    assert.ok(after >= before - 1 && after <= 61, `${times}`);
  }
  peer.send("510003020101");
  peer.run();
  assert.match(peer.takeChunks().join(), /^10 .*00000002/);
  peer.run(peer.now + 100);
  peer.send("510003027f02");
  peer.run(peer.now + 100_000);
  assert.equal(peer.takeChunks().some((chunk) => chunk.startsWith("18")), false);
});

Deno.test("Session answers a buffer probe with an acknowledgement at once", () => {
  const { peer } = opened();
  peer.send(data(1, "61", { options: TC }));
  peer.run();
  peer.take();
  peer.send("18000102");
  peer.run();
  assert.deepEqual(peer.takeChunks(), ["51 027f01"]);
  peer.send("18000109");
  peer.run();
  assert.deepEqual(peer.takeChunks(), []);
});

Deno.test("Session reads the acknowledged fragments of a bitmap", () => {
  const { peer, session } = opened();
  const flow = session.openFlow(METADATA);
  for (let i = 1; i <= 6; i++) {
    flow.write(numbered(i, 1000));
  }
  peer.run();
  assert.equal(peer.takeChunks().length, 5, "packets of the first window");
  peer.send("500004027f" + "0103"); // 0-1, 3, 4
  assert.equal(flow.ackedBytes, 3000);
});

Deno.test("Session sends at most 6 packets for an acknowledgement of two", () => {
  const { peer, session } = opened();
  const flow = session.openFlow(METADATA);
  const acknowledge = (n: number) => {
    const number = n < 128 ? hex(n) : hex(0x80 | (n >> 7)) + hex(n & 127);
    peer.send(`5100${hex(3 + number.length / 2)}02ff7f${number}`);
    peer.run();
    return peer.takeChunks().filter((chunk) => chunk.startsWith("10")).length;
  };
  for (let i = 0; i < 200; i++) flow.write(numbered(i, 1100));
  peer.run();
  for (let sent = peer.takeChunks().length, acked = 0; acked < sent;) {
    acked = Math.min(sent, acked + 2);
    sent += acknowledge(acked);
  }
  assert.equal(flow.queuedMessages, 0);
  assert.ok(session.sending.congestion.window > 50_000, "the window allows many more packets");
  for (let i = 0; i < 100; i++) flow.write(numbered(i, 1100));
  peer.run();
  assert.equal(peer.takeChunks().length, 6);
});

Deno.test("Session sends flows of higher priority first, and flows of equal priority in turns", () => {
  const { peer, session } = opened();
  const flows = [0, 0, 5].map((priority) => session.openFlow(METADATA, { priority }));
  for (const flow of flows) {
    for (let i = 0; i < 3; i++) flow.write(numbered(i, 1100));
  }
  const order: number[] = [];
  for (let i = 0; i < 10; i++) {
    peer.run();
    for (const chunk of peer.takeChunks()) order.push(parseInt(chunk.slice(5, 7), 16));
    const acks = flows.map((flow: SendFlow) => `510003${hex(flow.id)}7f${hex(flow.sentFragments)}`);
    peer.send(acks.join(""));
  }
  assert.deepEqual(order.slice(0, 3), [4, 4, 4]);
  assert.deepEqual(order.slice(3), [2, 3, 2, 3, 2, 3]);
});

Deno.test("Session sends flushed flows before others of the same priority, in the order of flushing, until they are empty", () => {
  const { peer, session } = opened();
  const flows = [0, 0, 0, 5].map((priority) => session.openFlow(METADATA, { priority }));
  const [, second, third] = flows;
  const order = (messages: number) => {
    for (const flow of flows) for (let i = 0; i < messages; i++) flow.write(numbered(i, 1100));
    third.flush();
    second.flush();
    third.flush(); // keeps its position
    const sent: number[] = [];
    for (let i = 0; i < 4 * messages; i++) {
      peer.run();
      for (const chunk of peer.takeChunks()) sent.push(parseInt(chunk.slice(5, 7), 16));
      peer.send(flows.map((flow) => `510003${hex(flow.id)}7f${hex(flow.sentFragments)}`).join(""));
    }
    return sent;
  };
  assert.deepEqual(order(2), [5, 5, 4, 4, 3, 3, 2, 2]);
  third.flush(); // no message waits, so this adds no packet
  for (const flow of flows) flow.write(numbered(9, 1100));
  second.flush();
  peer.run();
  assert.deepEqual(
    peer.takeChunks().slice(0, 2).map((chunk) => parseInt(chunk.slice(5, 7), 16)),
    [5, 3],
  );
});

Deno.test("Session sends a message flushed as urgent in a handler during the handler, and only once", () => {
  const recorder = new Recorder();
  const sent: Uint8Array[] = [];
  const buffer = new Uint8Array(2000);
  const outbox = {
    buffer: () => buffer,
    room: 64,
    post: (length: number) => void sent.push(buffer.slice(0, length)),
  };
  const server = makeServer(1, {
    onSession: () => recorder,
    onUrgent: (session) => server.sendData(session, outbox),
  });
  const peer = new RawPeer(server, 1000).open();
  const [session] = server.sessions();
  const during: number[] = [];
  recorder.onMessage = () => {
    const flow = session.openFlow(METADATA);
    flow.write(numbered(1, 500));
    during.push(sent.length);
    flow.flush();
    during.push(sent.length);
    flow.flush(true);
    during.push(sent.length);
    session.close(); // the session closes with the next flush
    flow.flush(true);
    during.push(sent.length);
  };
  peer.send(data(1, "61", { options: TC }));
  assert.deepEqual(during, [0, 0, 1, 1]);
  assert.ok(sent[0].length >= 500);
  peer.run();
  assert.equal(session.state === "open", false);
});

Deno.test("Session sends the rest of its data later when the outbox is full", () => {
  const { peer, session, server } = opened();
  const flow = session.openFlow(METADATA);
  flow.write(numbered(1, 3000));
  let room = 1;
  const buffer = new Uint8Array(4400);
  const sent: Uint8Array[] = [];
  const outbox = {
    buffer: () => room > 0 ? buffer : undefined,
    get room() {
      return room;
    },
    post(length: number) {
      room--;
      sent.push(buffer.slice(0, length));
    },
  };
  server.flush(peer.now, outbox);
  assert.equal(sent.length, 1);
  assert.ok(
    server.deadline > peer.now && server.deadline < peer.now + 20,
    "the next flush is due soon",
  );
  room = 10;
  server.flush(server.deadline, outbox);
  assert.equal(sent.length, 3);
});

Deno.test("Session with sequence numbers ignores a repeated packet", () => {
  const { peer, session, server } = opened({}, STRICT);
  const before = session.packetsIn;
  peer.send("010000");
  peer.replay(peer.sent.at(-1)!);
  assert.equal(session.packetsIn, before + 1);
  assert.equal(server.counters.drops.replay, 1);
});

Deno.test("Session acknowledges late fragments of a completed flow, and forgets the flow after two minutes", () => {
  const { peer, session } = opened();
  peer.send(data(1, "61", { options: TC }) + "10000403020201");
  peer.run();
  assert.deepEqual(peer.takeChunks(), ["51 027f02"]);
  assert.equal(session.receiving.open, 0);
  peer.send(data(1, "61", { options: TC }));
  peer.run();
  assert.deepEqual(peer.takeChunks(), ["51 027f02"], "the flow is not opened again");
  assert.equal(session.receiving.open, 0);
  for (let i = 0; i < 20; i++) {
    peer.run(peer.now + 10_000);
    peer.send("410000");
  }
  peer.take();
  peer.send(data(1, "61", { options: TC }));
  assert.equal(session.receiving.open, 1);
});

Deno.test("Endpoint's deadline with an idle session is the session's next ping", () => {
  const pair = makePair({ seed: 1, delay: [5, 5] });
  open(pair);
  pair.link.run({ until: 110_000 }); // until the endpoint has forgotten the handshake
  const { lastReceived } = pair.serverSession!;
  assert.ok(pair.server.deadline > lastReceived + 25_000, `${pair.server.deadline}`);
});
