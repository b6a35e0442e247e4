// Scripts read parameters of a client's URL like fields that they set, and any client can choose them.
import assert from "node:assert/strict";
import { sleep } from "../support/wait.ts";
import { Peer } from "../conformance/support/peer.ts";
import { TestServer } from "../conformance/support/test_server.ts";
import { shipped, type Www, www } from "./support.ts";

/** URL parameters named like the fields that the shipped applications set on clients. */
const FORGED =
  "chatName=Eve&waitsSince=1&game=chess&rating=1000&lobbyPlayer=x&player=x&opponent=x" +
  "&watchesStatistics=1&mayPublish=1&mayPlay=1&liveStreams=x&lookups=x&chatter=x";

/** Runs a test while a client of another application sends the forged parameters. */
function forged(
  name: string,
  test: (t: Www & { eve: Peer; edit(): Promise<void> }) => Promise<void>,
) {
  www("ignores parameters of a URL named like fields that its script sets", name, async (t) => {
    const eve = await Peer.connect(t.server.url("/", FORGED));
    try {
      await test({
        ...t,
        eve,
        async edit() {
          await sleep(20); // gives the file another modification time
          t.server.write(
            `www/${name}/main.lua`,
            `${t.server.read(`www/${name}/main.lua`)}\n-- edited`,
          );
        },
      });
    } finally {
      await eve.close();
    }
  });
}

for (const name of ["chat", "telnet"]) {
  forged(name, async ({ connect, eve, edit }) => {
    const anna = await connect(["Anna"]);
    await edit();
    const bert = await connect(["Bert"], FORGED);
    assert.deepEqual(await anna.call("who"), ["Anna", "Bert"]);
    assert.equal(await bert.call("say", "among us"), 2);
    assert.equal(eve.calls.items.length, 0);
  });
}

forged("lobby", async ({ connect, eve, edit }) => {
  const anna = await connect(["Anna"], FORGED);
  await anna.call("play", "chess");
  await edit();
  const bert = await connect(["Bert"], FORGED);
  assert.equal(await bert.call("waiting"), 1);
  assert.equal(await bert.call("play", "chess"), true);
  const [match] = await anna.called("onMatch") as unknown as [Record<string, unknown>];
  assert.equal(match.name, "Bert");
  await edit(); // and a playing client no longer waits
  const carl = await connect(["Carl"], FORGED);
  assert.equal(await carl.call("waiting"), 0);
  assert.equal(eve.calls.items.length, 0);
});

forged("statistics", async ({ connect, eve, edit }) => {
  await connect();
  await edit();
  const anna = await connect();
  await anna.called("onStatistics");
  await anna.called("onStatistics", anna.calls.items.length);
  assert.equal(eve.calls.items.length, 0);
});

forged("lookup", async ({ connect, eve, edit }) => {
  await connect([], FORGED);
  await edit();
  await connect([], FORGED);
  assert.equal(eve.calls.items.length, 0);
});

Deno.test("www/live requires the password of a publisher that connected before the script loaded", async () => {
  const server = await TestServer.start({
    www: { "www/live/readme.txt": "" },
    ini: "[live]\npublish = open sesame\nplay = please\n",
  });
  const peers: Peer[] = [];
  const connect = async (query: string, parameters: string[] = []) => {
    peers.push(await Peer.connect(server.url("/live", query), { parameters }));
    return peers.at(-1)!;
  };
  try {
    const eve = await connect(FORGED);
    await sleep(20);
    server.write("www/live/main.lua", shipped("live")["www/live/main.lua"]);
    const camera = await connect(FORGED, ["open sesame"]);
    await assert.rejects(eve.publish("show"), /Publishing takes a password/);
    await assert.rejects(eve.play("show"), /Playing takes a password/);
    const use = (peer: Peer) => peer.connection.sharedObject("notes").ready;
    await assert.rejects(use(eve), /Sharing takes a password|NoReadAccess|ObjectCreationFailed/);
    await use(camera);
    await camera.publish("show");
    assert.deepEqual(await camera.call("streams"), [{ name: "show", viewers: 0 }]);
    await eve.close();
    assert.deepEqual(
      server.log.items.filter((line) => /^ERROR/.test(line) && !/takes a password/.test(line)),
      [],
    );
  } finally {
    for (const peer of peers) await peer.close();
    await server.stop();
  }
});
