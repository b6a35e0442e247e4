// Which applications get an event: API-601, API-602, API-616, API-617, API-630, API-631, API-648, API-649.
import assert from "node:assert/strict";
import { TypedObject } from "../../src/amf/mod.ts";
import { Machine } from "./machine.ts";

Deno.test("API-601, API-602, API-630, API-631: applications inherit onStart and onStop, which get the path", () => {
  const machine = new Machine({
    "main.lua":
      "function onStart(path) INFO('start ', path) end function onStop(path) INFO('stop ', path) end",
    "a/main.lua": "",
    "b/main.lua": "error('x')",
  }).start();
  machine.connect("/a");
  machine.refused("/b");
  machine.forget("a");
  machine.connect("/a");
  machine.applications.stop();
  assert.deepEqual(machine.said(), ["start ", "start /a", "stop /a", "stop "]);
});

Deno.test("API-617, API-649: the server calls onManage once in every application that defines it", () => {
  const machine = new Machine({
    "main.lua": "function onManage() INFO('root') end",
    "a/main.lua": "",
    "b/main.lua": "function onManage() INFO('b') end",
  }).start();
  machine.connect("/a");
  machine.connect("/b");
  machine.applications.manage();
  assert.deepEqual(machine.said(), ["root", "b"]);
});

Deno.test("API-616, API-648: the server calls onTypedObject in the application of the client", () => {
  const machine = new Machine({
    "main.lua": `
      function onTypedObject(type, object) INFO("root ", type, " ", object.name) function object:hello() return self.name end end
      function onConnection(client, cat) if cat then INFO(cat:hello(), cat.__type) end function client:take(o) return o.hello ~= nil end end`,
    "a/main.lua": "function onTypedObject(type, object) INFO('a ', type) end",
  }).start();
  const guest = machine.connect("", { values: [new TypedObject("Cat", { name: "Tom" })] });
  assert.deepEqual(machine.said(), ["root Cat Tom", "TomCat"]);
  assert.deepEqual(guest.call("take", new TypedObject("Dog", { name: "Rex" })), ["_result(true)"]);
  const other = machine.connect("/a");
  assert.deepEqual(other.call("take", new TypedObject("Dog", {})), ["_result(false)"]);
  assert.deepEqual(machine.said(), ["root Dog Rex", "a Dog"]);
});

Deno.test("API-665: the server does not call events of other versions", () => {
  const machine = new Machine({
    "main.lua":
      "function onRealTime() INFO('never') end function onConnection(client, response) INFO(response) end",
  }).start();
  machine.connect();
  machine.hub.manage();
  assert.deepEqual(machine.said(), ["(null)"]);
});

Deno.test("The server ignores an event that is not a function", () => {
  const machine = new Machine({
    "main.lua": "function onConnection() INFO('root') end",
    "a/main.lua": "onConnection = false",
    "b/main.lua": "onConnection = setmetatable({}, { __call = function() INFO('called') end })",
  }).start();
  machine.connect("/a");
  machine.connect("/b");
  assert.deepEqual(machine.said(), []);
});
