import assert from "node:assert/strict";
import type { Client } from "../../src/media/client.ts";
import { NameTaken, Refused, UnknownApplication } from "../../src/media/refused.ts";
import { Frame } from "../../src/media/frame.ts";
import { type FakeConnection, FakeOutput, once, world } from "./fakes.ts";

const audio = (time: number) => new Frame("audio", time, Uint8Array.of(0x2f, time));

Deno.test("a client is in all lists from its acceptance until it leaves", () => {
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

Deno.test("a refused client leaves no trace, nor does one of an unknown application", () => {
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

Deno.test("the end of a client: groups, failure, publications, disconnection", () => {
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

Deno.test("onDisconnection is called once for any number of ends of a client", () => {
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

Deno.test("a client that ends during its end is ended once", () => {
  const here = world({ unpublish: (client) => here.hub.disconnect(client, "again") });
  const client = here.client();
  here.hub.publish(client, "a", 1, new FakeOutput()).start();
  here.hub.disconnect(client);
  assert.deepEqual(here.events().slice(2), ["onUnpublish a", "onDisconnection"]);
});

Deno.test("a bug in one step of a client's end does not keep the others from happening", () => {
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

Deno.test("of two clients with one id the newer is found, and the older's end leaves it", () => {
  const { hub, client } = world();
  const older = client(7);
  const newer = client(7);
  assert.equal(hub.clients.get(older.id), newer);
  hub.disconnect(older);
  assert.equal(hub.clients.get(newer.id), newer);
});

Deno.test("a ban ends the clients at that address and no others, and can be lifted", () => {
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

Deno.test("publishing: in the list and with its id as the application is asked", () => {
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

Deno.test("unpublishing: the application is asked after the listeners know, with all in place", () => {
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

Deno.test("a name is one for all applications, and taken once", () => {
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

Deno.test("a refused publisher leaves the name free, and waiting listeners waiting", () => {
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

Deno.test("subscribing: not in the list as the application is asked, still in it as it ends", () => {
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

Deno.test("a refused listener leaves no state", () => {
  const { hub, client } = world({
    subscribe: () => {
      throw new Refused();
    },
  });
  assert.throws(() => hub.subscriptions.subscribe(client(), "a", 1, new FakeOutput()), Refused);
  assert.equal(hub.publications.size, 0);
});

Deno.test("a publication that ends while a listener is asked for is the one it listens to", () => {
  const here = world({ subscribe: () => publication.close() });
  const publication = here.hub.publishFromScript("a");
  const listener = here.hub.subscriptions.subscribe(here.client(), "a", 1, new FakeOutput());
  assert.equal(here.hub.publications.get("a"), listener.publication);
  assert.equal(here.hub.publishFromScript("a"), listener.publication);
});

Deno.test("scripts publish without onPublish, and waiting listeners get a status", () => {
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

Deno.test("closing a client's publication notifies the client, and does not unpublish", () => {
  const { hub, client } = world();
  const output = new FakeOutput();
  const { publication } = hub.publish(client(), "a", 1, output);
  publication.close("Publish.Full", "too many");
  publication.close();
  assert.deepEqual(output.take(), ["status Publish.Full too many", "close", "close"]);
  assert.ok(publication.publishing);
});

Deno.test("pushing without a publisher logs an error", () => {
  const { hub, client, logged } = world();
  const output = new FakeOutput();
  const { publication } = hub.subscriptions.subscribe(client(), "a", 1, output);
  assert.equal(publication.pushAudio(0, Uint8Array.of(1)), false);
  assert.equal(publication.pushVideo(0, Uint8Array.of(1)), false);
  assert.equal(publication.pushData("x", new Uint8Array()), false);
  assert.equal(logged.filter((line) => line.startsWith("error")).length, 3);
  assert.deepEqual(output.take(), []);
});

Deno.test("packets reach listeners before the application, and pushes of scripts do not reach it", () => {
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

Deno.test("groups: counted after joining and after leaving, and gone when empty", () => {
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

Deno.test("the tick: all clients, then the applications", () => {
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
