// API-140, API-425, API-470: streams to and from other RTMP servers. Here both are the same one.
import assert from "node:assert/strict";
import { freePort } from "../support/ports.ts";
import { until } from "../support/wait.ts";
import { probe } from "./support/probe.ts";
import { type FactContext, scenario } from "./support/scenario.ts";

const main = `${probe}
function onConnection(client) probe(client) end
key = "\\x17\\1key frame"
`;
const port = freePort();
const ini = `[application]
unknown = nearest
[rtmp]
port = ${port}
address = 127.0.0.1
`;
const url = (name: string) => `rtmp://127.0.0.1:${port}/app/${name}`;

/** Frames under a name until another name is published. */
const flows = (t: FactContext, from: string, to: string) =>
  until(
    () =>
      t.lua(`
        cumulus.publications("${from}"):pushVideoPacket(cumulus.epochTime % 1000000, key)
        local there = cumulus.publications("${to}")
        return there ~= nil and there.publisherId > 0`),
    to,
  );

scenario("relays", { www: { "": main }, ini }, ({ fact }) => {
  fact("API-140", async (t) => {
    await t.lua(`source = cumulus:publish("source")
      pulled = cumulus:pull("${url("source")}", "copy")`);
    await flows(t, "source", "copy");
    await t.lua(`pulled:close() source:close()`);
    assert.equal(await t.lua(`return cumulus.publications("copy") == nil`), true);
    assert.equal(await t.lua(`return cumulus:pull("http://h/app/hidden", "x") == nil`), true);
    await t.logged(/^ERROR .*cumulus:pull: the URL cannot be used/);
    await t.lua(`refused = cumulus:pull("rtmp://10.1.2.3/app/name", "x")`);
    const error = await until(() => t.lua(`return refused.error`), "an error");
    assert.equal(error, "10.1.2.3:1935 is not allowed by [sandbox] connect");
    await t.lua(`refused:close()`);
  });

  fact("API-425", async (t) => {
    await t.lua(`out = cumulus:publish("out")
      pushed = out:push("${url("there")}")`);
    await flows(t, "out", "there");
    await t.lua(`out:close()`);
    await until(() => t.lua(`return cumulus.publications("there") == nil`), "the end");
    await until(() => t.lua(`return pushed.state == "closed"`), "the end of the push");
  });

  fact("API-470", async (t) => {
    const shown = await t.lua(`
      relay = cumulus:pull("rtmp://127.0.0.1:1/app/hidden", "nowhere")
      return { relay.direction, relay.name, relay.url, relay.state }`);
    assert.deepEqual(shown.slice(0, 3), ["pull", "nowhere", "rtmp://127.0.0.1:1/app/…"]);
    await until(() => t.lua(`return relay.state == "waiting"`), "the first attempt's end");
    assert.match(await t.lua(`return relay.error`) as string, /refused/i);
    await t.lua(`relay:close()`);
    assert.equal(await t.lua(`return relay.state`), "closed");
    assert.deepEqual(t.server.log.items.filter((line) => line.includes("hidden")), []);
  });
});
