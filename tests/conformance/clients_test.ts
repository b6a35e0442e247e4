// API-201 to API-223: `cumulus.clients` and client objects.
import assert from "node:assert/strict";
import { PATIENCE, until } from "../support/wait.ts";
import { Peer, type PeerOptions } from "./support/peer.ts";
import { probe } from "./support/probe.ts";
import { type FactContext, scenario } from "./support/scenario.ts";
import { type RelayOptions, UdpRelay } from "./support/udp_relay.ts";

const main = `${probe}
function onConnection(client, mode)
  probe(client)
  if mode == "count" then
    record("count", cumulus.clients.count, cumulus.clients(client.id) == nil)
  elseif mode == "managed" then
    client.managed = {}
    function client:onManage() self.managed[#self.managed + 1] = cumulus.epochTime end
  elseif mode == "write" then
    client.writes = true
  elseif mode == "custom" then
    client.nick, client.greet = "Tom", function(self) return "I am " .. self.nick end
  end
end
function onFailed(client)
  if client.writes then
    record("writer", tostring(type(client.writer)), pcall(function()
      client.writer:writeAMFMessage("late") client.writer:flush()
    end))
  end
end
function onDisconnection(client)
  if client.writes then
    record("writer", tostring(type(client.writer)), pcall(function()
      client.writer:writeAMFMessage("later") client.writer:close()
    end))
  elseif client.nick then
    record("custom", client:greet())
  else
    record("gone", client.id, cumulus.clients.count, cumulus.clients(client.id) == nil)
  end
end
`;

/** A client behind a stretch of network. */
async function connectBehind(
  t: FactContext,
  options: RelayOptions,
  peerOptions: PeerOptions = {},
): Promise<{ peer: Peer; relay: UdpRelay }> {
  const relay = new UdpRelay(t.server.port, options);
  t.cleanup(() => relay.close());
  const peer = await Peer.connect(`rtmfp://127.0.0.1:${relay.port}/`, peerOptions);
  t.cleanup(() => peer.close());
  return { peer, relay };
}

const eventsOf = (t: FactContext, name: string) =>
  t.lua(
    `local found = {}
    for _, event in ipairs(events) do
      if event[1] == select(2, ...) then found[#found + 1] = event end
    end
    return found`,
    name,
  );

const www = { "": main, "/other": main };

scenario("clients", { www }, ({ fact, slow }) => {
  slow("API-222", async (t) => {
    const peer = await t.connect("", { parameters: ["managed"] });
    const times = await until(
      async () => {
        const times: number[] = await peer.lua("return (...).managed");
        return times.length >= 3 ? times : undefined;
      },
      "three calls of onManage",
    );
    const all = times[2] - times[0];
    assert.ok(all >= 3000 && all < 8000, `two periods in ${all} ms`); // either end may be late
  });

  fact("API-201", async (t) => {
    const peers = [await t.connect(), await t.connect("/other")];
    const [count, pairs, length, ...there] = await peers[1].lua(
      `local pairs = 0
      for _ in cumulus.clients:pairs() do pairs = pairs + 1 end
      local _, first, second = ...
      return {
        cumulus.clients.count, pairs, #cumulus.clients,
        cumulus.clients(first) ~= nil, cumulus.clients(second) ~= nil,
      }`,
      ...peers.map(({ id }) => id),
    );
    assert.deepEqual([pairs, length, ...there], [count, count, true, true]);
  });

  fact("API-202", async (t) => {
    const peer = await t.connect("/other");
    const clients = await t.lua(`
      local clients = {}
      for id, client in cumulus.clients:pairs() do
        clients[#clients + 1] = { id, client.id, client == cumulus.clients(id) }
      end
      return clients`);
    assert.deepEqual(clients.find(([id]: [string]) => id === peer.id), [peer.id, peer.id, true]);
    assert.equal(clients.length, await t.lua("return cumulus.clients.count"));
  });

  fact("API-203", async (t) => {
    const peer = await t.connect();
    assert.deepEqual(
      await peer.lua(`
        local me = ...
        return {
          cumulus.clients(me.id) == me, cumulus.clients(me.id:upper()) == me,
          cumulus.clients(me.rawId) == me, cumulus.clients(("0"):rep(64)) == nil,
        }`),
      [true, true, true, true],
    );
    assert.equal(await peer.lua(`return cumulus.clients("too short") == nil`), true);
    await t.logged(/^ERROR .*probe/);
    assert.equal(await peer.lua(`return cumulus.clients() == nil`), true);
    assert.equal((await t.matching(/^ERROR .*probe/)).length, 2);
  });

  fact("API-204", async (t) => {
    const count = await t.lua("return cumulus.clients.count");
    const peer = await t.connect("", { parameters: ["count"] });
    assert.deepEqual((await eventsOf(t, "count")).at(-1), ["count", count, true]);
    await peer.close();
    const gone = await until(async () => {
      const events = await eventsOf(t, "gone");
      return events.find(([, id]: [string, string]) => id === peer.id);
    }, "onDisconnection");
    assert.deepEqual(gone, ["gone", peer.id, count, true]);
  });

  fact("API-210", async (t) => {
    const peer = await t.connect();
    const id = await peer.lua("return (...).id");
    assert.match(id, /^[0-9a-f]{64}$/);
    assert.equal(id, peer.id);
  });

  fact("API-211", async (t) => {
    const peer = await t.connect();
    assert.deepEqual(
      await peer.lua("local me = ... return { #me.rawId, hex(me.rawId):lower() }"),
      [32, peer.id],
    );
  });

  fact("API-212", async (t) => {
    const { peer, relay } = await connectBehind(t, {});
    assert.equal(await peer.lua("return (...).address"), relay.address);
    relay.move();
    const moved = await until(async () => {
      const address = await peer.lua("return (...).address");
      return address === relay.address ? address : undefined;
    }, "the new address");
    assert.match(moved, /^127\.0\.0\.1:\d+$/);
  });

  fact("API-213", async (t) => {
    const peer = await t.connect("", { flashVersion: "WIN 20,0,0,286" });
    assert.equal(await peer.lua("return (...).flashVersion"), "WIN 20,0,0,286");
  });

  fact("API-214", async (t) => {
    const pageUrl = "http://example.org/page.html";
    const there = await t.connect("", { pageUrl });
    assert.equal(await there.lua("return (...).pageUrl"), pageUrl);
    const without = await t.connect();
    assert.equal(await without.lua("return (...).pageUrl"), "");
  });

  fact("API-215", async (t) => {
    const swfUrl = "http://example.org/player.swf";
    const there = await t.connect("", { swfUrl });
    assert.equal(await there.lua("return (...).swfUrl"), swfUrl);
    const without = await t.connect();
    assert.equal(await without.lua("return (...).swfUrl"), "");
  });

  fact("API-216", async (t) => {
    const root = await t.connect("");
    assert.equal(await root.lua("return (...).path"), "");
    const other = await t.connect("/other/", { query: "x=1" });
    assert.equal(await other.lua("return (...).path"), "/other");
  });

  fact("API-217", async (t) => {
    const { peer } = await connectBehind(t, { delay: [30, 31] });
    const ping = await until(async () => {
      const ping: number = await peer.lua("return (...).ping");
      return ping > 0 ? ping : undefined;
    }, "a ping");
    assert.ok(ping >= 56 && ping < PATIENCE, `${ping} ms`);
  });

  fact("API-218", async (t) => {
    const began = performance.now();
    const peer = await t.connect();
    const elapsed = (id: string) =>
      t.lua("return cumulus.clients(select(2, ...)).elapsedFromReception", id);
    await until(async () => await elapsed(peer.id) >= 300, "a while without a packet");
    assert.ok(await elapsed(peer.id) <= performance.now() - began);
    const fresh: number = await peer.lua("return (...).elapsedFromReception");
    assert.ok(fresh < 300, `${fresh} ms after a packet`);
  });

  fact("API-219", async (t) => {
    const peer = await t.connect("", { parameters: ["write"] });
    peer.lua("(...).writer:close()").catch(() => {}); // that was the answer's writer, too
    const events = await until(async () => {
      const events = await eventsOf(t, "writer");
      return events.length === 2 ? events : undefined;
    }, "onFailed and onDisconnection");
    assert.deepEqual(events, [["writer", "table", true], ["writer", "table", true]]);
  });

  fact("API-220", async (t) => {
    const peer = await t.connect("", { query: "arg1=v1&two=a+b%21&empty&arg1=last&id=mine&n=5" });
    assert.deepEqual(
      await peer.lua(
        "local me = ... return { me.arg1, me.two, me.empty, me.id, me.n, type(me.n) }",
      ),
      ["last", "a b!", "", peer.id, "5", "string"],
    );
  });

  fact("API-221", async (t) => {
    const peer = await t.connect();
    const methods = await peer.lua(`
      local me, found = ..., {}
      for _, name in ipairs { "close", "call", "send", "kick", "join", "publish", "play", "flush" } do
        if me[name] ~= nil then found[#found + 1] = name end
      end
      return #found`);
    assert.equal(methods, 0);
    await assert.rejects(peer.call("close"), /Method 'close' not found/);
  });

  fact("API-223", async (t) => {
    const peer = await t.connect("", { parameters: ["custom"] });
    await peer.close();
    const [event] = await until(async () => {
      const events = await eventsOf(t, "custom");
      return events.length > 0 ? events : undefined;
    }, "onDisconnection");
    assert.deepEqual(event, ["custom", "I am Tom"]);
  });
});
