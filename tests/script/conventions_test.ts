// Rules for every API object: API-001 to API-020. Logging and errors: API-050 to API-064.
import assert from "node:assert/strict";
import { Refused } from "../../src/media/refused.ts";
import { Machine } from "./machine.ts";

Deno.test("API-001, API-006, API-136: API objects return nil for unknown names, and no value from some methods", () => {
  const machine = new Machine();
  assert.deepEqual(
    machine.run(`
      INFO(cumulus.nothing, cumulus[1], cumulus[true], cumulus.clients.nothing)
      INFO(select('#', cumulus:addToBlacklist()), select('#', cumulus:toAMF()), select('#', cumulus:split("", ",")))`),
    ["(null)(null)(null)(null)", "010"],
  );
});

Deno.test("API-002: API objects keep the value of read-only names, and the server warns", () => {
  const machine = new Machine();
  assert.deepEqual(
    machine.run(`
      cumulus.epochTime = 7 INFO(cumulus.epochTime)
      cumulus.clients.count = 7 INFO(cumulus.clients.count)
      function cumulus:split() return "mine" end INFO(cumulus:split("a", ","))`),
    ["1700000000000", "0", "a"],
  );
  assert.deepEqual(machine.logged("warn"), [
    "cumulus.epochTime cannot be assigned",
    "clients.count cannot be assigned",
    "cumulus.split cannot be assigned",
  ]);
  assert.deepEqual(machine.host.lines.find(({ level }) => level === 4)?.line, 2);
});

Deno.test("API-003, API-039: API objects keep fields of scripts as long as they live, for all applications", () => {
  const machine = new Machine({
    "main.lua": "cumulus.mine = { 1 } function cumulus.clients:f() return self end",
    "a/main.lua":
      "INFO(cumulus.mine[1], cumulus.clients:f() == cumulus.clients, rawget(cumulus, 'mine')[1]) cumulus.mine = nil INFO(cumulus.mine)",
  }).start();
  machine.connect("/a");
  assert.deepEqual(machine.said(), ["1(true)1", "(null)"]);
});

Deno.test("API-004: scripts call methods with `:` or with `.`", () => {
  const machine = new Machine({
    "main.lua": `
      function onConnection(client, name)
        if name == "one" then one = client return end
        client.writer.writeAMFMessage("m", "hello")
        one.writer.writeAMFMessage("m", one.writer:newFlowWriter() ~= nil, client.writer:writeAMFMessage("inner"))
        local send = client.writer.writeAMFMessage
        one.writer.writeAMFMessage("x")
        send("y") send(one.writer, "z")
        INFO(cumulus.split("a,b", ","))
      end`,
  }).start();
  const one = machine.connect("", { values: ["one"] });
  const two = machine.connect("", { values: ["two"] });
  assert.deepEqual(machine.logged("error"), []);
  assert.deepEqual(machine.said(), ["ab"]);
  assert.deepEqual(one.connection.writer.sent, ["m(true)", "x()", "z()"]);
  assert.deepEqual(two.connection.writer.sent, ['m("hello")', "inner()", "y()"]);
});

Deno.test("API-005: methods read an argument of a wrong type as empty, 0 or false", () => {
  const machine = new Machine();
  assert.deepEqual(
    machine.run(`
      INFO(cumulus:absolutePath({}), cumulus:absolutePath(12), (cumulus:split(1.5, ".")))
      INFO(cumulus:split("a b", " ", "1"))
      local p = cumulus:publish("p")
      p:pushAudioPacket("10", 5) p:pushAudioPacket() p:pushAudioPacket(nil, nil) p:pushDataPacket(nil, {})`),
    ["/srv/www//srv/www/12/1", "ab"],
  );
});

Deno.test("API-007, API-008: pairs(), ipairs(), pairs and # walk a snapshot of a collection", () => {
  const machine = new Machine({
    "main.lua": `
      function onConnection(client, n)
        if n ~= 3 then return end
        local count = 0
        for id, each in cumulus.clients:pairs() do
          if id ~= each.id then ERROR("wrong id") end
          count = count + 1
        end
        for id, each in pairs(cumulus.clients) do count = count + 1 end
        INFO(count, #cumulus.clients)
        cumulus.clients.mine = 1
        for key in next, cumulus.clients do INFO(key) end
        cumulus:publish("a") cumulus:publish("b")
        for name, publication in cumulus.publications:pairs() do publication:close() end
        INFO(cumulus.publications.count)
      end`,
  }).start();
  for (let n = 1; n <= 3; n++) machine.connect("", { values: [n] });
  assert.deepEqual(machine.logged("error"), []);
  assert.deepEqual(machine.said(), ["42", "mine", "0"]);
});

Deno.test("API-009: a call of a collection returns an element", () => {
  const machine = new Machine();
  assert.deepEqual(
    machine.run(`
      cumulus:publish("a")
      INFO(cumulus.publications("a").name, cumulus.publications("b"), cumulus.publications["a"])
      INFO(select('#', cumulus.publications("b")), select('#', cumulus.groups(("0"):rep(64))))`),
    ["a(null)(null)", "00"],
  );
});

Deno.test("API-010, API-011, API-014: scripts get the same table for the same client or publication", () => {
  const machine = new Machine({
    "main.lua": `
      seen = {}
      function onConnection(client) seen[client] = 'seen ' first = client
        function client:same() return self == first, type(self), getmetatable(self) end
        function client:onManage() INFO(seen[self], self == first) end
      end
      function onDisconnection(client) INFO(seen[client]) end
      function onStart()
        INFO(cumulus.clients == cumulus.clients, cumulus:publish("x") == cumulus.publications("x"))
        INFO(type(cumulus), getmetatable(cumulus), pcall(setmetatable, cumulus, {}))
      end`,
  }).start();
  const guest = machine.connect();
  machine.hub.manage();
  machine.hub.disconnect(guest.client);
  assert.deepEqual(machine.said(), [
    "(true)(true)",
    "tablechange of metatable prohibited(false)cannot change a protected metatable",
    "seen (true)",
    "seen ",
  ]);
});

Deno.test("API-012: an object that has gone keeps only the fields of scripts; its methods have no effect", () => {
  const machine = new Machine({
    "main.lua": `
      function onConnection(client) kept = client writer = client.writer client.mine = 'mine' list = cumulus.clients end
      function onManage()
        INFO(kept.id, kept.writer, kept.mine, kept.arg)
        writer:writeAMFMessage("m") writer.writeAMFMessage("m") writer:close()
        INFO(writer.reliable, kept.onManage, kept == nil)
        kept.new = 1 kept.address = 2 INFO(kept.new)
      end`,
  }).start();
  const guest = machine.connect("", { properties: { arg: "1" } });
  machine.hub.disconnect(guest.client);
  machine.hub.manage();
  assert.deepEqual(machine.logged("error"), []);
  assert.deepEqual(machine.said(), ["(null)(null)mine(null)", "(null)(null)(false)", "1"]);
  assert.deepEqual(guest.connection.writer.sent, []);
});

Deno.test("API-013: publications and members of a script end with its application", () => {
  const machine = new Machine({
    "main.lua": "",
    "a/main.lua": `
      cumulus:publish("live")
      cumulus.groups:join(("1"):rep(64), ("2"):rep(64))
      collectgarbage() collectgarbage()`,
  }).start();
  machine.connect("/a");
  assert.equal([...machine.hub.published()].length, 1);
  assert.equal(machine.hub.groups.size, 1);
  machine.write("a/main.lua", "");
  machine.connect("/a");
  assert.equal(machine.hub.publications.size, 0);
  assert.equal(machine.hub.groups.size, 0);
});

Deno.test("API-016: the server runs an event inside an event, then continues the outer one", () => {
  const machine = new Machine({
    "main.lua": `
      function onConnection(client) function client:leave() who = 'leave' cumulus:addToBlacklist('192.0.2.1') return who end end
      function onDisconnection(client) INFO('gone ', who) who = 'gone' end`,
  }).start();
  const guest = machine.connect();
  assert.deepEqual(guest.call("leave"), ['_result("gone")']);
  assert.deepEqual(machine.said(), ["gone leave"]);
});

Deno.test("API-017: the server warns of results that it ignores", () => {
  const machine = new Machine({
    "main.lua": `
      function onStart() return 1, 2 end
      function onConnection(client) function client:two() return 1, 2 end return {}, 5 end`,
  }).start();
  const guest = machine.connect();
  assert.deepEqual(guest.call("two"), ["_result(1)"]);
  assert.deepEqual(machine.logged("warn"), [
    "onStart returned 2 values, 0 expected",
    "onConnection returned 2 values, 1 expected",
    "two returned 2 values, 1 expected",
  ]);
});

Deno.test("API-018: Lua prints counts and times without a decimal point", () => {
  const machine = new Machine();
  assert.deepEqual(
    machine.run("INFO(cumulus.clients.count, '', cumulus.epochTime, '', cumulus.epochTime / 1000)"),
    ["017000000000001700000000"],
  );
});

Deno.test("API-019: Lua has the library functions of Lua 5.1", () => {
  const machine = new Machine();
  assert.deepEqual(
    machine.run(`
      INFO(unpack({ 1, 2 })) INFO(loadstring("return 7")(), table.getn { 1, 2 }, math.pow(2, 3))
      local function f() return x end
      setfenv(f, { x = "env" }) INFO(f(), getfenv(f).x, getfenv(1) == _ENV)
      INFO(("a\\0b"):find("%z"), string.gfind ~= nil, bit.band(7, 2), arg, 3 < "4")
      module("mine", package.seeall)
      value = 5 INFO(_NAME, value, print ~= nil)`),
    ["12", "728", "envenv(true)", "2(true)2(null)(true)", "mine5(true)"],
  );
});

Deno.test("API-020: API objects work when a script replaces next, pairs or type", () => {
  const machine = new Machine();
  assert.deepEqual(
    machine.run(`
      _G.next = function() error("mine") end _G.pairs = nil _G.type = nil _G.error = nil
      cumulus:publish("a")
      for name in cumulus.publications:pairs() do INFO(name) end
      _G.string.find = nil INFO(cumulus:split("a,b", ","))`),
    ["a", "ab"],
  );
});

Deno.test("API-050, API-051, API-052: log functions write their arguments with level, file and line", () => {
  const machine = new Machine({
    "main.lua": `
      ERROR("e") WARN("w") NOTE("n") INFO("i") DEBUG("d") TRACE("t")
      INFO("a", 1, 2.5, 10 / 2, true, false, nil, "z")
      INFO({}) INFO(print) INFO(coroutine.create(print)) INFO(newproxy()) INFO(("x"):rep(2000)) INFO()
      INFO(FATAL, CRITIC)`,
    "a/b/main.lua": "\nINFO('here')",
  }).start();
  const lines = machine.host.lines;
  assert.deepEqual(lines.slice(0, 6).map(({ level, text }) => `${level}${text}`), [
    ...["3e", "4w", "5n", "6i", "7d", "8t"],
  ]);
  assert.deepEqual(lines[6], {
    level: 6,
    text: "a12.55(true)(false)(null)z",
    file: "www/main.lua",
    line: 3,
  });
  for (const [i, kind] of ["table", "function", "thread", "userdata"].entries()) {
    assert.match(lines[7 + i].text, new RegExp(`^${kind}_0x[0-9a-f]{8}$`));
  }
  assert.equal(lines[11].text.length, 2000);
  assert.equal(lines[12].text, "");
  assert.equal(lines[13].text, "(null)(null)");
  machine.connect("/a/b");
  assert.deepEqual(lines.at(-1), { level: 6, text: "here", file: "b/main.lua", line: 2 });
});

Deno.test("API-053: print writes raw to the standard output", () => {
  const machine = new Machine({ "main.lua": "print('a', 1, nil, true) print()" }).start();
  assert.equal(machine.host.printed, "a\t1\tnil\ttrue\n\n");
  assert.deepEqual(machine.host.lines, []);
});

Deno.test("API-060, API-061, API-064: the server logs errors with their line, and continues", () => {
  const machine = new Machine({
    "main.lua": `
      function onManage() error("managed") end
      function onDisconnection() local x = nil + 1 end
      function onConnection(client) function client:onManage() error("client") end end`,
  }).start();
  const guest = machine.connect();
  machine.hub.manage();
  machine.hub.disconnect(guest.client);
  assert.equal(guest.client.state, "gone");
  const errors = machine.host.lines.filter(({ level }) => level === 3);
  assert.deepEqual(errors, [
    { level: 3, text: "www/main.lua:4: client", file: "www/main.lua", line: 4 },
    { level: 3, text: "www/main.lua:2: managed", file: "www/main.lua", line: 2 },
    {
      level: 3,
      text: "www/main.lua:3: attempt to perform arithmetic on a nil value",
      file: "www/main.lua",
      line: 3,
    },
  ]);
  const traces = machine.logged("debug");
  assert.equal(traces.length, 3);
  assert.match(traces[0], /^stack traceback:\n.*www\/main\.lua:4: in /s);
  assert.equal(machine.connect().client.state, "connected");
});

Deno.test("API-060: the server logs the line of an error whose text has no position", () => {
  const machine = new Machine({
    "main.lua": `
      local function refuse(what)
        error(what, 0)
      end
      function onConnection(client, what)
        function client:onManage()
          if what == "table" then error({}) end
          refuse(what)
        end
      end`,
  }).start();
  machine.connect("", { values: ["No, thanks"] });
  machine.connect("", { values: ["table"] });
  machine.hub.manage();
  assert.deepEqual(machine.host.lines.filter(({ level }) => level === 3), [
    { level: 3, text: "No, thanks", file: "www/main.lua", line: 3 },
    { level: 3, text: "error without a text", file: "www/main.lua", line: 7 },
  ]);
});

Deno.test("API-062, API-063: a client gets the text of an error", () => {
  const machine = new Machine({
    "main.lua": `
      function onConnection(client, what)
        if what == "text" then error("you are not Tom!") end
        if what == "empty" then error("") end
        if what == "nothing" then error() end
        if what == "table" then error({}) end
        if what == "address" then error("192.0.2.7:1935") end
        if what == "level 0" then error("host:12: x", 0) end
        if what == "chunk" then assert(loadstring("error('inner')"))() end
        function client:text() error("takes two arguments") end
        function client:empty() error("") end
        function client:nothing() error(nil) end
      end
      function onPublish(client, publication) error("no " .. publication.name) end
      function onSubscribe(client, listener) error(listener.publication.name) end`,
  }).start();
  assert.equal(machine.refused("", ["text"]), "you are not Tom!");
  for (const what of ["empty", "nothing", "table"]) assert.equal(machine.refused("", [what]), "");
  assert.equal(machine.refused("", ["address"]), "192.0.2.7:1935");
  assert.equal(machine.refused("", ["level 0"]), "host:12: x");
  assert.equal(machine.refused("", ["chunk"]), "inner");
  const guest = machine.connect();
  assert.deepEqual(guest.call("text"), { error: "takes two arguments" });
  assert.deepEqual(guest.call("empty"), { error: "Unknown error" });
  assert.deepEqual(guest.call("nothing"), { error: "Unknown error" });
  const description = (action: () => unknown) => {
    try {
      action();
    } catch (error) {
      return error instanceof Refused ? error.description : error;
    }
  };
  assert.equal(description(() => machine.publish(guest, "live")), "no live");
  assert.equal(description(() => machine.play(guest, "live:1")), "live:1");
});
