// The load generator is a second RTMFP client, written apart from src/rtmfp's flows and sessions.
import assert from "node:assert/strict";
import { Generator } from "../../bench/load/generator.ts";
import { connectAll, createStream } from "../../bench/support/steps.ts";
import { encodeAmf0 } from "../../src/amf/mod.ts";
import { MessageType, writeMessage } from "../../src/tc/format/messages.ts";
import { writeTcMetadata } from "../../src/tc/format/metadata.ts";
import { parseRtmfpUrl } from "../../src/client/url.ts";
import { RELAXED, STRICT } from "../../src/rtmfp/crypto/protection.ts";
import { smallServer } from "../support/small_server.ts";
import { PATIENCE, until } from "../support/wait.ts";

for (
  const [what, group, strict] of [
    ["Diffie-Hellman group 2", 2, false],
    ["Diffie-Hellman group 14, HMACs and sequence numbers", 14, true],
  ] as const
) {
  Deno.test(`Lean clients connect, call, publish and play with ${what}`, async () => {
    await using server = await smallServer(strict ? STRICT : RELAXED);
    const url = `${server.url}/bench`;
    const target = parseRtmfpUrl(url);
    const generator = new Generator({ url, target, group, strict, plainSockets: true });
    const clients = [generator.add(), generator.add(), generator.add()];
    let slowest = 0;
    await connectAll(generator, clients, "bench", {
      took: (time) => slowest = Math.max(slowest, time),
    });
    assert.ok(slowest > 0 && slowest < PATIENCE);
    assert.equal(server.clients.size, 3);

    let echoed: unknown;
    const long = "long ".repeat(2000);
    clients[0].call("echo", encodeAmf0(null, long), (_failed, values) => {
      echoed = values.readValue();
    });
    assert.ok(await generator.run(() => echoed !== undefined, performance.now() + PATIENCE));
    assert.equal(echoed, long);

    const [publisher, ...listeners] = clients;
    const received: string[] = [];
    for (const listener of listeners) {
      const stream = await createStream(generator, listener);
      listener.onMessage = (type, timestamp, payload) => {
        if (type === MessageType.video) {
          received.push(`${clients.indexOf(listener) + 1} ${timestamp} ${payload.length}`);
        }
      };
      listener.streamCommand(stream, "play", "x", -2, -1, true);
    }
    const stream = await createStream(generator, publisher);
    publisher.streamCommand(stream, "publish", "x", "live");
    const published = () => server.hub.publications.get("x")?.publisher !== undefined;
    assert.ok(await generator.run(published, performance.now() + PATIENCE));
    const flow = publisher.openFlow(writeTcMetadata(stream));
    const frame = new Uint8Array(9000);
    frame.set([0x17, 1]);
    for (const time of [0, 40]) {
      flow.write(writeMessage(MessageType.video, time, frame), performance.now());
    }
    assert.ok(await generator.run(() => received.length === 4, performance.now() + PATIENCE));
    assert.deepEqual(received.sort(), ["2 0 9000", "2 40 9000", "3 0 9000", "3 40 9000"]);
    assert.equal(generator.dropped, 0);
    generator.close();
    await until(() => server.clients.size === 0, "their end");
  });
}

Deno.test("Several lean clients share a socket", async () => {
  await using server = await smallServer();
  const target = parseRtmfpUrl(server.url);
  const options = { url: server.url, target, clientsPerSocket: 4, plainSockets: true };
  const generator = new Generator(options);
  await connectAll(generator, Array.from({ length: 8 }, () => generator.add()), "");
  const ports = new Set([...server.endpoint.sessions()].map(({ address }) => address.port));
  assert.equal(ports.size, 2);
  generator.close();
});

Deno.test("connectAll() reports a refused connect", async () => {
  await using server = await smallServer();
  const url = `${server.url}/nowhere`;
  const generator = new Generator({ url, target: parseRtmfpUrl(url), plainSockets: true });
  await assert.rejects(
    connectAll(generator, [generator.add()], "nowhere"),
    /Cannot connect: .*Connect/,
  );
  generator.close();
});
