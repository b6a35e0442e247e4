// Every message about a script names its file and line.
import assert from "node:assert/strict";
import { Refused } from "../../src/media/refused.ts";
import { Machine } from "./machine.ts";

/** Log lines of WARN and ERROR during an action, as `file:line text`. */
function told(machine: Machine, action: () => unknown): string[] {
  machine.host.lines.length = 0;
  try {
    action();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
  }
  return machine.host.lines.filter(({ level }) => level <= 4)
    .map(({ text, file, line }) => `${file}:${line} ${text}`);
}

function handshake(machine: Machine): void {
  machine.applications.handshake({
    address: "192.0.2.1:4000",
    path: "",
    url: "rtmfp://h/",
    properties: new Map(),
    attempts: 1,
  });
}

Deno.test("Messages about the result of an event name the line of its definition", () => {
  const machine = new Machine({
    "main.lua": `
      function onHandshake()
        return "no address!", true, print, { 12, {} }
      end
      function onConnection(client, what)
        if what == "two" then return {}, 2 end
        if what == "text" then return "text" end
        if what == "keys" then return { a = { [{}] = 1 } } end
        function client:two()
          return 1, 2
        end
        function client:keys()
          return { a = 1, [1.5] = 2 }
        end
        function client:onManage()
          return 1
        end
      end
      function onRendezVousUnknown()
        return "nowhere at all"
      end`,
  }).start();
  assert.deepEqual(told(machine, () => handshake(machine)), [
    'www/main.lua:2 "no address!" is not an address',
    "www/main.lua:2 true is not an address",
    "www/main.lua:2 a function is neither an address nor a server",
    "www/main.lua:2 a number is neither an address nor a server",
  ]);
  const connect = (what: string) => told(machine, () => machine.connect("", { values: [what] }));
  assert.deepEqual(connect("two"), [
    "www/main.lua:5 onConnection returned 2 values, 1 expected",
  ]);
  assert.deepEqual(connect("text"), [
    "www/main.lua:5 onConnection returned something other than a table",
  ]);
  for (const line of connect("keys")) assert.match(line, /^www\/main\.lua:5 /);
  const guest = machine.connect();
  assert.deepEqual(told(machine, () => guest.call("two")), [
    "www/main.lua:9 two returned 2 values, 1 expected",
  ]);
  const keys = told(machine, () => guest.call("keys"));
  assert.equal(keys.length, 1);
  assert.match(keys[0], /^www\/main\.lua:12 .*key/);
  assert.deepEqual(
    told(machine, () => machine.hub.manage())[0],
    [
      "www/main.lua:15 onManage returned 1 value, 0 expected",
    ][0],
  );
  assert.deepEqual(
    told(machine, () => machine.applications.rendezvousUnknown(new Uint8Array(32))),
    ['www/main.lua:19 "nowhere at all" is not an address'],
  );
});

Deno.test("Errors in tail calls, and errors without a text, name a line of the script", () => {
  const machine = new Machine({
    "main.lua": `
      local function fail() error("deep", 2) end
      function onConnection(client, what)
        if what == "library" then return string.rep({}, 3) end
        if what == "level" then return fail() end
        if what == "api" then return cumulus.clients("x"):foo() end
        if what == "native" then return setmetatable(1) end
        if what == "table" then return error({}) end
      end
      function onDisconnection() return table.concat({ {} }) end`,
  }).start();
  for (const what of ["library", "level", "api", "native", "table"]) {
    machine.host.lines.length = 0;
    machine.refused("", [what]);
    const first = machine.host.lines.filter(({ level }) => level === 3 || level === 5);
    for (const { text, file, line } of first) {
      assert.equal(file, "www/main.lua", what);
      assert.ok(line >= 2 && line <= 8, `${what}: ${line}`);
      assert.doesNotMatch(text, /\?/);
    }
    assert.ok(first.length > 0, what);
  }
  const guest = machine.connect();
  const [line] = told(machine, () => machine.hub.disconnect(guest.client));
  assert.match(line, /^www\/main\.lua:10 .*concat/);
});

Deno.test("Messages about a script's own streams name the line of the call", () => {
  const machine = new Machine();
  machine.start();
  machine.write(
    "main.lua",
    `
    local one = cumulus:publish("one")
    one:pushAudioPacket(5000, "abc")
    one:pushAudioPacket(10, "abc")
    function onSubscribe(client, listener)
      listener.publication:pushAudioPacket(1, "x")
    end`,
  );
  assert.deepEqual(told(machine, () => machine.applications.manage()), [
    "www/main.lua:4 Time of audio goes back from 5000 to 10 in one",
  ]);
  const guest = machine.connect();
  assert.deepEqual(told(machine, () => machine.play(guest, "idle")), [
    "www/main.lua:6 Cannot push to idle: it has no publisher",
  ]);
});

Deno.test("Errors for missing functions and files say why scripts do not have them", () => {
  const machine = new Machine({
    "main.lua": "",
    "a/main.lua": "os.execute('rm')",
    "b/main.lua": "local popen = io.popen popen('ls')",
    "c/main.lua": "require 'lib.none'",
    "d/main.lua": "dofile('/etc/passwd')",
    "e/main.lua": "dump()",
  }).start();
  const errors = ["a", "b", "c", "d", "e"].map((name) => {
    machine.host.lines.length = 0;
    machine.refused(`/${name}`);
    return machine.logged("error")[0].replace(/^www\/.\/main\.lua:1: /, "");
  });
  assert.deepEqual(errors, [
    "attempt to call a nil value (field 'execute'); scripts have no os.execute: scripts start no programs, " +
    "and no key of the configuration lets them",
    "attempt to call a nil value (local 'popen'); scripts have no io.popen: scripts start no programs, " +
    "and no key of the configuration lets them",
    "module 'lib.none' not found:\n\tno field package.preload['lib.none']\n\tno file './lib/none.lua'" +
    "\n\tno file './lib/none/init.lua'",
    "cannot open /etc/passwd: Permission denied: without [script] files, an application may use only its own folder",
    "attempt to call a nil value (global 'dump'); scripts have no string.dump: scripts are loaded only from text",
  ]);
});
