// Lua keeps no memory of objects that have gone.
import assert from "node:assert/strict";
import { Machine } from "./machine.ts";

const SCRIPT = `
  state = {}
  for i = 1, 100 do state[i] = { name = "entry " .. i } end
  helper = require("lib")
  thread = coroutine.create(function() coroutine.yield() end)
  coroutine.resume(thread)
  function onStart() cumulus:publish("radio") file = io.open("log.txt", "a") end
  function onConnection(client)
    function client:hello(x) return state[x] end
    function client:onManage() end
  end
  function onManage() for id, client in cumulus.clients:pairs() do client.seen = client.ping end end
  function onServerConnection(server) function server:hello() end end`;

Deno.test("API-035: Lua keeps no memory of 1,000 reloads of parent and child", () => {
  const machine = new Machine({
    "main.lua": SCRIPT,
    "a/main.lua": SCRIPT.replace("radio", "radio a"),
    "a/b/main.lua": "other = super.state",
    "lib.lua": "return { version = 1 }",
    "a/lib.lua": "return { version = 2 }",
  }).start();
  const { lua, objects } = machine.applications.api;
  const guest = machine.connect("/a/b");
  const reload = (i: number) => {
    machine.write("main.lua", `${SCRIPT}\nreload = ${i}`);
    machine.write("a/main.lua", `${SCRIPT.replace("radio", "radio a")}\nreload = ${i}`);
    machine.hub.disconnect(machine.connect("/a/b").client);
    machine.hub.manage();
  };
  const sizes = () => {
    machine.host.lines.length = 0;
    lua.collect();
    lua.collect();
    return { memory: lua.usedMemory, objects: objects.size };
  };
  for (let i = 0; i < 30; i++) reload(i);
  const before = sizes();
  for (let i = 0; i < 1000; i++) {
    reload(i);
    assert.deepEqual(machine.logged("error"), []);
    machine.host.lines.length = 0;
  }
  const after = sizes();
  assert.ok(after.objects <= before.objects, `${after.objects} objects, ${before.objects} before`);
  assert.ok(after.memory - before.memory < 20_000, `${before.memory} → ${after.memory} bytes`);
  assert.deepEqual(guest.call("hello", 1), ['_result({"name":"entry 1"})']);
});

Deno.test("API-012: Lua keeps no memory of clients, publications, listeners and groups that have gone", () => {
  const machine = new Machine({
    "main.lua": `
      function onConnection(client)
        client.data = { 1, 2, 3 }
        function client:hello() return self.writer, self.id, self.rawId, self.address end
        local pipe = client.writer:newFlowWriter()
        function pipe:onManage() end
        pipe:writeAMFMessage("m", 1)
      end
      function onPublish(client, publication) publication.mine = { client } local l = publication.listeners.count end
      function onSubscribe(client, listener) listener.mine = { listener.audioQOS, listener.publication.videoQOS } end
      function onJoinGroup(client, group) group.mine = { client } for i, c in group:ipairs() do end end
      function onManage() for n, p in cumulus.publications:pairs() do for i, l in p.listeners:ipairs() do end end end`,
  }).start();
  const { lua, objects } = machine.applications.api;
  const visit = () => {
    const [one, two] = [machine.connect(), machine.connect()];
    one.call("hello");
    const publisher = machine.publish(one, "live");
    const listener = machine.play(two, "live");
    const member = machine.hub.groups.join(one.client, new Uint8Array(32), { announce: () => {} });
    machine.hub.manage();
    machine.hub.subscriptions.unsubscribe(listener);
    machine.hub.unpublish(publisher);
    machine.hub.groups.leave(member);
    machine.hub.disconnect(one.client);
    machine.hub.disconnect(two.client);
    machine.hub.manage();
    assert.deepEqual(machine.logged("error"), []);
    machine.host.lines.length = 0;
  };
  const sizes = () => {
    lua.collect();
    lua.collect();
    return { memory: lua.usedMemory, objects: objects.size };
  };
  for (let i = 0; i < 20; i++) visit();
  const before = sizes();
  for (let i = 0; i < 500; i++) visit();
  const after = sizes();
  assert.equal(after.objects, before.objects);
  assert.ok(after.memory - before.memory < 4000, `${before.memory} → ${after.memory} bytes`);
});

Deno.test("The server keeps no memory of applications whose folders have gone", () => {
  const machine = new Machine({ "main.lua": "" }).start();
  const { lua } = machine.applications.api;
  const visit = (i: number) => {
    machine.write(
      `a${i % 3}/main.lua`,
      "function onConnection(client) INFO(super, www) end data = {}",
    );
    machine.hub.disconnect(machine.connect(`/a${i % 3}`).client);
    machine.removeFolder(`a${i % 3}`);
    machine.applications.open(`/a${i % 3}`); // the application is missing
    machine.host.ahead += 5_000;
    machine.applications.handshake({
      address: "192.0.2.1:1",
      path: `/a${i % 3}`,
      properties: new Map(),
      attempts: 1,
      url: "h:1935",
    });
    machine.host.lines.length = 0;
  };
  const memory = () => {
    lua.collect();
    lua.collect();
    return lua.usedMemory;
  };
  for (let i = 0; i < 30; i++) visit(i);
  const before = memory();
  for (let i = 0; i < 500; i++) visit(i);
  const after = memory();
  assert.ok(after - before < 4000, `${before} → ${after} bytes`);
  assert.deepEqual([...machine.applications.rows()].map(({ path }) => path), [""]);
});
