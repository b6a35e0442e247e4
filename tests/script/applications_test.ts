// Applications: names, start, reload and stop. API-021 to API-045.
import assert from "node:assert/strict";
import { UnknownApplication } from "../../src/media/refused.ts";
import { Machine } from "./machine.ts";

Deno.test("API-023, API-041: the server starts the root at its own start, and other applications at their first client", () => {
  const machine = new Machine({
    "main.lua": "INFO('main') function onStart(path) INFO('start ', '[', path, ']') end",
    "a/main.lua": "INFO('main a')",
    "a/b/main.lua": "INFO('main b')",
  }).start();
  assert.deepEqual(machine.said(), ["main", "start []"]);
  machine.connect("/a/b");
  assert.deepEqual(machine.said(), ["main a", "start [/a]", "main b", "start [/a/b]"]);
  assert.deepEqual(machine.host.announced, ["", "/a", "/a/b"]);
});

Deno.test("API-022, API-024, API-044: the server refuses clients of paths without a folder", () => {
  const machine = new Machine({ "main.lua": "", "a/main.lua": "", "__index/main.lua": "" }).start();
  for (const path of ["/b", "/a/b", "/a/", "//a", "/./a", "/../www", "/a/..", "a", "/__index"]) {
    assert.throws(() => machine.connect(path), UnknownApplication, path);
  }
});

Deno.test("DECISIONS 10: with unknown = nearest the application above serves clients of an unknown path", () => {
  const machine = new Machine({
    "main.lua": "function onConnection(client) INFO('root ', client.path) end",
    "a/main.lua": "function onConnection(client) INFO('a ', client.path) end",
  });
  machine.host.unknown = "nearest";
  machine.start();
  machine.connect("/0123-key");
  machine.connect("/a/b/c");
  machine.connect("/a/../a");
  machine.connect("/a");
  machine.connect("");
  machine.connect("key");
  assert.deepEqual(machine.said(), [
    ...["root /0123-key", "a /a/b/c", "a /a/../a", "a /a", "root ", "root key"],
  ]);
  let asked = 0;
  const { isFolder } = machine.host.files;
  machine.host.files.isFolder = (path) => (asked++, isFolder(path));
  machine.applications.open("/x".repeat(1000));
  assert.ok(asked < 5, `${asked} folders were asked for`);
});

Deno.test("API-035: the server checks files for each client that connects, and less often in a rush of clients", () => {
  const machine = new Machine({ "main.lua": "", "a/main.lua": "INFO('one')" }).start();
  let now = 5_000;
  machine.host.now = () => now;
  let asked = 0;
  const { modified } = machine.host.files;
  machine.host.files.modified = (path) => (asked++, modified(path));
  for (let i = 0; i < 1000; i++, now++) machine.connect("/a");
  assert.ok(asked < 2 * (32 + 1000 / 20 + 2), `${asked} looks for 1,000 clients in a second`);
  machine.write("a/main.lua", "INFO('two')");
  for (let i = 0; i < 21; i++, now++) machine.connect("/a");
  assert.deepEqual(machine.said(), ["one", "two"]);
  now += 1000;
  for (let i = 0; i < 30; i++) {
    machine.write("a/main.lua", `INFO(${i})`);
    machine.connect("/a");
    assert.deepEqual(machine.said().at(-1), `${i}`);
  }
});

Deno.test("API-025: an application without main.lua accepts clients, and runs no event", () => {
  const machine = new Machine({
    "main.lua":
      "function onConnection(client) INFO('connected') function client:f() end end function onDisconnection() INFO('gone') end",
    "a/readme.txt": "",
  }).start();
  const guest = machine.connect("/a");
  assert.equal(guest.call("f"), "not found");
  machine.hub.disconnect(guest.client);
  assert.deepEqual(machine.said(), []);
});

Deno.test("API-026: the server refuses clients of a main.lua that fails, and keeps none of its globals", () => {
  const machine = new Machine({
    "main.lua": "",
    "a/main.lua": "x = = 1",
    "b/main.lua": "left = 1\nerror('broken')",
  }).start();
  assert.equal(machine.refused("/a"), "unexpected symbol near '='");
  assert.equal(machine.refused("/b"), "broken");
  assert.deepEqual(machine.logged("error").length, 2);
  machine.write("b/main.lua", "INFO(left)");
  machine.connect("/b");
  assert.deepEqual(machine.said(), ["(null)"]);
});

Deno.test("API-027, API-028: an application reads names of its parents and writes its own", () => {
  const machine = new Machine({
    "main.lua": "name = 'root' shared = 1 function get() return name end",
    "a/main.lua": "INFO(name) name = 'a' INFO(name, get()) name = nil INFO(name) own = 2",
    "a/b/main.lua": "INFO(shared, own) own = nil INFO(own) shared = 3 INFO(shared)",
    "c/main.lua": "INFO(shared, own)",
  }).start();
  machine.connect("/a");
  assert.deepEqual(machine.said(), ["root", "aroot", "root"]);
  machine.connect("/a/b");
  assert.deepEqual(machine.said(), ["12", "2", "3"]);
  machine.connect("/c");
  assert.deepEqual(machine.said(), ["1(null)"]);
});

Deno.test("API-029, API-030: scripts reach other applications by super, www and their names", () => {
  const machine = new Machine({
    "main.lua": "who = 'root' function look() INFO(a and a.who) end",
    "a/main.lua": "who = 'a' INFO(super.who, www.who, a.who)",
    "a/b/main.lua":
      "who = 'b' INFO(super.who, www.who, a.who, b.who) local b = 5 super.new = 'n' INFO(a.new)",
    "a/c/main.lua": "super = 'mine' INFO(super) super = nil INFO(super.who)",
  }).start();
  machine.connect("/a");
  assert.deepEqual(machine.said(), ["rootroota"]);
  machine.connect("/a/b");
  assert.deepEqual(machine.said(), ["arootab", "n"]);
  machine.connect("/a/c");
  assert.deepEqual(machine.said(), ["mine", "a"]);
});

Deno.test("API-029: super in the root is the global table of Lua", () => {
  const machine = new Machine();
  assert.deepEqual(machine.run("x = 1 INFO(super.x, super.print == print)"), ["(null)(true)"]);
});

Deno.test("API-031: a script that names a child application does not start it", () => {
  const machine = new Machine({
    "main.lua": "function onConnection(client) INFO(game and game.who) end",
    "game/main.lua": "who = 'game' INFO('started')",
  }).start();
  machine.connect();
  assert.deepEqual(machine.said(), ["(null)"]);
  machine.connect("/game");
  machine.connect();
  assert.deepEqual(machine.said(), ["started", "game", "game"]);
});

Deno.test("API-032, API-033: the server runs an inherited event with the globals of the child", () => {
  const machine = new Machine({
    "main.lua": `
      greeting = 'root'
      local count = 0
      local function greet() return greeting end
      function helper() return greeting end
      function onConnection(client)
        count = count + 1
        last = client.path
        INFO(greeting, ' ', helper(), ' ', count, ' ', client.path)
        function client:greet() return greeting end
      end
      function onManage() INFO(last) end`,
    "a/main.lua": "greeting = 'a'",
  }).start();
  machine.connect();
  const guest = machine.connect("/a");
  machine.connect();
  assert.deepEqual(machine.said(), ["root root 1 ", "a root 2 /a", "root root 3 "]);
  assert.deepEqual(guest.call("greet"), ['_result("a")']);
  machine.applications.manage();
  assert.deepEqual(machine.said(), [""]);
});

Deno.test("API-034: super:f(x) and super.f(x) both call f(x)", () => {
  const machine = new Machine({
    "main.lua": `
      function onConnection(client, name) INFO('root ', client.path, ' ', name) end
      function sum(...) return select('#', ...) end`,
    "a/main.lua": `
      function onConnection(client, ...)
        super:onConnection(client, ...)
        super.onConnection(client, ...)
        www:onConnection(client, ...)
        INFO(super.sum(), super:sum(), super:sum(nil), super.sum(1, 2))
      end`,
    "a/b/main.lua": "function onConnection(client, ...) a:onConnection(client, ...) end",
  }).start();
  machine.connect("/a", { values: ["Tom"] });
  assert.deepEqual(machine.said(), ["root /a Tom", "root /a Tom", "root /a Tom", "0012"]);
  machine.connect("/a/b", { values: ["Tom"] });
  assert.equal(machine.said().length, 4);
});

Deno.test("API-035, API-038, API-039: an edit of main.lua restarts the application, and clients stay", () => {
  const machine = new Machine({
    "main.lua": `
      old = 1
      cumulus.kept = 'kept'
      function onStart() INFO('start 1') end
      function onStop(path) INFO('stop 1 ', path, old) end
      function onConnection(client) function client:hello() return 'hello ' .. tostring(new) end end
      function onDisconnection(client) INFO('gone') end`,
  }).start();
  const guest = machine.connect();
  machine.applications.manage();
  assert.deepEqual(machine.said(), ["start 1"]);
  machine.write("main.lua", "new = 2 function onStart() INFO('start 2', old, cumulus.kept) end");
  machine.applications.manage();
  assert.deepEqual(machine.said(), ["stop 1 1", "start 2(null)kept"]);
  assert.deepEqual(guest.call("hello"), ['_result("hello 2")']);
  machine.hub.disconnect(guest.client);
  assert.deepEqual(machine.said(), []);
});

Deno.test("API-035, API-036: the server checks main.lua of other applications, and no other file, at each connection", () => {
  const machine = new Machine({
    "main.lua": "",
    "a/main.lua": "dofile('more.lua') INFO(more)",
    "a/more.lua": "more = 1",
  }).start();
  machine.connect("/a");
  machine.write("a/more.lua", "more = 2");
  machine.connect("/a");
  assert.deepEqual(machine.said(), ["1"]);
  machine.write("a/main.lua", "dofile('more.lua') INFO('again ', more)");
  machine.applications.manage();
  assert.deepEqual(machine.said(), []);
  machine.connect("/a");
  assert.deepEqual(machine.said(), ["again 2"]);
});

Deno.test("API-037: the server stops an application without main.lua, and refuses clients of a deleted folder", () => {
  const machine = new Machine({
    "main.lua": "",
    "a/main.lua": "function onStop() INFO('stop') end function onConnection() INFO('a') end",
    "a/b/main.lua": "function onStop() INFO('stop b') end",
  }).start();
  machine.connect("/a/b");
  machine.connect("/a");
  machine.said();
  machine.forget("a");
  machine.connect("/a");
  assert.deepEqual(machine.said(), ["stop"]);
  machine.removeFolder("a");
  assert.throws(() => machine.connect("/a"), UnknownApplication);
  assert.deepEqual(machine.said(), ["stop b"]);
  machine.write("a/main.lua", "INFO('new')");
  machine.connect("/a");
  assert.deepEqual(machine.said(), ["new"]);
});

Deno.test("API-040: an included file runs with the globals of the application that loads it", () => {
  const machine = new Machine({
    "main.lua": "",
    "a/main.lua": `
      base = 1
      dofile(cumulus:absolutePath('/a') .. 'start.lua')
      INFO(started, _G.started)
      local f = loadfile('start.lua')
      started = nil f() INFO(started)
      INFO(select(2, loadfile('none.lua')))
      INFO(load('return base')(), loadstring('return base + 1')(), load('return x', 'n', 't', {x = 7})())
      INFO(require('lib').name, require('lib') == package.loaded.lib, libglobal)
      INFO(pcall(require, 'nolib'))
      INFO(select(2, pcall(dofile, '../../etc/passwd')))`,
    "a/start.lua": "started = base + 1",
    "a/lib.lua": "libglobal = ... return { name = 'lib' }",
  }).start();
  machine.connect("/a");
  assert.deepEqual(machine.logged("error"), []);
  const said = machine.said();
  assert.deepEqual(said.slice(0, 6), [
    "22",
    "2",
    "cannot open none.lua",
    "127",
    "lib(true)lib",
    said[5],
  ]);
  assert.match(said[5], /^\(false\).*module 'nolib' not found:/s);
  assert.match(said[6], /cannot open/);
  machine.connect("/a");
});

Deno.test("API-035, API-040: require loads files again after a reload of the application", () => {
  const machine = new Machine({
    "main.lua": "INFO(require('lib').version)",
    "lib.lua": "return { version = 1 }",
  }).start();
  machine.write("lib.lua", "return { version = 2 }");
  machine.write(
    "main.lua",
    "INFO(require('lib').version) package.path = './x/?.lua' INFO(pcall(require, 'other'))",
  );
  machine.applications.manage();
  machine.write("main.lua", "INFO(package.path)");
  machine.applications.manage();
  const said = machine.said();
  assert.deepEqual(said.slice(0, 2), ["1", "2"]);
  assert.match(said[2], /no file '\.\/x\/other\.lua'/);
  assert.equal(said[3], "./?.lua;./?/init.lua");
});

Deno.test("API-042: the server stops children before their parents, and the root last", () => {
  const machine = new Machine({
    "main.lua": "function onStop(path) INFO('stop ', path) end",
    "a/main.lua": "",
    "a/b/main.lua": "",
    "c/readme": "",
    "d/main.lua": "error('x')",
  }).start();
  machine.connect("/a/b");
  machine.connect("/c");
  machine.refused("/d");
  machine.said();
  machine.applications.stop();
  assert.deepEqual(machine.said(), ["stop /a/b", "stop /a", "stop "]);
});

Deno.test("API-043: getmetatable hides the metatables of other environments", () => {
  const machine = new Machine();
  assert.deepEqual(
    machine.run(`
      for _, t in ipairs { super, www } do INFO(type(getmetatable(t)), ' ', (pcall(setmetatable, t, {}))) end`),
    ["string (false)", "string (false)"],
  );
});
