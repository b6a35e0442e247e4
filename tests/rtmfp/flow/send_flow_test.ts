import assert from "node:assert/strict";
import { fromHex, toHex } from "../../../src/bytes/hex.ts";
import { Reader } from "../../../src/bytes/reader.ts";
import { Writer } from "../../../src/bytes/writer.ts";
import { SendFlow } from "../../../src/rtmfp/flow/send_flow.ts";
import { ReceiveFlow } from "../../../src/rtmfp/flow/receive_flow.ts";
import { Ack, readRangeAck } from "../../../src/rtmfp/wire/ack.ts";
import { acknowledge, FlowHost, packet } from "../../support/flow_host.ts";
import { vector } from "../../support/vectors.ts";

const chunks = vector("chunk-user-data").cases;
const bytes = (...values: number[]) => Uint8Array.from(values);

Deno.test("SendFlow begins with the same chunk as Flash and librtmfp", () => {
  const [client, server] = chunks;
  const host = new FlowHost();
  const flow = host.open(2, fromHex(client.metadata));
  flow.write(fromHex(client.message));
  assert.equal(packet(flow), client.hex);
  const association = new ReceiveFlow(server.association, bytes(), undefined, undefined!);
  const answer = new SendFlow(2, fromHex(server.metadata), association, host);
  answer.write(fromHex(server.message));
  assert.equal(packet(answer), server.hex);
});

Deno.test("SendFlow writes later messages of a packet as Next User Data", () => {
  const flow = new FlowHost().open();
  for (let i = 1; i <= 6; i++) flow.write(bytes(i));
  packet(flow);
  acknowledge(flow, "03 7f 06");
  flow.write(bytes(1));
  flow.write(bytes(2));
  assert.equal(packet(flow), chunks[5].hex);
});

Deno.test("SendFlow splits a long message where the packet ends, without tiny fragments", () => {
  const flow = new FlowHost().open(4, bytes());
  const message = Uint8Array.from({ length: 2000 }, (_, i) => i);
  const piece = (start: number, end: number) => toHex(message.subarray(start, end));
  flow.write(new Uint8Array(200));
  flow.write(message);
  const options = "010000";
  const short = `1000cf80040101${options}${"00".repeat(200)}`; // 210 bytes
  assert.equal(packet(flow, 460), short, "250 bytes are left");
  const begin = `1001f190040202${options}${piece(0, 490)}`;
  assert.equal(packet(flow, 500), begin);
  assert.equal(packet(flow, 500), `1001f1b0040303${options}${piece(490, 980)}`);
  assert.equal(flow.queuedBytes, 1020);
  assert.equal(flow.queuedMessages, 1);
  acknowledge(flow, "04 7f 03");
  flow.write(bytes(1));
  assert.equal(packet(flow, 1191), `100400` + `20040401${piece(980, 2000)}` + "1100020001");
  assert.equal(flow.queuedBytes, 0);
});

Deno.test("SendFlow writes its options into every packet until the first acknowledgement", () => {
  const flow = new FlowHost().open(3, bytes(0x54, 0x43));
  const options = "0300544300";
  flow.write(bytes(1));
  assert.equal(packet(flow), `10000a80030101${options}01`);
  flow.write(bytes(2));
  flow.write(bytes(3));
  assert.equal(packet(flow), `10000a80030202${options}02` + "1100020003");
  acknowledge(flow, "03 7f 01");
  flow.write(bytes(4));
  assert.equal(packet(flow), "1000050003040304");
});

Deno.test("SendFlow sends a fragment again, before others, after three negative acknowledgements", () => {
  const host = new FlowHost();
  const flow = host.open();
  for (let i = 1; i <= 6; i++) {
    flow.write(bytes(i));
    packet(flow);
  }
  assert.equal(acknowledge(flow, "03 7f 01 0000"), 0); // 0-1, 3: one nak for 2
  assert.equal(acknowledge(flow, "03 7f 01 0001"), 0);
  assert.equal(flow.ready, false);
  flow.write(bytes(7));
  assert.equal(acknowledge(flow, "03 7f 01 0002"), 1);
  assert.equal(flow.lostFragments, 1);
  // Number 2 again, then the new number 7: not its successor, so a whole User Data chunk.
  assert.equal(packet(flow), "1000050003020102" + "1000050003070607");
  acknowledge(flow, "03 7f 07");
  assert.equal(host.flight.outstanding, 0);
  assert.equal(flow.ackedBytes, 7);
});

Deno.test("SendFlow.firstPending is the first message neither delivered in order nor abandoned", () => {
  const host = new FlowHost();
  const flow = host.open(3, bytes());
  const seen: number[] = [];
  flow.handler = { onAcknowledged: () => void seen.push(flow.firstPending) };
  assert.deepEqual([flow.lastMessage, flow.firstPending], [0, 1]);
  for (let i = 1; i <= 5; i++) flow.write(bytes(i), { reliable: i !== 3 });
  assert.deepEqual([flow.lastMessage, flow.firstPending], [5, 1]);
  packet(flow);
  acknowledge(flow, "03 7f 02"); // 1 and 2
  acknowledge(flow, "03 7f 02 0000"); // 4: one nak for 3
  acknowledge(flow, "03 7f 02 0000");
  assert.deepEqual(seen, [3, 3, 3]);
  host.flight.loseAll(); // 3 is abandoned, 5 must be repeated
  assert.equal(flow.firstPending, 5);
  flow.write(bytes(6));
  flow.write(bytes(7));
  assert.equal(flow.abandonUnsent(), 2);
  packet(flow);
  acknowledge(flow, "03 7f 05");
  assert.equal(flow.firstPending, 8);
  assert.equal(flow.lastMessage, 7);
});

Deno.test("SendFlow sends up to the receive window, and one fragment more if no fragment is in flight", () => {
  const host = new FlowHost();
  const flow = host.open(3, bytes());
  flow.write(bytes(0));
  packet(flow);
  acknowledge(flow, "03 01 01"); // 1024 bytes
  for (let i = 0; i < 4; i++) flow.write(new Uint8Array(600));
  assert.equal(packet(flow, 5000).length / 2, 607 + 604);
  assert.equal(flow.ready, false);
  acknowledge(flow, "03 00 01");
  assert.equal(flow.ready, false);
  host.flight.loseAll();
  assert.equal(flow.suspended, true);
  acknowledge(flow, "03 01 03");
  assert.equal(flow.suspended, false);
  assert.equal(packet(flow, 5000).length / 2, 607 + 604);
});

Deno.test("SendFlow abandons an unreliable message when a part of it is lost", () => {
  const host = new FlowHost();
  const flow = host.open(3, bytes());
  flow.write(bytes(1), { reliable: false });
  packet(flow);
  flow.write(bytes(2));
  packet(flow);
  acknowledge(flow, "03 7f 00 0000"); // number 2 alone
  assert.equal(host.flight.loseAll(), true);
  // All fragments are acknowledged or abandoned: only an update of the forward number informs the peer.
  assert.equal(packet(flow), "1000040203" + "0100");
  flow.write(bytes(3));
  assert.equal(packet(flow), "1000050003030203");
});

Deno.test("SendFlow sends the forward sequence number update of the specification until it is acknowledged", () => {
  const host = new FlowHost();
  const flow = host.open(3, bytes());
  for (let i = 1; i <= 60; i++) {
    flow.write(bytes(i), { reliable: false });
    packet(flow);
  }
  acknowledge(flow, "03 7f 01");
  host.flight.loseAll();
  assert.equal(packet(flow), chunks[4].hex);
  host.flight.loseAll();
  assert.equal(packet(flow), chunks[4].hex, "the update is repeated");
  acknowledge(flow, "03 7f 3c");
  assert.equal(flow.ready, false);
});

Deno.test("SendFlow leaves a gap for the abandoned rest of a started message", () => {
  const host = new FlowHost();
  const flow = host.open(3, bytes());
  flow.write(new Uint8Array(2000), { reliable: false });
  flow.write(bytes(7));
  packet(flow, 1000);
  host.flight.loseAll();
  assert.equal(flow.queuedMessages, 1);
  assert.equal(flow.queuedBytes, 1);
  // 1 was sent and abandoned, 2 stands for the rest, 3 is the next message.
  assert.equal(packet(flow), "100008" + "80030301" + "010000" + "07");
  flow.write(new Uint8Array(2000), { reliable: false });
  packet(flow, 1000);
  host.flight.loseAll();
  acknowledge(flow, "03 7f 03");
  assert.equal(packet(flow), "100004" + "02030500", "an update without a next message");
});

Deno.test("abandonUnsent() keeps a message that is partly sent", () => {
  const flow = new FlowHost().open(3, bytes());
  flow.write(new Uint8Array(1500));
  flow.write(bytes(2));
  flow.write(bytes(3));
  packet(flow, 1000);
  assert.equal(flow.abandonUnsent(), 2);
  assert.equal(flow.queuedMessages, 1);
  assert.match(packet(flow, 1000), /^1002..a0/);
  assert.equal(flow.queuedBytes, 0);
  assert.equal(flow.abandonUnsent(), 0);
});

Deno.test("SendFlow repeats its empty final fragment until it is acknowledged", () => {
  const host = new FlowHost();
  const flow = host.open(3, bytes());
  let closed = 0;
  flow.handler = { onClosed: () => closed++ };
  for (let i = 1; i <= 4; i++) flow.write(bytes(i));
  packet(flow);
  acknowledge(flow, "03 7f 04");
  flow.close();
  flow.write(bytes(5)); // not sent
  assert.equal(flow.state, "closing");
  assert.equal(packet(flow), chunks[3].hex);
  host.flight.loseAll();
  assert.equal(packet(flow), chunks[3].hex);
  assert.equal(closed, 0);
  acknowledge(flow, "03 7f 05");
  assert.equal(closed, 1);
  assert.deepEqual(host.forgotten, [flow]);
  assert.equal(flow.ready, false);
});

Deno.test("SendFlow without messages closes without a packet", () => {
  const host = new FlowHost();
  const flow = host.open();
  flow.close();
  assert.equal(flow.state, "closed");
  assert.equal(packet(flow), "");
  assert.deepEqual(host.forgotten, [flow]);
});

Deno.test("SendFlow abandons all messages after an exception, and sends its end despite a window of 0", () => {
  const host = new FlowHost();
  const flow = host.open(3, bytes());
  const codes: number[] = [];
  flow.handler = { onException: (code) => codes.push(code) };
  flow.write(bytes(1));
  packet(flow);
  acknowledge(flow, "03 00 00");
  flow.write(new Uint8Array(3000));
  flow.onException(7);
  flow.onException(7);
  assert.deepEqual(codes, [7]);
  assert.equal(flow.closed, true);
  assert.equal(flow.queuedBytes, 0);
  // Number 1 is in flight as it was; 2 is the end.
  assert.equal(packet(flow), "1000040303" + "0202");
  acknowledge(flow, "03 00 02");
  assert.equal(flow.state, "closed");
});

Deno.test("SendFlow ignores acknowledgements of numbers that it has not sent", () => {
  const host = new FlowHost();
  const flow = host.open(3, bytes());
  flow.write(bytes(1));
  packet(flow);
  acknowledge(flow, "03 7f 8fff7f 0505");
  assert.equal(host.flight.outstanding, 0);
  flow.write(bytes(2));
  assert.equal(packet(flow), "1000050003020102");
});

Deno.test("SendFlow.provesProbe() is false for an acknowledgement possible without the probe", () => {
  const host = new FlowHost();
  const flow = host.open(3, bytes());
  const probe = () => {
    const to = Writer.over(new Uint8Array(100));
    const sequence = flow.probe(to);
    return { sequence, hex: toHex(to.view()) };
  };
  assert.equal(probe().sequence, 0, "the peer does not know the flow");
  flow.write(bytes(1));
  packet(flow);
  acknowledge(flow, "03 7f 01");
  const { sequence, hex } = probe();
  assert.equal(hex, "1000040203" + "0201");
  const ack = (payload: string) => {
    const read = new Ack();
    readRangeAck(new Reader(fromHex(payload)), read);
    return flow.provesProbe(sequence, read);
  };
  flow.write(bytes(3));
  assert.equal(packet(flow), "1000050003030203", "the forward number stays below the probe");
  assert.equal(ack("03 7f 01"), false);
  assert.equal(ack("03 7f 01 0000"), false);
  assert.equal(ack("03 7f 02"), true);
  assert.equal(ack("03 7f 03"), true);
  assert.equal(flow.provesProbe(0, new Ack()), false);
  // Once the fragment is sent again, its acknowledgement proves nothing.
  host.flight.loseAll();
  packet(flow);
  assert.equal(ack("03 7f 03"), false);
});

Deno.test("SendFlow sends a shared message with its own stamp, also when it repeats a fragment", () => {
  const message = Uint8Array.from({ length: 700 }, (_, i) => i & 0x7f);
  const stamped = message.slice();
  stamped.set([0xfe, 0xdc, 0xba, 0x98], 1);
  const sent = (stamp?: number) => {
    const host = new FlowHost();
    const flow = host.open(4, bytes());
    flow.write(message, undefined, stamp);
    const packets = [packet(flow, 500), packet(flow, 500)];
    host.flight.loseAll();
    return [...packets, packet(flow, 500)];
  };
  const [begin, end, again] = sent(0xfedcba98);
  const [plain, plainEnd] = sent();
  assert.ok(begin.includes(toHex(stamped.subarray(0, 400))));
  assert.ok(again.includes(toHex(stamped.subarray(0, 400))));
  assert.ok(plain.includes(toHex(message.subarray(0, 400))));
  assert.equal(end, plainEnd);
  assert.equal(message[1], 1);
});
