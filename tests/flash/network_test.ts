import assert from "node:assert/strict";
import { toHex } from "../../src/bytes/hex.ts";
import { FlvReader } from "../../src/flv/reader.ts";
import { TagType } from "../../src/flv/tags.ts";
import { MessageType, writeMessage } from "../../src/tc/format/messages.ts";
import { seeded } from "../support/random.ts";
import { echo, Network, numberedFrame, play, publish } from "./network.ts";

const KEY = [0x17, 1, 0, 0, 0];
const INTER = [0x27, 1, 0, 0, 0];
const SOUND = [0xaf, 1];

Deno.test("FlashServer answers all calls once and in order over a network that loses packets", () => {
  for (let seed = 1; seed <= 10; seed++) {
    const network = new Network({ seed, loss: 0.2, delay: [10, 200] }, echo);
    const client = network.connect();
    const expected: string[] = [];
    for (let i = 0; i < 100; i++) {
      const text = `${i} ${"x".repeat(i * 50)}`;
      expected.push(`_result ${client.call("echo", text)} "${text}"`);
    }
    network.run(() => client.log.length >= 101, 60_000);
    network.pass(5000);
    assert.deepEqual(client.log.slice(1), expected, `seed ${seed}`);
  }
});

Deno.test("FlashServer sends an answer in the packet of the call's acknowledgement", () => {
  const network = new Network({ seed: 1, delay: [20, 20] }, echo);
  const client = network.connect();
  network.pass(4000);
  const before = network.endpoint.counters.datagramsOut;
  client.call("echo", "hello");
  network.run(() => client.log.some((line) => line.includes("hello")), 100);
  network.pass(1000);
  assert.equal(network.endpoint.counters.datagramsOut - before, 1);
});

Deno.test("Two listeners get a recording over a bad network, one of them from its start", () => {
  const tags = new FlvReader().push(
    Deno.readFileSync(new URL("../fixtures/test.flv", import.meta.url)),
  );
  for (let seed = 1; seed <= 5; seed++) {
    const network = new Network({ seed, loss: 0.05, delay: [5, 60] });
    const publisher = network.connect();
    const early = network.connect();
    const late = network.connect();
    const flow = publisher.stream();
    const flows = { audio: flow, video: publisher.session!.openFlow(flow.metadata, {}) };
    flow.write(publish("foo"));
    early.stream().write(play("foo"));
    network.pass(2000);
    const begin = network.link.now;
    let joined = false;
    for (const { type, timestamp, data } of tags) {
      network.link.run({ until: begin + timestamp });
      if (!joined && timestamp >= 1500) {
        late.stream().write(play("foo"));
        joined = true;
      }
      if (type === TagType.data) flow.write(writeMessage(MessageType.data, timestamp, data));
      else {flows[type === TagType.audio ? "audio" : "video"].write(
          writeMessage(type, timestamp, data),
        );}
    }
    network.pass(5000);
    const lines = (
      all: readonly { kind: string; time: number; payload: Uint8Array }[],
      kind: string,
    ) =>
      all.filter((one) => one.kind === kind).map(({ time, payload }) =>
        `${time} ${toHex(payload)}`
      );
    const source = tags.filter(({ type }) => type !== TagType.data).map((tag) => ({
      kind: tag.type === TagType.audio ? "audio" : "video",
      time: tag.timestamp,
      payload: tag.data,
    }));
    for (const kind of ["audio", "video"]) {
      const sent = lines(source, kind);
      assert.deepEqual(lines(early.came, kind), sent, `seed ${seed}`);
      const got = lines(late.came, kind);
      assert.equal(got[0].split(" ")[1], sent[0].split(" ")[1]); // the codec header first
      assert.deepEqual(got.slice(1), sent.slice(-got.length + 1), `seed ${seed}`);
    }
    const firstFrame = late.came.filter(({ kind }) => kind === "video")[1];
    assert.ok(firstFrame.time === 2000 || firstFrame.time === 3000); // createStream may take long
    assert.equal(firstFrame.payload[0], 0x17);
    for (const one of [early, late]) {
      assert.ok(one.log.some((line) => line.startsWith("data 0 onMetaData")));
    }
  }
});

Deno.test("An unbuffered listener gets no lost frame again, and no frame without its references", () => {
  let dropped = 0;
  for (let seed = 1; seed <= 5; seed++) {
    const network = new Network({ seed, delay: [20, 40] });
    const publisher = network.connect();
    const listener = network.connect();
    const flow = publisher.stream();
    flow.write(publish("foo"));
    listener.stream().write(play("foo", -3));
    network.pass(2000);
    const chance = seeded(seed);
    network.link.tap = (_, from) => from.port === 50_000 || chance() >= 0.05;
    const begin = network.link.now;
    for (let i = 0; i < 500; i++) {
      network.link.run({ until: begin + i * 20 });
      flow.write(numberedFrame("video", i * 20, i % 25 === 0 ? KEY : INTER, i, 3000));
    }
    network.link.run({ until: begin + 12_000 });
    const [one] = network.hub.publications.get("foo")!.listeners.values();
    dropped += one.videoQos.droppedFrames;
    const numbers = listener.came.map(({ payload }) => new DataView(payload.buffer).getUint32(5));
    assert.ok(numbers.length > 50 && numbers.length < 500, `${numbers.length}`);
    assert.ok(listener.came.every(({ at, time }) => at - begin - time < 1000));
  }
  assert.ok(dropped > 50, `${dropped}`);
});

Deno.test("A refused client gets the answer and close before its session ends", () => {
  for (let seed = 1; seed <= 10; seed++) {
    const network = new Network({ seed, loss: 0.2, delay: [20, 200] });
    const client = network.connect("missing");
    network.pass(20_000);
    assert.deepEqual(client.log, [
      "_error 1 [error] NetConnection.Connect.InvalidApp: Application /missing doesn't exist",
      "close 0",
    ], `seed ${seed}`);
    assert.equal(client.closed, "closed by peer");
    assert.equal(network.server.size, 0);
  }
});

Deno.test("A listener gets audio without video from a publisher whose audio has its own flow", () => {
  const network = new Network({ seed: 4, loss: 0.1, delay: [5, 100] });
  const publisher = network.connect();
  const listener = network.connect();
  const flow = publisher.stream();
  flow.write(publish("foo"));
  listener.stream().write(play("foo"));
  network.pass(2000);
  for (let i = 0; i < 200; i++) {
    network.link.run({ until: network.link.now + 20 });
    flow.write(numberedFrame("audio", i * 20, SOUND, i, 200));
  }
  network.pass(5000);
  assert.deepEqual(
    listener.came.map(({ time }) => time),
    Array.from({ length: 200 }, (_, i) => i * 20),
  );
});
