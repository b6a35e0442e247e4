// `cumulus`: API-101 to API-139.
import assert from "node:assert/strict";
import { cpuTime } from "../support/cpu_time.ts";
import { Machine } from "./machine.ts";

Deno.test("API-101 to API-107: cumulus has the collections, epochTime in ms and publicAddress", () => {
  const machine = new Machine();
  machine.host.publicAddress = "rtmfp.example.org:1935";
  assert.deepEqual(
    machine.run(`
      INFO(cumulus.clients.count, cumulus.groups.count, cumulus.publications.count, cumulus.servers.count)
      INFO(cumulus.pulications == cumulus.publications, cumulus.publicAddress, " ", cumulus.epochTime)`),
    ["0000", "(true)rtmfp.example.org:1935 1700000000000"],
  );
});

Deno.test("API-102, CFG-060 to CFG-066: cumulus.configs is a table of the configuration", () => {
  const machine = new Machine();
  machine.host.configs = {
    port: "1935",
    off: false,
    on: "true",
    myGroup: { myConfig: "test", deep: { x: "1" } },
  };
  assert.deepEqual(
    machine.run(`
      local c = cumulus.configs
      INFO(c.port, type(c.port), c.off, type(c.on), c.myGroup.myConfig, c.myGroup.deep.x, c.none)
      c.mine = 1 INFO(cumulus.configs.mine)
      for name in pairs(c.myGroup.deep) do INFO(name) end`),
    ["1935string(false)stringtest1(null)", "1", "x"],
  );
});

Deno.test("API-120: absolutePath returns the folder of an application", () => {
  const machine = new Machine();
  assert.deepEqual(
    machine.run(`
      for _, path in ipairs { "", "/a", "a/b", "/a/b/" } do INFO(cumulus:absolutePath(path)) end
      INFO(cumulus:absolutePath())`),
    ["/srv/www/", "/srv/www/a/", "/srv/www/a/b/", "/srv/www/a/b/", "/srv/www/"],
  );
});

Deno.test("API-120: absolutePath takes linear time for a path of slashes", () => {
  const began = cpuTime();
  assert.deepEqual(
    new Machine().run(`INFO(#cumulus:absolutePath("a" .. ("/"):rep(300000) .. "a"))`),
    [`${"/srv/www/".length + 300_003}`],
  );
  assert.ok(cpuTime() - began < 10_000, "with a check for each slash it took a minute");
});

Deno.test("API-121 to API-123: addToBlacklist bans addresses, and removeFromBlacklist lifts bans", () => {
  const machine = new Machine({ "main.lua": "function onFailed(client, error) INFO(error) end" });
  machine.start();
  const guest = machine.connect();
  machine.write(
    "main.lua",
    "INFO(select('#', cumulus:addToBlacklist('x', '192.0.2.9', '192.0.2.1', {})))" +
      " function onFailed(client, error) INFO(error) end" +
      " function onManage() cumulus:removeFromBlacklist('192.0.2.1', '192.0.2.77', 'y') end",
  );
  machine.applications.manage();
  assert.deepEqual([...machine.hub.blacklist], ["192.0.2.9"]);
  assert.equal(guest.client.state, "gone");
  assert.deepEqual(machine.logged("error"), [
    '"x" is not an IP address',
    '"" is not an IP address',
    '"y" is not an IP address',
  ]);
});

Deno.test("API-127, API-139: publish returns a publication, or nil for a taken name", () => {
  const machine = new Machine({
    "main.lua": `
      function onConnection(client)
        function client:publish(name) local p = cumulus:publish(name) return p and p.name, collectgarbage() end
        function client:close(name) cumulus.publications(name):close() end
      end
      function onPublish() INFO("asked") end`,
  }).start();
  const guest = machine.connect();
  let notified = 0;
  const listener = machine.play(guest, "waited", { published: () => notified++ });
  listener.start();
  assert.deepEqual(guest.call("publish", "live"), ['_result("live")']);
  assert.deepEqual(guest.call("publish", "waited"), ['_result("waited")']);
  assert.equal(notified, 1);
  assert.deepEqual(guest.call("publish", "live"), ["_result(null)"]);
  assert.deepEqual(machine.logged("error"), ["live is already published"]);
  assert.deepEqual(machine.said(), []);
  assert.deepEqual([...machine.hub.published()].map(({ name }) => name), ["waited", "live"]);
  guest.call("close", "live");
  assert.deepEqual(guest.call("publish", "live"), ['_result("live")']);
});

Deno.test("API-128 to API-130: toAMF encodes values, and fromAMF decodes them", () => {
  const machine = new Machine();
  assert.deepEqual(
    machine.run(`
      local function hex(s) return (s:gsub(".", function(c) return ("%02x"):format(c:byte()) end)) end
      INFO(hex(cumulus:toAMF("hello", 5)), " ", hex(cumulus:toAMF0("hello", 5)), " ", hex(cumulus:toAMF()))
      INFO(select("#", cumulus:fromAMF()), select("#", cumulus:fromAMF("")), select("#", cumulus:fromAMF("\\6")))
      INFO(cumulus:fromAMF(cumulus:toAMF(1, "a", true, nil, 2.5)))
      function onTypedObject(type, object) object.seen = type end
      INFO(cumulus:fromAMF(cumulus:toAMF { __type = "Cat" }).__type)`),
    [
      "11060b68656c6c6f110405 02000568656c6c6f004014000000000000 ",
      "001",
      "1a(true)(null)2.5",
      "Cat",
    ],
  );
});

Deno.test("API-131 to API-133: md5 and sha256 return raw digests", () => {
  const machine = new Machine();
  assert.deepEqual(
    machine.run(`
      local function hex(s) return s and (s:gsub(".", function(c) return ("%02x"):format(c:byte()) end)) end
      local a, b = cumulus:md5("", "12") INFO(#a, hex(a), hex(b))
      INFO(hex(cumulus:md5(12)) == hex(b), #cumulus:sha256("x"), hex(cumulus:sha256("abc")))
      INFO(select("#", cumulus:md5()))`),
    [
      "16d41d8cd98f00b204e9800998ecf8427ec20ad4d76fe97759aa27a0c99bff6710",
      "(true)32ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      "0",
    ],
  );
  machine.write("main.lua", "local a, b, c = cumulus:md5({}, 'x', nil) INFO(a, #b, c)");
  machine.applications.manage();
  assert.deepEqual(machine.logged("info").at(-1), "(null)16(null)");
  assert.equal(machine.logged("error").length, 2);
});

Deno.test("API-135: split returns the pieces of a text", () => {
  const machine = new Machine();
  assert.deepEqual(
    machine.run(`
      local function show(...) local t = {} for i = 1, select("#", ...) do t[i] = "[" .. select(i, ...) .. "]" end INFO(table.concat(t)) end
      show(cumulus:split("a--b-c", "--"))
      show(cumulus:split("a,b;c,", ",;"))
      show(cumulus:split("a b", ""))
      show(cumulus:split("", ","))
      show(cumulus:split(" a , ,b", ",", 0))
      show(cumulus:split(" a , ,,b", ",", 1))
      show(cumulus:split(" a , ,,b", ",", 2))
      show(cumulus:split(" a , ,,b", ",", 3))
      show(cumulus:split("\\0x\\255\\0", "\\0"))`),
    [
      "[a][][b][c]",
      "[a][b][c][]",
      "[a b]",
      "",
      "[ a ][ ][b]",
      "[ a ][ ][b]",
      "[a][][][b]",
      "[a][b]",
      "[][x\ufffd][]",
    ],
  );
});
