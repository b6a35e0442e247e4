// API-701 to API-716: statuses for the client.
import assert from "node:assert/strict";
import type { AmfValue } from "../../src/amf/mod.ts";
import type { StatusError } from "../../src/client/status.ts";
import type { Status } from "../../src/tc/format/status.ts";
import { probe } from "./support/probe.ts";
import { scenario } from "./support/scenario.ts";
import { WireClient } from "./support/wire_client.ts";

const main = `${probe}
function onConnection(client, mode, text)
  probe(client)
  if mode == "reject" then error(text) end
  if mode == "table" then return { level = "gold", seats = 4 } end
  function client:broken() error("it does not work") end
end
function onPublish(client, publication)
  if publication.name == "refused" then error("no room for this") end
  if publication.name == "false" then return false end
end
function onSubscribe(client, listener)
  if listener.publication.name == "refused" then error("not for you") end
  if listener.publication.name == "false" then return false end
end
`;

const failure = async (promise: Promise<unknown>): Promise<Status> => {
  const error = await promise.then(() => undefined, (error: StatusError) => error);
  assert.ok(error?.status, `refused, not ${error}`);
  return error.status;
};

const facts = ({ level, code, description }: Status) => [level, code, description];

scenario("status messages", { www: { "": main } }, ({ fact }) => {
  fact("API-701", async (t) => {
    const { info } = await t.connect();
    assert.deepEqual([info.level, info.code, info.description, info.objectEncoding], [
      "status",
      "NetConnection.Connect.Success",
      "Connection succeeded",
      3,
    ]);
    const told = await t.connect("", { parameters: ["table"] });
    assert.equal(told.info.seats, 4);
  });

  fact("API-702", async (t) => {
    const refused = await failure(t.connect("", { parameters: ["reject", "members only"] }));
    assert.deepEqual(facts(refused), [
      "error",
      "NetConnection.Connect.Rejected",
      "members only",
    ]);
    const bare = await failure(t.connect("", { parameters: ["reject", ""] }));
    assert.equal(bare.description, "client rejected");
  });

  fact("API-703", async (t) => {
    const refused = await failure(t.connect("/nowhere"));
    assert.deepEqual(facts(refused), [
      "error",
      "NetConnection.Connect.InvalidApp",
      "Application /nowhere doesn't exist",
    ]);
  });

  fact("API-704", async (t) => {
    const client = await WireClient.open(t.server.port);
    t.cleanup(() => client.close());
    const object = { app: "", tcUrl: t.server.url(), objectEncoding: 0 };
    const { name, values } = await client.call("connect", object);
    assert.equal(name, "_result");
    assert.equal((values[0] as Record<string, AmfValue>).objectEncoding, 0);
    const call = await client.call("lua", null, "return { a = { 1, 'x' } }");
    assert.equal(call.name, "_result");
    const { payload } = await client.messages.find(
      ({ payload }) => new TextDecoder("latin1").decode(payload).includes("\0\x01a"),
      "the answer with its member in AMF0",
    );
    assert.equal(payload.includes(0x11), false, "no AMF3 in it");
  });

  fact("API-705", async (t) => {
    const peer = await t.connect();
    assert.deepEqual(facts(await failure(peer.call("sing"))), [
      "error",
      "NetConnection.Call.Failed",
      "Method 'sing' not found",
    ]);
  });

  fact("API-706", async (t) => {
    const peer = await t.connect();
    const { level, code, description } = await failure(peer.call("broken"));
    assert.deepEqual([level, code], ["error", "NetConnection.Call.Failed"]);
    assert.equal(description, "it does not work");
  });

  fact("API-707", async (t) => {
    const client = await WireClient.open(t.server.port);
    t.cleanup(() => client.close());
    const { values } = await client.call("lua", null, "return 1");
    const { level, code, description } = values[0] as Record<string, string>;
    assert.deepEqual([level, code], ["error", "NetConnection.Call.Failed"]);
    assert.match(description, /connect/i);
  });

  fact("API-710", async (t) => {
    const peer = await t.connect();
    await peer.publish("once");
    const refused = await failure(peer.publish("once"));
    assert.deepEqual([refused.code, refused.description], [
      "NetStream.Publish.BadName",
      "once is already published",
    ]);
  });

  fact("API-711", async (t) => {
    const peer = await t.connect();
    const refused = await failure(peer.publish("refused"));
    assert.deepEqual([refused.code, refused.description], [
      "NetStream.Publish.Failed",
      "no room for this",
    ]);
    const bare = await failure(peer.publish("false"));
    assert.deepEqual([bare.code, bare.description], [
      "NetStream.Publish.Failed",
      "Not allowed to publish false",
    ]);
  });

  fact("API-712", async (t) => {
    const peer = await t.connect();
    const played = await peer.play("announced");
    const stream = await peer.publish("announced");
    const start = await stream.status("NetStream.Publish.Start");
    assert.deepEqual(facts(start), [
      "status",
      "NetStream.Publish.Start",
      "announced is now published",
    ]);
    const notify = await played.status("NetStream.Play.PublishNotify");
    assert.deepEqual([notify.level, notify.description], ["status", "announced is now published"]);
  });

  fact("API-713", async (t) => {
    const peer = await t.connect();
    const stream = await peer.publish("brief");
    const played = await peer.play("brief");
    stream.net.closeStream();
    const ended = await stream.status("NetStream.Unpublish.Success");
    assert.deepEqual([ended.level, ended.description], ["status", "brief is now unpublished"]);
    const notify = await played.status("NetStream.Play.UnpublishNotify");
    assert.deepEqual([notify.level, notify.description], ["status", "brief is now unpublished"]);
  });

  fact("API-714", async (t) => {
    const peer = await t.connect();
    const played = await peer.play("started");
    assert.deepEqual(played.statuses.items.map(facts), [
      ["status", "NetStream.Play.Reset", "Playing and resetting started"],
      ["status", "NetStream.Play.Start", "Started playing started"],
    ]);
  });

  fact("API-715", async (t) => {
    const peer = await t.connect();
    const refused = await failure(peer.play("refused"));
    assert.deepEqual([refused.code, refused.description], [
      "NetStream.Play.Failed",
      "not for you",
    ]);
    const bare = await failure(peer.play("false"));
    assert.deepEqual([bare.code, bare.description], [
      "NetStream.Play.Failed",
      "Not authorized to play false",
    ]);
  });

  fact("API-716", async (t) => {
    const peer = await t.connect();
    const played = await peer.play("stopped");
    played.net.closeStream();
    const { level, description } = await played.status("NetStream.Play.Stop");
    assert.deepEqual([level, description], ["status", "Stopped playing stopped"]);
  });
});
