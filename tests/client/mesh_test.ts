// NetGroups of many real clients on a simulated network.
import assert from "node:assert/strict";
import { toHex } from "../../src/bytes/hex.ts";
import type { NetGroup } from "../../src/client/net_group.ts";
import { seeded } from "../support/random.ts";
import {
  Internet,
  type InternetSettings,
  SimulatedClient,
  SimulatedServer,
} from "../support/simulated_peers.ts";

const SERVER = { hostname: "192.0.2.1", port: 1935 };
const GROUP = "G:0123456789";

/** A client in a group, and the members that the server has told it. */
class Member {
  readonly client: SimulatedClient;
  readonly id: string;
  group: NetGroup | undefined;
  /** Ids received from the server since the last call of {@link takeReceived}. */
  #received: string[] = [];
  gone = false;

  constructor(readonly mesh: Mesh, number: number) {
    const hostname = `198.51.${100 + (number >> 8)}.${number & 255}`;
    this.client = new SimulatedClient(mesh.internet, { addresses: [{ hostname, port: 5000 }] });
    this.id = toHex(this.client.peerId);
  }

  async join(): Promise<void> {
    const connection = await this.client.connect(this.mesh.server);
    this.group = connection.joinGroup(GROUP);
    this.group.handler = { onMember: (peerId) => void this.#received.push(toHex(peerId)) };
  }

  takeReceived(): string[] {
    return this.#received.splice(0);
  }

  get neighbors(): string[] {
    return this.group!.neighbors;
  }
}

class Mesh {
  readonly internet: Internet;
  readonly server: SimulatedServer;
  readonly members: Member[] = [];
  readonly random: () => number;

  constructor(settings: InternetSettings) {
    this.internet = new Internet(settings);
    this.random = seeded(settings.seed);
    this.server = new SimulatedServer(this.internet, [SERVER], {}, {
      random: (below) => Math.floor(this.random() * below),
    });
  }

  /** Adds a client to the group; returns after the server's messages have arrived. */
  async add(within = 60_000): Promise<Member> {
    const member = new Member(this, this.members.length + 1);
    this.members.push(member);
    member.join();
    await this.internet.run(within, () => this.knows(member));
    await this.internet.run(1000); // the server's messages have arrived
    return member;
  }

  /** Number of members that the server counts. */
  get size(): number {
    const [group] = this.server.hub.groups.values();
    return group?.size ?? 0;
  }

  /** Whether the server counts a member. */
  knows({ id }: Member): boolean {
    const [group] = this.server.hub.groups.values();
    return group !== undefined && group.members.some((member) => member.id === id);
  }

  alive(): Member[] {
    return this.members.filter(({ gone }) => !gone);
  }

  idsAlive(): Set<string> {
    return new Set(this.alive().map(({ id }) => id));
  }

  /** Number of living members that the first one can reach over sessions between members. */
  reachable(): number {
    const byId = new Map(this.alive().map((member) => [member.id, member]));
    const [first] = byId.values();
    const seen = new Set([first.id]);
    for (const id of seen) {
      for (const next of byId.get(id)!.neighbors) if (byId.has(next)) seen.add(next);
    }
    return seen.size;
  }

  /** Checks that neighbors know each other and have one session. */
  checkSymmetry(): void {
    const byId = new Map(this.alive().map((member) => [member.id, member]));
    for (const { id, neighbors, client } of byId.values()) {
      assert.equal(client.peers.size, neighbors.length, "one session with each");
      for (const other of neighbors) {
        const far = byId.get(other);
        assert.ok(far?.neighbors.includes(id), `${other.slice(0, 8)} does not know`);
      }
    }
  }
}

const bound = (size: number) => 2 * Math.log2(size) + 13;

Deno.test("NetGroup: 100 clients form one connected mesh, and replace neighbors that leave or vanish", async () => {
  const mesh = new Mesh({ seed: 7, delay: [10, 60], loss: 0.01 });
  for (let size = 1; size <= 100; size++) {
    const member = await mesh.add();
    const told = member.takeReceived();
    assert.equal(told.length, Math.min(size - 1, 6), `member ${size}`);
    assert.equal(new Set(told).size, told.length, "no member twice");
    assert.ok(!told.includes(member.id), "the member's own id");
    // The five newest members, newest first, and one of the older ones.
    const before = mesh.members.slice(0, -1).map(({ id }) => id).reverse();
    assert.deepEqual(told.slice(0, 5), before.slice(0, 5));
    assert.ok(told.slice(5).every((id) => before.slice(5).includes(id)));
  }
  await mesh.internet.run(30_000);
  assert.equal(mesh.reachable(), 100);
  mesh.checkSymmetry();

  // Members leave with a message: the server knows at once, and sends another member's id to the next one.
  for (let i = 0; i < 20; i++) {
    const alive = mesh.alive();
    const leaver = alive[6 + Math.floor(mesh.random() * (alive.length - 7))];
    const at = alive.indexOf(leaver);
    for (const member of alive) member.takeReceived();
    leaver.gone = true;
    leaver.group!.close();
    await mesh.internet.run(2000);
    assert.deepEqual(alive[at + 1].takeReceived(), [alive[at - 5].id]);
    assert.deepEqual(
      mesh.alive().flatMap((member) => member.takeReceived()),
      [],
      "no other member",
    );
    assert.ok(mesh.alive().every(({ neighbors }) => !neighbors.includes(leaver.id)));
  }
  await mesh.internet.run(10_000);
  assert.equal(mesh.size, 80);
  assert.ok(mesh.members.every(({ gone, client }) => !gone || client.peers.size === 0));
  assert.equal(mesh.reachable(), 80);
  mesh.checkSymmetry();

  // A third of the members vanish at the same time.
  for (let i = 0; i < 26; i++) {
    const alive = mesh.alive();
    const leaver = alive[Math.floor(mesh.random() * alive.length)];
    leaver.gone = true;
    leaver.client.vanish();
  }
  const vanishedAt = mesh.internet.now;
  let stale = 0;
  let freshFrom = 0;
  for (const member of mesh.members) member.takeReceived();
  while (mesh.internet.now < vanishedAt + 200_000) {
    const member = await mesh.add();
    const told = member.takeReceived();
    const living = mesh.idsAlive();
    assert.ok(told.length <= bound(mesh.size), `${told.length} of ${mesh.size}`);
    const dead = told.filter((id) => !living.has(id)).length;
    stale += dead;
    if (dead > 0) freshFrom = mesh.internet.now - vanishedAt;
    await mesh.internet.run(4000);
  }
  const joined = mesh.members.length - 100;
  assert.ok(joined > 30 && stale < joined, `${stale} vanished ids sent to ${joined} new members`);
  assert.equal(mesh.size, mesh.alive().length);
  assert.ok(
    freshFrom <= 50_000,
    `the server sent the id of a vanished member after ${freshFrom} ms`,
  );
  await mesh.internet.run(30_000);
  assert.equal(mesh.reachable(), mesh.alive().length);
  mesh.checkSymmetry();
});

Deno.test("NetGroup stays connected while clients join and leave over a network with 5 % loss", async () => {
  for (let seed = 1; seed <= 5; seed++) {
    const mesh = new Mesh({ seed, delay: [5, 250], loss: 0.05 });
    for (let step = 0; step < 60; step++) {
      const alive = mesh.alive();
      const leaver = alive[Math.floor(mesh.random() * alive.length)];
      if (alive.length > 3 && mesh.random() < 0.4) {
        leaver.gone = true;
        if (mesh.random() < 0.5) leaver.group!.close();
        else leaver.client.vanish();
      } else {
        const member = await mesh.add();
        const told = member.takeReceived();
        assert.ok(told.length <= 6 && !told.includes(member.id), `seed ${seed}`);
      }
      await mesh.internet.run(Math.floor(mesh.random() * 3000));
    }
    await mesh.internet.run(200_000); // the server has noticed all vanished members
    const alive = mesh.alive();
    assert.equal(mesh.size, alive.length, `seed ${seed}`);
    assert.equal(mesh.reachable(), alive.length, `seed ${seed}`);
    mesh.checkSymmetry();
  }
});
