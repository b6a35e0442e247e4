// Clients, their calls and their writers: API-201 to API-260.
import assert from "node:assert/strict";
import { fromUtf8 } from "../../src/bytes/text.ts";
import { Machine } from "./machine.ts";

Deno.test("API-201 to API-203: cumulus.clients counts, lists and finds clients", () => {
  const machine = new Machine({
    "main.lua": `
      function onConnection(client)
        function client:look(id)
          local found = cumulus.clients(id)
          return found and found.id
        end
        function client:raw() return cumulus.clients(self.rawId) == self and cumulus.clients(self.id:upper()) == self end
        function client:wrong() return cumulus.clients("abc") or cumulus.clients() or cumulus.clients(("x"):rep(64)) end
      end`,
  }).start();
  const guest = machine.connect();
  assert.deepEqual(guest.call("look", guest.client.id), [`_result("${guest.client.id}")`]);
  assert.deepEqual(guest.call("look", "0".repeat(64)), ["_result(null)"]);
  assert.deepEqual(guest.call("raw"), ["_result(true)"]);
  assert.deepEqual(guest.call("wrong"), ["_result(null)"]);
  assert.equal(machine.logged("error").length, 3);
});

Deno.test("API-204: cumulus.clients includes a client from after onConnection to before onDisconnection", () => {
  const machine = new Machine({
    "main.lua": `
      function onConnection(client) INFO(cumulus.clients.count, cumulus.clients(client.id)) end
      function onManage() INFO(cumulus.clients.count) end
      function onDisconnection(client) INFO(cumulus.clients.count, cumulus.clients(client.id)) end`,
  }).start();
  const guest = machine.connect();
  machine.hub.manage();
  machine.hub.disconnect(guest.client);
  assert.deepEqual(machine.said(), ["0", "1", "0"]);
});

Deno.test("API-210 to API-221: a client has its address, id, version, URLs and properties", () => {
  const machine = new Machine({
    "main.lua": `
      function onConnection(client)
        INFO(client.id, #client.rawId, type(client.id))
        INFO(client.address, " ", client.flashVersion, " ", client.pageUrl, " [", client.swfUrl, "] ", client.path)
        INFO(client.ping, " ", client.elapsedFromReception, " ", client.writer == client.writer)
        INFO(client.arg1, client["two words"], client.empty, client.address2, client.id == "x")
      end`,
  }).start();
  const guest = machine.connect("", {
    properties: { arg1: "v1", "two words": "v2", empty: "", id: "x" },
  });
  assert.deepEqual(machine.said(), [
    `${guest.client.id}32string`,
    "192.0.2.1:4000 WIN 20,0,0,286 http://example.org/page [] ",
    "20 3 (true)",
    "v1v2(null)(false)",
  ]);
});

Deno.test("API-222, API-223, API-259, API-640: the server calls onManage of clients and writers, and keeps fields of scripts until the end", () => {
  const machine = new Machine({
    "main.lua": `
      function onConnection(client)
        client.name = "Tom"
        function client:onManage() INFO("client ", self.name) end
        local pipe = client.writer:newFlowWriter()
        function pipe:onManage() INFO("pipe") self:close() end
        function client.writer:onManage() ERROR("never") end
      end
      function onDisconnection(client) INFO(client.name, client.address, client.path) end`,
  }).start();
  const guest = machine.connect();
  machine.hub.manage();
  machine.hub.manage();
  machine.hub.disconnect(guest.client);
  assert.deepEqual(machine.said(), [
    "pipe",
    "client Tom",
    "client Tom",
    "Tom192.0.2.1:4000",
  ]);
  assert.deepEqual(machine.logged("error"), []);
});

Deno.test("client.protocol names the client's door, and is read-only", () => {
  const machine = new Machine({
    "main.lua": `
      function onConnection(client)
        pcall(function() client.protocol = "x" end)
        INFO(client.protocol)
      end`,
  }).start();
  machine.connect("", { properties: { protocol: "of the URL" } });
  assert.deepEqual(machine.said(), ["rtmfp"]);
});

Deno.test("API-219: client.writer of a leaving client is closed", () => {
  const machine = new Machine({
    "main.lua": `
      function onFailed(client, error) client.writer:writeAMFMessage("failed") INFO(error) end
      function onDisconnection(client) client.writer:writeAMFMessage("gone") INFO(type(client.writer)) end`,
  }).start();
  const guest = machine.connect();
  guest.connection.writer.closed = true;
  machine.hub.disconnect(guest.client, "timeout");
  assert.deepEqual(machine.said(), ["timeout", "table"]);
  assert.deepEqual(guest.connection.writer.sent, []);
});

Deno.test("API-230 to API-235: the server answers calls with a result or an error", () => {
  const machine = new Machine({
    "main.lua": `
      function onConnection(client)
        function client:sum(a, b) return a + b, self == client end
        function client:none() end
        function client:null() return nil end
        function client:later() self.writer:writeAMFResult("a", 1) end
        client.text = "no function"
        setmetatable(_G, nil)
      end`.replace("setmetatable(_G, nil)", ""),
  }).start();
  const guest = machine.connect("", { properties: { property: "x" } });
  assert.deepEqual(guest.call("sum", 1, 2.5), ["_result(3.5)"]);
  assert.deepEqual(guest.call("none"), []);
  assert.deepEqual(guest.call("null"), ["_result(null)"]);
  assert.deepEqual(guest.call("later"), ['_result("a",1)']);
  for (const name of ["text", "property", "id", "writer", "missing", "", "é\u0000"]) {
    assert.equal(guest.call(name), "not found", name);
  }
  assert.deepEqual(machine.connect().call("sum", 1), {
    error: "attempt to perform arithmetic on a nil value (local 'b')",
  });
});

Deno.test("API-233: a client calls a replaced function, and gets an error after its removal", () => {
  const machine = new Machine({
    "main.lua": `
      function onConnection(client)
        function client:once() self.once = nil return "done" end
      end`,
  }).start();
  const guest = machine.connect();
  assert.deepEqual(guest.call("once"), ['_result("done")']);
  assert.equal(guest.call("once"), "not found");
});

Deno.test("API-250 to API-256: writers send messages, results and statuses in order", () => {
  const machine = new Machine({
    "main.lua": `
      function onConnection(client)
        local writer = client.writer
        INFO(writer.reliable)
        writer:writeAMFMessage("a", 1, "x", { y = true })
        writer.reliable = false
        writer:writeAMFMessage("b\\255")
        INFO(writer.reliable) writer.reliable = true
        writer:writeStatusResponse("Code") writer:writeStatusResponse("Code", "why")
        writer:writeStatusResponse("Code", "why", "n", 5, "s", "t")
        writer:flush() writer:flush(false)
        local pipe = writer:newFlowWriter()
        INFO(pipe.reliable, pipe ~= writer, pipe == client.writer)
        pipe:writeAMFMessage("c") pipe:close() pipe:writeAMFMessage("d") pipe:close()
        pipe:newFlowWriter()
      end`,
  }).start();
  const { connection } = machine.connect();
  assert.deepEqual(machine.logged("error"), []);
  assert.deepEqual(machine.said(), ["(true)", "(false)", "(true)(true)(false)"]);
  assert.deepEqual(connection.writer.sent, [
    'a(1,"x",{"y":true})',
    "b\ufffd() unreliable",
    'status Code ""()',
    'status Code "why"()',
    'status Code "why" 00016e0040140000000000000001730200' + "0174()",
  ]);
  assert.deepEqual(connection.made.map(({ sent, closed }) => [sent, closed]), [[["c()"], true]]);
});

Deno.test("API-253: writeStatusResponse sends a member of 600,000 bytes", () => {
  const machine = new Machine({
    "main.lua": `function onConnection(client)
      client.writer:writeStatusResponse("Code", "", "long", string.rep("x", 300000))
    end`,
  }).start();
  const guest = machine.connect();
  assert.equal(guest.connection.writer.sent[0].length > 600_000, true);
  assert.deepEqual(machine.logged("error"), []);
});

Deno.test("API-257: closing the main writer disconnects the client", () => {
  const machine = new Machine({
    "main.lua":
      "function onConnection(client) client.writer:close() INFO(client.writer.reliable) end",
  }).start();
  const guest = machine.connect();
  assert.ok(guest.connection.writer.closed);
  assert.deepEqual(machine.said(), ["(true)"]);
});

Deno.test("DECISIONS 11: the server answers a client of AMF0 in AMF0", () => {
  const machine = new Machine({
    "main.lua": `
      function onConnection(client)
        function client:list() return { 1, "two", deep = { x = 1 } } end
        return { list = { 1, 2 } }
      end`,
  }).start();
  const guest = machine.connect("", { encoding: 0 });
  const result: Uint8Array[] = [];
  guest.connection.writer.result = (values) => result.push(values);
  guest.call("list");
  assert.equal(result[0][0], 8); // an ECMA array
  assert.ok(!result[0].includes(0x11));
  assert.ok(guest.members && !guest.members.includes(0x11));
  const modern = machine.connect();
  modern.connection.writer.result = (values) => result.push(values);
  modern.call("list");
  assert.equal(result[1][0], 0x11);
});

Deno.test("API-604, API-635, API-636: onConnection gets the parameters, and the client gets its table", () => {
  const machine = new Machine({
    "main.lua": `
      function onConnection(client, name, ...)
        INFO(name, select("#", ...), (...) and (...).x)
        return { message = "hi", n = 5, [1] = "skipped" }
      end`,
    "b/main.lua": "function onConnection() return false end",
    "c/main.lua": "function onConnection() return {} end",
  }).start();
  const guest = machine.connect("", { values: ["Tom", { x: 7 }, null] });
  assert.deepEqual(machine.said(), ["Tom27"]);
  const text = fromUtf8(guest.members!);
  assert.ok(text.includes("message") && text.includes("hi") && !text.includes("skipped"));
  assert.equal(machine.connect("/b").members, undefined);
  assert.deepEqual(machine.logged("warn"), [
    "onConnection returned false, which does not refuse the client: use error",
  ]);
  assert.equal(machine.connect("/c").members?.length, 0);
});

Deno.test("API-637: the server keeps no objects of a refused client, and does not call onDisconnection", () => {
  const machine = new Machine({
    "main.lua":
      "function onConnection(client) client.writer:newFlowWriter() error('no') end function onDisconnection() INFO('gone') end",
  }).start();
  const { objects } = machine.applications.api;
  const before = objects.size;
  assert.equal(machine.refused(), "no");
  assert.equal(objects.size, before);
  assert.deepEqual(machine.said(), []);
});
