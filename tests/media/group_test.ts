import assert from "node:assert/strict";
import file from "../vectors/rtmfp.json" with { type: "json" };
import { type FakeConnection, FakeOutput, type World, world } from "./fakes.ts";

const GROUP = new Uint8Array(32).fill(0xaa);
const ID = "aa".repeat(32);

/** Joins clients 0 to `count - 1`. */
function fill({ hub, client }: World, count: number) {
  const members = Array.from({ length: count }, (_, i) => {
    const output = new FakeOutput();
    return { output, member: hub.groups.join(client(i), GROUP, output) };
  });
  for (const { output } of members) output.take();
  return members;
}

/** A world whose random numbers the test sets. */
function dice() {
  const set = { draw: (_below: number) => 0 };
  return { set, here: world({}, { random: (below) => set.draw(below) }) };
}

Deno.test("Group sends a joiner the five newest members and one older member, as in the vectors", () => {
  const cases = file.vectors.find(({ id }) => id === "netgroup-members")!.cases as unknown as {
    existing: number;
    announced: number[];
    plusRandomOneOf: number[];
  }[];
  assert.equal(cases.length, 6);
  for (const { existing, announced, plusRandomOneOf: older } of cases) {
    for (let pick = 0; pick < Math.max(1, older.length); pick++) {
      const { set, here } = dice();
      const members = fill(here, existing);
      set.draw = (below) => {
        assert.equal(below, older.length);
        return pick;
      };
      const output = new FakeOutput();
      here.hub.groups.join(here.client(100), GROUP, output);
      const expected = [...announced, ...(older.length > 0 ? [older[pick]] : [])];
      assert.deepEqual(output.take(), expected.map((n) => `member ${n}`));
      for (const member of members) assert.deepEqual(member.output.take(), []); // not told
    }
  }
});

Deno.test("Group sends members that were silent for more than 45 s only if it has no others", () => {
  const { set, here } = dice();
  set.draw = () => 0;
  const members = fill(here, 12);
  const join = () => {
    const output = new FakeOutput();
    here.hub.groups.leave(here.hub.groups.join(here.client(100), GROUP, output));
    return output.take().map((line) => Number(line.slice(7)));
  };
  const silent = (...numbers: number[]) => {
    for (const [n, { member }] of members.entries()) {
      const connection = member.client!.connection as FakeConnection;
      connection.elapsedFromReception = numbers.includes(n) ? 45_001 : 45_000;
    }
  };
  assert.deepEqual(join(), [11, 10, 9, 8, 7, 0]);
  silent(11, 9, 0, 1);
  assert.deepEqual(join(), [10, 8, 7, 6, 5, 2]);
  silent(11, 10, 9, 8, 7, 6, 5, 0, 1);
  assert.deepEqual(join(), [4, 3, 2, 11, 10]); // all were looked at, so there is none before
  silent(...members.keys());
  assert.deepEqual(join(), [11, 10, 9, 8, 7]);
});

Deno.test("Group sends members again to a member that joins again, never itself, and keeps its place", () => {
  const { set, here } = dice();
  fill(here, 9);
  const group = here.hub.groups.get(ID)!;
  for (let draw = 0; draw < 3; draw++) {
    set.draw = () => draw;
    const output = new FakeOutput();
    const two = [...group.clients()][2];
    here.hub.groups.join(two, GROUP, output);
    const told = output.take();
    assert.deepEqual(told.slice(0, 5), [8, 7, 6, 5, 4].map((n) => `member ${n}`));
    assert.ok(told.length === 6 && !told.includes("member 2"), told.join());
    assert.equal([...group.clients()][2], two);
  }
  const newest = [...group.clients()][8];
  set.draw = () => 0;
  const output = new FakeOutput();
  here.hub.groups.join(newest, GROUP, output);
  assert.deepEqual(output.take(), [7, 6, 5, 4, 3, 0].map((n) => `member ${n}`));
});

Deno.test("Group sends the successor of a leaving member the fifth member before the leaving one", () => {
  for (let leaver = 0; leaver < 9; leaver++) {
    const { here } = dice();
    const members = fill(here, 9);
    here.hub.groups.leave(members[leaver].member);
    for (const [i, { output }] of members.entries()) {
      const told = leaver >= 5 && i === leaver + 1 ? [`member ${leaver - 5}`] : [];
      assert.deepEqual(output.take(), told, `${i} as ${leaver} leaves`);
    }
  }
});

Deno.test("Group lists clients in joining order, and leaves virtual members out of its size", () => {
  const { here } = dice();
  const members = fill(here, 3);
  const virtual = here.hub.groups.joinVirtual(new Uint8Array(32).fill(50), GROUP);
  const group = here.hub.groups.get(ID)!;
  assert.equal(group.size, 3);
  assert.deepEqual([...group.clients()], members.map(({ member }) => member.client));
  assert.equal(group.members.length, 4);
  assert.equal(virtual.id, "32".repeat(32));
  assert.deepEqual(here.events().filter((event) => event.startsWith("onJoin")).length, 3);
});

Deno.test("Group announces a virtual member to the five newest members, one older member and later joiners", () => {
  const { here } = dice();
  const members = fill(here, 8);
  here.hub.groups.joinVirtual(new Uint8Array(32).fill(50), GROUP);
  const told = members.map(({ output }) => output.take().join());
  assert.deepEqual(told, ["member 50", "", "", ...Array(5).fill("member 50")]);
  const output = new FakeOutput();
  here.hub.groups.join(here.client(100), GROUP, output);
  assert.equal(output.take()[0], "member 50");
});

Deno.test("A group of virtual members exists until its last member is released", () => {
  const { hub } = world();
  const one = hub.groups.joinVirtual(new Uint8Array(32).fill(1), GROUP);
  const two = hub.groups.joinVirtual(new Uint8Array(32).fill(2), GROUP);
  assert.equal(hub.groups.get(ID)!.size, 0);
  one.release();
  one.release(); // harmless
  assert.ok(hub.groups.has(ID));
  two.release();
  assert.ok(!hub.groups.has(ID));
  assert.equal(two.active, false);
});

Deno.test("A peer that is a virtual member three times stays in its group until all three are released", () => {
  const { hub, client } = world();
  const output = new FakeOutput();
  hub.groups.join(client(9), GROUP, output);
  const rawId = new Uint8Array(32).fill(1);
  const members = [1, 2, 3].map(() => hub.groups.joinVirtual(rawId, GROUP));
  assert.deepEqual(output.take(), ["member 1"]);
  const told = () => {
    const joiner = new FakeOutput();
    hub.groups.leave(hub.groups.join(client(8), GROUP, joiner));
    return joiner.take();
  };
  let left = 0;
  for (const member of members) member.onLeft = () => left++;
  for (const member of members) {
    assert.deepEqual(told(), ["member 1", "member 9"]);
    member.release();
    member.release();
  }
  assert.equal(left, 3);
  assert.deepEqual(told(), ["member 9"]);
  assert.deepEqual(output.take(), []);
});

Deno.test("Group sends a joiner a peer that is both a virtual and a real member once", () => {
  const { hub, client } = world();
  hub.groups.joinVirtual(new Uint8Array(32).fill(1), GROUP);
  hub.groups.join(client(1), GROUP, new FakeOutput());
  const output = new FakeOutput();
  hub.groups.join(client(2), GROUP, output);
  assert.deepEqual(output.take(), ["member 1"]);
  assert.equal(hub.groups.get(ID)!.size, 2);
});

Deno.test("Group sends a joiner at most 2·log2(N) + 13 members, each once, never the joiner itself", () => {
  let seed = 1;
  const { set, here } = dice();
  set.draw = (below) => (seed = (seed * 48271) % 0x7fffffff) % below;
  const { hub, client } = here;
  const inside: { output: FakeOutput; member: ReturnType<typeof hub.groups.join>; n: number }[] =
    [];
  for (let step = 0; step < 600; step++) {
    const group = hub.groups.get(ID);
    if (inside.length > 2 && set.draw(3) === 0) {
      const [left] = inside.splice(set.draw(inside.length), 1);
      hub.groups.leave(left.member);
      continue;
    }
    const n = step % 200;
    if (inside.some((one) => one.n === n)) continue;
    const output = new FakeOutput();
    const size = group?.members.length ?? 0;
    inside.push({ output, member: hub.groups.join(client(n), GROUP, output), n });
    const told = output.take();
    assert.ok(told.length <= 2 * Math.log2(size + 1) + 13);
    assert.equal(told.length, Math.min(6, size));
    assert.equal(new Set(told).size, told.length);
    assert.ok(!told.includes(`member ${n}`));
    for (const name of told) {
      assert.ok(inside.some((one) => `member ${one.n}` === name), `${name} has left`);
    }
  }
});
