// A refusal by a script is not an error of the script: the server logs a NOTE, and counts it separately.
import assert from "node:assert/strict";
import { Refused } from "../../src/media/refused.ts";
import { Machine } from "./machine.ts";

const SCRIPT = `
  function onConnection(client, what)
    if what == "password" then error("wrong password") end
    if what == "bare" then error("host:1935", 0) end
    if what == "nothing" then error() end
    if what == "tail" then return error("not you") end
    if what == "helper" then refuse("by a helper") end
    if what == "again" then
      local _, message = pcall(refuse, "again")
      error(message, 0)
    end
    if what == "bug" then local x = nil + 1 end
    if what == "caught bug" then
      local _, message = pcall(function() return nil + 1 end)
      error(message, 0)
    end
    if what == "argument" then string.rep() end
    if what == "library" then table.concat({ {} }) end
    function client:buy() error("too expensive") end
  end
  function refuse(text) error(text, 2) end
  function onPublish(client, publication)
    if publication.name == "silent" then return false end
    error("no " .. publication.name)
  end
  function onSubscribe(client, listener) error("no seats") end`;

const ADDRESS = "192.0.2.1:4000";

/** The log at NOTE and above during an action, with lines. */
function logged(machine: Machine, action: () => unknown): string[] {
  machine.host.lines.length = 0;
  try {
    action();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
  }
  return machine.host.lines.filter(({ level }) => level <= 5)
    .map(({ level, text, file, line }) => `${level} ${file}:${line} ${text}`);
}

Deno.test("The server logs a client that error() refuses as a NOTE with address and text, and counts it", () => {
  const machine = new Machine({ "main.lua": SCRIPT }).start();
  const connect = (what: string) => () => machine.connect("", { values: [what] });
  const refused = (text: string, line: number) => [
    `5 www/main.lua:${line} ${ADDRESS} is refused${text && ": "}${text}`,
  ];
  assert.deepEqual(logged(machine, connect("password")), refused("wrong password", 3));
  assert.deepEqual(logged(machine, connect("bare")), refused("host:1935", 4));
  assert.deepEqual(logged(machine, connect("nothing")), refused("", 5));
  assert.deepEqual(logged(machine, connect("tail")), refused("not you", 6));
  assert.deepEqual(logged(machine, connect("helper")), refused("by a helper", 7));
  assert.deepEqual(logged(machine, connect("again")), refused("again", 10));
  const [row] = machine.applications.rows();
  assert.deepEqual(row.refusals, { connect: 6, publish: 0, record: 0, play: 0, call: 0, share: 0 });
  assert.equal(row.errors, 0);
  assert.equal(row.lastError, null);
});

Deno.test("The server refuses a client when onConnection has a fault, and logs an ERROR of the script", () => {
  const machine = new Machine({ "main.lua": SCRIPT }).start();
  const what = ["bug", "caught bug", "argument", "library"];
  for (const fault of what) {
    const [line] = logged(machine, () => machine.connect("", { values: [fault] }));
    assert.match(line, /^3 www\/main\.lua:\d+ www\/main\.lua:\d+: (attempt|bad argument|invalid)/);
  }
  const [row] = machine.applications.rows();
  assert.equal(row.errors, what.length);
  assert.deepEqual(row.refusals, { connect: 0, publish: 0, record: 0, play: 0, call: 0, share: 0 });
});

Deno.test("error() and false refuse publishing, playing and calls in the same way", () => {
  const machine = new Machine({ "main.lua": SCRIPT }).start();
  const guest = machine.connect();
  assert.deepEqual(logged(machine, () => machine.publish(guest, "live")), [
    `5 www/main.lua:24 ${ADDRESS} may not publish live: no live`,
  ]);
  assert.deepEqual(logged(machine, () => machine.publish(guest, "silent")), [
    `5 www/main.lua:22 ${ADDRESS} may not publish silent`,
  ]);
  assert.deepEqual(logged(machine, () => machine.play(guest, "live")), [
    `5 www/main.lua:26 ${ADDRESS} may not play live: no seats`,
  ]);
  assert.deepEqual(logged(machine, () => guest.call("buy")), [
    `5 www/main.lua:19 ${ADDRESS} may not call buy: too expensive`,
  ]);
  const [row] = machine.applications.rows();
  assert.deepEqual(row.refusals, { connect: 0, publish: 2, record: 0, play: 1, call: 1, share: 0 });
  assert.equal(row.errors, 0);
});
