// API-001 to API-020: what all objects of the API have in common.
import assert from "node:assert/strict";
import { freePort } from "../support/ports.ts";
import { until } from "../support/wait.ts";
import { probe } from "./support/probe.ts";
import { scenario } from "./support/scenario.ts";

const main = `${probe}
function onConnection(client, mode)
  probe(client)
  if mode == "keep" then kept = kept or {} kept[client] = "kept" end
  if mode == "surplus" then return {}, 1, 2 end
  client.publishes = mode == "table"
end
function onPublish(client, publication)
  published = publication
  if client.publishes then return true, "and more" end
end
function onUnpublish(client, publication)
  record("unpublish", kept and kept[client], publication == published)
end
function onDisconnection(client)
  if kept and kept[client] then
    record("same", kept[client], client.custom)
  end
end
`;

const www = {
  "": main,
  "/other": main,
  "/loops": `${probe}
function onConnection(client)
  probe(client)
  local original = next
  next = function(...) return original(...) end
  local keys, values = 0, 0
  for _ in cumulus.clients:pairs() do keys = keys + 1 end
  for _ in cumulus.servers:ipairs() do values = values + 1 end
  looped = keys .. " " .. values
end`,
};

scenario("conventions", { www }, ({ fact, slow }) => {
  slow("API-016", async (t) => {
    const peer = await t.connect("/other");
    await peer.lua(`
      inside, overlaps = 0, 0
      function enter() inside = inside + 1 if inside > 1 then overlaps = overlaps + 1 end end
      function leave() inside = inside - 1 end
      function onManage() enter() for i = 1, 200000 do end leave() end
      function onPublish() enter() for i = 1, 200000 do end leave() end
      local me = ...
      function me:work() enter() for i = 1, 200000 do end leave() return true end`);
    const workers = await Promise.all([1, 2, 3].map(() => t.connect("/other")));
    const end = Date.now() + 2500;
    await Promise.all(workers.map(async (worker, i) => {
      for (let n = 0; Date.now() < end; n++) {
        await (await worker.publish(`work${i}-${n}`)).net.close();
        await peer.call("work");
      }
    }));
    assert.equal(await peer.lua("return overlaps"), 0);
  });

  fact("API-001", async (t) => {
    assert.deepEqual(
      await t.lua(`
        local me, socket = ..., cumulus:createTCPClient()
        return {
          me.unheardOf == nil, cumulus.unheardOf == nil, cumulus.clients.unheardOf == nil,
          socket.unheardOf == nil, me.writer.unheardOf == nil,
        }`),
      [true, true, true, true, true],
    );
  });

  fact("API-002", async (t) => {
    const peer = await t.connect();
    assert.deepEqual(
      await peer.lua(`
        local me = ...
        cumulus.epochTime = 7
        me.id = "somebody else"
        me.writer.reliable = false
        return { cumulus.epochTime > 7, me.id == cumulus.clients(me.id).id, me.writer.reliable }`),
      [true, true, false],
    );
    assert.equal((await t.matching(/^WARN .*(epochTime|id\b)/)).length, 2);
  });

  fact("API-003", async (t) => {
    const peer = await t.connect("/other");
    await peer.lua(`
      local me = ...
      me.score = 3
      function me:double() return self.score * 2 end`);
    assert.equal(await t.lua("return cumulus.clients(select(2, ...)):double()", peer.id), 6);
  });

  fact("API-004", async (t) => {
    const peer = await t.connect();
    await peer.lua(`
      local me = ...
      me.writer.writeAMFMessage("dotted", "hello")
      local write = me.writer.writeAMFMessage
      write(me.writer, "fetched", "hello")`);
    assert.deepEqual(await peer.called("dotted"), ["hello"]);
    assert.deepEqual(await peer.called("fetched"), ["hello"]);
    assert.equal(await t.lua(`return cumulus.absolutePath("/x"):sub(-3)`), "/x/");
  });

  fact("API-005", async (t) => {
    assert.deepEqual(
      await t.lua(`
        local publication = cumulus:publish(12)
        publication:pushAudioPacket("20", 5)
        publication:pushVideoPacket({}, nil)
        publication:close(nil, {})
        return {
          publication ~= nil, cumulus:split(1.5, "."), cumulus:absolutePath({}):sub(-5),
          cumulus:fromAMF({}) == nil,
        }`),
      [true, "1", "/www/", true],
    );
  });

  fact("API-006", async (t) => {
    assert.deepEqual(
      await t.lua(`
        return {
          select("#", cumulus:split("a b c", " ")), select("#", cumulus:removeFromBlacklist()),
          select("#", cumulus.clients(("0"):rep(64))),
        }`),
      [3, 0, 0],
    );
  });

  fact("API-007", async (t) => {
    await t.lua("for i = 1, 5 do cumulus:publish('snapshot' .. i) end");
    assert.deepEqual(
      await t.lua(`
        local all, seen, plain = cumulus.publications.count, 0, 0
        for name in pairs(cumulus.publications) do plain = plain + 1 end
        for name, publication in cumulus.publications:pairs() do
          seen = seen + 1
          if name:match("^snapshot") then
            publication:close()
            cumulus:publish("again" .. name)
          end
        end
        return { seen == all, plain == all, #cumulus.publications == all, all >= 5 }`),
      [true, true, true, true],
    );
    await t.lua(`
      for name, publication in cumulus.publications:pairs() do
        if name:match("^again") then publication:close() end
      end`);
  });

  fact("API-008", async (t) => {
    const peer = await t.connect();
    for (let i = 0; i < 3; i++) await peer.play("ordered");
    await t.lua(`ordered = cumulus:publish("ordered")`);
    assert.deepEqual(
      await t.lua(`
        local places, before = {}, 0
        for i, listener in ordered.listeners:ipairs() do
          places[#places + 1] = i .. tostring(listener.id > before)
          before = listener.id
        end
        ordered:close()
        return places`),
      ["1true", "2true", "3true"],
    );
  });

  fact("API-009", async (t) => {
    assert.deepEqual(
      await t.lua(`
        local me = ...
        return {
          cumulus.clients(me.id) == me, select("#", cumulus.publications("none of this name")),
          select("#", cumulus.groups(me.id)),
        }`),
      [true, 0, 0],
    );
  });

  fact("API-010", async (t) => {
    const port = freePort();
    await t.lua(
      `called = {}
      local server = cumulus:createTCPServer()
      function server:clientHandler(client) called.server = self == server self:stop() end
      server:start(select(2, ...))`,
      port,
    );
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    assert.equal(await until(() => t.lua("return called.server"), "the event"), true);
  });

  fact("API-011", async (t) => {
    const peer = await t.connect("", { parameters: ["keep"] });
    await peer.lua("(...).custom = 'field'");
    await peer.publish("identity");
    await t.lua(`scripted = cumulus:publish("scripted")`);
    assert.equal(await t.lua(`return scripted == cumulus.publications("scripted")`), true);
    await t.lua("scripted:close()");
    await peer.close();
    const events = await until(
      () => t.lua(`return count("same") > 0 and events`),
      "onDisconnection",
    );
    assert.deepEqual(events, [["unpublish", "kept", true], ["same", "kept", "field"]]);
    await t.lua("events = {}");
  });

  fact("API-012", async (t) => {
    const peer = await t.connect();
    await peer.lua("left = ... left.custom = 'still there'");
    await peer.close();
    await until(async () => await t.lua("return cumulus.clients.count") === 1, "the end");
    assert.deepEqual(
      await t.lua(`
        local gone = cumulus:publish("leaving")
        gone.custom = "readable"
        gone:close()
        return {
          left.address == nil, left.ping == nil, left.custom,
          gone.listeners == nil, gone.custom, pcall(gone.flush, gone),
        }`).then((all) => all.slice(0, 5)),
      [true, true, "still there", true, "readable"],
    );
  });

  fact("API-013", async (t) => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    t.cleanup(() => listener.close());
    await t.lua(
      `do
        local socket = cumulus:createTCPClient()
        function socket:onReception(data) kept_alive = data return 0 end
        socket:connect("127.0.0.1", select(2, ...))
      end
      for i = 1, 5 do collectgarbage() end`,
      listener.addr.port,
    );
    const connection = await listener.accept();
    t.cleanup(() => connection.close());
    await t.lua("for i = 1, 5 do collectgarbage() end");
    await connection.write(new TextEncoder().encode("hello"));
    assert.equal(await until(() => t.lua("return kept_alive"), "data"), "hello");
  });

  fact("API-014", async (t) => {
    assert.deepEqual(
      await t.lua(`
        local me = ...
        local kinds = {}
        for i, object in ipairs { cumulus, me, me.writer, cumulus.clients, cumulus:createTCPClient() } do
          kinds[i] = type(object) .. " " .. type(getmetatable(object))
        end
        return kinds`),
      Array(5).fill("table string"),
    );
    await assert.rejects(t.lua("setmetatable(cumulus, {})"), /metatable/);
  });

  fact("API-015", async (t) => {
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    const sums = await t.lua(
      `local bytes = select(2, ...).__raw
      local there = cumulus:fromAMF(cumulus:toAMF(bytes))
      return { #bytes, there == bytes, hex(cumulus:sha256(there)), { __raw = there } }`,
      all,
    );
    assert.deepEqual(sums.slice(0, 2), [256, true]);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", all));
    assert.equal(
      sums[2],
      [...digest].map((b) => b.toString(16).padStart(2, "0")).join("").toUpperCase(),
    );
    assert.deepEqual(sums[3], all);
  });

  fact("API-017", async (t) => {
    const peer = await t.connect("", { parameters: ["surplus"] });
    assert.equal((await t.matching(/^WARN .*onConnection/)).length, 1);
    assert.equal(await peer.lua("return 1"), 1);
  });

  fact("API-018", async (t) => {
    const peer = await t.connect();
    assert.equal(
      await peer.lua(`
        local me = ...
        return table.concat({
          tostring(cumulus.groups.count), tostring(cumulus.epochTime), tostring(me.ping),
          tostring(cumulus:publish("whole").publisherId), tostring(cumulus:createTCPServer().port),
        }, " ")`).then((text: string) => /^\d+ \d+ \d+ \d+ \d+$/.test(text)),
      true,
    );
    await t.lua(`cumulus.publications("whole"):close()`);
  });

  fact("API-019", async (t) => {
    assert.deepEqual(
      await t.lua(`
        local counts = {}
        table.foreach({ a = 1 }, function(key, value) counts[key] = value end)
        local f = setfenv(function() return inEnvironment end, { inEnvironment = "yes" })
        return {
          select("#", unpack({ 1, 2, 3 })), loadstring("return 4")(), table.getn({ 5, 6 }),
          math.pow(2, 3), math.mod(7, 4), ("a\\0b"):gsub("%z", "-"), f(), counts.a,
          table.maxn({ 1, [9] = 2 }), type(getfenv(1)), bit.band(6, 3), 10 / 2 .. "",
        }`),
      [3, 4, 2, 8, 3, "a-b", "yes", 1, 9, "table", 2, "5"],
    );
  });

  fact("API-020", async (t) => {
    const peer = await t.connect("/loops");
    assert.match(await peer.lua("return looped"), /^[1-9]\d* 0$/);
    assert.deepEqual(await t.matching(/^ERROR/), []);
  });
});
