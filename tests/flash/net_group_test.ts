import assert from "node:assert/strict";
import { fromHex, toHex } from "../../src/bytes/hex.ts";
import { toUtf8 } from "../../src/bytes/text.ts";
import { WireError } from "../../src/bytes/wire_error.ts";
import { GROUP_METADATA } from "../../src/tc/format/metadata.ts";
import { groupId, readJoin, writeAnnouncement } from "../../src/flash/net_group.ts";
import { portable } from "../../src/rtmfp/crypto/portable.ts";
import file from "../vectors/rtmfp.json" with { type: "json" };
import { flashWorld } from "./fakes.ts";

const cases = file.vectors.find(({ id }) => id === "netgroup")!.cases as unknown as {
  message?: string;
  groupId?: string;
  peerId?: string;
}[];
const sha256 = (bytes: Uint8Array) => portable.sha256(bytes);
const joinOf = (byte: string) => fromHex(`012115${byte.repeat(32)}`);

Deno.test("readJoin() reads, and writeAnnouncement() writes, the bytes of the vectors", () => {
  let met = 0;
  for (const { message, groupId, peerId } of cases) {
    if (message && groupId) {
      assert.equal(toHex(readJoin(fromHex(message), sha256)!), groupId);
      for (let length = 1; length < message.length / 2; length++) {
        assert.throws(() => readJoin(fromHex(message).subarray(0, length), sha256), WireError);
      }
      met++;
    }
    if (message && peerId) {
      assert.equal(toHex(writeAnnouncement(fromHex(peerId))), message);
      assert.equal(readJoin(fromHex(message), sha256), undefined);
      met++;
    }
  }
  assert.equal(met, 3);
});

Deno.test("groupId() hashes a specification of version 2 as librtmfp and Flash Player do", () => {
  const idOf = (text: string) => toHex(groupId(toUtf8(text), sha256)).slice(0, 8);
  assert.equal(idOf("G:027f02010101000103010c050e74657374011b00"), "c3ab09fc");
  assert.equal(idOf("G:010101"), toHex(sha256(toUtf8("G:010101"))).slice(0, 8));
  const text = toUtf8("G:027f02010101000103010c050e74657374011b00");
  const join = new Uint8Array([1, 1 + text.length, 0x10, ...text]);
  assert.equal(toHex(readJoin(join, sha256)!).slice(0, 8), "c3ab09fc");
});

Deno.test("readJoin() ignores joins of another kind or with an id of another length", () => {
  assert.equal(readJoin(fromHex("0100"), sha256), undefined);
  assert.equal(readJoin(fromHex("010411aabbcc"), sha256), undefined);
  assert.equal(readJoin(fromHex("010415aabbcc"), sha256), undefined);
});

Deno.test("A group sends no member to the first member, and earlier members to a later one on an answering flow", () => {
  const { connected, hub, events } = flashWorld();
  const [one, two] = [connected(1), connected(2)];
  const first = one.flow(GROUP_METADATA);
  first.deliver(joinOf("ab"));
  assert.equal(one.session.flows.length, 1); // no flow back
  const second = two.flow(GROUP_METADATA);
  second.deliver(joinOf("ab"));
  assert.deepEqual(two.session.take(), [`group: 0b${"01".repeat(32)}`]);
  assert.equal(two.session.flows[1].options.association, second);
  assert.deepEqual(one.session.take(), []);
  assert.deepEqual(events(), ["onJoinGroup 1", "onJoinGroup 2"]);
  assert.equal(hub.groups.get("ab".repeat(32))!.size, 2);
});

Deno.test("A client leaves a group when its flow or its session ends", () => {
  const { connected, hub, events } = flashWorld();
  const [one, two] = [connected(1), connected(2)];
  one.flow(GROUP_METADATA).deliver(joinOf("ab"));
  const flow = two.flow(GROUP_METADATA);
  flow.deliver(joinOf("ab"));
  events();
  two.session.take();
  flow.end();
  assert.deepEqual(events(), ["onUnjoinGroup 1"]);
  assert.deepEqual(two.session.take(), ["group: end"]);
  one.session.ended("closed by peer", true);
  assert.deepEqual(events(), ["onUnjoinGroup 0", "onDisconnection"]);
  assert.equal(hub.groups.size, 0);
});

Deno.test("A client that joins a group again gets the members again", () => {
  const { connected, events } = flashWorld();
  connected(1).flow(GROUP_METADATA).deliver(joinOf("ab"));
  const two = connected(2);
  events();
  const flow = two.flow(GROUP_METADATA);
  flow.deliver(joinOf("ab"));
  flow.deliver(joinOf("ab"));
  assert.deepEqual(two.session.take(), Array(2).fill(`group: 0b${"01".repeat(32)}`));
  assert.deepEqual(events(), ["onJoinGroup 2"]);
});

Deno.test("A client that rejects the answering flow gets no further members", () => {
  const { connected } = flashWorld();
  connected(1).flow(GROUP_METADATA).deliver(joinOf("ab"));
  const two = connected(2);
  const flow = two.flow(GROUP_METADATA);
  flow.deliver(joinOf("ab"));
  two.session.flows[1].close();
  two.session.take();
  flow.deliver(joinOf("ab"));
  assert.deepEqual(two.session.take(), []);
  assert.equal(two.session.flows.length, 2);
});

Deno.test("FlashServer accepts at most 32 group flows of a session, and 32 groups of a flow", () => {
  const { connected, hub } = flashWorld();
  const client = connected();
  const flows = Array.from({ length: 33 }, () => client.flow(GROUP_METADATA));
  assert.ok(flows[31].receiver);
  assert.equal(flows[32].receiver, null);
  for (let i = 0; i < 40; i++) flows[0].deliver(joinOf(i.toString(16).padStart(2, "0")));
  assert.equal(hub.groups.size, 32);
  flows[0].end();
  assert.equal(hub.groups.size, 0);
  assert.ok(client.flow(GROUP_METADATA).receiver); // one has ended
});

Deno.test("A group flow ignores messages other than a join", () => {
  const { connected, logged } = flashWorld();
  const client = connected();
  const flow = client.flow(GROUP_METADATA);
  flow.deliver(fromHex("05"));
  flow.deliver(fromHex(""));
  flow.deliver(fromHex("0181"));
  assert.deepEqual(client.session.take(), []);
  assert.equal(logged.length, 2);
});
