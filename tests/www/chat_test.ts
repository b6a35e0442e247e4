import assert from "node:assert/strict";
import { sleep } from "../support/wait.ts";
import { Peer } from "../conformance/support/peer.ts";
import { www } from "./support.ts";

www("sends each user's messages, arrival and leaving to all users", "chat", async ({ connect }) => {
  const anna = await connect(["Anna"]);
  const bert = await connect(["Bert"]);
  assert.deepEqual(await anna.called("onJoined"), ["Bert"]);
  assert.equal(await bert.call("say", "Hello!"), 2);
  for (const peer of [anna, bert]) {
    assert.deepEqual(await peer.called("onSaid"), ["Bert", "Hello!"]);
  }
  assert.deepEqual(await anna.call("who"), ["Anna", "Bert"]);
  await bert.close();
  assert.deepEqual(await anna.called("onLeft"), ["Bert"]);
  assert.deepEqual(await anna.call("who"), ["Anna"]);
});

www("sends a whisper to one user only", "chat", async ({ connect }) => {
  const [anna, bert, carl] = [
    await connect(["Anna"]),
    await connect(["Bert"]),
    await connect(["Carl"]),
  ];
  assert.equal(await anna.call("whisper", "Bert", "psst"), true);
  assert.deepEqual(await bert.called("onWhispered"), ["Anna", "psst"]);
  assert.equal(carl.calls.items.some(({ name }) => name === "onWhispered"), false);
  assert.equal(await anna.call("whisper", "Nobody", "psst"), false);
});

www("requires a name, and refuses a name in use", "chat", async ({ connect }) => {
  await connect(["Anna"]);
  await assert.rejects(connect(["Anna"]), /Somebody is called Anna already/);
  await assert.rejects(connect([]), /Connect with a name, please/);
  await assert.rejects(connect([" \n "]), /Connect with a name, please/);
}, { refuses: /with a name|is called Anna already/ });

www("sends a later user the last messages", "chat", async ({ connect }) => {
  const anna = await connect(["Anna"]);
  for (let i = 1; i <= 25; i++) await anna.call("say", `number ${i}`);
  const bert = await connect(["Bert"]);
  await bert.calls.find(({ args }) => args[1] === "number 25", "the last thing said");
  assert.deepEqual(
    bert.calls.items.map(({ args }) => args[1]),
    Array.from({ length: 20 }, (_, i) => `number ${i + 6}`),
  );
});

www("truncates names and texts, and removes control characters", "chat", async ({ connect }) => {
  const anna = await connect([`  A\tn\nna${"ä".repeat(40)}`]);
  const [name] = await anna.call("who") as string[];
  assert.equal(name, `A n na${"ä".repeat(26)}`);
  assert.equal(await anna.call("say", "   "), 0);
  assert.equal(await anna.call("say", 17), 0);
});

www("keeps its users after its script was edited", "chat", async ({ server, connect }) => {
  const anna = await connect(["Anna"]);
  await sleep(20);
  server.write("www/chat/main.lua", `${server.read("www/chat/main.lua")}\n-- edited`);
  const bert: Peer = await connect(["Bert"]);
  assert.deepEqual(await anna.called("onJoined"), ["Bert"]);
  assert.equal(await anna.call("say", "still here"), 2);
  assert.deepEqual(await bert.called("onSaid"), ["Anna", "still here"]);
});
