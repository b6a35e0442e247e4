// The page at `/` of a server without its own page and without listed streams.
import assert from "node:assert/strict";
import { startWeb } from "./support.ts";

Deno.test("The page / describes the server, and links to the installed sample pages", async () => {
  const { server, http } = await startWeb({ "": "", "www/hidden/web/index.html": "not told" });
  const front = async () => {
    const response = await fetch(`${http}/`);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-type"), "text/html; charset=utf-8");
    return await response.text();
  };
  try {
    const bare = await front();
    assert.match(bare, /<h1>CumulusServer<\/h1>/);
    assert.match(bare, /www\.tar\.gz/);
    assert.ok(!bare.includes("hidden"), "applications of the operator's own are not told");
    const style = /href="([^"]+\.css)"/.exec(bare)![1];
    assert.equal((await (await fetch(`${http}${style}`)).text()).includes("font:"), true);

    for (const path of ["/favicon.ico", "/robots.txt", "/main.lua", "/.git/config", "/live/a.js"]) {
      const missing = await fetch(`${http}${path}`);
      assert.equal(`${missing.status} ${await missing.text()}`, "404 Page not found\n", path);
    }
    const player = await fetch(`${http}/live/my.cam.1`);
    assert.match(await player.text(), /<video/, "names of streams may have dots");

    server.write("www/chat/web/index.html", "a chat");
    const withChat = await front();
    assert.match(withChat, /href="\/chat\/"/);
    assert.ok(!withChat.includes("www.tar.gz"));
    assert.ok(!withChat.includes("/board/"), "a page that is not installed");

    server.write("www/web/index.html", "my own");
    assert.equal(await front(), "my own");
  } finally {
    await server.stop();
  }
});
