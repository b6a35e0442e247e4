// API-401 to API-455: publications, listeners, quality of service.
import assert from "node:assert/strict";
import { toHex } from "../../src/bytes/hex.ts";
import { sleep, until } from "../support/wait.ts";
import {
  audioFrame,
  audioHeader,
  interFrame,
  keyFrame,
  mp3Frame,
  videoHeader,
} from "./support/media.ts";
import { Peer, type PeerStream } from "./support/peer.ts";
import { probe } from "./support/probe.ts";
import { type FactContext, scenario } from "./support/scenario.ts";
import { type RelayOptions, UdpRelay } from "./support/udp_relay.ts";

const main = `${probe}
function onConnection(client) probe(client) end
function onSubscribe(client, listener)
  if listener.publication.name == "idle" then idle = listener.publication end
end
function listenerOf(name)
  for _, listener in cumulus.publications(name).listeners:ipairs() do return listener end
end
function onAudioPacket(client, publication)
  record("onAudioPacket", publication.name)
  pingThen = client.ping
end
function onVideoPacket(client, publication)
  record("onVideoPacket", publication.name, cumulus.epochTime)
end
function onDataPacket(client, publication) record("onDataPacket", publication.name) end
function onUnpublish(client, publication) record("onUnpublish", publication.name) end
ticks = 0
function onManage() ticks = ticks + 1 end
key, inter = "\x17\\1key frame", "\x27\\1inter frame"
sound = "\x2f sound"
`;

async function connectBehind(
  t: FactContext,
  options: RelayOptions,
): Promise<{ peer: Peer; relay: UdpRelay }> {
  const relay = new UdpRelay(t.server.port, options);
  t.cleanup(() => relay.close());
  const peer = await Peer.connect(`rtmfp://127.0.0.1:${relay.port}/`);
  t.cleanup(() => peer.close());
  return { peer, relay };
}

/** A stream of a script that one client plays. */
async function scripted(t: FactContext, name: string, start?: number): Promise<PeerStream> {
  await t.lua(
    "streams = streams or {} streams[select(2, ...)] = cumulus:publish(select(2, ...))",
    name,
  );
  t.cleanup(() => t.lua("streams[select(2, ...)]:close()", name));
  const peer = await t.connect();
  return await peer.play(name, start);
}

/** A stream that one client publishes and another one plays. */
async function relayed(t: FactContext, name: string): Promise<[PeerStream, PeerStream, Peer]> {
  const [publisher, player] = [await t.connect(), await t.connect()];
  return [await publisher.publish(name), await player.play(name), player];
}

/** Pushes one frame after the other until the player has got one. */
const texts = (packets: readonly { data: Uint8Array }[]) =>
  packets.map(({ data }) => new TextDecoder("latin1").decode(data));

const www = { "": main, "/other": main };

scenario("publications", { www }, ({ fact, slow }) => {
  slow("API-450", async (t) => {
    const [out] = await relayed(t, "rate");
    const began = Date.now();
    for (let i = 0; i < 30; i++) {
      out.net.sendVideo(i * 100, keyFrame(i, 5000));
      await sleep(Math.max(0, began + (i + 1) * 100 - Date.now()));
    }
    // As they came, which on a busy machine is not as they were sent.
    const [rate, expected]: number[] = await t.lua(`
      local now, first, recent = cumulus.epochTime, nil, 0
      for _, event in ipairs(events) do
        if event[1] == "onVideoPacket" and event[2] == "rate" then
          first = first or event[3]
          if event[3] > now - 5000 then recent = recent + 5000 end
        end
      end
      return {
        cumulus.publications("rate").videoQOS.byteRate,
        recent * 1000 / math.min(5000, now - first),
      }`);
    assert.ok(Math.abs(rate / expected - 1) < 0.16, `${rate} bytes a second of ${expected}`);
  });

  slow("API-452", async (t) => {
    await t.lua(`
      late = cumulus:publish("late")
      late.since = cumulus.epochTime
      late:pushAudioPacket(0, sound)`);
    await sleep(1000);
    const [rate, elapsed]: number[] = await t.lua(`
      local elapsed = cumulus.epochTime - late.since
      late:pushAudioPacket(200, sound)
      local rate = late.audioQOS.congestionRate
      late:close()
      return { rate, elapsed }`);
    const later = elapsed - 200;
    assert.ok(Math.abs(rate - later / elapsed) < 0.1, `${later} ms later in ${elapsed} is ${rate}`);
  });

  fact("API-401", async (t) => {
    const peer = await t.connect();
    await peer.play("waitedFor");
    await peer.publish("present");
    const [same, present, waited] = await t.lua(`
      local names, all = {}, 0
      for name in cumulus.publications:pairs() do names[name], all = true, all + 1 end
      return { cumulus.publications.count == all, names.present, names.waitedFor == nil }`);
    assert.deepEqual([same, present, waited], [true, true, true]);
  });

  fact("API-402", async (t) => {
    const peer = await t.connect();
    await peer.play("onlyWaited");
    await peer.publish("paired");
    const found = await t.lua(`
      local found = {}
      for name, publication in cumulus.publications:pairs() do
        found[name] = publication == cumulus.publications(name)
      end
      return found`);
    assert.equal(found.paired, true);
    assert.equal("onlyWaited" in found, false);
  });

  fact("API-403", async (t) => {
    const peer = await t.connect();
    await peer.publish("named");
    assert.equal(await t.lua(`return cumulus.publications("named").name`), "named");
    assert.equal(await t.lua(`return cumulus.publications("unnamed") == nil`), true);
  });

  fact("API-404", async (t) => {
    const other = await t.connect("/other");
    await other.publish("shared");
    assert.equal(await t.lua(`return cumulus.publications("shared") ~= nil`), true);
    const root = await t.connect();
    await assert.rejects(root.publish("shared"), /BadName/);
  });

  fact("API-410", async (t) => {
    const name = "a name/with äöü";
    const peer = await t.connect();
    await peer.publish(name);
    assert.equal(await t.lua("return cumulus.publications(select(2, ...)).name", name), name);
  });

  fact("API-411", async (t) => {
    const peer = await t.connect();
    await peer.play("idle");
    assert.equal(await t.lua("return idle.publisherId"), 0);
    const stream = await peer.publish("idle");
    assert.ok(await t.lua("return idle.publisherId") > 0);
    await stream.net.close();
    await until(() => t.lua("return idle.publisherId == 0"), "the end");
  });

  fact("API-412", async (t) => {
    await relayed(t, "listened");
    assert.deepEqual(
      await t.lua(`
        local listeners = cumulus.publications("listened").listeners
        for i, listener in listeners:ipairs() do
          return { listeners.count, listener.publication.listeners == listeners }
        end`),
      [1, true],
    );
  });

  fact("API-413", async (t) => {
    const [out, played] = await relayed(t, "both");
    out.net.sendAudio(0, mp3Frame(1, 500));
    out.net.sendVideo(0, keyFrame(2, 3000));
    await played.packet("video");
    const [audio, video] = await t.lua(`
      local both = cumulus.publications("both")
      return { both.audioQOS.byteRate, both.videoQOS.byteRate }`);
    assert.ok(audio > 0 && video > audio, `${audio} ${video}`);
  });

  fact("API-414", async (t) => {
    const played = await scripted(t, "audio");
    await t.lua(`
      streams.audio:pushAudioPacket(10, sound)
      streams.audio:pushAudioPacket(20)
      streams.audio:pushAudioPacket(30, "XX" .. sound, 2)`);
    const [first, second] = [await played.packet("audio", 0), await played.packet("audio", 1)];
    assert.deepEqual(texts([first, second]), ["\x2f sound", "\x2f sound"]);
    assert.deepEqual([first.time, second.time], [10, 30]);
  });

  fact("API-415", async (t) => {
    const played = await scripted(t, "video");
    await t.lua(`
      local video = streams.video
      video:pushVideoPacket(0, inter)
      video:pushVideoPacket(40, "XXX" .. key .. " 1", 3)
      video:pushVideoPacket(80, inter .. " 1")
      video:pushVideoPacket(120, inter .. " 2", 0, 1)
      video:pushVideoPacket(160, inter .. " 3")
      video:pushVideoPacket(200, key .. " 2")`);
    await played.packet("video", 2);
    assert.deepEqual(texts(played.packets.items), [
      "\x17\x01key frame 1",
      "\x27\x01inter frame 1",
      "\x17\x01key frame 2",
    ]);
    assert.equal(await t.lua("return streams.video.videoQOS.droppedFrames"), 3);
  });

  fact("API-416", async (t) => {
    const played = await scripted(t, "data");
    await t.lua(`
      streams.data:pushDataPacket("onThing", cumulus:toAMF("x", 2))
      streams.data:pushDataPacket("onOther", "##" .. cumulus:toAMF(true), 2)`);
    assert.deepEqual(await played.dataOf("onThing"), ["x", 2]);
    assert.deepEqual(await played.dataOf("onOther"), [true]);
  });

  fact("API-417", async (t) => {
    const played = await scripted(t, "flushed");
    // Not with the next tick, though on a slow machine one may be in between all the same.
    for (let round = 1;; round++) {
      const before = await t.lua(`
        streams.flushed:pushAudioPacket(0, sound)
        streams.flushed:pushAudioPacket(20, sound)
        streams.flushed:flush()
        return ticks`);
      await played.packet("audio", 2 * round - 1);
      if (await t.lua("return ticks") === before) break;
      assert.ok(round < 10, "it leaves with a tick");
    }
  });

  fact("API-418", async (t) => {
    const [out, played] = await relayed(t, "closed");
    await t.lua(`cumulus.publications("closed"):close("Custom.Closed", "that is enough")`);
    const status = await out.status("NetStream.Custom.Closed");
    assert.equal(status.description, "that is enough");
    await out.commands.find((name) => name === "close", "close");
    assert.equal(await t.lua(`return cumulus.publications("closed") ~= nil`), true);
    await out.net.close();

    const other = await scripted(t, "scripted");
    await t.lua(`streams.scripted:close("Ignored", "ignored")`);
    await other.status("NetStream.Play.UnpublishNotify");
    assert.equal(await t.lua(`return cumulus.publications("scripted") == nil`), true);
    assert.equal(played.statuses.items.some(({ code }) => /Ignored/.test(code)), false);
  });

  fact("API-419", async (t) => {
    await t.lua(`
      local twice = cumulus:publish("twice")
      twice:close() twice:close()`);
    assert.deepEqual(await t.matching(/^ERROR/), []);
    await t.lua(`
      local gone = cumulus:publish("gone")
      gone:close() gone:pushAudioPacket(0, sound) gone:flush()`);
    await t.logged(/^ERROR/);
  });

  fact("API-420", async (t) => {
    const peer = await t.connect();
    await t.lua(`found = cumulus:publish("found")`);
    const played = await peer.play("found");
    await t.lua(`cumulus.publications("found"):close()`);
    await played.status("NetStream.Play.UnpublishNotify");
    assert.equal(await t.lua(`return cumulus.publications("found") == nil`), true);
  });

  fact("API-421", async (t) => {
    const peer = await t.connect();
    const played = await peer.play("idle");
    await t.lua(`idle:pushAudioPacket(0, sound) idle:pushDataPacket("onNothing", "")`);
    await t.logged(/^ERROR .*idle/);
    await t.records();
    assert.deepEqual([played.packets.items, played.data.items], [[], []]);
  });

  fact("API-422", async (t) => {
    const [, played] = await relayed(t, "clients");
    await t.lua(`
      local clients = cumulus.publications("clients")
      clients:pushAudioPacket(5, sound) clients:pushDataPacket("onInjected", cumulus:toAMF(1))`);
    assert.equal((await played.packet("audio")).time, 5);
    assert.deepEqual(await played.dataOf("onInjected"), [1]);
    assert.equal(
      await t.lua(`
        local fired = 0
        for _, event in ipairs(events) do if event[2] == "clients" then fired = fired + 1 end end
        return fired`),
      0,
    );
  });

  fact("API-423", async (t) => {
    const [out, early] = await relayed(t, "headed");
    out.net.sendAudio(0, audioHeader(1));
    out.net.sendVideo(0, videoHeader(2));
    out.net.sendVideo(0, keyFrame(3));
    out.net.sendAudio(0, audioFrame(4));
    await early.packet("audio", 1);
    const peer = await t.connect();
    const late = await peer.play("headed");
    out.net.sendVideo(40, keyFrame(5));
    await late.packet("video", 2);
    out.net.sendAudio(40, audioFrame(6));
    const isLast = ({ data }: { data: Uint8Array }) => toHex(data) === toHex(audioFrame(6));
    await late.packets.find(isLast, "the last sound");
    const of = (kind: string) =>
      late.packets.items.filter((packet) => packet.kind === kind).map(({ data }) => data);
    assert.deepEqual(of("video"), [videoHeader(2), keyFrame(3), keyFrame(5)]);
    assert.deepEqual(of("audio")[0], audioHeader(1)); // the first sound may have come before the key frame
  });

  fact("API-424", async (t) => {
    const played = await scripted(t, "backwards");
    await t.lua(`
      streams.backwards:pushAudioPacket(500, sound .. " 1")
      streams.backwards:pushAudioPacket(100, sound .. " 2")`);
    await played.packet("audio", 1);
    await t.logged(/^WARN .*backwards/);
    assert.deepEqual(await t.matching(/^ERROR/), []);
  });

  fact("API-430", async (t) => {
    const [, , player] = await relayed(t, "counted");
    await player.play("counted");
    assert.equal(await t.lua(`return cumulus.publications("counted").listeners.count`), 2);
  });

  fact("API-431", async (t) => {
    const [, , player] = await relayed(t, "listed");
    await player.play("listed");
    assert.deepEqual(
      await t.lua(`
        local places = {}
        for i, listener in cumulus.publications("listed").listeners:ipairs() do
          places[#places + 1] = { i, listener.publication.name }
        end
        return places`),
      [[1, "listed"], [2, "listed"]],
    );
  });

  fact("API-440", async (t) => {
    const [, , player] = await relayed(t, "ids");
    await player.play("ids");
    const ids: number[] = await t.lua(`
      local publication = cumulus.publications("ids")
      local ids = { publication.publisherId }
      for i, listener in publication.listeners:ipairs() do ids[i + 1] = listener.id end
      return ids`);
    assert.equal(new Set(ids).size, 3);
    assert.ok(ids.every((id) => Number.isInteger(id) && id > 0));
  });

  fact("API-441", async (t) => {
    const [out, played] = await relayed(t, "measured");
    const figures = (kind: string) =>
      t.lua(
        `local quality = listenerOf("measured")[select(2, ...)]
        return { quality.byteRate, quality.lostRate, quality.congestionRate, quality.latency, quality.droppedFrames }`,
        kind,
      );
    assert.deepEqual(await figures("audioQOS"), [0, 0, 0, 0, 0]);
    assert.deepEqual(await figures("videoQOS"), [0, 0, 0, 0, 0]);
    out.net.sendVideo(0, keyFrame(1, 2000));
    await played.packet("video");
    await until(async () => (await figures("videoQOS"))[0] > 0, "a byte rate");
  });

  fact("API-442", async (t) => {
    await relayed(t, "whose");
    assert.equal(
      await t.lua(`return listenerOf("whose").publication == cumulus.publications("whose")`),
      true,
    );
  });

  fact("API-443", async (t) => {
    const [, played] = await relayed(t, "samples");
    assert.deepEqual(
      await t.lua(`
        local listener = listenerOf("samples")
        return { listener.audioSampleAccess, listener.videoSampleAccess }`),
      [false, false],
    );
    await t.lua(`
      local listener = listenerOf("samples")
      listener.videoSampleAccess = true
      listener.videoSampleAccess = true
      listener.audioSampleAccess = true
      cumulus.publications("samples"):pushDataPacket("onEnd", "")`);
    await played.dataOf("onEnd");
    const access = played.data.items.filter(({ name }) => name === "|RtmpSampleAccess");
    assert.deepEqual(access.map(({ values }) => values), [[false, true], [true, true]]);
  });

  fact("API-444", async (t) => {
    const played = await scripted(t, "muted");
    await t.lua(`
      muted = listenerOf("muted")
      streams.muted:pushVideoPacket(0, key .. " 1")
      streams.muted:pushAudioPacket(0, sound .. " 1")
      muted.receiveVideo, muted.receiveAudio = false, false
      streams.muted:pushVideoPacket(40, inter .. " 2")
      streams.muted:pushAudioPacket(40, sound .. " 2")
      muted.receiveVideo, muted.receiveAudio = true, true
      streams.muted:pushVideoPacket(80, inter .. " 3")
      streams.muted:pushVideoPacket(120, key .. " 4")
      streams.muted:pushAudioPacket(120, sound .. " 4")`);
    await played.packet("video", 1);
    await played.packet("audio", 1);
    assert.deepEqual(texts(played.packets.items).sort(), [
      "\x17\x01key frame 1",
      "\x17\x01key frame 4",
      "\x2f sound 1",
      "\x2f sound 4",
    ]);
    played.net.receiveVideo(false);
    await until(() => t.lua("return muted.receiveVideo == false"), "muted by the client");
    assert.equal(await t.lua("return muted.receiveAudio"), true);
  });

  fact("API-445", async (t) => {
    await t.lua(`unbuffered = cumulus:publish("unbuffered")`);
    t.cleanup(() => t.lua("unbuffered:close()"));
    const { peer, relay } = await connectBehind(t, {});
    const loose = await peer.play("unbuffered", -3000);
    const tight = await peer.play("unbuffered");
    relay.cut = true;
    await t.lua(`unbuffered:pushAudioPacket(0, sound .. " lost")`);
    await sleep(300);
    relay.cut = false;
    await t.lua(`unbuffered:pushAudioPacket(300, sound .. " later")`);
    await tight.packet("audio", 1);
    await loose.packets.find(({ time }) => time === 300, "the later packet");
    assert.equal(tight.packets.items.length, 2);
    assert.deepEqual(texts(loose.packets.items), ["\x2f sound later"]);
  });

  fact("API-446", async (t) => {
    const [played, other] = [await scripted(t, "ended"), await (await t.connect()).play("ended")];
    const left = await t.lua(`
      function onUnsubscribe(client, listener) record("onUnsubscribe", listener.publication.name) end
      local first = listenerOf("ended")
      first:close("Play.Failed", "time is up")
      first:close()
      streams.ended:pushVideoPacket(0, key)
      return streams.ended.listeners.count + 10 * count("onUnsubscribe")`);
    assert.equal(left, 11);
    assert.equal((await played.status("NetStream.Play.Failed")).description, "time is up");
    await other.packet("video");
    assert.equal(played.packets.items.length, 0);
    await t.lua(`listenerOf("ended"):close()`);
    assert.equal((await other.status("NetStream.Play.Stop")).level, "status");
  });

  fact("API-451", async (t) => {
    const rate = await t.lua(`
      local lossy = cumulus:publish("lossy")
      for i = 1, 8 do lossy:pushAudioPacket(i, sound, 0, i == 8 and 2 or 0) end
      local rate = lossy.audioQOS.lostRate
      lossy:close()
      return rate`);
    assert.ok(Math.abs(rate - 0.2) < 1e-9, `2 of 10 are ${rate}`);
  });

  fact("API-453", async (t) => {
    const { peer } = await connectBehind(t, { delay: [40, 41] });
    const out = await peer.publish("distant");
    await until(() => peer.lua("return (...).ping > 0"), "a ping");
    out.net.sendAudio(0, mp3Frame(1));
    const latency: number = await until(async () => {
      const latency: number = await t.lua(
        `return cumulus.publications("distant").audioQOS.latency`,
      );
      return latency > 0 ? latency : undefined;
    }, "a latency");
    const ping: number = await t.lua("return pingThen");
    assert.ok(Math.abs(latency - ping / 2) <= 12, `${latency} ms of a ping of ${ping} ms`);
  });

  fact("API-454", async (t) => {
    const [out, played] = await relayed(t, "dropped");
    for (let i = 0; i < 4; i++) out.net.sendVideo(i * 40, interFrame(i));
    out.net.sendVideo(160, keyFrame(9));
    await played.packet("video");
    assert.equal(
      await t.lua(`return cumulus.publications("dropped").videoQOS.droppedFrames`),
      4,
    );
  });

  fact("API-455", async (t) => {
    const [out, played] = await relayed(t, "reset");
    await t.lua(`reset = cumulus.publications("reset")`);
    out.net.sendVideo(0, interFrame(1));
    out.net.sendVideo(10, keyFrame(1));
    await played.packet("video");
    assert.ok(await t.lua("return reset.videoQOS.byteRate") > 0);
    await out.net.close();
    await played.status("NetStream.Play.UnpublishNotify");
    assert.deepEqual(
      await t.lua(`
        local quality = reset.videoQOS
        return { quality.byteRate, quality.latency, quality.droppedFrames }`),
      [0, 0, 0],
    );
  });
});
