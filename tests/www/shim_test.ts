// A script for MonaServer, with the shim, and real clients.
import assert from "node:assert/strict";
import { Peer } from "../conformance/support/peer.ts";
import { keyFrame } from "../conformance/support/media.ts";
import { TestServer } from "../conformance/support/test_server.ts";
import { shipped } from "./support.ts";

const SCRIPT = `dofile("mona.lua")

local players = {}

function onConnection(client, name)
  if not name then error("a name, please") end
  INFO("Connection of ", name, ", color ", client.properties.color, ", path ", path)
  players[client] = name
  client.writer:writeInvocation("onWelcome", mona:toJSON("hello", nil, { name = name }))

  function client:onMethod(...)
    return mona:toJSON(...)
  end
  function client:parse(text)
    local one, two = mona:fromJSON(text)
    self.writer:writeMessage(one, two)
  end
  function client:times()
    return { mona:time() - client.lastReceptionTime < 5000, mona:time() > 1.7e12, #mona.clients }
  end
  function client:onPublish(publication)
    if publication.name == "closed" then error("no rights to publish it") end
    function publication:onVideo(time, packet)
      client.writer:writeInvocation("onGotVideo", time, #packet)
    end
    function publication:onData(packet)
      local name, value = mona:fromAMF(packet)
      client.writer:writeInvocation("onGotData", name, value)
    end
  end
  function client:onSubscribe(listener)
    local own = listener.client == client
    return own and listener.publication.name ~= "hidden"
  end
  return { index = "game" }
end

function onDisconnection(client)
  for id, other in pairs(mona.clients) do
    other.writer:writeInvocation("onLeft", players[client])
  end
  players[client] = nil
end

function onManage() ticks = (ticks or 0) + 1 end
`;

Deno.test("www/shim runs a script of MonaServer unchanged", async () => {
  const www = { ...shipped("shim"), "/game": SCRIPT };
  const server = await TestServer.start({
    www: { "": "", ...www, "www/game/mona.lua": shipped("shim")["www/shim/mona.lua"] },
  });
  const peers: Peer[] = [];
  try {
    const connect = async (name: string, query = "") => {
      const peer = await Peer.connect(server.url("/game", query), { parameters: [name] });
      peers.push(peer);
      return peer;
    };
    await assert.rejects(Peer.connect(server.url("/game")), /a name, please/);
    await assert.rejects(Peer.connect(server.url("/shim")), /this is not an application/);
    const anna = await connect("Anna", "color=red");
    assert.equal(anna.info.index, "game");
    assert.deepEqual(await anna.called("onWelcome"), ['["hello",null,{"name":"Anna"}]']);
    await server.logged(/Connection of Anna, color red, path \/game$/);
    assert.equal(await anna.call("onMethod", 1, "two", [3]), '[1,"two",[3]]');
    assert.deepEqual(await anna.call("times"), [true, true, 1]);
    assert.equal(await anna.call("parse", '["first",2]'), "first");
    await assert.rejects(anna.call("onPublish", "x"), /not found/);

    await assert.rejects(anna.publish("closed"), /no rights to publish it/);
    const stream = await anna.publish("cam");
    const bert = await connect("Bert");
    await assert.rejects(bert.play("hidden"), /Play.Failed/);
    const played = await bert.play("cam");
    stream.net.sendVideo(40, keyFrame(1));
    await played.packet("video");
    assert.deepEqual(await anna.called("onGotVideo"), [40, keyFrame(1).length]);
    stream.net.send("onCue", "x");
    assert.deepEqual(await anna.called("onGotData"), ["onCue", "x"]);
    await bert.close();
    assert.deepEqual(await anna.called("onLeft"), ["Bert"]);
    const bad = () => server.log.items.filter((line) => /^(ERROR|WARN)/.test(line));
    assert.deepEqual(bad(), []);
  } finally {
    for (const peer of peers) await peer.close().catch(() => {});
    await server.stop();
  }
});
