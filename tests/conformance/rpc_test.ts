// API-230 to API-260: calls in both directions, and FlowWriter objects.
import assert from "node:assert/strict";
import type { StatusError } from "../../src/client/status.ts";
import { sleep, until } from "../support/wait.ts";
import { Peer } from "./support/peer.ts";
import { probe } from "./support/probe.ts";
import { type FactContext, scenario } from "./support/scenario.ts";
import { type RelayOptions, UdpRelay } from "./support/udp_relay.ts";
import { WireClient } from "./support/wire_client.ts";

const main = `${probe}
ticks = 0
function onManage() ticks = ticks + 1 end
function onConnection(client, mode)
  probe(client)
  if mode == "reject" then error("no") end
  if mode == "greet" then
    for i = 1, 3 do client.writer:writeAMFMessage("greeting", i) end
  end
  client.field = { 1 }
  function client:sum(a, b) return a + b, self == client end
  function client:two() return "first", "second" end
  function client:none() end
  function client:null() return nil end
  function client:many() self.writer:writeAMFResult(1, "two", true) end
  function client:broken() error("this function is broken") end
  function client:createStream() return "mine" end
end
function onFailed(client, error) record("onFailed", client.id, error) end
function onDisconnection(client) record("onDisconnection", client.id, ticks) end
`;

async function connectBehind(
  t: FactContext,
  options: RelayOptions,
): Promise<{ peer: Peer; relay: UdpRelay }> {
  const relay = new UdpRelay(t.server.port, options);
  t.cleanup(() => relay.close());
  const peer = await Peer.connect(`rtmfp://127.0.0.1:${relay.port}/`);
  t.cleanup(() => peer.close());
  return { peer, relay };
}

async function wire(t: FactContext): Promise<WireClient> {
  const client = await WireClient.connect(t.server.port);
  t.cleanup(() => client.close());
  return client;
}

const refusal = (code: string, description: string | RegExp) => (error: StatusError) => {
  assert.equal(error.status?.level, "error", String(error));
  assert.equal(error.status.code, code);
  if (typeof description === "string") assert.equal(error.status.description, description);
  else assert.match(error.status.description, description);
  return true;
};

scenario("calls and flow writers", { www: { "": main } }, ({ fact, slow }) => {
  slow("API-259", async (t) => {
    const peer = await t.connect();
    await peer.lua(`
      local me = ...
      local writer = me.writer:newFlowWriter()
      function writer:onManage() self:writeAMFMessage("managed", self == writer, cumulus.epochTime) end
      function me.writer:onManage() self:writeAMFMessage("mainManaged") end`);
    const [own, first] = await peer.called("managed");
    assert.equal(own, true);
    const calls = await until(
      () => {
        const calls = peer.calls.items.filter(({ name }) => name === "managed");
        return calls.length >= 3 ? calls : undefined;
      },
      "three calls of onManage",
    );
    const all = Number(calls[2].args[1]) - Number(first);
    assert.ok(all >= 3000 && all < 8000, `two periods in ${all} ms`); // either end may be late
    assert.equal(peer.calls.items.some(({ name }) => name === "mainManaged"), false);
  });

  slow("API-257", async (t) => {
    const peer = await t.connect();
    await peer.lua("side = (...).writer:newFlowWriter() side:close()");
    assert.equal(await peer.lua("return 'still here'"), "still here");
    peer.call("lua", "closedAt = ticks; (...).writer:close()").catch(() => {});
    await peer.ended();
    const events = await until(async () => {
      const events = await t.lua(
        `local found = {}
        for _, event in ipairs(events) do
          if event[2] == select(2, ...) then found[#found + 1] = event end
        end
        return found`,
        peer.id,
      );
      return events.length === 2 ? events : undefined;
    }, "both events");
    assert.deepEqual(events.map(([name]: [string]) => name), ["onFailed", "onDisconnection"]);
    assert.match(events[0][2], /writer/);
    assert.ok(events[1][2] - await t.lua("return closedAt") <= 1, "within a tick");
  });

  fact("API-230", async (t) => {
    const client = await wire(t);
    const { values } = await client.call("sum", null, 2, 3);
    assert.deepEqual(values, [5]);
    await t.lua("local me = ... function me:who() return self.id end");
    assert.equal(await t.operator!.call("who"), t.operator!.id);
  });

  fact("API-231", async (t) => {
    const peer = await t.connect("", { query: "arg=1" });
    for (const name of ["arg", "address", "field", "id", "writer"]) {
      await assert.rejects(
        peer.call(name),
        refusal("NetConnection.Call.Failed", /not found/),
        name,
      );
    }
    assert.equal(typeof await peer.call("createStream"), "number");
  });

  fact("API-232", async (t) => {
    const client = await wire(t);
    assert.deepEqual((await client.call("two", null)).values, ["first"]);
    await t.logged(/^WARN .*two/);
  });

  fact("API-233", async (t) => {
    const client = await wire(t);
    const { name, values } = await client.call("none", null);
    assert.deepEqual([name, values], ["_result", [null]]);
    assert.deepEqual((await client.call("null", null)).values, [null]);
  });

  fact("API-234", async (t) => {
    const client = await wire(t);
    const { name, values } = await client.call("nobody", null);
    assert.equal(name, "_error");
    assert.equal((values[0] as { code: string }).code, "NetConnection.Call.Failed");
  });

  fact("API-235", async (t) => {
    const client = await wire(t);
    const { name, values } = await client.call("broken", null);
    assert.equal(name, "_error");
    assert.match((values[0] as { description: string }).description, /this function is broken$/);
    await t.logged(/^NOTE .* may not call broken: this function is broken/);
  });

  fact("API-236", async (t) => {
    const client = await WireClient.open(t.server.port);
    t.cleanup(() => client.close());
    const { name, values } = await client.call("sum", null, 1, 2);
    assert.equal(name, "_error");
    assert.equal((values[0] as { code: string }).code, "NetConnection.Call.Failed");
  });

  fact("API-237", async (t) => {
    const client = await WireClient.open(t.server.port);
    t.cleanup(() => client.close());
    const object = { app: "", tcUrl: t.server.url(), objectEncoding: 3 };
    assert.equal((await client.call("connect", object, "reject")).name, "_error");
    const close = await client.commands.find(({ name }) => name === "close", "close");
    assert.equal(close.stream, 0);
  });

  fact("API-250", async (t) => {
    const { peer, relay } = await connectBehind(t, {});
    await peer.lua("target = ...");
    assert.equal(await t.lua("return target.writer.reliable"), true);
    relay.cut = true;
    await t.lua(`
      local writer = target.writer
      writer.reliable = false
      writer:writeAMFMessage("unreliable")
      writer.reliable = true
      writer:writeAMFMessage("reliable")`);
    await sleep(300);
    relay.cut = false;
    await peer.called("reliable");
    assert.deepEqual(peer.calls.items.map(({ name }) => name), ["reliable"]);
  });

  fact("API-251", async (t) => {
    const client = await wire(t);
    const { name, values, transaction } = await client.call("many", null);
    assert.deepEqual([name, values], ["_result", [1, "two", true]]);
    await client.call("none", null);
    const answers = client.commands.items.filter((command) => command.transaction === transaction);
    assert.equal(answers.length, 1);
  });

  fact("API-252", async (t) => {
    const peer = await t.connect();
    await peer.lua(`(...).writer:writeAMFMessage("show", 1, "two", { three = 3 }, nil, false)`);
    assert.deepEqual(await peer.called("show"), [1, "two", { three: 3 }, null, false]);
  });

  fact("API-253", async (t) => {
    const peer = await t.connect();
    await peer.lua(`
      local writer = (...).writer
      writer:writeStatusResponse("Custom.Event", "what it is")
      writer:writeStatusResponse("Custom.Bare")
      writer:writeStatusResponse("Custom.More", "with members", "seats", 4, "open", true)
      writer:newFlowWriter():writeStatusResponse("Custom.Other", "elsewhere")`);
    const event = await peer.status("NetConnection.Custom.Event");
    assert.deepEqual([event.level, event.description], ["status", "what it is"]);
    const bare = await peer.status("NetConnection.Custom.Bare");
    assert.equal("description" in (bare.info as object), false);
    const more = (await peer.status("NetConnection.Custom.More")).info as Record<string, unknown>;
    assert.deepEqual([more.description, more.seats, more.open], ["with members", 4, true]);
    const other = await peer.status("NetConnection.Custom.Other");
    assert.equal(other.description, "elsewhere");
  });

  fact("API-254", async (t) => {
    const peer = await t.connect();
    await peer.lua(`
      local writer = (...).writer
      writer:writeAMFMessage("one") writer:flush()
      writer:writeAMFMessage("two") writer:flush(true)
      writer:writeAMFMessage("three") writer:flush(false)`);
    await peer.called("three");
    assert.deepEqual(peer.calls.items.map(({ name }) => name), ["one", "two", "three"]);
    const from = peer.calls.items.length;
    await peer.lua(`
      local writer = (...).writer
      local first, last = writer:newFlowWriter(), writer:newFlowWriter()
      first:writeAMFMessage("first") last:writeAMFMessage("last")
      last:flush(false) first:flush(false) writer:flush()`);
    await peer.called("first", from);
    assert.deepEqual(peer.calls.items.slice(from).map(({ name }) => name), ["last", "first"]);
  });

  fact("API-255", async (t) => {
    const peer = await t.connect();
    await peer.lua("quiet = ...");
    // At the next tick is too late; on a slow machine one may be in between all the same.
    for (let round = 1;; round++) {
      const from = peer.calls.items.length;
      const before = await t.lua(`quiet.writer:writeAMFMessage("pending") return ticks`);
      await peer.called("pending", from);
      if (await t.lua("return ticks") === before) break;
      assert.ok(round < 10, "it leaves with a tick");
    }
  });

  fact("API-256", async (t) => {
    const client = await wire(t);
    await client.call(
      "lua",
      null,
      `
      local me = ...
      local first, second = me.writer:newFlowWriter(), me.writer:newFlowWriter()
      first.reliable = false
      me.writer:writeAMFMessage("flows", first ~= second, second.reliable)
      first:writeAMFMessage("first")
      second:writeAMFMessage("second")`,
    );
    await client.commands.find(({ name }) => name === "first", "first");
    await client.commands.find(({ name }) => name === "second", "second");
    const flows = await client.commands.find(({ name }) => name === "flows", "flows");
    assert.deepEqual(flows.values, [true, true]);
    const ids = new Set(client.messages.items.map(({ flow }) => flow));
    assert.equal(ids.size, 3);
  });

  fact("API-258", async (t) => {
    const peer = await t.connect();
    await peer.lua(`
      stale = (...).writer:newFlowWriter()
      stale:close()
      stale:writeAMFMessage("afterClose")
      kept = (...).writer`);
    await peer.lua("(...).writer:writeAMFMessage('last')");
    await peer.called("last");
    assert.equal(peer.calls.items.some(({ name }) => name === "afterClose"), false);
    await peer.close();
    await t.lua(
      `kept:writeAMFMessage("nobody") kept:writeStatusResponse("X") kept:flush() stale:flush()`,
    );
    assert.deepEqual(await t.matching(/^(ERROR|WARN) .*probe/), []);
  });

  fact("API-260", async (t) => {
    const { peer } = await connectBehind(t, { loss: 0.15, delay: [1, 25], seed: 7 });
    await peer.lua(`local me = ... for i = 1, 300 do me.writer:writeAMFMessage("number", i) end`);
    await peer.calls.find(({ args }) => args[0] === 300, "the last message");
    assert.deepEqual(
      peer.calls.items.map(({ args }) => args[0]),
      Array.from({ length: 300 }, (_, i) => i + 1),
    );

    const client = await WireClient.open(t.server.port);
    t.cleanup(() => client.close());
    const object = { app: "", tcUrl: t.server.url(), objectEncoding: 3 };
    await client.call("connect", object, "greet");
    await client.commands.find(({ values }) => values[0] === 3, "the third greeting");
    assert.deepEqual(client.commands.items.map(({ name }) => name), [
      "_result",
      "greeting",
      "greeting",
      "greeting",
    ]);
  });
});
