import assert from "node:assert/strict";
import type { Client } from "../../src/media/client.ts";
import { SharedObject, type SharedObjectLimits } from "../../src/media/shared_object.ts";
import {
  changesOf,
  type SharedObjectUpdate,
  type SharedObjectUser,
} from "../../src/media/shared_object_queue.ts";
import { seeded } from "../support/random.ts";

const LIMITS: SharedObjectLimits = { slots: 4, slotName: 16, value: 32, object: 128 };
const value = (byte: number) => Uint8Array.of(0x11, 0x04, byte);

/** A user that keeps the slots that it received, as a client does. */
class Far implements SharedObjectUser {
  readonly client = {} as Client;
  readonly slots = new Map<string, Uint8Array>();
  readonly heard: string[] = [];
  updates = 0;
  known = 0;
  /** Whether the user got the slots after its Use; Flash changes slots only after that. */
  asked = false;
  synced = false;
  /** Updates in flight, oldest first. */
  readonly inbound: SharedObjectUpdate[] = [];

  constructor(readonly late = false) {}

  update(update: SharedObjectUpdate): void {
    this.updates++;
    this.inbound.push(update);
    if (!this.late) this.receive();
  }

  receive(): void {
    const update = this.inbound.shift();
    if (!update) return;
    this.known = update.version;
    for (const change of changesOf(update)) {
      const slot = "slot" in change ? change.slot : "";
      this.heard.push(`${change.type} ${slot}`.trim());
      if (change.type === "useSuccess") this.synced = this.asked;
      else if (change.type === "clear") this.slots.clear();
      else if (change.type === "change") this.slots.set(change.slot, change.value);
      else if (change.type === "remove") this.slots.delete(change.slot);
    }
  }
}

function make(limits = LIMITS) {
  let groups = 0;
  const time = { now: 0, collecting: false };
  const object = new SharedObject("/app", "board", false, limits, {
    get now() {
      return time.now;
    },
    changed: () => groups++,
    collects: () => time.collecting = true,
  });
  return { object, groups: () => groups, time };
}

Deno.test("SharedObject.use sends UseSuccess, Clear and a Change per slot in one update (SO-030)", () => {
  const { object } = make();
  object.set("a", value(1));
  object.set("b", value(2));
  const far = new Far();
  object.use(far);
  assert.deepEqual(far.heard, ["useSuccess", "clear", "change a", "change b"]);
  assert.equal(far.updates, 1);
  assert.equal(far.known, object.version);
});

Deno.test("SharedObject.set sends Success to the requester, Change to other users, and no event for the same value (SO-032)", () => {
  const { object, groups } = make();
  const [one, two] = [new Far(), new Far()];
  object.use(one);
  object.use(two);
  one.heard.length = two.heard.length = 0;
  const before = object.version;
  object.begin();
  object.set("a", value(1), one, one.known);
  object.set("b", value(2), one, one.known);
  object.end();
  assert.deepEqual(one.heard, ["success a", "success b"]);
  assert.deepEqual(two.heard, ["change a", "change b"]);
  assert.equal(two.updates, 2, "one message for the changes of one event");
  assert.equal(object.version, before + 1);
  assert.equal(groups(), 1);
  object.begin();
  object.set("a", value(1), two, two.known);
  object.end();
  assert.deepEqual(one.heard.slice(2), []);
  assert.equal(object.version, before + 1);
});

Deno.test("SharedObject.set of a slot that another user changed meanwhile answers Change (SO-035)", () => {
  const { object } = make();
  const [one, two] = [new Far(), new Far()];
  object.use(one);
  object.use(two);
  const known = two.known;
  group(object, () => object.set("a", value(1), one, one.known));
  two.heard.length = 0;
  group(object, () => object.set("a", value(2), two, known));
  assert.deepEqual(two.heard, ["change a"]);
  assert.deepEqual(object.get("a"), value(1));
  group(object, () => object.set("a", value(3), one, known)); // its own: it may know less
  assert.deepEqual(object.get("a"), value(3));
});

Deno.test("SharedObject refuses changes beyond its limits of slots, and of bytes of names, values and the object (SO-082)", () => {
  const { object } = make({ slots: 2, slotName: 4, value: 8, object: 20 });
  const far = new Far();
  object.use(far);
  const set = (slot: string, bytes: number) =>
    group(object, () => object.set(slot, new Uint8Array(bytes).fill(5), far));
  assert.equal(set("ab", 8), true);
  assert.equal(set("äöü", 1), false, "6 bytes of name");
  assert.equal(set("b", 9), false, "a value of 9 bytes");
  assert.equal(set("cd", 8), true);
  assert.equal(object.bytes, 20);
  assert.equal(set("ab", 7), true);
  assert.equal(set("e", 1), false, "a third slot");
  far.heard.length = 0;
  set("e", 1);
  assert.deepEqual(far.heard, ["status", "remove e"]);
  group(object, () => object.remove("cd", far));
  assert.equal(object.bytes, 9);
  assert.equal(set("longer", 1), false);
});

Deno.test("SharedObject sends one shared update to all users without events of their own (SO-083)", () => {
  const { object } = make();
  const seen = new Set<SharedObjectUpdate>();
  const users = Array.from({ length: 5 }, () => new Far(true));
  for (const user of users) object.use(user);
  for (const user of users) user.inbound.length = 0;
  group(object, () => object.set("a", value(1), users[0]));
  for (const user of users.slice(1)) seen.add(user.inbound[0]);
  assert.equal(seen.size, 1);
  assert.equal(users[0].inbound.length, 1);
});

Deno.test("SharedObject ends with equal slots at three late clients and a script, however they interleave", () => {
  let collected = 0;
  for (let seed = 1; seed <= 1000; seed++) {
    const next = seeded(seed);
    const random = (below: number) => Math.floor(next() * below);
    const { object, time } = make({ slots: 4, slotName: 8, value: 8, object: 40 });
    const isBusy = seed % 2 === 0; // half of them in so little time that it collects changes
    const users = [new Far(true), new Far(true), new Far(true)];
    const outbound: (() => void)[][] = users.map(() => []);
    const slotName = () => "abcdef"[random(6)];
    for (let step = 0; step < (isBusy ? 900 : 120); step++) {
      time.now += isBusy ? random(100) / 1000 : 20;
      if (time.collecting && time.now >= object.deadline) {
        time.collecting = false;
        object.flush();
        collected++;
      }
      const who = random(3);
      const user = users[who];
      const known = user.known;
      switch (random(10)) {
        case 0: {
          if (user.asked && random(4) > 0) break; // some ask for all of it again
          user.asked = true;
          outbound[who].push(() => object.use(user));
          break;
        }
        case 1: {
          if (!user.synced) break;
          user.asked = user.synced = false;
          outbound[who].push(() => object.release(user));
          break;
        }
        case 2:
        case 3: {
          if (!user.synced) break;
          const [slot, to] = [slotName(), value(random(3))];
          user.slots.set(slot, to); // as Flash does, before it is answered
          const refused = random(5) === 0; // as an application does
          outbound[who].push(() =>
            refused ? object.refuse(slot, user) : object.set(slot, to, user, known)
          );
          break;
        }
        case 4: {
          if (!user.synced) break;
          const slot = slotName();
          user.slots.delete(slot);
          outbound[who].push(() => group(object, () => object.remove(slot, user, known)));
          break;
        }
        case 5: {
          if (random(4) === 0) object.clear();
          else group(object, () => object.set(slotName(), value(random(3))));
          break;
        }
        case 6:
          object.tell(user); // as before a command
          break;
        case 7:
          outbound[who].shift()?.();
          break;
        default:
          user.receive();
      }
    }
    for (const [i, user] of users.entries()) {
      while (outbound[i].length > 0) outbound[i].shift()!();
      if (!object.users.has(user)) object.use(user);
    }
    object.flush();
    for (const user of users) while (user.inbound.length > 0) user.receive();
    const there = Object.fromEntries([...object.slots()].map((slot) => [slot, object.get(slot)]));
    for (const user of users) {
      assert.deepEqual(Object.fromEntries(user.slots), { ...there }, `seed ${seed}`);
    }
  }
  assert.ok(collected > 500, `${collected} windows`);
});

const group = <T>(object: SharedObject, action: () => T): T => object.group(action);

Deno.test("SharedObject answers 100 refusals of a slot in one group with its value once", () => {
  const { object } = make();
  const far = new Far();
  object.use(far);
  object.set("a", value(1));
  far.heard.length = 0;
  object.group(() => {
    for (let i = 0; i < 100; i++) object.refuse("a", far);
  });
  assert.equal(far.heard.filter((what) => what === "change a").length, 1);
  object.group(() => {
    object.refuse("a", far);
    object.set("a", value(2), far, object.version);
    object.refuse("a", far);
  });
  assert.deepEqual(far.slots.get("a"), value(2));
});
