// API-101 to API-144: the global object `cumulus`.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { PATIENCE, until } from "../support/wait.ts";
import { Peer } from "./support/peer.ts";
import { probe } from "./support/probe.ts";
import { type FactContext, scenario } from "./support/scenario.ts";
import { UdpRelay } from "./support/udp_relay.ts";

const main = `${probe}
function onConnection(client) probe(client) end
function onFailed(client, error) record("onFailed", client.id, error) end
function onDisconnection(client) record("onDisconnection", client.id) end
function onPublish(client, publication) record("onPublish", publication.name) end
`;

const ini = `publicAddress = rtmfp.example.org:1935
[smtp]
host = 127.0.0.1
port = 1
timeout = 2
[myGroup]
myConfig = test
`;

/** A client whose packets come from another loopback address, so that it can be banned alone. */
async function connectFrom(t: FactContext, hostname: string, timeout = PATIENCE): Promise<Peer> {
  const relay = new UdpRelay(t.server.port, { hostname });
  t.cleanup(() => relay.close());
  const peer = await Peer.connect(`rtmfp://127.0.0.1:${relay.port}/`, { timeout });
  t.cleanup(() => peer.close());
  return peer;
}

const www = { "": main, "/other": main };

scenario("cumulus", { www, ini }, ({ fact }) => {
  fact("API-101", async (t) => {
    assert.equal(await t.lua("local me = ... return cumulus.clients(me.id) == me"), true);
  });

  fact("API-102", async (t) => {
    assert.equal(await t.lua("return cumulus.configs.myGroup.myConfig"), "test");
  });

  fact("API-103", async (t) => {
    const before = Date.now();
    const time = Number(await t.lua("return ('%s'):format(cumulus.epochTime)"));
    assert.ok(Number.isInteger(time));
    assert.ok(time >= before - 2 && time <= Date.now() + 2, `${time - before}`);
  });

  fact("API-104", async (t) => {
    assert.deepEqual(await t.lua("return { type(cumulus.groups), cumulus.groups.count }"), [
      "table",
      0,
    ]);
  });

  fact("API-105", async (t) => {
    assert.equal(await t.lua("return cumulus.publications == cumulus.pulications"), true);
    assert.equal(await t.lua("return cumulus.publications.count"), 0);
  });

  fact("API-106", async (t) => {
    assert.deepEqual(await t.lua("return { type(cumulus.servers), cumulus.servers.count }"), [
      "table",
      0,
    ]);
  });

  fact("API-107", async (t) => {
    assert.equal(await t.lua("return cumulus.publicAddress"), "rtmfp.example.org:1935");
  });

  fact("API-108", async (t) => {
    await t.lua("cumulus.score = { best = 42 }");
    const other = await t.connect("/other");
    assert.equal(await other.lua("return cumulus.score.best"), 42);
  });

  fact("API-120", async (t) => {
    const www = `${await Deno.realPath(t.server.dir)}/www/`;
    assert.deepEqual(
      await t.lua(`return {
        cumulus:absolutePath(""), cumulus:absolutePath(),
        cumulus:absolutePath("/other"), cumulus:absolutePath("/not/there"),
      }`),
      [www, www, `${www}other/`, `${www}not/there/`],
    );
  });

  fact("API-121", async (t) => {
    const ban =
      `return select("#", cumulus:addToBlacklist("127.0.0.21", "nonsense", "127.0.0.22"))`;
    assert.equal(await t.lua(ban), 0);
    await t.logged(/^ERROR .*nonsense/);
    await assert.rejects(connectFrom(t, "127.0.0.21", 700));
    await assert.rejects(connectFrom(t, "127.0.0.22", 700));
  });

  fact("API-122", async (t) => {
    await t.lua(`cumulus:addToBlacklist("127.0.0.23")`);
    await assert.rejects(connectFrom(t, "127.0.0.23", 700));
    await t.lua(`cumulus:removeFromBlacklist("rubbish", "127.0.0.24", "127.0.0.23")`);
    await t.logged(/^ERROR .*rubbish/);
    const peer = await connectFrom(t, "127.0.0.23");
    assert.equal(await peer.lua("return 1"), 1);
  });

  fact("API-123", async (t) => {
    const peer = await connectFrom(t, "127.0.0.25");
    const events = await t.lua(
      `cumulus:addToBlacklist("127.0.0.25")
      local ends = {}
      for _, event in ipairs(events) do
        if event[2] == select(2, ...) then ends[#ends + 1] = event[1] end
      end
      return table.concat(ends, " ")`,
      peer.id,
    );
    assert.equal(events, "onFailed onDisconnection");
    peer.call("lua", "return 1").catch(() => {}); // a packet of a banned address
    await assert.rejects(connectFrom(t, "127.0.0.25", 700));
    await t.logged(/^INFO .*127\.0\.0\.25/);
  });

  fact("API-124", async (t) => {
    const result = await t.lua(`
      local socket = cumulus:createTCPClient()
      return { type(socket), socket.connected, type(socket.connect), type(socket.send) }`);
    assert.deepEqual(result, ["table", false, "function", "function"]);
  });

  fact("API-125", async (t) => {
    const result = await t.lua(`
      local server = cumulus:createTCPServer()
      return { type(server), server.running, server.port, type(server.start) }`);
    assert.deepEqual(result, ["table", false, 0, "function"]);
  });

  fact("API-126", async (t) => {
    const result = await t.lua(`
      local socket, loud = cumulus:createUDPSocket(), cumulus:createUDPSocket(true)
      return { type(socket), tostring(socket.address), type(socket.bind), type(loud), socket ~= loud }`);
    assert.deepEqual(result, ["table", "nil", "function", "table", true]);
  });

  fact("API-127", async (t) => {
    const waiting = await t.connect();
    const player = await waiting.play("taken");
    assert.equal(
      await t.lua(`taken = cumulus:publish("taken") return taken.name`),
      "taken",
    );
    const notice = await player.status("NetStream.Play.PublishNotify");
    assert.equal(notice.description, "taken is now published");
    assert.equal(await t.lua(`return cumulus:publish("taken") == nil`), true);
    await t.logged(/^ERROR .*taken/);
    assert.equal(await t.lua(`taken:close() return count("onPublish")`), 0);
  });

  fact("API-128", async (t) => {
    const result = await t.lua(`
      local a, b, c = cumulus:fromAMF(cumulus:toAMF(7, "x", { 8 }))
      return { a, b, c[1], select("#", cumulus:fromAMF("")), select("#", cumulus:fromAMF()) }`);
    assert.deepEqual(result, [7, "x", 8, 0, 0]);
  });

  fact("API-129", async (t) => {
    assert.deepEqual(
      await t.lua(`return { hex(cumulus:toAMF(1, 2)), cumulus:toAMF() }`),
      ["110401110402", ""],
    );
  });

  fact("API-130", async (t) => {
    assert.equal(
      await t.lua(`return hex(cumulus:toAMF0("a", 1))`),
      "02000161" + "003FF0000000000000",
    );
  });

  const digest = (name: string, text: string) =>
    createHash(name).update(text).digest("hex").toUpperCase();

  fact("API-131", async (t) => {
    assert.deepEqual(
      await t.lua(`local a, b = cumulus:md5("abc", "") return { #a, hex(a), hex(b) }`),
      [16, digest("md5", "abc"), digest("md5", "")],
    );
  });

  fact("API-132", async (t) => {
    assert.deepEqual(
      await t.lua(`local a, b = cumulus:sha256("abc", "\\0\\255") return { #a, hex(a), hex(b) }`),
      [
        32,
        digest("sha256", "abc"),
        createHash("sha256").update(Uint8Array.of(0, 255)).digest("hex").toUpperCase(),
      ],
    );
  });

  fact("API-133", async (t) => {
    assert.deepEqual(
      await t.lua(`
        local number, nothing, last = cumulus:md5(42, {}, "abc")
        return { hex(number), tostring(nothing), hex(last) }`),
      [digest("md5", "42"), "nil", digest("md5", "abc")],
    );
    await t.logged(/^ERROR .*md5/);
  });

  fact("API-134", async (t) => {
    await t.lua(`
      sent = {}
      local mail = cumulus:sendMail("a@example.org", "subject", "content", "b@example.org")
      function mail:onSent(error) sent[#sent + 1] = { self == mail, error } end`);
    const [own, error] = await until(() => t.lua("return sent[1]"), "onSent");
    assert.equal(own, true);
    assert.match(error, /127\.0\.0\.1:1/); // no listener there
  });

  fact("API-135", async (t) => {
    const split = (...args: (string | number)[]) =>
      t.lua(
        `local pieces = { cumulus:split(select(2, ...)) } return #pieces .. ":" .. table.concat(pieces, "|")`,
        ...args,
      );
    assert.equal(await split("a--b-c", "--"), "4:a||b|c");
    assert.equal(await split(" a ;; b;", ";"), "4: a || b|");
    assert.equal(await split(" a ;; b;", ";", 1), "2: a | b");
    assert.equal(await split(" a ;; b;", ";", 2), "4:a||b|");
    assert.equal(await split(" a ;; b;", ";", 3), "2:a|b");
    assert.equal(await split("a,b", ""), "1:a,b");
    assert.equal(await split("", ","), "0:");
  });

  fact("API-136", async (t) => {
    assert.equal(await t.lua("return cumulus.nothingOfThisName == nil"), true);
  });

  fact("API-139", async (t) => {
    await t.lua(`cumulus:publish("unreferenced")`);
    const count = await t.lua(`
      collectgarbage() collectgarbage()
      return cumulus.publications("unreferenced").publisherId`);
    assert.ok(count > 0);
    await t.lua(`cumulus.publications("unreferenced"):close()`);
  });

  fact("API-141", async (t) => {
    const waits = await t.lua(`
      ran, begun = nil, cumulus.epochTime
      cumulus:setTimeout(50, function(...) ran = { cumulus.epochTime - begun, select("#", ...) } end)
      cumulus:setTimeout(0, function() error("late fault") end)
      return ran == nil`);
    assert.equal(waits, true);
    const [after, count] = await until(() => t.lua("return ran"), "the function to run");
    assert.ok(after >= 49, `${after} ms`);
    assert.equal(count, 0);
    await t.logged(/^ERROR .*late fault/);
    await assert.rejects(t.lua("cumulus:setTimeout(print, 1)"), /the arguments are swapped/);
  });

  fact("API-142", async (t) => {
    await t.lua(`
      cleared = false
      local id = cumulus:setTimeout(20, function() cleared = "too late" end)
      cumulus:setTimeout(60, function() cleared = cleared or "yes" end)
      cumulus:clearTimeout(id)
      cumulus:clearTimeout(id)`);
    assert.equal(await until(() => t.lua("return cleared"), "the other one to run"), "yes");
  });

  fact("API-143", async (t) => {
    assert.deepEqual(
      await t.lua(`return {
        cumulus:toJSON({ 1, "ü", { yes = true } }), cumulus:toJSON({}),
        (select(2, cumulus:toJSON({ f = print }))),
      }`),
      ['[1,"ü",{"yes":true}]', "[]", 'JSON cannot express a function at ["f"]'],
    );
  });

  fact("API-144", async (t) => {
    assert.deepEqual(await t.lua(`return cumulus:fromJSON('{"a":[1,"\\\\u00fc",{"b":null}]}')`), {
      a: [1, "ü", []],
    });
    assert.equal(
      await t.lua(`return select(2, cumulus:fromJSON("[1"))`),
      'byte 3: "," or "]" expected, not the end',
    );
  });
});
