// Applications.restart() starts all applications again on behalf of an operator. API-046.
import assert from "node:assert/strict";
import { Machine } from "./machine.ts";

const FILES = {
  "main.lua": `INFO("www") function onStop() INFO("www stops") end`,
  "a/main.lua": `INFO("a") function onConnection(client) function client:ask() return 1 end end
    function onStop() INFO("a stops") end`,
  "a/b/main.lua": `INFO("b") function onStop() INFO("b stops") end`,
  "empty/readme.txt": "",
};

Deno.test("restart() stops and starts applications, parents first, and clients stay", () => {
  const machine = new Machine(FILES).start();
  const guest = machine.connect("/a");
  machine.connect("/a/b");
  machine.connect("/empty");
  machine.said();
  machine.applications.restart();
  assert.deepEqual(machine.said(), ["www stops", "www", "a stops", "a", "b stops", "b"]);
  assert.equal(machine.hub.clients.size, 3);
  assert.deepEqual(guest.call("ask"), ["_result(1)"]);
  machine.applications.restart();
  assert.deepEqual(machine.said(), ["www stops", "www", "a stops", "a", "b stops", "b"]);
});

Deno.test("restart() accepts no clients where main.lua has just vanished, and starts failed applications", () => {
  const machine = new Machine(FILES).start();
  machine.connect("/a");
  machine.remove("a/main.lua");
  machine.applications.restart();
  assert.equal(machine.refused("/a"), "the application is not available");
  machine.write("a/main.lua", "error('no')");
  machine.applications.restart();
  assert.match(machine.refused("/a"), /no/);
  machine.host.files.files.get("/srv/www/a/main.lua")!.bytes = new TextEncoder().encode("");
  machine.applications.restart();
  machine.connect("/a");
});
