import assert from "node:assert/strict";
import { encodeAmf0 } from "../../src/amf/mod.ts";
import { GROUP_METADATA } from "../../src/tc/format/metadata.ts";
import { seeded } from "../support/random.ts";
import { command, flashWorld } from "./fakes.ts";
import { recordedMessages } from "./recorded.ts";

Deno.test("FlashServer accepts arbitrary messages on any flow without throwing, and serves the next client", () => {
  const recorded = ["librtmfp-cumulus-calls", "librtmfp-cumulus-publish_play"].flatMap((name) =>
    recordedMessages(name).map(({ message }) => message)
  );
  const more = [
    command("play", 0, null, "foo", -3000),
    command("play2", 0, null, { streamName: "foo", start: { a: 1 } }),
    command("pause", 0, null, true, 1),
    command("receiveAudio", 0, null, false),
    command("receiveVideo", 0, null, "x"),
    command("seek", 0, null, 1),
    command("deleteStream", 0, null, 1),
    command("setPeerInfo", 0, null, "1.2.3.4:5", "[::1]:6"),
    Uint8Array.from([0x12, 0, 0, 0, 0, ...encodeAmf0("@clearDataFrame", "onMetaData")]),
  ];
  const messages = [...recorded.filter((message) => message.length < 2000), ...more];
  for (let seed = 1; seed <= 40; seed++) {
    const random = seeded(seed);
    const draw = (below: number) => Math.floor(random() * below);
    const here = flashWorld({
      call: (client, _name, values) => {
        while (!values.done) values.readValue();
        client.writer.result(new Uint8Array());
        return draw(2) === 0;
      },
      connect: (_client, values) => {
        while (!values.done) values.readValue();
        return undefined;
      },
    });
    const client = here.connected(1);
    client.call("createStream", 1);
    const flows = [
      client.control,
      client.stream(1),
      client.flow(GROUP_METADATA),
      here.flash(2).control,
    ];
    for (let i = 0; i < 300; i++) {
      let message = messages[draw(messages.length)].slice();
      for (let change = draw(4); change > 0; change--) message[draw(message.length)] = draw(256);
      if (draw(4) === 0) message = message.subarray(0, draw(message.length));
      const flow = flows[draw(flows.length)];
      if (flow.receiver) flow.deliver(message);
    }
    here.server.hub.manage();
    for (const connection of [...here.server.connections()]) connection.close();
    assert.equal(here.hub.clients.size + here.hub.publications.size + here.hub.groups.size, 0);
    const ends = here.events().filter((event) => event === "onDisconnection").length;
    assert.ok(ends >= 1 && ends <= 2, `seed ${seed}: ${ends}`);
    assert.equal(here.connected(3).connection.state, "connected");
  }
});
