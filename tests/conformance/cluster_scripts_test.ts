// CLU-050 to CLU-056: the scripts of the manual's page on several servers, in corrected forms.
import assert from "node:assert/strict";
import { toHex } from "../../src/bytes/hex.ts";
import { hello } from "./support/hello.ts";
import { until } from "../support/wait.ts";
import { keyFrame, mp3Frame } from "./support/media.ts";
import { probe } from "./support/probe.ts";
import { type FactContext, scenario } from "./support/scenario.ts";
import { type TestServer } from "./support/test_server.ts";
import { freePort } from "../support/ports.ts";
import { WireClient } from "./support/wire_client.ts";
import type { StatusError } from "../../src/client/status.ts";

const base = `${probe}
function onConnection(client) probe(client) end
`;

/** One server that others dial, and two that dial it; ready when all are linked. */
async function star(
  t: FactContext,
  hub: string,
  spoke = hub,
): Promise<[TestServer, TestServer, TestServer]> {
  const port = freePort();
  const first = await t.start({ www: { "": hub }, ini: `[servers]\nport = ${port}\n` });
  const dialling = { www: { "": spoke }, ini: `[servers]\ntargets = 127.0.0.1:${port}\n` };
  const second = await t.start(dialling);
  await first.logged(new RegExp(`^NOTE .*:${second.port}`));
  const third = await t.start(dialling);
  await first.logged(new RegExp(`^NOTE .*:${third.port}`));
  return [first, second, third];
}

/** Three servers, each dialling the next one; ready when all are linked. */
async function chain(t: FactContext, main: string): Promise<[TestServer, TestServer, TestServer]> {
  const [last, middle] = [freePort(), freePort()];
  const third = await t.start({ www: { "": main }, ini: `[servers]\nport = ${last}\n` });
  const second = await t.start({
    www: { "": main },
    ini: `[servers]\nport = ${middle}\ntargets = 127.0.0.1:${last}\n`,
  });
  await third.logged(new RegExp(`^NOTE .*:${second.port}`));
  const first = await t.start({
    www: { "": main },
    ini: `[servers]\ntargets = 127.0.0.1:${middle}\n`,
  });
  await second.logged(new RegExp(`^NOTE .*:${first.port}`));
  return [first, second, third];
}

const address = ({ port }: TestServer) => `127.0.0.1:${port}`;

scenario("scripts for several servers", false, ({ slow }) => {
  slow("CLU-050", async (t) => {
    const [hub, second, third] = await star(
      t,
      `index = 0
      function onHandshake(address, path, properties, attempts)
        index = index + 1
        if index > cumulus.servers.count then index = 1 end
        return cumulus.servers[index]
      end`,
      "",
    );
    const sent: string[] = [];
    for (let i = 0; i < 4; i++) sent.push(...(await hello(hub.port)).addresses);
    assert.deepEqual(sent, [second, third, second, third].map(address));
    await second.end();
    await third.end();
    await until(async () => (await hello(hub.port)).kind === "rHello", "being served here");
  });

  slow("CLU-051", async (t) => {
    const [hub, second, third] = await star(
      t,
      `function onHandshake() return cumulus.servers end`,
      `${base}here = "a server of the cluster"`,
    );
    assert.deepEqual((await hello(hub.port)).addresses, [second, third].map(address));
    const peer = await t.connectTo(hub);
    assert.equal(await peer.lua("return here"), "a server of the cluster");
  });

  slow("CLU-052", async (t) => {
    const main = `${base}
    function onRendezVousUnknown(peerId) return cumulus.servers end`;
    const [hub, second] = await star(t, main);
    const wanted = await t.connectTo(second);
    const peerId = wanted.connection.loop.peerId;
    const sent = await hello(hub.port, { peerId });
    assert.ok(sent.addresses.includes(address(second)), sent.addresses.join());
    const found = await hello(second.port, { peerId });
    assert.equal(found.kind, "redirect");
    assert.ok(found.addresses.includes(await wanted.lua("return (...).address")));
  });

  slow("CLU-053", async (t) => {
    const main = `${base}
    function onJoinGroup(client, group)
      cumulus.servers:broadcast("join", group.rawId, client.rawId)
    end
    function onUnjoinGroup(client, group)
      cumulus.servers:broadcast("unjoin", group.rawId, client.rawId)
    end
    function onServerConnection(server)
      server.members = {}
      function server:join(groupId, clientId)
        self.members[groupId .. clientId] = cumulus.groups:join(clientId, groupId)
      end
      function server:unjoin(groupId, clientId)
        local member = self.members[groupId .. clientId]
        if member then member:release() end
        self.members[groupId .. clientId] = nil
      end
      for id, group in cumulus.groups:pairs() do
        for i, client in group:ipairs() do server:send("join", group.rawId, client.rawId) end
      end
    end
    function onServerDisconnection(server)
      for key, member in pairs(server.members) do member:release() end
    end`;
    const port = freePort();
    const first = await t.start({ www: { "": main }, ini: `[servers]\nport = ${port}\n` });
    const group = new Uint8Array(32).fill(0x53);
    const id = toHex(group);
    const here = await WireClient.connect(first.port);
    t.cleanup(() => here.close());
    here.joinGroup(group);
    const operator = await t.connectTo(first);
    await until(
      () => operator.lua("return cumulus.groups(select(2, ...)) ~= nil", id),
      "the group",
    );
    // a server that is linked later hears of the group that is there
    const second = await t.start({
      www: { "": main },
      ini: `[servers]\ntargets = 127.0.0.1:${port}\n`,
    });
    const watcher = await t.connectTo(second);
    await until(
      () => watcher.lua("return cumulus.groups(select(2, ...)) ~= nil", id),
      "the group there",
    );
    const there = await WireClient.connect(second.port);
    t.cleanup(() => there.close());
    const flow = there.joinGroup(group);
    const ids = [here, there].map(({ loop }) => toHex(loop.peerId));
    await there.announced.find((id) => id === ids[0], "the member at the first server");
    await here.announced.find((id) => id === ids[1], "the member at the second server");
    there.leaveGroup(flow);
    await here.close();
    for (const peer of [operator, watcher]) {
      await until(() => peer.lua("return cumulus.groups(select(2, ...)) == nil", id), "its end");
    }
  });

  slow("CLU-054", async (t) => {
    const main = `${base}
    function following()
      return cumulus.servers.targets(1)
    end
    function forward(...)
      if following() then following():send(...) end
    end
    function onPublish(client, publication) forward("publish", publication.name) end
    function onUnpublish(client, publication) forward("unpublish", publication.name) end
    function onAudioPacket(client, publication, time, packet)
      forward("audio", publication.name, time, packet)
    end
    function onVideoPacket(client, publication, time, packet)
      forward("video", publication.name, time, packet)
    end
    function onDataPacket(client, publication, name, packet)
      forward("data", publication.name, name, packet)
    end
    function onServerConnection(server)
      if server.isTarget then
        for name in cumulus.publications:pairs() do server:send("publish", name) end
        return
      end
      local streams = {}
      server.streams = streams
      function server:publish(name)
        streams[name] = cumulus:publish(name)
        forward("publish", name)
      end
      function server:unpublish(name)
        if streams[name] then streams[name]:close() end
        streams[name] = nil
        forward("unpublish", name)
      end
      function server:audio(name, time, packet)
        if streams[name] then streams[name]:pushAudioPacket(time, packet) end
        forward("audio", name, time, packet)
      end
      function server:video(name, time, packet)
        if streams[name] then streams[name]:pushVideoPacket(time, packet) end
        forward("video", name, time, packet)
      end
      function server:data(name, handler, packet)
        if streams[name] then streams[name]:pushDataPacket(handler, packet) end
        forward("data", name, handler, packet)
      end
    end
    function onServerDisconnection(server)
      for name, publication in pairs(server.streams or {}) do
        publication:close()
        forward("unpublish", name)
      end
    end`;
    const [first, second, third] = await chain(t, main);
    const publisher = await t.connectTo(first);
    const players = [await t.connectTo(second), await t.connectTo(third)];
    const out = await publisher.publish("relayed");
    const played = [];
    for (const player of players) {
      await until(() => player.lua(`return cumulus.publications("relayed") ~= nil`), "the relay");
      played.push(await player.play("relayed"));
    }
    out.net.sendVideo(40, keyFrame(1));
    for (const stream of played) {
      const { time, data } = await stream.packet("video");
      assert.deepEqual([time, data], [40, keyFrame(1)]);
    }
    out.net.sendAudio(60, mp3Frame(2));
    out.net.send("onCue", "point");
    for (const stream of played) {
      assert.equal((await stream.packet("audio")).time, 60);
      assert.deepEqual(await stream.dataOf("onCue"), ["point"]);
    }
    await first.end("SIGKILL"); // a previous server is lost
    for (const stream of played) await stream.status("NetStream.Play.UnpublishNotify");
  });

  slow("CLU-055", async (t) => {
    const main = `${base}
    function onSubscribe(client, listener)
      local following = cumulus.servers.targets(1)
      if listener.publication.listeners.count >= 2 and following then
        error(following.publicAddress)
      end
    end`;
    const port = freePort();
    const second = await t.start({ www: { "": base }, ini: `[servers]\nport = ${port}\n` });
    const first = await t.start({
      www: { "": main },
      ini: `[servers]\ntargets = 127.0.0.1:${port}\n`,
    });
    await first.logged(new RegExp(`^NOTE .*:${second.port}`));
    const peer = await t.connectTo(first);
    await peer.play("full");
    await peer.play("full");
    const error: StatusError = await peer.play("full").then(() => undefined, (error) => error);
    assert.equal(error.status.code, "NetStream.Play.Failed");
    assert.equal(error.status.description, address(second));
  });

  slow("CLU-056", async (t) => {
    const main = `${base}
    function onServerConnection(server)
      function server:myName(name) self.name = name end
      server:send("myName", cumulus.configs.me.name)
    end`;
    const port = freePort();
    const first = await t.start({
      www: { "": main },
      ini: `[me]\nname = Alice\n[servers]\nport = ${port}\n`,
    });
    const second = await t.start({
      www: { "": main },
      ini: `[me]\nname = Bob\n[servers]\ntargets = 127.0.0.1:${port}\n`,
    });
    const names = [];
    for (const server of [first, second]) {
      const peer = await t.connectTo(server);
      names.push(
        await until(() => peer.lua("local s = cumulus.servers(1) return s and s.name"), "the name"),
      );
    }
    assert.deepEqual(names, ["Bob", "Alice"]);
  });
});
