// Memory that the server uses on behalf of scripts counts against [script] memory (64 MiB here).
import assert from "node:assert/strict";
import type { TcpEvents } from "../../src/common/socket_events.ts";
import { Frame } from "../../src/media/frame.ts";
import type { SocketMemory, Sockets } from "../../src/script/api/host.ts";
import { Store } from "../../src/store/store.ts";
import { once } from "../media/fakes.ts";
import { FakeDisk } from "../store/fakes.ts";
import { Machine } from "./machine.ts";

const MIB = 1 << 20;
const heldBy = (machine: Machine) => machine.applications.api.outside.held;

Deno.test("The server counts waiting mails against the memory limit until it has sent them", () => {
  const machine = new Machine();
  const { lua } = machine.applications.api;
  const before = lua.memoryLimit;
  const said = machine.run(`
    local text = ("x"):rep(2^20 * 5)
    for i = 1, 10 do
      local ok, message = pcall(cumulus.sendMail, cumulus, "a@b.de", "subject", text, "c@d.de")
      if not ok then INFO(i, message) break end
    end`);
  assert.match(said[0], /^4.*not enough memory: the server keeps 3\d+ bytes for scripts already$/);
  assert.equal(machine.host.mails.length, 3);
  const held = heldBy(machine);
  assert.ok(held > 30 * MIB && held < 31 * MIB, `${held}`);
  assert.equal(lua.memoryLimit, before - held);
  for (const { done } of machine.host.mails) done(undefined);
  assert.equal(heldBy(machine), 0);
  assert.equal(lua.memoryLimit, before);
});

Deno.test("The server counts publications of scripts against the memory limit until they end, and limits their names", () => {
  const machine = new Machine();
  const said = machine.run(`
    INFO(pcall(cumulus.publish, cumulus, ("n"):rep(8 * 2^20)))
    for i = 1, 20000 do cumulus:publish("stream"):close() end
    INFO(cumulus.publications.count)
    local made = 0
    while made < 20000 and pcall(cumulus.publish, cumulus, "n" .. made) do made = made + 1 end
    INFO(made)`);
  assert.match(said[0], /^\(false\).*longer than 4096 characters$/);
  assert.equal(said[1], "0");
  const made = Number(said[2]);
  assert.ok(made > 5_000 && made < 20_000, `${made} of 2 KiB`);
  machine.write("main.lua", "");
  machine.applications.manage();
  assert.equal(heldBy(machine), 0);
});

Deno.test("The server counts unread data of a connection against the memory limit until it is read or closed", () => {
  const machine = new Machine();
  const events: TcpEvents[] = [];
  let memory: SocketMemory | undefined;
  machine.host.sockets = (shared?: SocketMemory): Sockets => {
    memory = shared;
    return {
      connect: (_host, _port, one) => {
        events.push(one);
        return { unsent: 0, write: () => undefined, close: () => {} };
      },
      listen: () => "",
      bind: () => "",
      close: () => {},
    };
  };
  machine.run(`
    clients = {}
    for i = 1, 5 do
      local client = cumulus:createTCPClient()
      function client:onReception(data) return keep or #data end
      function client:onDisconnection() INFO(i, self.error) end
      client:connect("127.0.0.1", 1)
      clients[i] = client
    end`);
  for (const one of events) one.onData(new Uint8Array(9 * MIB));
  assert.equal(heldBy(machine), 27 * MIB);
  assert.deepEqual(
    machine.said(),
    [4, 5].map((i) => `${i}not enough memory for ${9 * MIB} unread bytes`),
  );
  assert.equal(memory!.take(6 * MIB), false);
  assert.equal(memory!.take(4 * MIB), true);
  memory!.release(4 * MIB);
  machine.write("main.lua", "");
  machine.applications.manage();
  assert.equal(heldBy(machine), 0);
});

Deno.test("The server counts data in shared objects against the memory limit until a script deletes it or releases the object", () => {
  const script = `
    objects, text = {}, ("x"):rep(60000)
    for i = 1, 200 do
      objects[i] = cumulus.sharedObjects:get("o" .. i)
      for j = 1, 10 do objects[i]:set("slot" .. j, text) end
    end
    local slots = 0
    for i = 1, 200 do slots = slots + #objects[i] end
    INFO(slots)`;
  const machine = new Machine({ "main.lua": script });
  machine.start();
  const [error] = machine.logged("error");
  const slots = Number(machine.said().at(-1));
  assert.ok(slots > 400 && slots < 600, `${slots} of 60 kB in half of 64 MiB`);
  assert.match(error, /sharedObject:set: not enough memory for o\d+/);
  assert.ok(heldBy(machine) > 28 * MIB && heldBy(machine) <= 32 * MIB, `${heldBy(machine)}`);
  machine.write("main.lua", "");
  machine.applications.manage();
  assert.equal(heldBy(machine), 0);
});

Deno.test("The server counts relays of a script against the memory limit until they end", () => {
  const machine = new Machine();
  const said = machine.run(`
    local count = 0
    while count < 1000 and pcall(cumulus.pull, cumulus, "rtmp://192.0.2.7/live/x", "n" .. count) do
      count = count + 1
    end
    INFO(count)`);
  const count = Number(said[0]);
  assert.ok(count > 100 && count < 300, `${count}`);
  assert.equal(machine.host.relays.length, count);
  for (const relay of machine.host.relays) relay.close();
  assert.equal(heldBy(machine), 0);
});

Deno.test("The server counts recordings of a script against the memory limit until the disk has written them", () => {
  const machine = new Machine({
    "main.lua": "function onPublish(client, publication) INFO(publication:record()) end",
  }).start();
  const { hub } = machine;
  const disk = new FakeDisk();
  const store = hub.recordings = new Store(hub, {
    disk,
    limits: () => ({ size: 0, time: 0, segment: 0 }),
    queueLimit: () => 1024 * MIB,
    clientsMayRecord: () => false,
    automatic: () => undefined,
    date: () => new Date(0),
  });
  const settle = () => {
    do store.flush(hub.now); while (disk.settle());
  };
  const publisher = machine.publish(machine.connect(), "live");
  assert.deepEqual(machine.said(), ["(true)"]);
  assert.ok(heldBy(machine) >= 65_536, `${heldBy(machine)}`);
  settle();
  disk.stands = true;
  const picture = new Uint8Array(MIB).fill(0x17); // a key frame
  for (let i = 1; i <= 60; i++) publisher.video(new Frame("video", 40 * i, picture), once);
  assert.ok(heldBy(machine) > 24 * MIB && heldBy(machine) <= 32 * MIB, `${heldBy(machine)}`);
  assert.equal(store.overflows, 1);
  const before = heldBy(machine);
  disk.stands = false;
  hub.now += 1_000;
  settle();
  assert.ok(heldBy(machine) < before - 8 * MIB);
  hub.unpublish(publisher);
  hub.now += 1_000;
  settle();
  assert.equal(store.recordings, 0);
  assert.equal(heldBy(machine), 0);
});
