// The clients in examples/: the one in JavaScript runs, the one in Haxe compiles, and its twin calls the same.
import assert from "node:assert/strict";
import { Peer as Program, peerTest } from "../peers/peers.ts";
import { shipped } from "../www/support.ts";
import { startWeb } from "../web/support.ts";

const folder = new URL("../../examples/", import.meta.url).pathname;

Deno.test("examples/javascript joins the chat, calls, is called, publishes and plays", async () => {
  const { server, ws } = await startWeb({ "": "", ...shipped("chat") });
  try {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-net", `${folder}javascript/chat.js`, ws, "Anna"],
      env: { NO_COLOR: "1" },
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    assert.equal(code, 0, text(stderr));
    assert.deepEqual(text(stdout).trim().split("\n").toSorted(), [
      "Anna: Hello!",
      "heard by 1",
      "played: three blind mice",
    ]);
  } finally {
    await server.stop();
  }
});

peerTest("Haxe compiles examples/haxe", ["haxe"], async () => {
  const out = await Deno.makeTempFile({ suffix: ".swf" });
  await using haxe = new Program("haxe", [
    ...["-cp", `${folder}haxe`, "-main", "Chat", "-swf", out],
    ...["-swf-version", "11.9", "-swf-header", "400:200:25:FFFFFF"],
  ]);
  assert.deepEqual(await haxe.result, { code: 0, error: "" });
  assert.ok((await Deno.stat(out)).size > 1_000);
  await Deno.remove(out);
});

Deno.test("examples/actionscript uses the same API as its twin in Haxe", async () => {
  const used = async (path: string) =>
    new Set(
      (await Deno.readTextFile(`${folder}${path}`)).match(
        /\b(?:Net(?:Connection|Stream)\.\w+(?:\.\w+)?|on[A-Z]\w+|flash\.(?:net|events)\.\w+)\b/g,
      ),
    );
  assert.deepEqual(
    [...await used("actionscript/Chat.as")].toSorted(),
    [...await used("haxe/Chat.hx")].toSorted(),
  );
});
