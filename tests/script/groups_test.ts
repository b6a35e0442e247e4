// NetGroups: API-301 to API-322, API-607, API-608.
import assert from "node:assert/strict";
import { toHex } from "../../src/bytes/hex.ts";
import type { LuaApplication } from "../../src/script/api/application.ts";
import { Machine } from "./machine.ts";

const GROUP = new Uint8Array(32).fill(0xab);

Deno.test("API-301 to API-303, API-310 to API-313: cumulus.groups lists groups, and a group its clients", () => {
  const machine = new Machine({
    "main.lua": `
      function onConnection(client)
        function client:look(id)
          local group = cumulus.groups(id)
          INFO(cumulus.groups.count, #cumulus.groups, group.id, #group.rawId, group.size, #group)
          for i, each in group:ipairs() do INFO(i, each == cumulus.clients(each.id)) end
          for i, each in pairs(group) do INFO(i, each.id == self.id) end
          for key, each in cumulus.groups:pairs() do INFO(key == each.id, each == group) end
          INFO(cumulus.groups(group.rawId) == group, cumulus.groups("zz"))
        end
      end`,
  }).start();
  const [one, two] = [machine.connect(), machine.connect()];
  const told: string[] = [];
  machine.hub.groups.join(one.client, GROUP, { announce: (id) => void told.push(toHex(id)) });
  machine.hub.groups.joinVirtual(new Uint8Array(32).fill(1), GROUP);
  machine.hub.groups.join(two.client, GROUP, { announce: () => {} });
  one.call("look", toHex(GROUP).toUpperCase());
  assert.deepEqual(machine.logged("error").length, 1);
  assert.deepEqual(machine.said(), [
    `11${toHex(GROUP)}3222`,
    ...["1(true)", "2(true)", "1(true)", "2(false)", "(true)(true)", "(true)(null)"],
  ]);
});

Deno.test("API-304, API-305, API-320 to API-322: join() adds a virtual member, and release() removes it", () => {
  const machine = new Machine({
    "main.lua": `
      function onConnection(client)
        function client:add(peer, group)
          member = cumulus.groups:join(peer, group)
          if member then INFO(member.id, " ", #member.rawId, member == member) end
        end
        function client:release() member:release() member:release() INFO(member.id) end
      end
      function onJoinGroup() ERROR("no event") end`,
  }).start();
  const guest = machine.connect();
  const peer = "1".repeat(64);
  guest.call("add", peer, "2".repeat(64));
  assert.deepEqual(machine.said(), [`${peer} 32(true)`]);
  assert.equal(machine.hub.groups.size, 1);
  guest.call("release");
  assert.equal(machine.hub.groups.size, 0);
  assert.deepEqual(machine.said(), [peer]);
  const { owned } = guest.client.application as LuaApplication;
  const before = owned.size;
  for (let i = 0; i < 3; i++) {
    guest.call("add", peer, "2".repeat(64));
    guest.call("release");
  }
  machine.said();
  assert.equal(owned.size, before, "no object of the members is left");
  guest.call("add", "short", "2".repeat(64));
  guest.call("add", peer);
  assert.equal(machine.logged("error").length, 2);
  assert.equal(machine.hub.groups.size, 0);
});

Deno.test("API-607, API-608, API-641: the server calls onJoinGroup and onUnjoinGroup when clients join and leave", () => {
  const machine = new Machine({
    "main.lua": `
      function onJoinGroup(client, group) INFO("join ", group.size, group.id:sub(1, 4), group.mine) group.mine = "mine" end
      function onUnjoinGroup(client, group) INFO("unjoin ", group.size, group.id:sub(1, 4), group.mine, cumulus.groups.count) kept = group end
      function onManage() INFO(kept.id, kept.mine) end`,
  }).start();
  const [one, two] = [machine.connect(), machine.connect()];
  const first = machine.hub.groups.join(one.client, GROUP, { announce: () => {} });
  machine.hub.groups.join(two.client, GROUP, { announce: () => {} });
  machine.hub.groups.leave(first);
  machine.hub.disconnect(two.client);
  machine.hub.manage();
  assert.deepEqual(machine.said(), [
    "join 1abab(null)",
    "join 2ababmine",
    "unjoin 1ababmine1",
    "unjoin 0ababmine0",
    "(null)mine",
  ]);
});

Deno.test("API-322: a member that the script drops leaves its group without a call of collectgarbage", () => {
  const machine = new Machine({
    "main.lua": `
      function onConnection(client)
        function client:keep(peer, group) kept = cumulus.groups:join(peer, group) kept.note = "mine" end
        function client:drop(peer, group) cumulus.groups:join(peer, group) end
        function client:forget() kept = nil end
        function client:ask() INFO(kept.note, kept.id == ("1"):rep(64)) end
      end`,
  }).start();
  const guest = machine.connect();
  const joined = () => machine.hub.groups.size;
  /** Runs ticks of the server until `count` groups are left. */
  const ticks = (groups: number) => {
    for (let n = 0; n < 100; n++) {
      if (joined() === groups) return n;
      machine.applications.manage();
    }
    return Infinity;
  };
  guest.call("keep", "1".repeat(64), "a".repeat(64));
  for (let i = 10; i < 20; i++) guest.call("drop", "2".repeat(64), `${i}`.repeat(32));
  assert.equal(joined(), 11);
  assert(ticks(1) <= 30);
  for (let i = 0; i < 100; i++) machine.applications.manage();
  guest.call("ask");
  assert.deepEqual(machine.said(), ["mine(true)"]);
  guest.call("forget");
  assert(ticks(0) <= 30);
  assert.equal((guest.client.application as LuaApplication).owned.size, 0);
  assert.deepEqual(machine.logged("error"), []);
});
