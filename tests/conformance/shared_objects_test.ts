// API-801 to API-819: remote shared objects.
import assert from "node:assert/strict";
import type { AmfValue } from "../../src/amf/mod.ts";
import { SharedObject, type SyncChange } from "../../src/client/shared_object.ts";
import { StatusError } from "../../src/client/status.ts";
import { until } from "../support/wait.ts";
import { Inbox } from "./support/inbox.ts";
import { type Peer, plain } from "./support/peer.ts";
import { probe } from "./support/probe.ts";
import { type FactContext, scenario } from "./support/scenario.ts";

const main = `${probe}
function onConnection(client) probe(client) end
function onSharedObject(client, object)
  record("use", client.id, object.name)
  if object.name == "closed" then return false end
  if object.name == "failing" then error("not you") end
end
function onSharedObjectLeave(client, object)
  record("leave", client.id, object.name, object.count, object:get("x"))
end
`;

let last = 0;
const newName = () => `object${++last}`;

/** A client that uses an object, and its received events. */
class Shared {
  readonly syncs = new Inbox<readonly SyncChange[]>();
  readonly calls = new Inbox<[string, ...AmfValue[]]>();
  readonly refusals = new Inbox<string>();
  readonly object: SharedObject;

  constructor(readonly peer: Peer, name: string, persistent = false) {
    this.object = peer.connection.sharedObject(name, {
      persistent,
      handler: {
        onSync: (changes) => this.syncs.push(changes),
        onCall: (handler, args) => this.calls.push([handler, ...args]),
        onStatus: (code) => this.refusals.push(code),
      },
    });
  }

  /** Codes and names of the changes of a message. */
  async synced(from: number): Promise<string[]> {
    const changes = await this.syncs.find(() => true, "changes", from);
    return changes.map(({ code, name }) => name === undefined ? code : `${code} ${name}`);
  }
}

/** Connects a client and lets it use an object. */
async function use(t: FactContext, name: string, persistent = false): Promise<Shared> {
  const shared = new Shared(await t.connect(), name, persistent);
  await shared.object.ready;
  return shared;
}

/** Waits for an event whose values come behind its name. */
const recorded = (t: FactContext, ...values: AmfValue[]) =>
  until(
    () =>
      t.lua(
        `local wanted = { select(2, ...) }
        for _, event in ipairs(events) do
          local same = true
          for i, value in ipairs(wanted) do same = same and event[i] == value end
          if same then return true end
        end`,
        ...values,
      ),
    `the event ${values.join(" ")}`,
  );

const www = { "": main, "/app": main };
const ini = "[sharedObjects]\npersist = on\nslots = 4\nslotName = 20";

scenario("shared objects", { www, ini }, ({ fact }) => {
  fact("API-801", async (t) => {
    const name = newName();
    const other = await t.connect("/app");
    const there = new Shared(other, name);
    await there.object.ready;
    const code = "return cumulus.sharedObjects((select(2, ...))) ~= nil";
    assert.equal(await other.lua(code, name), true);
    assert.equal(await t.lua(code, name), false);
  });

  fact("API-802", async (t) => {
    const before = await t.lua("return cumulus.sharedObjects.count");
    const [one, two] = [newName(), newName()];
    await use(t, one);
    await use(t, two);
    const found = await t.lua(`
      local found, objects = {}, cumulus.sharedObjects
      for name, object in objects:pairs() do found[name] = object.name == name end
      return { found = found, count = objects.count, length = #objects }`);
    assert.deepEqual([found.found[one], found.found[two]], [true, true]);
    assert.deepEqual([found.count, found.length], [before + 2, before + 2]);
  });

  fact("API-803", async (t) => {
    const name = newName();
    const code = `local name = select(2, ...)
      local object = cumulus.sharedObjects(name)
      return { object and object.name or "none", tostring((cumulus.sharedObjects(name, true))) }`;
    assert.deepEqual(await t.lua(code, name), ["none", "nil"]);
    await use(t, name);
    assert.deepEqual(await t.lua(code, name), [name, "nil"]);
  });

  fact("API-804", async (t) => {
    const name = newName();
    await t.lua(`kept = cumulus.sharedObjects:get((select(2, ...))) kept:set("x", 1)`, name);
    await t.lua(`collectgarbage() collectgarbage()`);
    const { object } = await use(t, name);
    assert.deepEqual([...object.data], [["x", 1]]);
    object.close();
    await until(() => t.lua("return kept.count == 0"), "no user is left");
    assert.equal(await t.lua(`return kept:get("x")`), 1);
    assert.equal(await t.lua(`return cumulus.sharedObjects:get(("n"):rep(256))`), null);
    assert.match(
      await t.logged(/cannot make the object "n+": the name is longer than 255 bytes/),
      /^ERROR/,
    );
  });

  fact("API-805", async (t) => {
    const name = newName();
    const { peer } = await use(t, name);
    await recorded(t, "use", peer.id, name);
    for (const refused of ["closed", "failing"]) {
      await assert.rejects(
        use(t, refused),
        (error: unknown) =>
          error instanceof StatusError &&
          error.status.code === "SharedObject.ObjectCreationFailed",
      );
    }
    await t.lua(`held = cumulus.sharedObjects:get("closed") held:set("x", 1)`);
    await assert.rejects(use(t, "closed"), /SharedObject.NoReadAccess/);
    await t.lua("held:close()");
  });

  fact("API-806", async (t) => {
    const name = newName();
    const one = await use(t, name);
    const two = await use(t, name);
    one.object.set("x", "still there");
    await two.synced(1);
    one.object.close();
    await recorded(t, "leave", one.peer.id, name, 1, "still there");
    await two.peer.close();
    await recorded(t, "leave", two.peer.id, name, 0, "still there");
  });

  fact("API-807", async (t) => {
    const name = newName();
    const shared = await use(t, name);
    await t.lua(
      `watched = cumulus.sharedObjects((select(2, ...)))
      function watched:onChange(client, slot, value)
        record("change", client and client.id or "script", slot, value)
        if slot == "fixed" then return false end
        if slot == "failing" then error("no") end
        self:set("seen", slot)
      end
      watched:set("x", 1)`,
      name,
    );
    await recorded(t, "change", "script", "x", 1);
    assert.deepEqual(await shared.synced(1), ["change seen", "change x"]);
    shared.object.set("y", 2);
    assert.deepEqual(await shared.synced(2), ["change seen", "success y"]);
    await recorded(t, "change", shared.peer.id, "y", 2);
    shared.object.set("fixed", 3);
    assert.deepEqual(await shared.synced(3), ["delete fixed"]);
    assert.equal(await shared.refusals.find(() => true, "a status"), "SharedObject.NoWriteAccess");
    shared.object.set("failing", 3);
    assert.deepEqual(await shared.synced(4), ["delete failing"]);
    shared.object.delete("y");
    await recorded(t, "change", shared.peer.id, "y");
    assert.equal(await t.lua("return watched:get('y')"), null);
  });

  fact("API-808", async (t) => {
    const name = newName();
    const shared = await use(t, name);
    await t.lua(
      `spoken = cumulus.sharedObjects((select(2, ...)))
      function spoken:onSend(client, handler, ...)
        record("send", client.id, handler, ...)
        if handler == "secret" then return false end
      end`,
      name,
    );
    shared.object.send("secret", 1);
    shared.object.send("say", "hello", 2);
    assert.deepEqual(await shared.calls.find(() => true, "a call"), ["say", "hello", 2]);
    await recorded(t, "send", shared.peer.id, "secret", 1);
    await recorded(t, "send", shared.peer.id, "say", "hello", 2);
  });

  fact("API-809", async (t) => {
    const name = newName();
    const shared = await use(t, name);
    await t.lua(
      `synced, syncs = cumulus.sharedObjects((select(2, ...))), 0
      function synced:onSync()
        syncs = syncs + 1
        self:set("syncs", syncs)
      end`,
      name,
    );
    shared.object.together(() => {
      shared.object.set("a", 1);
      shared.object.set("b", 2);
    });
    assert.deepEqual(await shared.synced(1), ["success a", "success b"]);
    assert.deepEqual(await shared.synced(2), ["change syncs"]);
    assert.equal(await t.lua("return syncs"), 1);
  });

  fact("API-810", async (t) => {
    const name = newName();
    const { object } = await use(t, name, true);
    object.set("x", 1);
    await until(() => object.version > 0, "its version");
    const seen = await t.lua(
      `local o = cumulus.sharedObjects(select(2, ...), true)
      o.name = "another"
      return { o.name, o.path, o.persistent, o.version }`,
      name,
    );
    assert.deepEqual(seen, [name, "", true, object.version]);
    assert.ok((await t.matching(/sharedObject.name cannot be assigned/)).length === 1);
  });

  fact("API-811", async (t) => {
    const name = newName();
    const { peer } = await use(t, name);
    await use(t, name);
    const seen = await t.lua(
      `local object, found = cumulus.sharedObjects((select(2, ...))), {}
      for id, client in object.clients:pairs() do found[id] = client == cumulus.clients(id) end
      return { found = found, counts = { object.count, object.clients.count, #object.clients } }`,
      name,
    );
    assert.equal(seen.found[peer.id], true);
    assert.deepEqual(seen.counts, [2, 2, 2]);
  });

  fact("API-812", async (t) => {
    const name = newName();
    const { object } = await use(t, name);
    object.together(() => {
      object.set("list", [1, 2]);
      object.set("text", "t");
    });
    const seen = await until(() =>
      t.lua(
        `local object = cumulus.sharedObjects((select(2, ...)))
        if #object ~= 2 then return nil end
        object.data.list[1] = "changed"
        local names = {}
        for slot, value in object:pairs() do names[#names + 1] = slot end
        table.sort(names)
        return { names = table.concat(names, " "), list = object.data.list }`,
        name,
      ), "both slots");
    assert.deepEqual(seen, { names: "list text", list: [1, 2] });
  });

  fact("API-813", async (t) => {
    const name = newName();
    const shared = await use(t, name);
    await t.lua(
      `slots = cumulus.sharedObjects((select(2, ...)))
      local value = { a = { b = true } }
      slots:set("x", value)
      value.a.b = false
      slots:set("y", 1)`,
      name,
    );
    await shared.synced(2);
    assert.deepEqual(plain(shared.object.data.get("x")), { a: { b: true } });
    assert.equal(await t.lua(`return slots:get("x").a.b`), true);
    assert.equal(await t.lua(`return slots:get("none")`), null);
    await t.lua(`slots:set("x", nil) slots:delete("y")`);
    assert.deepEqual(await shared.synced(3), ["delete x"]);
    assert.deepEqual(await shared.synced(4), ["delete y"]);
  });

  fact("API-814", async (t) => {
    const name = newName();
    const shared = await use(t, name);
    shared.object.set("x", 1);
    await shared.synced(1);
    await t.lua("cumulus.sharedObjects((select(2, ...))):clear()", name);
    assert.deepEqual(await shared.synced(2), ["clear"]);
    assert.equal(shared.object.data.size, 0);
  });

  fact("API-815", async (t) => {
    const name = newName();
    const [one, two] = [await use(t, name), await use(t, name)];
    await t.lua(`cumulus.sharedObjects((select(2, ...))):send("say", "hello", { 1 })`, name);
    for (const { calls } of [one, two]) {
      assert.deepEqual(await calls.find(() => true, "a call"), ["say", "hello", [1]]);
    }
  });

  fact("API-816", async (t) => {
    const name = newName();
    const shared = await use(t, name);
    await t.lua(
      `local object = cumulus.sharedObjects((select(2, ...)))
      object:lock() object:lock()
      object:set("a", 1)
      object:unlock()
      object:set("b", 2)`,
      name,
    );
    assert.deepEqual(await shared.synced(1), ["change a", "change b"]);
    assert.equal(shared.object.version, 1);
  });

  fact("API-817", async (t) => {
    const name = newName();
    await t.lua(
      `stored = cumulus.sharedObjects:get(select(2, ...), true)
      stored:set("x", "kept")
      stored:flush()`,
      name,
    );
    const file = `${t.server.dir}/www/sharedobjects/${name}.so`;
    await until(() => exists(file), "the file");
    await t.lua("stored:close() stored = nil");
    const { object } = await use(t, name, true);
    assert.deepEqual([...object.data], [["x", "kept"]]);
  });

  fact("API-818", async (t) => {
    const name = newName();
    await t.lua(`closing = cumulus.sharedObjects:get((select(2, ...)))`, name);
    const { object } = await use(t, name);
    await t.lua("closing:close()");
    assert.equal(await t.lua("return closing.name"), name);
    object.close();
    await until(() => t.lua("return closing.name == nil"), "it is gone");
    assert.equal(await t.lua(`closing:set("x", 1) return closing:get("x")`), null);
  });

  fact("API-819", async (t) => {
    const name = newName();
    const size = await t.lua(
      `local object = cumulus.sharedObjects:get((select(2, ...)))
      for i = 1, 5 do object:set("slot" .. i, i) end
      object:set(("s"):rep(21), 1)
      return #object`,
      name,
    );
    assert.equal(size, 4);
    assert.equal((await t.matching(/^ERROR .*was not changed/)).length, 2);
  });
});

async function exists(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false;
  }
}
