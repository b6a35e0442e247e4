// Publications, listeners and quality of service: API-401 to API-455, API-609 to API-615.
import assert from "node:assert/strict";
import { toHex } from "../../src/bytes/hex.ts";
import type { Frame } from "../../src/media/frame.ts";
import { Frame as MediaFrame } from "../../src/media/frame.ts";
import { NameTaken, Refused } from "../../src/media/refused.ts";
import { Machine, noOutput } from "./machine.ts";

const KEY = new Uint8Array([0x17, 1, 0, 0, 0, 9]);
const INTER = new Uint8Array([0x27, 1, 0, 0, 0, 9]);
const reception = { received: 1, lost: 0, ping: 10 };

/** A client whose function returns the value of a Lua expression. */
const ASK = `
  function onConnection(client)
    function client:ask(text) return assert(loadstring("return " .. text))() end
    function client:run(text) assert(loadstring(text))() end
  end`;

Deno.test("API-401 to API-404: cumulus.publications counts, lists and finds publications", () => {
  const machine = new Machine({ "main.lua": ASK, "a/main.lua": "" }).start();
  const guest = machine.connect();
  const other = machine.connect("/a");
  machine.play(guest, "waiting");
  machine.publish(other, "live");
  assert.deepEqual(guest.call("ask", "cumulus.publications.count"), ["_result(1)"]);
  assert.deepEqual(guest.call("ask", "#cumulus.publications"), ["_result(1)"]);
  assert.deepEqual(guest.call("ask", "cumulus.publications('waiting')"), []);
  assert.deepEqual(guest.call("ask", "cumulus.publications('live').name"), ['_result("live")']);
  guest.call("run", "for n, p in cumulus.publications:pairs() do INFO(n, ' ', p.name) end");
  assert.deepEqual(machine.said(), ["live live"]);
});

Deno.test("API-410 to API-413, API-430, API-431, API-440 to API-445: publications and listeners have names, counts and quality of service", () => {
  const machine = new Machine({ "main.lua": ASK }).start();
  const guest = machine.connect();
  const publisher = machine.publish(guest, "live");
  const first = machine.play(guest, "live");
  const second = machine.play(guest, "live");
  guest.call(
    "run",
    `p = cumulus.publications("live")
     INFO(p.publisherId, p.listeners.count, #p.listeners, p.listeners == p.listeners)
     for i, listener in p.listeners:ipairs() do
       INFO(i, " ", listener.id, listener.publication == p, listener.receiveAudio, listener.receiveVideo,
         listener.audioSampleAccess, listener.videoSampleAccess)
     end
     for i, listener in ipairs(p.listeners) do INFO(i) end
     for i, listener in pairs(p.listeners) do listener.receiveAudio = i == 1 listener.videoSampleAccess = true end
     local q = p.videoQOS
     INFO(q.byteRate, q.lostRate, q.congestionRate, q.latency, q.droppedFrames, p.audioQOS.byteRate, q == p.videoQOS)`,
  );
  assert.deepEqual(machine.logged("error"), []);
  assert.deepEqual(machine.said(), [
    `${publisher.publication.publisherId}22(true)`,
    `1 ${first.id}(true)(true)(true)(false)(false)`,
    `2 ${second.id}(true)(true)(true)(false)(false)`,
    "1",
    "2",
    "000000(true)",
  ]);
  assert.deepEqual([first.receiveAudio, second.receiveAudio], [true, false]);
  assert.ok(first.videoSampleAccess && second.videoSampleAccess);
});

Deno.test("API-414 to API-417: a script pushes packets to listeners", () => {
  const machine = new Machine({ "main.lua": ASK }).start();
  const guest = machine.connect();
  guest.call("run", "p = cumulus:publish('live')");
  const frames: string[] = [];
  machine.play(guest, "live", {
    send: ({ kind, name, payload }: Frame, time) =>
      void frames.push(`${kind}${name} ${time} ${toHex(payload)}`),
  }).start();
  guest.call(
    "run",
    `p:pushVideoPacket(0, "\\39\\1\\0\\0\\0\\9")
     INFO(p.videoQOS.droppedFrames)
     p:pushVideoPacket(10, "\\23\\1\\0\\0\\0\\9") p:pushVideoPacket(20, "xx\\39\\1\\0\\0\\0\\8", 2)
     p:pushAudioPacket(25, "\\47\\1\\5") p:pushAudioPacket(30, "\\47\\1\\6", 0, 1)
     p:pushVideoPacket(40, "\\39\\1\\0\\0\\0\\7", 0, 2)
     p:pushDataPacket("onText", cumulus:toAMF0("hi")) p:pushDataPacket("onNothing", "", 5) p:pushAudioPacket(50)
     p:flush() INFO(p.videoQOS.droppedFrames)`,
  );
  assert.deepEqual(machine.said(), ["1", "2"]);
  assert.deepEqual(frames, [
    "video 10 170100000009",
    "video 20 270100000008",
    "audio 25 2f0105",
    "audio 30 2f0106",
    "dataonText 0 0200026869",
    "dataonNothing 0 ",
  ]);
});

Deno.test("API-418 to API-421: publication:close() ends a publication", () => {
  const machine = new Machine({ "main.lua": ASK }).start();
  const guest = machine.connect();
  guest.call(
    "run",
    `local p = cumulus:publish("mine")
     local found = cumulus.publications("mine")
     found:close("Ignored", "text") INFO(cumulus.publications.count, p.name, p.publisherId)
     p:close() p:pushAudioPacket(1, "x") p:flush()`,
  );
  assert.deepEqual(machine.said(), ["0(null)(null)"]);
  const told: string[] = [];
  machine.hub.publish(guest.client, "theirs", 99, {
    status: (code, description) => told.push(`${code} ${description}`),
    close: () => told.push("close"),
  });
  guest.call("run", "cumulus.publications('theirs'):close('Publish.Denied', 'no more')");
  guest.call("run", "cumulus.publications('theirs'):close()");
  assert.deepEqual(told, ["Publish.Denied no more", "close", "close"]);
});

Deno.test("API-419, API-421: the server logs an ERROR when a script pushes to a publication without a publisher", () => {
  const machine = new Machine({ "main.lua": ASK }).start();
  const guest = machine.connect();
  machine.play(guest, "live");
  guest.call(
    "run",
    "local p = cumulus:publish('live') p:close() p:pushAudioPacket(1, 'x') p:close()",
  );
  assert.deepEqual(machine.logged("error"), ["Cannot push to live: it has no publisher"]);
});

Deno.test("API-609, API-610, API-642 to API-645: the server calls onPublish, onUnpublish and the packet events when clients publish", () => {
  const machine = new Machine({
    "main.lua": `
      function onPublish(client, publication)
        INFO("publish ", publication.name, publication.publisherId > 0, cumulus.publications(publication.name) == publication)
        if publication.name == "false" then return false end
        if publication.name == "nil" then return nil end
        if publication.name == "error" then error("never") end
      end
      function onUnpublish(client, publication) INFO("unpublish ", publication.publisherId > 0, publication.listeners.count) end
      function onVideoPacket(client, publication, time, packet) INFO("video ", time, " ", #packet, packet:byte(1)) end
      function onAudioPacket(client, publication, time, packet) INFO("audio ", time, " ", packet:byte(1, -1)) return 1 end
      function onDataPacket(client, publication, name, packet) INFO("data ", name, " ", (cumulus:fromAMF(packet))) end`,
  }).start();
  const guest = machine.connect();
  const refusal = (name: string) => {
    try {
      machine.publish(guest, name);
    } catch (error) {
      return error instanceof Refused ? `refused: ${error.description}` : error;
    }
  };
  assert.equal(refusal("false"), "refused: ");
  assert.equal(refusal("error"), "refused: never");
  assert.equal(machine.hub.publications.size, 0);
  machine.said();
  const publisher = machine.publish(guest, "nil");
  publisher.start();
  machine.play(guest, "nil");
  publisher.video(new MediaFrame("video", 5, INTER), reception); // dropped without a key frame before it
  publisher.video(new MediaFrame("video", 10, KEY), reception);
  publisher.audio(new MediaFrame("audio", 12, new Uint8Array([0, 255])), reception);
  publisher.data(new MediaFrame("data", 0, new Uint8Array([2, 0, 1, 0x78]), "onText"));
  machine.hub.unpublish(publisher);
  assert.deepEqual(machine.said(), [
    "publish nil(true)(true)",
    "video 10 623",
    "audio 12 0255",
    "data onText x",
    "unpublish (true)1",
  ]);
  assert.deepEqual(machine.logged("warn"), []);
});

Deno.test("API-614, API-615, API-646, API-647: the server calls onSubscribe and onUnsubscribe when clients play", () => {
  const machine = new Machine({
    "main.lua": `
      function onSubscribe(client, listener)
        INFO("subscribe ", listener.publication.name, listener.publication.listeners.count)
        listener.mine = 1
        if listener.publication.name == "closed" then return false end
      end
      function onUnsubscribe(client, listener)
        INFO("unsubscribe ", listener.publication.listeners.count, listener.mine)
        gone = listener
      end
      function onManage() INFO(gone.id, gone.publication, gone.mine) end`,
  }).start();
  const guest = machine.connect();
  assert.throws(() => machine.play(guest, "closed"), Refused);
  const listener = machine.play(guest, "open");
  machine.hub.subscriptions.unsubscribe(listener);
  machine.hub.manage();
  assert.deepEqual(machine.said(), [
    "subscribe closed0",
    "subscribe open0",
    "unsubscribe 11",
    "(null)(null)1",
  ]);
  const { objects } = machine.applications.api;
  for (const thing of [listener, listener.publication, listener.audioQos]) {
    assert.equal(objects.find(thing), undefined);
  }
});

Deno.test("API-640: the server calls the events at the end of a session in order", () => {
  const machine = new Machine({
    "main.lua": `
      for _, name in ipairs { "onUnjoinGroup", "onFailed", "onUnpublish", "onUnsubscribe", "onDisconnection" } do
        _ENV[name] = function(client, what) INFO(name, " ", client.address) end
      end`,
  }).start();
  const guest = machine.connect();
  machine.publish(guest, "a");
  machine.play(guest, "b");
  machine.hub.groups.join(guest.client, new Uint8Array(32), { announce: () => {} });
  machine.hub.disconnect(guest.client, "timeout");
  assert.deepEqual(machine.said().map((line) => line.split(" ")[0]), [
    "onUnjoinGroup",
    "onFailed",
    "onUnpublish",
    "onUnsubscribe",
    "onDisconnection",
  ]);
});

Deno.test("DECISIONS 23: publication.properties contains the query of a stream name", () => {
  const machine = new Machine({
    "main.lua": `
      function onPublish(client, publication)
        if publication.properties.token ~= "abc" then error("no") end
        publication.properties.token = "changed"
        INFO(publication.name, " ", publication.properties.token, " ", publication.properties.b)
      end
      function onSubscribe(client, listener)
        for name, value in pairs(listener.properties) do INFO(name, "=", value) end
      end`,
  }).start();
  const guest = machine.connect();
  const { hub } = machine;
  const publish = (...entries: [string, string][]) =>
    hub.publish(guest.client, "live", hub.newStreamId(), noOutput, new Map(entries));
  assert.throws(() => publish(), Refused);
  publish(["token", "abc"], ["b", ""]);
  assert.deepEqual(machine.said(), ["live abc "]);
  const properties = new Map([["quality", "low"]]);
  machine.play(guest, "live", {}, { properties });
  machine.play(guest, "live");
  assert.deepEqual(machine.said(), ["quality=low"]);
});

Deno.test('onPublish may replace a publisher, and runs for taken names only in scripts with "replace"', () => {
  const machine = new Machine({
    "main.lua": `
      function onPublish(client, publication)
        INFO("asked ", client.key, " ", publication.publisherId ~= 0)
        if client.key == "studio" then return "replace" end
      end
      function onUnpublish(client) INFO("ended ", client.key) end`,
    "a/main.lua": "",
  }).start();
  const one = machine.connect("/a", { properties: { key: "home" } });
  const studio = machine.connect("/a", { properties: { key: "studio" } });
  const { publication } = machine.publish(one, "live");
  const before = publication.publisherId;
  assert.throws(() => machine.publish(one, "live"), NameTaken);
  machine.publish(studio, "live");
  assert.equal(machine.hub.publications.get("live")!.publisher, studio.client);
  assert.notEqual(publication.publisherId, before);
  assert.deepEqual(machine.said(), [
    "asked home (true)",
    "asked home (true)",
    "asked studio (true)",
    "ended home",
  ]);

  const older = new Machine({
    "main.lua": `function onPublish(client) INFO("asked") return client.id:gsub("a", "b") end`,
  }).start();
  older.publish(older.connect(), "live");
  assert.throws(() => older.publish(older.connect(), "live"), NameTaken);
  assert.deepEqual(older.said(), ["asked"]);
});

Deno.test("VOD-302, VOD-303: a script records publications, and refuses recording to clients", () => {
  const machine = new Machine({
    "a/main.lua": `
      function onPublish(client, publication)
        INFO(publication.type, publication.recording, publication.recorded)
        INFO(publication:record())
        INFO(publication.recording)
        INFO(publication:record("x", "backwards"))
        INFO(publication:record("other", "append"))
        publication:stopRecording()
        INFO(publication.recording)
      end
      function onRecord(client, publication, name)
        INFO(publication.name, name)
        if name == "closed" then error("not this one") end
      end`,
  }).start();
  const asked: string[] = [];
  machine.hub.recordings = {
    clientsMayRecord: false,
    published: () => {},
    open: () => {},
    list: () => {},
    record(publication, path, name, mode) {
      asked.push(`${path} ${name} ${mode}`);
      if (name === "other") return "other is being played";
      return publication.recording = {
        name,
        size: 0,
        duration: 0,
        stop: () => publication.recording = undefined,
      };
    },
  };
  const client = machine.connect("/a");
  const { publication } = machine.publish(client, "live");
  assert.deepEqual(machine.said(), [
    "live(null)(false)",
    "(true)",
    "live",
    "(null)Unknown way to record: backwards",
    "(null)other is being played",
    "(null)",
  ]);
  assert.deepEqual(asked, ["/a live record", "/a other append"]);
  client.client.application.record!(client.client, publication, "open");
  assert.throws(
    () => client.client.application.record!(client.client, publication, "closed"),
    (error: Error) => error instanceof Refused && error.description === "not this one",
  );
  assert.deepEqual(machine.said().slice(0, 2), ["liveopen", "liveclosed"]);
});
