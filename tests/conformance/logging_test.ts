// API-050 to API-064: what scripts log, and what becomes of their errors.
import assert from "node:assert/strict";
import type { StatusError } from "../../src/client/status.ts";
import { until } from "../support/wait.ts";
import { mp3Frame } from "./support/media.ts";
import { probe } from "./support/probe.ts";
import { scenario } from "./support/scenario.ts";
import { WireClient } from "./support/wire_client.ts";

const main = `function lineTwo()
  NOTE("the second line")
end
${probe}
function onConnection(client, mode)
  probe(client)
  if mode == "text" then error("you are not Tom!") end
  if mode == "empty" then error("") end
  if mode == "nothing" then error() end
  if mode == "table" then error({}) end
  if mode == "bug" then nothing.field = 1 end
  client.mode = mode
  function client:fail() error("the call fails") end
  function client:failEmpty() error() end
end
local function fail(event) error("failure in " .. event) end
function onDisconnection(client) if client.mode == "loud" then fail("onDisconnection") end end
function onJoinGroup(client) fail("onJoinGroup") end
function onUnpublish(client) fail("onUnpublish") end
function onUnsubscribe(client) fail("onUnsubscribe") end
function onAudioPacket(client) fail("onAudioPacket") end
function onHandshake(address, path, properties) if properties.fail then fail("onHandshake") end end
function onPublish(client, publication)
  if publication.name == "text" then error("not this one") end
  if publication.name == "nothing" then error() end
end
function onSubscribe(client, listener)
  if listener.publication.name == "text" then error("not for you") end
  if listener.publication.name == "nothing" then error(nil) end
end
`;

async function refused(promise: Promise<unknown>): Promise<string> {
  const error: StatusError = await promise.then(() => undefined, (error) => error);
  assert.ok(error?.status, `refused, not ${error}`);
  return error.status.description;
}

scenario("logging and errors", { www: { "": main } }, ({ fact }) => {
  fact("API-050", async (t) => {
    await t.lua(`
      local functions = { ERROR = ERROR, WARN = WARN, NOTE = NOTE, INFO = INFO, DEBUG = DEBUG, TRACE = TRACE }
      for name, write in pairs(functions) do write("level of ", name) end`);
    const levels = (await t.matching(/level of /)).map((line) =>
      /^([A-Z]+)\b.*level of ([A-Z]+)$/.exec(line)?.slice(1)
    );
    assert.deepEqual(
      levels.map((level) => level?.[0]).toSorted(),
      ["DEBUG", "ERROR", "INFO", "NOTE", "WARN"], // the server runs at level 7
    );
    assert.ok(levels.every((level) => level?.[0] === level?.[1]));
    assert.equal(await t.lua("return FATAL == nil and CRITIC == nil"), true);
  });

  fact("API-051", async (t) => {
    await t.lua(
      `NOTE("a", 1, 2.5, true, false, nil, "b", {}, print, coroutine.create(print), "joined")`,
    );
    const [line] = await t.matching(/joined$/);
    assert.match(
      line,
      /a12\.5\(true\)\(false\)\(null\)btable_\w+function_[\w: ]+thread_\w+joined$/,
    );
  });

  fact("API-052", async (t) => {
    await t.lua("lineTwo()");
    assert.match(
      await t.logged(/the second line/),
      /^NOTE\s+www\/main\.lua\[2\]\s+the second line$/,
    );
    await t.lua(`NOTE(("long"):rep(1000))`);
    assert.match(await t.logged(/longlong/), /(long){1000}$/);
  });

  fact("API-053", async (t) => {
    await t.lua(`print("printed raw", 7)`);
    await t.logged(/^printed raw\t7$/);
    assert.equal(t.server.read("logs/log.0").includes("printed raw"), false);
  });

  fact("API-060", async (t) => {
    const peer = await t.connect("", { parameters: ["loud"] });
    await peer.close();
    const line = await t.logged(/failure in onDisconnection/);
    assert.match(line, /^ERROR .*main\.lua:\d+: failure in onDisconnection/);
    assert.equal(await t.lua("return 'still serving'"), "still serving");
  });

  fact("API-061", async (t) => {
    const peer = await t.connect();
    assert.match(await refused(t.connect("", { parameters: ["bug"] })), /nothing/);
    assert.match(await refused(peer.call("fail")), /the call fails/);
    assert.match(await refused(peer.publish("text")), /not this one/);
    assert.match(await refused(peer.play("text")), /not for you/);
  });

  fact("API-062", async (t) => {
    const peer = await t.connect();
    assert.equal(await refused(t.connect("", { parameters: ["text"] })), "you are not Tom!");
    assert.equal(await refused(peer.publish("text")), "not this one");
    assert.equal(await refused(peer.play("text")), "not for you");
    assert.equal(await refused(peer.call("fail")), "the call fails");
  });

  fact("API-063", async (t) => {
    const peer = await t.connect();
    for (const mode of ["nothing", "table", "empty"]) {
      assert.equal(await refused(t.connect("", { parameters: [mode] })), "client rejected", mode);
    }
    assert.equal(await refused(peer.publish("nothing")), "Not allowed to publish nothing");
    assert.equal(await refused(peer.play("nothing")), "Not authorized to play nothing");
    assert.equal(await refused(peer.call("failEmpty")), "Unknown error");
  });

  fact("API-064", async (t) => {
    const peer = await t.connect("", { query: "fail=1" });
    const stream = await peer.publish("robust");
    const played = await peer.play("robust");
    stream.net.sendAudio(0, mp3Frame(1));
    await played.packet("audio");
    await stream.net.close();
    await played.status("NetStream.Play.UnpublishNotify");
    await played.net.close();
    const client = await WireClient.connect(t.server.port);
    t.cleanup(() => client.close());
    client.joinGroup(new Uint8Array(32).fill(9));
    await until(() => t.lua("return cumulus.groups.count == 1"), "the group");
    for (
      const event of ["onHandshake", "onAudioPacket", "onUnpublish", "onUnsubscribe", "onJoinGroup"]
    ) {
      await t.logged(new RegExp(`^ERROR .*failure in ${event}`));
    }
  });
});
