// cumulus:setTimeout and cumulus:clearTimeout. API-141, API-142.
import assert from "node:assert/strict";
import { Machine } from "./machine.ts";

const heldBy = (machine: Machine) => machine.applications.api.outside.held;

Deno.test("cumulus:setTimeout runs each timer once, in order of time, after the event that set it has returned", () => {
  const machine = new Machine();
  machine.host.now = () => machine.host.ahead;
  const said = machine.run(`
    for _, ms in ipairs({ 300, 0, 100, 100.5, 100, 5000 }) do
      cumulus:setTimeout(ms, function(...) INFO(ms, " ", select("#", ...)) end)
    end
    INFO("set")`);
  assert.deepEqual(said, ["set"]);
  machine.said();
  machine.host.pass(0);
  assert.deepEqual(machine.said(), []);
  machine.host.pass(50);
  assert.deepEqual(machine.said(), ["0 0"]);
  machine.host.pass(300);
  assert.deepEqual(machine.said(), ["100 0", "100 0", "100.5 0", "300 0"]);
  machine.host.pass(60_000);
  assert.deepEqual(machine.said(), ["5000 0"]);
  assert.equal(machine.host.timers.size, 0);
  assert.equal(heldBy(machine), 0);
});

Deno.test("cumulus:clearTimeout cancels a timer, and ignores ids of other applications, of past timers and invalid ids", () => {
  const machine = new Machine({
    "main.lua": `
      a = cumulus:setTimeout(100, function() INFO("a") end)
      b = cumulus:setTimeout(50, function() cumulus:clearTimeout(b) cumulus:clearTimeout(c) INFO("b") end)
      c = cumulus:setTimeout(60, function() INFO("c") end)
      function onConnection(client)
        function client:clear() cumulus:clearTimeout(www.a) cumulus:clearTimeout(nil)
          cumulus:clearTimeout("x") cumulus:clearTimeout() cumulus:clearTimeout(1e300) return 1 end
      end`,
    "other/main.lua": "",
  }).start();
  machine.connect("/other").call("clear");
  machine.host.pass(1_000);
  assert.deepEqual(machine.said(), ["b", "a"]);
  assert.deepEqual(machine.logged("error"), []);
});

Deno.test("cumulus:setTimeout raises an error for an invalid delay in ms or function", () => {
  const said = new Machine().run(`
    local function try(...) INFO(select(2, pcall(cumulus.setTimeout, cumulus, ...))) end
    local f = function() end
    try(f, 10) try(10) try(10, {}) try("soon", f) try(-1, f) try(0/0, f) try(2^31, f) try(nil, f) try()
    INFO(math.type(cumulus:setTimeout("10", f)))`);
  const swapped = "setTimeout(milliseconds, f): the arguments are swapped";
  const none = "setTimeout(milliseconds, f): the second argument is not a function";
  const wrong =
    "setTimeout(milliseconds, f): the milliseconds are not a number from 0 to 2147483647";
  const texts = [swapped, none, none, wrong, wrong, wrong, wrong, wrong, wrong];
  assert.equal(said.length, texts.length + 1);
  for (const [i, text] of texts.entries()) assert.ok(said[i].endsWith(text), `${i}: ${said[i]}`);
  assert.equal(said.at(-1), "integer");
});

Deno.test("The server logs an error of a timer with file and line, and runs the others", () => {
  const machine = new Machine({
    "main.lua": `cumulus:setTimeout(10, function()
        error("broken")
      end)
      cumulus:setTimeout(10, function() INFO("still there") end)
      cumulus:setTimeout(10, function() error({}) end)`,
  });
  machine.host.now = () => machine.host.ahead; // running timers takes no virtual time
  machine.start();
  machine.host.pass(100);
  const errors = machine.host.lines.filter(({ level }) => level === 3);
  assert.deepEqual(errors.map(({ file, line }) => [file, line]), [
    ["www/main.lua", 2],
    ["www/main.lua", 5],
  ]);
  assert.match(errors[0].text, /broken/);
  assert.deepEqual(machine.logged("info"), ["still there"]);
});

Deno.test("The time limit stops a timer like any other call into a script", () => {
  const machine = new Machine({
    "main.lua": `cumulus:setTimeout(1, function() while true do end end)`,
  });
  machine.host.time = 20;
  machine.start();
  machine.host.pass(10);
  assert.match(
    machine.logged("error").join(),
    /^www\/main.lua:1: ran longer than 20 ms and was stopped/,
  );
});

Deno.test("The server removes timers with their application, and frees their memory", () => {
  const machine = new Machine({
    "main.lua": "",
    "game/main.lua": `
      function onConnection(client) end
      function onStart() for i = 1, 100 do cumulus:setTimeout(i, function() INFO("old") end) end end
      function onStop() cumulus:setTimeout(1, function() INFO("from onStop") end) end`,
    "broken/main.lua": `cumulus:setTimeout(1, function() INFO("broken") end) error("no")`,
  }).start();
  machine.connect("/game");
  machine.refused("/broken");
  assert.ok(heldBy(machine) >= 100 * 256);
  machine.write("game/main.lua", `cumulus:setTimeout(5, function() INFO("new") end)`);
  machine.connect("/game");
  machine.host.pass(1_000);
  assert.deepEqual(machine.said(), ["new"]);
  assert.equal(heldBy(machine), 0);
  machine.applications.stop();
  assert.equal(machine.host.timers.size, 0);
});

Deno.test("The server limits an application to 10,000 timers, and counts them against its memory", () => {
  const machine = new Machine();
  const said = machine.run(`
    local function f() end
    for i = 1, 10000 do last = cumulus:setTimeout(1000, f) end
    INFO(select(2, pcall(cumulus.setTimeout, cumulus, 1, f)))
    cumulus:clearTimeout(last)
    INFO(pcall(cumulus.setTimeout, cumulus, 1, f))`);
  assert.match(said[0], /the application has 10000 timeouts, the maximum$/);
  assert.match(said[1], /^\(true\)/);
  assert.equal(heldBy(machine), 10_000 * 256);

  const small = new Machine();
  small.host.memory = 3 << 20;
  assert.match(
    small.run(`INFO(select(2, pcall(function()
      for i = 1, 10000 do cumulus:setTimeout(1000, print) end
    end)))`)[0],
    /not enough memory/,
  );
});

Deno.test("The server runs due timers, also those set by timers, for some 20 ms before it continues", () => {
  const machine = new Machine();
  const { host } = machine;
  host.now = () => host.ahead;
  host.log = ((log) => (level: number, text: string, file: string, line: number) => {
    if (text === "work") host.ahead += 8;
    log.call(host, level, text, file, line);
  })(host.log);
  machine.run(`
    for i = 1, 6 do cumulus:setTimeout(0, function() DEBUG("work") end) end
    function again() cumulus:setTimeout(0, again) end
    again()`);
  host.ahead += 5;
  const turn = () => {
    const before = machine.logged("debug").length;
    const [[action, at]] = host.timers;
    host.timers.delete(action);
    host.ahead = Math.max(host.ahead, at);
    action();
    return machine.logged("debug").length - before;
  };
  assert.deepEqual([turn(), turn(), turn(), turn()], [3, 3, 0, 0]);
});

Deno.test("The server delays timers of an application that used too much time", () => {
  const machine = new Machine({
    "main.lua": "",
    "slow/main.lua": `function onConnection(client)
        cumulus:setTimeout(10, function() INFO("ran") end)
      end`,
    "other/main.lua": "",
  }).start();
  machine.host.now = () => machine.host.ahead;
  const { application } = machine.connect("/slow").client;
  machine.connect("/other");
  const { share } = application as unknown as { share: { spend(ms: number, now: number): void } };
  share.spend(3_000, machine.host.now());
  machine.host.pass(1_000);
  assert.deepEqual(machine.said(), []);
  machine.host.pass(20_000);
  assert.deepEqual(machine.said(), ["ran"]);
});
