import assert from "node:assert/strict";
import { fromHex } from "../../src/bytes/hex.ts";
import type { Client } from "../../src/media/client.ts";
import { Frame } from "../../src/media/frame.ts";
import type { NameOptions } from "../../src/media/name_rules.ts";
import { NameTaken } from "../../src/media/refused.ts";
import { FakeConnection, FakeOutput, once, type Steps, world } from "./fakes.ts";

const connectionOf = (client: Client) => client.connection as FakeConnection;

function stage(options: Partial<NameOptions> = {}, steps: Steps = {}) {
  const names: NameOptions = { publisherTimeout: 20_000, takeOver: "address", ...options };
  const here = world(steps, { names: () => names });
  const { hub } = here;
  const publish = (client: Client) => {
    const output = new FakeOutput();
    const publisher = hub.publish(client, "a", hub.newStreamId(), output);
    publisher.start();
    return { publisher, output };
  };
  /** Advances time until `until` while these clients send no packet. */
  const silence = (until: number, ...clients: Client[]) => {
    const begin = hub.now;
    while (hub.now < until) {
      hub.now += 2000;
      for (const client of clients) connectionOf(client).elapsedFromReception = hub.now - begin;
      hub.manage();
    }
  };
  return { ...here, publish, silence };
}

Deno.test("Hub probes a silent publisher, and frees its name after 20 s of silence", () => {
  const { hub, client, publish, silence, logged, events } = stage();
  const one = client(1);
  const waiting = new FakeOutput();
  hub.subscriptions.subscribe(client(2), "a", 9, waiting).start();
  const { output, publisher } = publish(one);
  waiting.take();
  silence(hub.now + 8000, one);
  assert.equal(connectionOf(one).probes, 0);
  silence(hub.now + 10_000, one); // from the last packet on, which came now
  assert.equal(connectionOf(one).probes, 1);
  connectionOf(one).elapsedFromReception = 0; // it answers
  silence(hub.now + 18_000, one);
  assert.equal(hub.publications.get("a")?.publishing, true);
  events();
  silence(hub.now + 20_000, one);
  assert.equal(publisher.active, false);
  assert.equal(hub.publications.get("a")?.publishing, false);
  assert.deepEqual(waiting.take(), ["unpublished"]);
  assert.equal(events().filter((event) => event === "onUnpublish a").length, 1);
  hub.manage();
  assert.deepEqual(output.take(), []); // its client is gone
  connectionOf(one).elapsedFromReception = 500;
  hub.manage();
  hub.manage();
  assert.deepEqual(output.take(), [
    "status Unpublish.Success a is now unpublished: no data for too long",
    "close",
  ]);
  assert.ok(
    logged.some((line) =>
      line === "note: a is free again: no packet from publisher 192.0.2.1:4000"
    ),
  );
  publisher.audio(new Frame("audio", 0, fromHex("af01cc")), once); // it comes back: too late
  publish(client(3));
  assert.deepEqual(waiting.take(), ["published"]);
});

Deno.test("Hub keeps the name of a silent publisher at publisherTimeout 0, and frees it after 10 s if the door sets 10 s", () => {
  const patient = stage({ publisherTimeout: 0 });
  const one = patient.client(1);
  patient.publish(one);
  patient.silence(patient.hub.now + 200_000, one);
  assert.equal(patient.hub.publications.get("a")?.publishing, true);

  const { hub, client, publish, silence } = stage();
  const two = client(1);
  Object.assign(two.connection, { publisherTimeout: 10_000 });
  publish(two);
  silence(hub.now + 8000, two);
  assert.ok(connectionOf(two).probes > 0);
  assert.equal(hub.publications.get("a")?.publishing, true);
  silence(hub.now + 10_000, two);
  assert.equal(hub.publications.has("a"), false);
});

Deno.test("Hub probes a publisher before it frees the name if the server itself was blocked for 60 s", () => {
  const { hub, client, publish } = stage();
  const one = client(1);
  publish(one);
  hub.manage();
  hub.now += 60_000;
  connectionOf(one).elapsedFromReception = 60_000;
  hub.manage();
  assert.equal(connectionOf(one).probes, 1);
  assert.equal(hub.publications.get("a")?.publishing, true);
});

Deno.test("A client in a new session takes over its own publication at once", () => {
  const { hub, client, publish, events } = stage();
  const { output } = publish(client(1));
  events();
  const again = client(1);
  const { publisher } = publish(again);
  assert.equal(publisher.active, true);
  assert.equal(hub.publications.get("a")?.publisher, again);
  assert.deepEqual(output.take(), [
    "status Unpublish.Success a is published by another client now",
    "close",
  ]);
  assert.deepEqual(events(), ["onConnection", "onUnpublish a", "onPublish a"]);
});

Deno.test("Another client of the same address takes over a publication once its publisher was silent for 2 s", () => {
  const { hub, client, publish } = stage();
  const one = client(1);
  publish(one);
  const [two, elsewhere] = [client(2), client(3)];
  connectionOf(elsewhere).hostname = "192.0.2.77";
  connectionOf(one).elapsedFromReception = 1999;
  assert.throws(() => publish(two), NameTaken);
  connectionOf(one).elapsedFromReception = 2000;
  assert.throws(() => publish(elsewhere), NameTaken);
  publish(two);
  assert.equal(hub.publications.get("a")?.publisher, two);
});

Deno.test("Hub refuses to take over a name within one session, from a script, or against the setting takeOver", () => {
  const { hub, client, publish } = stage();
  const one = client(1);
  publish(one);
  connectionOf(one).elapsedFromReception = 9000;
  assert.throws(() => publish(one), NameTaken);
  hub.publishFromScript("b");
  assert.throws(() => hub.publish(one, "b", 7, new FakeOutput()), NameTaken);

  const strict = stage({ takeOver: "client" });
  const two = strict.client(2);
  strict.publish(two);
  connectionOf(two).elapsedFromReception = 9000;
  assert.throws(() => strict.publish(strict.client(3)), NameTaken);
  strict.publish(strict.client(2));

  const off = stage({ takeOver: "off" });
  off.publish(off.client(2));
  assert.throws(() => off.publish(off.client(2)), NameTaken);
});

Deno.test("onPublish may let a client replace the publisher of a name if the application sets mayReplace", () => {
  let answer: "replace" | undefined = "replace";
  const { hub, client, publish, application, events } = stage({}, { publish: () => answer });
  publish(client(1));
  const two = client(2);
  events();
  assert.throws(() => publish(two), NameTaken);
  assert.deepEqual(events(), []);
  application.mayReplace = true;
  answer = undefined;
  assert.throws(() => publish(two), NameTaken);
  answer = "replace";
  events();
  publish(two);
  assert.deepEqual(events(), ["onPublish a", "onUnpublish a"]);
  assert.equal(hub.publications.get("a")?.publisher, two);
});

Deno.test("Hub calls no event of an application when a relay publishes or attaches a listener", () => {
  const { hub, events } = stage();
  const output = new FakeOutput();
  const listener = hub.subscriptions.attach("a", output, { rebase: true });
  listener.start();
  const publisher = hub.relay("a", "bus");
  publisher.start();
  assert.throws(() => hub.relay("a", "bus"), NameTaken);
  assert.equal(hub.publications.get("a")?.publisher, "bus");
  publisher.audio(new Frame("audio", 5000, fromHex("2f01")), once);
  publisher.data(new Frame("data", 5010, fromHex("05"), "cue"));
  hub.unpublish(publisher);
  assert.deepEqual(output.take(), ["published", "audio 0 2f01", "data cue 10 05", "unpublished"]);
  hub.subscriptions.unsubscribe(listener);
  assert.equal(hub.publications.has("a"), false);
  assert.deepEqual(events(), []);
});
