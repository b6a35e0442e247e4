import assert from "node:assert/strict";
import type { Application } from "../../src/media/application.ts";
import type { Client } from "../../src/media/client.ts";
import { Refused } from "../../src/media/refused.ts";
import type { SharedObject } from "../../src/media/shared_object.ts";
import {
  changesOf,
  type SharedObjectUpdate,
  type SharedObjectUser,
} from "../../src/media/shared_object_queue.ts";
import {
  SHARED_OBJECT_BOUNDS,
  type SharedObjectBounds,
  type SharedObjectEvents,
  SharedObjects,
  type SharedObjectStore,
} from "../../src/media/shared_objects.ts";

const ONE = Uint8Array.of(0x11, 0x04, 1);

/** An application that logs requests, and refuses configured ones. */
class Events implements SharedObjectEvents {
  readonly lines: string[] = [];
  refused: string[] = [];
  use(_client: Client, { name }: SharedObject): void {
    this.#note(`use ${name}`);
  }
  leave(_client: Client, { name }: SharedObject): void {
    this.lines.push(`leave ${name}`);
  }
  change(client: Client | undefined, { name }: SharedObject, slot: string, value?: Uint8Array) {
    return this.#ask(`${client ? "client" : "script"} ${name}.${slot}${value ? "=" : "-"}`);
  }
  send(_client: Client, { name }: SharedObject) {
    return this.#ask(`send ${name}`);
  }
  sync({ name, version }: SharedObject): void {
    this.lines.push(`sync ${name} ${version}`);
  }
  forget({ name }: SharedObject): void {
    this.lines.push(`forget ${name}`);
  }
  take(): string[] {
    return this.lines.splice(0);
  }
  #ask(line: string): boolean {
    this.lines.push(line);
    return !this.refused.includes(line);
  }
  #note(line: string): void {
    if (!this.#ask(line)) throw new Refused("no");
  }
}

class User implements SharedObjectUser {
  readonly told: SharedObjectUpdate[] = [];
  constructor(readonly client: Client) {}
  update(update: SharedObjectUpdate): void {
    this.told.push(update);
  }
  /** Types of events since the last call; of statuses the code. */
  heard(): string[] {
    return this.told.splice(0).flatMap((update) =>
      changesOf(update).map((change) => change.type === "status" ? change.code : change.type)
    );
  }
}

function world(bounds: Partial<SharedObjectBounds> = {}, store?: SharedObjectStore) {
  const events = new Events();
  const application = { path: "/a", sharedObjects: events } as unknown as Application;
  const time = { now: 0 };
  const objects = new SharedObjects(
    { ...SHARED_OBJECT_BOUNDS, ...bounds },
    () => time.now,
    store,
  );
  const user = (path = "/a") =>
    new User({ path, application, state: "connected" } as unknown as Client);
  return { events, application, objects, user, time };
}

Deno.test("SharedObjects calls the application before and after each step", () => {
  const { events, objects, user } = world();
  const one = user();
  const object = objects.use(one, "o", false)!;
  assert.ok(objects.change(object, "x", ONE, one));
  assert.ok(objects.send(object, ONE, one));
  objects.leave(one);
  assert.deepEqual(events.take(), [
    "use o",
    "client o.x=",
    "sync o 1",
    "send o",
    "leave o",
    "forget o",
  ]);
  assert.equal(objects.size, 0);
  assert.deepEqual(objects.counters, { changes: 1, refused: 0, sends: 1 });
});

Deno.test("SharedObjects answers a request that the application refuses without changing the object", () => {
  const { events, application, objects, user } = world();
  const one = user();
  events.refused = ["use o", "client p.x=", "send p"];
  assert.equal(objects.use(one, "o", false), undefined);
  assert.deepEqual(one.heard(), ["SharedObject.ObjectCreationFailed"]);
  objects.hold(application, "o", false);
  assert.equal(objects.use(one, "o", false), undefined);
  assert.deepEqual(one.heard(), ["SharedObject.NoReadAccess"]);
  const object = objects.use(one, "p", false)!;
  one.heard();
  assert.ok(!objects.change(object, "x", ONE, one));
  assert.deepEqual(one.heard(), ["SharedObject.NoWriteAccess", "remove"]);
  assert.ok(!objects.send(object, ONE, one));
  assert.deepEqual(one.heard(), []);
  assert.equal(object.size, 0);
  assert.equal(objects.size, 2);
});

Deno.test("SharedObjects keeps an object without clients until a script releases it", () => {
  const { events, application, objects, user } = world();
  const object = objects.hold(application, "o", false);
  assert.ok(typeof object !== "string");
  assert.equal(objects.find("/a", "o", false), object);
  objects.change(object, "x", ONE);
  const one = user();
  assert.equal(objects.use(one, "o", false), object);
  objects.letGo(object);
  assert.ok(objects.has(object));
  objects.release(one, object);
  assert.ok(!objects.has(object));
  assert.deepEqual(events.take(), ["script o.x=", "sync o 1", "use o", "leave o", "forget o"]);
});

Deno.test("SharedObjects refuses the fourth object of an application, and the third of a client, at limits of 3 and 2 (SO-082)", () => {
  const { objects, user } = world({ objects: 3, objectsOfClient: 2 });
  const [one, two] = [user(), user("/a/room")];
  for (const name of ["a", "b"]) assert.ok(objects.use(one, name, false));
  assert.ok(objects.use(one, "a", false), "again");
  one.heard();
  assert.equal(objects.use(one, "c", false), undefined);
  assert.deepEqual(one.heard(), ["SharedObject.ObjectCreationFailed"]);
  assert.ok(objects.use(two, "a", false), "of another path: another object");
  assert.equal(objects.use(two, "b", false), undefined, "the fourth of the application");
  objects.leave(one);
  assert.ok(objects.use(two, "b", false));
});

Deno.test("SharedObjects refuses all objects if off, and persistent objects without a store", () => {
  const off = world({ enabled: false });
  assert.equal(off.objects.use(off.user(), "o", false), undefined);
  const { objects, user, application } = world();
  assert.equal(objects.use(user(), "o", true), undefined);
  assert.match(String(objects.hold(application, "o", true)), /persist is off/);
  assert.equal(objects.size, 0);
});

Deno.test("SharedObjects keeps a persistent and a temporary object of one name apart (SO-038)", () => {
  const saved: string[] = [];
  const store: SharedObjectStore = {
    load: (object) => (object.restore(7, [["x", ONE, 6]]), object.name !== "broken"),
    changed: ({ name }) => saved.push(`changed ${name}`),
    flush: () => {},
    forget: ({ name }) => saved.push(`forget ${name}`),
  };
  const { objects, user } = world({}, store);
  const one = user();
  const kept = objects.use(one, "o", true)!;
  const temporary = objects.use(one, "o", false)!;
  assert.notEqual(kept, temporary);
  assert.deepEqual([kept.version, kept.size, temporary.size], [7, 1, 0]);
  objects.change(temporary, "y", ONE, one);
  objects.change(kept, "y", ONE, one);
  objects.leave(one);
  assert.deepEqual(saved, ["changed o", "forget o"]);
  assert.equal(objects.use(one, "broken", true), undefined);
});

Deno.test("SharedObjects refuses a call longer than its limit of 2 bytes", () => {
  const { objects, user } = world({ send: 2 });
  const one = user();
  const object = objects.use(one, "o", false)!;
  one.heard();
  assert.ok(!objects.send(object, ONE, one));
  assert.deepEqual(one.heard(), ["SharedObject.NoWriteAccess"]);
});

Deno.test("SharedObjects sends the collected changes of a busy object before a later command's answer (SO-088)", () => {
  const { objects, user, time, events } = world();
  const users = Array.from({ length: 70 }, () => user());
  const [one, two, three] = users;
  for (const each of users) objects.use(each, "o", false);
  const object = objects.find("/a", "o", false)!;
  objects.flush(time.now = 100);
  for (const each of users) each.heard();
  objects.change(object, "a", Uint8Array.of(0x11, 0x04, 1), one);
  assert.equal(objects.deadline, Infinity, "an idle object tells at once");
  for (const each of users) each.heard();
  objects.change(object, "b", Uint8Array.of(0x11, 0x04, 1), one);
  objects.send(object, ONE, two);
  assert.equal(objects.deadline, 120);
  assert.deepEqual([...one.heard(), ...two.heard()], []);
  objects.tell(two);
  assert.deepEqual(two.heard(), ["change", "sendMessage"]);
  objects.change(object, "c", Uint8Array.of(0x11, 0x04, 2), two);
  events.take();
  objects.release(three, object);
  assert.deepEqual(three.heard(), ["change", "sendMessage", "change"]);
  objects.flush(time.now = 119);
  assert.deepEqual(one.heard(), []);
  objects.flush(time.now = 120);
  assert.equal(objects.deadline, Infinity);
  assert.deepEqual(one.told[0].version, object.version);
  assert.deepEqual(one.heard(), ["success", "sendMessage", "change"]);
  assert.deepEqual(two.heard(), ["success"]);
  assert.deepEqual(three.heard(), []);
  const late = user();
  time.now = 130; // 69 messages were sent in this window
  objects.change(object, "d", ONE, one);
  objects.use(late, "o", false);
  time.now = 140;
  objects.flush(140);
  assert.deepEqual(late.heard(), ["useSuccess", "clear", ...Array(4).fill("change")]);
});
