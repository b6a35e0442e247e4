import assert from "node:assert/strict";
import type { Client } from "../../src/media/client.ts";
import { NameTaken, Refused, UnknownApplication } from "../../src/media/refused.ts";
import { Frame } from "../../src/media/frame.ts";
import { type FakeConnection, FakeOutput, once, world } from "./fakes.ts";

const audio = (time: number) => new Frame("audio", time, Uint8Array.of(0x2f, time));

Deno.test("Hub lists a client from its acceptance until it disconnects", () => {
  const seen: number[] = [];
  const { hub, client } = world({
    connect: () => void seen.push(hub.clients.size),
    disconnect: () => void seen.push(hub.clients.size),
  });
  const one = client();
  assert.equal(one.id, "01".repeat(32));
  assert.equal(hub.clients.get(one.id), one);
  assert.equal(one.state, "connected");
  hub.disconnect(one);
  assert.deepEqual(seen, [0, 0]);
  assert.equal(one.state, "gone");
});

Deno.test("Hub keeps no state of a refused client, nor of a client of an unknown application", () => {
  const { hub, client, events } = world({
    connect: () => {
      throw new Refused("you are not Tom!");
    },
  });
  assert.throws(() => client(), (error: Refused) => error.description === "you are not Tom!");
  assert.deepEqual(events(), ["onConnection"]);
  assert.throws(() => client(1, "/missing"), UnknownApplication);
  assert.deepEqual(events(), []);
  assert.equal(hub.clients.size, 0);
});

Deno.test("Hub.disconnect() reports the end of groups, the failure, the end of streams, then the disconnection", () => {
  const { hub, client, events, logged } = world();
  const one = client();
  hub.groups.join(one, new Uint8Array(32), new FakeOutput());
  hub.publish(one, "a", 1, new FakeOutput()).start();
  hub.subscriptions.subscribe(one, "b", 2, new FakeOutput()).start();
  events();
  hub.disconnect(one, "no packet for 6 minutes");
  assert.deepEqual(events(), [
    "onUnjoinGroup 0",
    "onFailed no packet for 6 minutes",
    "onUnpublish a",
    "onUnsubscribe b",
    "onDisconnection",
  ]);
  assert.match(logged.join(), /warn: Client 0101.*no packet for 6 minutes/);
  assert.equal(hub.publications.size, 0);
  assert.equal(hub.groups.size, 0);
});

Deno.test("Hub calls onDisconnection once for a client that is disconnected or banned twice", () => {
  const ends: ((world: ReturnType<typeof import("./fakes.ts").world>, client: Client) => void)[] = [
    ({ hub }, client) => hub.disconnect(client),
    ({ hub }, client) => hub.disconnect(client, "lost"),
    ({ hub }) => assert.ok(hub.ban("192.0.2.1")),
  ];
  for (const first of ends) {
    for (const second of ends) {
      const here = world();
      const client = here.client();
      first(here, client);
      second(here, client);
      const told = here.events().filter((event) => event === "onDisconnection");
      assert.equal(told.length, 1);
    }
  }
});

Deno.test("Hub ends a client once if onUnpublish disconnects it again", () => {
  const here = world({ unpublish: (client) => here.hub.disconnect(client, "again") });
  const client = here.client();
  here.hub.publish(client, "a", 1, new FakeOutput()).start();
  here.hub.disconnect(client);
  assert.deepEqual(here.events().slice(2), ["onUnpublish a", "onDisconnection"]);
});

Deno.test("Hub.disconnect() runs every step of a client's end even if each of them throws", () => {
  const fail = () => {
    throw new TypeError("bug");
  };
  const here = world({ unjoinGroup: fail, failed: fail, unpublish: fail, unsubscribe: fail });
  const { hub } = here;
  const client = here.client();
  hub.groups.join(client, new Uint8Array(32), new FakeOutput());
  hub.publish(client, "a", 1, new FakeOutput());
  hub.subscriptions.subscribe(client, "b", 2, new FakeOutput());
  here.events();
  assert.throws(() => hub.disconnect(client, "lost"), TypeError);
  assert.deepEqual(here.events(), [
    "onUnjoinGroup 0",
    "onFailed lost",
    "onUnpublish a",
    "onUnsubscribe b",
    "onDisconnection",
  ]);
  assert.equal(client.state, "gone");
  assert.deepEqual([hub.clients.size, hub.publications.size, hub.groups.size], [0, 0, 0]);
});

Deno.test("Hub finds the newer of two clients with one id, also after the older one disconnects", () => {
  const { hub, client } = world();
  const older = client(7);
  const newer = client(7);
  assert.equal(hub.clients.get(older.id), newer);
  hub.disconnect(older);
  assert.equal(hub.clients.get(newer.id), newer);
});

Deno.test("Hub.ban() disconnects only the clients at the banned address, and unban() lifts it", () => {
  const { hub, client, events } = world();
  const here = client(1);
  const there = client(2);
  (there.connection as FakeConnection).hostname = "192.0.2.2";
  events();
  assert.equal(hub.ban("192.0.2.1"), true);
  assert.equal(here.state, "gone");
  assert.equal((here.connection as FakeConnection).closed, 1);
  assert.equal(there.state, "connected");
  assert.match(events()[0], /^onFailed .*blacklist/);
  assert.ok(hub.blacklist.has("192.0.2.1"));
  assert.equal(hub.ban("nobody"), false);
  assert.equal(hub.unban("192.0.2.1"), true);
  assert.equal(hub.blacklist.size, 0);
  assert.equal(hub.unban("192.0.2.1"), true); // unknown entries are ignored: API-122
});

Deno.test("Hub lists a publication with its id before it calls onPublish", () => {
  const seen: unknown[] = [];
  const here = world({
    publish: (client, publication) => {
      seen.push(publication.publisherId, here.hub.publications.get("a") === publication);
      seen.push(publication.publisher === client, output.got.length);
    },
  });
  const { hub, client } = here;
  const output = new FakeOutput();
  const listening = hub.subscriptions.subscribe(client(1), "a", 1, output);
  listening.start();
  assert.deepEqual([...hub.published()], []);
  const publisher = hub.publish(client(2), "a", 2, new FakeOutput());
  assert.deepEqual(seen, [2, true, true, 0]);
  publisher.start();
  assert.deepEqual(output.take(), ["published"]);
  assert.deepEqual([...hub.published()], [publisher.publication]);
});

Deno.test("Hub calls onUnpublish after it notified the listeners, while the publication still has its id", () => {
  const seen: unknown[] = [];
  const output = new FakeOutput();
  const { hub, client } = world({
    unpublish: (_, publication) => {
      seen.push(publication.publisherId, publication.listeners.size, output.got.join());
    },
  });
  hub.subscriptions.subscribe(client(1), "a", 1, output).start();
  const publisher = hub.publish(client(2), "a", 2, new FakeOutput());
  publisher.start();
  output.take();
  hub.unpublish(publisher);
  hub.unpublish(publisher); // harmless
  assert.deepEqual(seen, [2, 1, "unpublished"]);
  assert.equal(publisher.publication.publisherId, 0);
  assert.equal(hub.publications.get("a"), publisher.publication); // somebody still listens
  publisher.audio(audio(1), once);
  assert.deepEqual(output.take(), ["unpublished"]);
});

Deno.test("Hub refuses a second publisher of a name, whether a client or a script", () => {
  const { hub, client } = world();
  const one = client(1);
  const first = hub.publish(one, "a", 1, new FakeOutput());
  assert.throws(() => hub.publish(client(2), "a", 2, new FakeOutput()), NameTaken);
  assert.throws(() => hub.publish(one, "a", 3, new FakeOutput()), NameTaken);
  assert.throws(() => hub.publishFromScript("a"), NameTaken);
  hub.unpublish(first);
  hub.publishFromScript("a");
  assert.throws(() => hub.publish(client(2), "a", 2, new FakeOutput()), NameTaken);
});

Deno.test("Hub keeps the name free and its listeners waiting when an application refuses a publisher", () => {
  let refuse = true;
  const { hub, client } = world({
    publish: () => {
      if (refuse) throw new Refused("no");
    },
  });
  const output = new FakeOutput();
  assert.throws(() => hub.publish(client(1), "a", 1, new FakeOutput()), Refused);
  assert.equal(hub.publications.size, 0);
  const listener = hub.subscriptions.subscribe(client(2), "a", 2, output);
  listener.start();
  assert.throws(() => hub.publish(client(1), "a", 1, new FakeOutput()), Refused);
  assert.equal(listener.publication.publisherId, 0);
  assert.deepEqual(output.take(), []);
  refuse = false;
  const publisher = hub.publish(client(1), "a", 1, new FakeOutput());
  publisher.start();
  assert.equal(publisher.publication, listener.publication);
  assert.deepEqual(output.take(), ["published"]);
});

Deno.test("Hub lists a listener after onSubscribe returned, and until onUnsubscribe returned", () => {
  const seen: number[] = [];
  const count = (_: unknown, listener: { publication: { listeners: Map<number, unknown> } }) =>
    void seen.push(listener.publication.listeners.size);
  const { hub, client } = world({ subscribe: count, unsubscribe: count });
  const listener = hub.subscriptions.subscribe(client(), "a", 1, new FakeOutput());
  assert.equal(listener.publication.listeners.get(1), listener);
  hub.subscriptions.unsubscribe(listener);
  hub.subscriptions.unsubscribe(listener); // harmless
  assert.deepEqual(seen, [0, 1]);
  assert.equal(hub.publications.size, 0);
  assert.equal(listener.publication.active, false);
});

Deno.test("Hub keeps no publication for a listener that the application refuses", () => {
  const { hub, client } = world({
    subscribe: () => {
      throw new Refused();
    },
  });
  assert.throws(() => hub.subscriptions.subscribe(client(), "a", 1, new FakeOutput()), Refused);
  assert.equal(hub.publications.size, 0);
});

Deno.test("A listener stays attached to a publication that ends during onSubscribe", () => {
  const here = world({ subscribe: () => publication.close() });
  const publication = here.hub.publishFromScript("a");
  const listener = here.hub.subscriptions.subscribe(here.client(), "a", 1, new FakeOutput());
  assert.equal(here.hub.publications.get("a"), listener.publication);
  assert.equal(here.hub.publishFromScript("a"), listener.publication);
});

Deno.test("Hub calls no event when a script publishes, and notifies waiting listeners", () => {
  const { hub, client, events } = world();
  const output = new FakeOutput();
  hub.subscriptions.subscribe(client(), "a", hub.newStreamId(), output).start();
  events();
  const publication = hub.publishFromScript("a");
  assert.ok(publication.publisherId > 0);
  assert.equal(publication.publisher, "script");
  assert.ok(publication.pushAudio(5, Uint8Array.of(0x2f, 1)));
  publication.close("Some.Code", "ignored");
  publication.close();
  assert.deepEqual(output.take(), ["published", "audio 5 2f01", "unpublished"]);
  assert.deepEqual(events(), []); // no event for what scripts publish: API-127, API-645
});

Deno.test("Publication.close() notifies the publishing client, and does not unpublish", () => {
  const { hub, client } = world();
  const output = new FakeOutput();
  const { publication } = hub.publish(client(), "a", 1, output);
  publication.close("Publish.Full", "too many");
  publication.close();
  assert.deepEqual(output.take(), ["status Publish.Full too many", "close", "close"]);
  assert.ok(publication.publishing);
});

Deno.test("Publication logs an error when a script pushes a frame without publishing", () => {
  const { hub, client, logged } = world();
  const output = new FakeOutput();
  const { publication } = hub.subscriptions.subscribe(client(), "a", 1, output);
  assert.equal(publication.pushAudio(0, Uint8Array.of(1)), false);
  assert.equal(publication.pushVideo(0, Uint8Array.of(1)), false);
  assert.equal(publication.pushData("x", new Uint8Array()), false);
  assert.equal(logged.filter((line) => line.startsWith("error")).length, 3);
  assert.deepEqual(output.take(), []);
});

Deno.test("Publication sends a client's frame to listeners before the application, and a script's frame to listeners only", () => {
  const output = new FakeOutput();
  const order: string[] = [];
  const { hub, client, events } = world({ audio: () => void order.push(output.take().join()) });
  hub.subscriptions.subscribe(client(1), "a", 1, output).start();
  const publisher = hub.publish(client(2), "a", 2, new FakeOutput());
  publisher.start();
  output.take();
  events();
  publisher.audio(audio(20), once);
  assert.deepEqual(order, ["audio 20 2f14"]);
  assert.deepEqual(events(), ["onAudioPacket 20 2f14"]);
  publisher.publication.pushAudio(30, Uint8Array.of(0x2f, 30));
  assert.deepEqual(output.take(), ["audio 30 2f1e"]);
  assert.deepEqual(events(), []);
});

Deno.test("Hub reports a group's size after each join and leave, and removes an empty group", () => {
  const { hub, client, events } = world();
  const id = new Uint8Array(32).fill(9);
  const [one, two] = [client(1), client(2)];
  events();
  const first = hub.groups.join(one, id, new FakeOutput());
  const second = hub.groups.join(two, id, new FakeOutput());
  hub.groups.join(two, id, new FakeOutput()); // again: no event
  assert.deepEqual(events(), ["onJoinGroup 1", "onJoinGroup 2"]);
  assert.equal(hub.groups.size, 1);
  hub.groups.leave(first);
  hub.groups.leave(first);
  hub.groups.leave(second);
  assert.deepEqual(events(), ["onUnjoinGroup 1", "onUnjoinGroup 0"]);
  assert.equal(hub.groups.size, 0);
});

Deno.test("Hub.manage() calls onManage of every client, then of the applications", () => {
  const here = world({ manage: (client) => here.hub.disconnect(client) });
  here.client(1);
  here.client(2);
  here.events();
  here.hub.manage();
  assert.deepEqual(here.events(), [
    "onManage of a client",
    "onDisconnection",
    "onManage of a client",
    "onDisconnection",
    "onManage",
  ]);
});
