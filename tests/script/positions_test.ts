// Clients get the text of a script's error, and its position only with [script] positions. API-061, API-062.
import assert from "node:assert/strict";
import { Refused } from "../../src/media/refused.ts";
import { Machine } from "./machine.ts";

const SCRIPT = `local ways = {}
  function ways.text() error("no") end
  function ways.again() local _, m = pcall(ways.text) error(m) end
  function ways.twice() local _, m = pcall(ways.again) error(m) end
  function ways.within() local _, m = pcall(ways.text) error("failed: " .. m, 0) end
  function ways.traced() local _, m = xpcall(ways.text, debug.traceback) error(m, 0) end
  function ways.loaded() loadstring("error('no')", "=setup")() end
  function ways.included() loadstring("error('no')", "@lib/some file.lua")() end
  function ways.string() loadstring("error('no')")() end
  function ways.thread() coroutine.wrap(ways.text)() end
  function ways.fault() local x = nil + 1 end
  function ways.level() error("host:12: x", 0) end
  function ways.tail() return error("no") end
  function onConnection(client, way)
    if way then ways[way]() end
    function client:call(way) ways[way]() end
  end
  function onPublish(client, publication) ways[publication.name]() end
  function onSubscribe(client, listener) ways[listener.publication.name]() end`;

const TEXTS: Record<string, string> = {
  text: "no",
  again: "no",
  twice: "no",
  within: "failed: no",
  traced: "no",
  loaded: "no",
  included: "no",
  string: "no",
  thread: "no",
  fault: "attempt to perform arithmetic on a nil value",
  level: "host:12: x",
  tail: "no",
};

/** The texts that a client gets for the four requests that an error refuses. */
function told(machine: Machine, way: string): unknown[] {
  const guest = machine.connect();
  const description = (action: () => unknown) => {
    try {
      action();
    } catch (error) {
      return error instanceof Refused ? error.description : error;
    }
  };
  return [
    description(() => machine.connect("", { values: [way] })),
    description(() => machine.publish(guest, way)),
    description(() => machine.play(guest, way)),
    (guest.call("call", way) as { error: string }).error,
  ];
}

Deno.test("Clients get no path and no line of an error, for any request", () => {
  const machine = new Machine({ "main.lua": SCRIPT }).start();
  for (const [way, text] of Object.entries(TEXTS)) {
    assert.deepEqual(told(machine, way), [text, text, text, text], way);
  }
});

Deno.test("Clients get the position of an error with [script] positions, for any request", () => {
  const machine = new Machine({ "main.lua": SCRIPT }).start();
  machine.host.positions = true;
  assert.deepEqual(told(machine, "text"), new Array(4).fill("www/main.lua:2: no"));
  assert.deepEqual(
    told(machine, "fault"),
    new Array(4).fill(`www/main.lua:11: ${TEXTS.fault}`),
  );
  machine.host.positions = false; // as a reload of the configuration does
  assert.deepEqual(told(machine, "text"), new Array(4).fill("no"));
});

Deno.test("Clients of a failed main.lua get the reason, and the position only with [script] positions", () => {
  const machine = new Machine({
    "main.lua": "",
    "broken/main.lua": "x = = 1",
    "failing/main.lua": "\nerror('out of order')",
  }).start();
  assert.equal(machine.refused("/broken"), "unexpected symbol near '='");
  assert.equal(machine.refused("/failing"), "out of order");
  machine.host.positions = true;
  assert.equal(machine.refused("/broken"), "www/broken/main.lua:1: unexpected symbol near '='");
  assert.equal(machine.refused("/failing"), "www/failing/main.lua:2: out of order");
});

Deno.test("The server removes positions from a text of 20,000 parts in linear time", () => {
  const machine = new Machine({
    "main.lua": `function onConnection(client, text) error(text:rep(20000), 0) end`,
  }).start();
  for (const part of ['[string "', "www/", "...", ".lua:1", "/a", "\nstack traceback:"]) {
    machine.refused("", [part]); // takes minutes with quadratic time
  }
});
