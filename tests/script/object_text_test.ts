// Texts of API objects, also of objects that have gone.
import assert from "node:assert/strict";
import { Machine } from "./machine.ts";

const ID = "ab".repeat(32);

Deno.test("tostring returns type and id of API objects, and the type of objects that have gone", () => {
  const machine = new Machine({
    "main.lua": `
      function onConnection(client)
        INFO(client, " ", client.writer) print(client, cumulus.clients)
        INFO(tostring(client)) INFO(cumulus, " ", {})
        cumulus:publish("live") INFO(cumulus.publications("live"))
        local member = cumulus.groups:join(("1"):rep(64), ("2"):rep(64))
        INFO(member) INFO(cumulus.groups(("2"):rep(64)))
        kept = client
      end
      function onManage() INFO(kept) INFO(tostring(kept)) end`,
  }).start();
  const guest = machine.connect("", { id: new Uint8Array(32).fill(0xab) });
  const said = machine.said();
  assert.match(said[0], /^client\(abababab…\) flowWriter\(0x[0-9a-f]{8}\)$/);
  assert.match(machine.host.printed, /^client\(abababab…\)\tclients\(0x[0-9a-f]{8}\)\n$/);
  assert.equal(said[1], `client(${ID})`);
  assert.match(said[2], /^cumulus\(0x[0-9a-f]{8}\) table_0x[0-9a-f]{8}$/);
  assert.equal(said[3], "publication(live)");
  assert.equal(said[4], "member(11111111…)");
  assert.equal(said[5], "group(22222222…)");
  machine.hub.disconnect(guest.client);
  machine.hub.manage();
  for (const text of machine.said()) assert.match(text, /^client\(0x[0-9a-f]{8}\)$/);
});

Deno.test("The ids of a member stay readable after release()", () => {
  const machine = new Machine({
    "main.lua": `
      member = cumulus.groups:join(("1"):rep(64), ("2"):rep(64))
      member.own = "mine"
      function show() INFO(member.id == ("1"):rep(64), #member.rawId, member.own, member.unknown) end
      show() member:release() show() member:release()
      function onManage() show() end`,
  }).start();
  machine.hub.manage();
  machine.hub.manage();
  assert.deepEqual(machine.said(), new Array(4).fill("(true)32mine(null)"));
});

Deno.test("ipairs walks collections like the method ipairs, and other tables as in Lua", () => {
  const machine = new Machine({
    "main.lua": `
      function onJoinGroup(client, group)
        for i, one in ipairs(group) do INFO(i, one == client) end
        for i, one in group:ipairs() do INFO(i, one == client) end
      end
      function onConnection(client)
        for i, one in ipairs(cumulus.clients) do INFO("clients", i, one.id == client.id) end
        for i, one in cumulus.groups:ipairs() do INFO("groups", i, one.size) end
        for i, name in ipairs({ "a", "b", nil, "d" }) do INFO(i, name) end
        for i, v in ipairs(setmetatable({}, { __index = function(_, i) if i < 3 then return i * i end end })) do
          INFO(i, v)
        end
        for _ in ipairs(www) do INFO("none") end
        INFO(pcall(ipairs)) INFO(pcall(ipairs, nil))
      end`,
  }).start();
  const guest = machine.connect();
  machine.hub.groups.join(guest.client, new Uint8Array(32).fill(7), {
    announce: () => {},
  } as never);
  machine.connect();
  const said = machine.said();
  assert.deepEqual(said.slice(0, 6), [
    "1a",
    "2b",
    "11",
    "24",
    "(false)bad argument #1 to 'ipairs' (table expected, got no value)",
    "(false)bad argument #1 to 'ipairs' (table expected, got nil)",
  ]);
  assert.deepEqual(said.slice(6, 10), ["1(true)", "1(true)", "clients1(false)", "groups11"]);
});

Deno.test("The error for a collection used as an iterator shows the right code", () => {
  const machine = new Machine({
    "main.lua": `
      function onConnection(client)
        for id, one in cumulus.clients do INFO("none") end
        for id, one in cumulus.clients do INFO("none") end
        INFO(tostring(cumulus.clients("unknown")), cumulus.groups("unknown"))
      end
      function onSubscribe(client, listener)
        for _, one in listener.publication.listeners do INFO(one) end
      end`,
  }).start();
  const guest = machine.connect();
  const lines = machine.host.lines.map(({ level, text, line }) => `${level} ${line} ${text}`);
  const text = "a collection is not an iterator: write for key, value in clients:pairs() do";
  assert.deepEqual(lines, [
    `4 3 ${text}`,
    `4 4 ${text}`,
    "3 5 cumulus.clients takes an id of 64 digits or 32 bytes",
    "3 5 cumulus.groups takes an id of 64 digits or 32 bytes",
    "6 5 nil(null)",
  ]);
  machine.host.lines.length = 0;
  assert.throws(() => machine.play(guest, "live"));
  assert.match(
    machine.logged("error")[0],
    /main\.lua:8: .*write for .* in listeners:pairs\(\) do$/,
  );
});

Deno.test("The server warns of number keys in the table of onConnection", () => {
  const machine = new Machine({
    "main.lua": "\nfunction onConnection(client) return { 'first', name = 'Tom', [2.5] = 1 } end",
  }).start();
  machine.connect();
  const warnings = machine.host.lines.filter(({ level }) => level === 4);
  assert.deepEqual(warnings, [{
    level: 4,
    text: "onConnection returned a table with 2 keys other than strings, left out",
    file: "www/main.lua",
    line: 2,
  }]);
});
