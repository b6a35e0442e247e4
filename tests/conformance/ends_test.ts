// However a client ends, onDisconnection runs once for it, and never for one that was refused.
import assert from "node:assert/strict";
import { sleep, until } from "../support/wait.ts";
import { Peer } from "./support/peer.ts";
import { probe } from "./support/probe.ts";
import { TestServer } from "./support/test_server.ts";
import { UdpRelay } from "./support/udp_relay.ts";

const main = `${probe}
function onConnection(client, mode)
  if mode == "refuse" then error("not you") end
  probe(client)
  client.mode = mode
  function client:close() self.writer:close() end
  function client:closeTwice() self.writer:close() self.writer:close() end
end
function onFailed(client, error) NOTE("failed ", client.id) if client.mode == "error" then error("once") end end
function onPublish(client) if client.mode == "error" then error("twice") end end
function onDisconnection(client)
  NOTE("gone ", client.id)
  if client.mode == "error" then error("an error at the end") end
  client.writer:close()
end
`;

Deno.test("onDisconnection runs once for each accepted client, however it ends", async () => {
  const server = await TestServer.start({ www: { "": main, "/app": "" } });
  const relay = new UdpRelay(server.port, { hostname: "127.0.0.99" });
  const peers: Peer[] = [];
  const connect = async (mode = "", url = server.url()) => {
    const peer = await Peer.connect(url, { parameters: [mode] });
    peers.push(peer);
    return peer;
  };
  try {
    const operator = await connect();
    const ends: Record<string, (peer: Peer) => unknown> = {
      "closed in good order": (peer) => peer.close(),
      "gone with 4c alone": (peer) => peer.vanish(),
      "closed twice": (peer) => Promise.all([peer.close(), peer.close()]),
      "its writer closed": (peer) => peer.call("close").catch(() => {}),
      "its writer closed twice": (peer) => peer.call("closeTwice").catch(() => {}),
      "its writer closed, then gone": (peer) => {
        peer.call("close").catch(() => {});
        return peer.vanish();
      },
    };
    for (const end of Object.values(ends)) await end(await connect());
    for (const end of Object.values(ends)) await end(await connect("error"));
    for (const end of Object.values(ends)) await end(await connect("", server.url("/app")));
    const banned = await connect("", `rtmfp://127.0.0.1:${relay.port}/`);
    await operator.lua(`cumulus:addToBlacklist("127.0.0.99")`);
    await banned.vanish();
    await assert.rejects(connect("refuse"));

    const gone = () => server.log.items.flatMap((line) => /gone (\w{64})$/.exec(line)?.[1] ?? []);
    const left = peers.slice(1);
    await until(() => left.every(({ id }) => gone().includes(id)), "the end of all");

    // clients still connected when the script is edited, and when the server stops
    await sleep(20);
    server.write("www/main.lua", `${main}-- edited`);
    const late = [await connect(), await connect("error")];
    await server.end();
    const ids = [operator, ...left, ...late].map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    assert.deepEqual(gone().toSorted(), ids.toSorted());
  } finally {
    relay.close();
    for (const peer of peers) await peer.close();
    await server.stop();
  }
});
