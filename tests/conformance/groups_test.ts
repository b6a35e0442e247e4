// API-301 to API-322: NetGroups.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { toHex } from "../../src/bytes/hex.ts";
import { until } from "../support/wait.ts";
import { probe } from "./support/probe.ts";
import { type FactContext, scenario } from "./support/scenario.ts";
import { WireClient } from "./support/wire_client.ts";

const main = `${probe}
function onConnection(client) probe(client) end
function onJoinGroup(client, group) record("join", group.id) end
members = {}
`;

/** A client of the root that can join groups; `left` waits until the server knows that it went. */
async function wire(t: FactContext): Promise<WireClient & { id: string }> {
  const client = await WireClient.connect(t.server.port);
  t.cleanup(() => client.close());
  return Object.assign(client, { id: toHex(client.loop.peerId) });
}

let last = 0;
/** The id of a group that no other fact uses. */
function newGroup(): { raw: Uint8Array; id: string } {
  const raw = new Uint8Array(32).fill(++last);
  return { raw, id: toHex(raw) };
}

/** An unused peer id. */
const stranger = (mark: number) => mark.toString(16).padStart(2, "0").repeat(32);

/** Waits until a group has that many clients. */
const size = (t: FactContext, id: string, wanted: number) =>
  until(
    () =>
      t.lua(
        `local group = cumulus.groups(select(2, ...))
        return (group and group.size or 0) == select(3, ...)`,
        id,
        wanted,
      ),
    `${wanted} members`,
  );

async function joined(t: FactContext, group: { raw: Uint8Array; id: string }, count = 1) {
  const clients: (WireClient & { id: string })[] = [];
  for (let i = 1; i <= count; i++) {
    const client = await wire(t);
    client.joinGroup(group.raw);
    await size(t, group.id, i);
    clients.push(client);
  }
  return clients;
}

const www = { "": main, "/app": main };

scenario("groups", { www }, ({ fact }) => {
  fact("API-301", async (t) => {
    await until(() => t.lua("return cumulus.groups.count == 0"), "no groups");
    await joined(t, newGroup());
    await joined(t, newGroup(), 2);
    assert.equal(await t.lua("return cumulus.groups.count"), 2);
  });

  fact("API-302", async (t) => {
    const group = newGroup();
    await joined(t, group);
    const found = await t.lua(`
      local found = {}
      for id, group in cumulus.groups:pairs() do found[id] = group == cumulus.groups(id) end
      return found`);
    assert.equal(found[group.id], true);
  });

  fact("API-303", async (t) => {
    const group = newGroup();
    await joined(t, group);
    assert.deepEqual(
      await t.lua(
        `local id, groups = select(2, ...), cumulus.groups
        local group = groups(id)
        return {
          group.id == id, groups(id:upper()) == group, groups(group.rawId) == group,
          groups(("f"):rep(64)) == nil, groups("bad") == nil,
        }`,
        group.id,
      ),
      [true, true, true, true, true],
    );
    await t.logged(/^ERROR/);
  });

  fact("API-304", async (t) => {
    const { id } = newGroup();
    await t.lua("events = {}");
    assert.deepEqual(
      await t.lua(
        `local raw = cumulus:sha256("a peer")
        local member = cumulus.groups:join(raw, select(2, ...))
        local there, same = cumulus.groups(select(2, ...)) ~= nil, member.rawId == raw
        member:release()
        return { same, there, #events, select("#", cumulus.groups:join("bad", select(2, ...))) }`,
        id,
      ),
      [true, true, 0, 0],
    );
    await t.logged(/^ERROR/);
  });

  fact("API-305", async (t) => {
    const group = newGroup();
    const [client] = await joined(t, group);
    await t.lua(
      "local _, peer, group = ... virtual = cumulus.groups:join(peer, group)",
      stranger(0x31),
      group.id,
    );
    await client.announced.find((id) => id === stranger(0x31), "the virtual member");
    const [late] = [await wire(t)];
    late.joinGroup(group.raw);
    await late.announced.find((id) => id === stranger(0x31), "the virtual member, later");
    await t.lua("virtual:release()");
  });

  fact("API-310", async (t) => {
    const group = { raw: new Uint8Array(32).fill(0xab), id: "ab".repeat(32) };
    await joined(t, group);
    assert.equal(await t.lua("return cumulus.groups(select(2, ...)).id", group.id), group.id);
  });

  fact("API-311", async (t) => {
    const specifier = "G:010121055e6d0101";
    const client = await wire(t);
    const flow = client.session.openFlow(Uint8Array.of(0x47, 0x43));
    const text = new TextEncoder().encode(specifier);
    flow.write(Uint8Array.of(0x01, 1 + text.length, 0x10, ...text));
    client.loop.wake();
    const id = createHash("sha256").update(specifier).digest("hex");
    await size(t, id, 1);
    assert.deepEqual(
      await t.lua(
        "local raw = cumulus.groups(select(2, ...)).rawId return { #raw, hex(raw):lower() }",
        id,
      ),
      [32, id],
    );
  });

  fact("API-312", async (t) => {
    const group = newGroup();
    await joined(t, group, 2);
    assert.equal(
      await t.lua(
        `local _, peer, group = ...
        local member = cumulus.groups:join(peer, group)
        local size = cumulus.groups(group).size
        member:release()
        return size`,
        stranger(0x32),
        group.id,
      ),
      2,
    );
  });

  fact("API-313", async (t) => {
    const group = newGroup();
    const clients = await joined(t, group, 3);
    assert.deepEqual(
      await t.lua(
        `local _, peer, group = ...
        local member, ids = cumulus.groups:join(peer, group), {}
        for i, client in cumulus.groups(group):ipairs() do
          ids[i] = cumulus.clients(client.id) == client and client.id
        end
        member:release()
        return ids`,
        stranger(0x33),
        group.id,
      ),
      clients.map(({ id }) => id),
    );
  });

  fact("API-320", async (t) => {
    assert.deepEqual(
      await t.lua(
        `local _, peer, group = ...
        local member = cumulus.groups:join(peer:upper(), group)
        local ids = { member.id, hex(member.rawId):lower() }
        member:release()
        return ids`,
        stranger(0xb4),
        newGroup().id,
      ),
      [stranger(0xb4), stranger(0xb4)],
    );
  });

  fact("API-321", async (t) => {
    assert.deepEqual(
      await t.lua(
        `local _, peer, group = ...
        local member = cumulus.groups:join(peer, group)
        local before = cumulus.groups(group) ~= nil
        member:release()
        local after = cumulus.groups(group) == nil
        member:release()
        return { before, after }`,
        stranger(0x35),
        newGroup().id,
      ),
      [true, true],
    );
    assert.deepEqual(await t.matching(/^ERROR/), []);
  });

  fact("API-322", async (t) => {
    const { id } = newGroup();
    const peer = await t.connect("/app");
    await peer.lua(
      "local _, peer, group = ... cumulus.groups:join(peer, group)",
      stranger(0x36),
      id,
    );
    await peer.lua("for i = 1, 5 do collectgarbage() end");
    await until(() => t.lua("return cumulus.groups(select(2, ...)) == nil", id), "its end");
  });
});
