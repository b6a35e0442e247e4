// A client that rejects flows of the server, as librtmfp rejects every flow that carries a message
// unknown to it. rtmfp-wire trap 21.
import assert from "node:assert/strict";
import { encodeAmf } from "../../src/amf/mod.ts";
import type { LineSettings } from "../support/lossy_link.ts";
import { Network, numberedFrame, play, publish } from "./network.ts";

const KEY = [0x17, 1, 0, 0, 0];
const lines: LineSettings[] = [{ delay: [20, 20] }, { loss: 0.2, delay: [10, 100] }];

for (const line of lines) {
  const where = line.loss ? ", over a line that loses packets" : "";

  Deno.test(`a publisher that rejects the control flow continues publishing${where}`, () => {
    const network = new Network({ seed: 3 }, {
      subscribe: () => {
        for (const { writer } of network.hub.clients.values()) {
          writer.message("onViewers", encodeAmf(1));
        }
      },
    });
    const publisher = network.connect("live", line);
    const viewer = network.connect("live", { delay: [20, 20] });
    const media = publisher.stream();
    media.write(publish("foo"));
    network.pass(3000);
    const player = viewer.stream();
    publisher.rejects = (text) => text.startsWith("onViewers");
    let expected = 0;
    for (let round = 1; round <= 3; round++) {
      player.write(play("foo"));
      for (let i = 0; i < 20; i++) {
        network.pass(250);
        media.write(numberedFrame("video", expected * 250, KEY, expected++, 200));
      }
      assert.equal(publisher.rejected, round, "the fresh control flow brings the next message");
    }
    network.pass(5000);
    const numbers = new Set(
      viewer.came.map(({ payload }) => new DataView(payload.buffer).getUint32(5)),
    );
    assert.equal(Math.max(...numbers), expected - 1);
    assert.equal(publisher.closed, undefined);
    assert.equal(network.hub.clients.size, 2);
    publisher.rejects = () => false;
    const transaction = publisher.call("createStream");
    network.pass(3000);
    assert.ok(publisher.log.includes(`_result ${transaction} 2`), publisher.log.join("\n"));
    // A flow that it opens later still answers the first control flow of the server.
    const sound = publisher.session!.openFlow(media.metadata, { association: publisher.answers });
    sound.write(numberedFrame("audio", 0, [0xaf, 1], 1, 20));
    network.pass(3000);
    assert.equal(viewer.came.filter(({ kind }) => kind === "audio").length, 1);
  });

  Deno.test(`a client that rejects the control flow and hangs up disconnects without onFailed${where}`, () => {
    const network = new Network({ seed: 4 });
    const client = network.connect("live", line);
    network.pass(2000);
    client.answers!.reject(0);
    client.session!.close();
    network.pass(5000);
    const { events } = network.application;
    const end = events.filter((event) => /^on(Failed|Disconnection)/.test(event));
    assert.deepEqual(end, ["onDisconnection"]);
    assert.equal(network.server.size, 0);
  });

  Deno.test(`a player that rejects the flows of its stream keeps its session${where}`, () => {
    const network = new Network({ seed: 5 });
    const publisher = network.connect("live", { delay: [20, 20] });
    const player = network.connect("live", line);
    const media = publisher.stream();
    media.write(publish("foo"));
    player.stream().write(play("foo"));
    network.pass(3000);
    for (const flow of player.flows) if (flow !== player.answers) flow.reject(0);
    for (let i = 0; i < 20; i++) {
      media.write(numberedFrame("video", i * 100, KEY, i, 200));
      network.pass(100);
    }
    network.pass(5000);
    const transaction = player.call("createStream");
    network.pass(3000);
    assert.ok(player.log.includes(`_result ${transaction} 2`), player.log.join("\n"));
    assert.equal(network.hub.clients.size, 2);
  });
}
