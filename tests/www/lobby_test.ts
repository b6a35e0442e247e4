import assert from "node:assert/strict";
import { sleep } from "../support/wait.ts";
import type { Peer } from "../conformance/support/peer.ts";
import { www } from "./support.ts";

const matchOf = async (peer: Peer) => (await peer.called("onMatch"))[0] as Record<string, unknown>;

www(
  "sends two players who wait for the same game each other's peer id",
  "lobby",
  async ({ connect }) => {
    const anna = await connect(["Anna", 1200]);
    const bert = await connect(["Bert", 1250]);
    const carl = await connect(["Carl", 1210]);
    assert.equal(await anna.call("play", "chess"), false);
    assert.equal(await carl.call("play", "go"), false);
    assert.equal(await anna.call("waiting", "chess"), 1);
    assert.equal(await anna.call("waiting"), 2);
    assert.equal(await bert.call("play", "chess"), true);
    assert.deepEqual(await matchOf(anna), {
      game: "chess",
      name: "Bert",
      rating: 1250,
      peer: bert.id,
      begins: true,
    });
    assert.deepEqual([(await matchOf(bert)).peer, (await matchOf(bert)).begins], [anna.id, false]);
    assert.equal(await anna.call("waiting"), 1);
  },
);

www(
  "matches the player nearest in strength, and no player far from it",
  "lobby",
  async ({ connect }) => {
    const weak = await connect(["Weak", -9000]); // at 50 more a second this stays out of reach for minutes
    const near = await connect(["Near", 1450]);
    const nearest = await connect(["Nearest", 1510]);
    const strong = await connect(["Strong", 1500]);
    await weak.call("play");
    await near.call("play");
    await near.call("cancel");
    await nearest.call("play");
    await near.call("play");
    assert.equal((await matchOf(near)).name, "Nearest"); // 60 apart
    assert.equal(await strong.call("play"), false); // thousands from the only waiting player
  },
);

www(
  "matches a waiting player with opponents further in strength over time",
  "lobby",
  async ({ connect }) => {
    const anna = await connect(["Anna", 1000]);
    const bert = await connect(["Bert", 1130]); // 130 apart: after 0.6 s, at the next look
    assert.equal(await anna.call("play"), false);
    assert.equal(await bert.call("play"), false);
    const begins = (await matchOf(anna)).begins;
    assert.equal((await matchOf(bert)).begins, !begins);
  },
);

www("notifies a player when the opponent leaves", "lobby", async ({ connect }) => {
  const [anna, bert] = [await connect(["Anna"]), await connect(["Bert"])];
  await anna.call("play");
  await bert.call("play");
  await bert.close();
  assert.deepEqual(await anna.called("onOpponentLeft"), ["Bert"]);
  const carl = await connect(["Carl"]);
  await anna.call("play");
  await carl.call("play");
  assert.equal(await carl.call("cancel"), false);
  await anna.calls.find(({ args }) => args[0] === "Carl", "Carl's leaving");
});

www(
  "keeps players waiting after its script was edited",
  "lobby",
  async ({ server, connect }) => {
    const anna = await connect(["Anna"]);
    await anna.call("play", "chess");
    await sleep(20);
    server.write("www/lobby/main.lua", `${server.read("www/lobby/main.lua")}\n-- edited`);
    const bert = await connect(["Bert"]);
    assert.equal(await bert.call("play", "chess"), true);
    assert.equal((await matchOf(anna)).name, "Bert");
  },
);

www("refuses a client without a name", "lobby", async ({ connect }) => {
  await assert.rejects(connect(), /Connect with a name, please/);
}, { refuses: /with a name/ });
