// Events that Hub sends to its watcher, the bus, and Hub.revoke() of a name that another server owns.
import assert from "node:assert/strict";
import { FakeOutput, world } from "./fakes.ts";

function watched() {
  const here = world();
  const seen: string[] = [];
  here.hub.watcher = {
    onPublished: ({ name, publisher }) =>
      seen.push(`${name} by ${typeof publisher === "string" ? publisher : "client"}`),
    onUnpublished: ({ name, publishing }) => seen.push(`no ${name} ${publishing}`),
    onListeners: ({ name, listeners }) => seen.push(`${name} ${listeners.size}`),
    onJoined: (group) => seen.push(`joined ${group.size}`),
    onLeft: (group) => seen.push(`left ${group.size}`),
  };
  return { ...here, take: () => seen.splice(0) };
}

Deno.test("Hub notifies its watcher after each publish, subscribe, join, and after their ends", () => {
  const { hub, client, take } = watched();
  const one = client(1);
  const publisher = hub.publish(one, "a", 1, new FakeOutput());
  const listener = hub.subscriptions.subscribe(client(2), "a", 2, new FakeOutput());
  const inner = hub.subscriptions.attach("a", new FakeOutput());
  assert.deepEqual(take(), ["a by client", "a 1", "a 2"]);
  hub.subscriptions.unsubscribe(listener);
  hub.unpublish(publisher);
  hub.subscriptions.unsubscribe(inner);
  assert.deepEqual(take(), ["a 1", "no a false", "a 0"]);
  hub.publishFromScript("b").close();
  hub.unpublish(hub.relay("c", "bus"));
  assert.deepEqual(take(), ["b by script", "no b false", "c by bus", "no c false"]);
  hub.groups.join(one, new Uint8Array(32), new FakeOutput());
  hub.disconnect(one);
  assert.deepEqual(take(), ["joined 1", "left 0"]);
});

Deno.test("Hub.revoke() frees a name at once, and sends the publisher the reason", () => {
  const { hub, client, take } = watched();
  const output = new FakeOutput();
  const publisher = hub.publish(client(1), "a", 1, output);
  const waiting = new FakeOutput();
  hub.subscriptions.subscribe(client(2), "a", 2, waiting).start();
  waiting.take();
  const publication = hub.publications.get("a")!;
  hub.revoke(publication, "Publish.BadName", "taken");
  assert.equal(publisher.active, false);
  assert.deepEqual(output.take(), ["status Publish.BadName taken", "close"]);
  assert.deepEqual(waiting.take(), ["unpublished"]);
  const ofScript = hub.publishFromScript("a");
  hub.revoke(ofScript, "Publish.BadName", "taken");
  assert.equal(ofScript.publishing, false);
  assert.deepEqual(take(), ["a by client", "a 1", "no a false", "a by script", "no a false"]);
});
