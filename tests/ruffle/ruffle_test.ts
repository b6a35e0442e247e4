// A Flash program, compiled by Haxe and run by Ruffle in Chromium, talks to scripts of the server: by a
// socket through the gate of the web door, and by Flash remoting.

import assert from "node:assert/strict";
import { Peer, peerTest } from "../peers/peers.ts";
import { browserPath } from "../support/browser.ts";
import { TestBrowser } from "../support/test_browser.ts";
import { freePort } from "../support/ports.ts";
import { until } from "../support/wait.ts";
import { startWeb } from "../web/support.ts";

const folder = new URL(".", import.meta.url).pathname;
const port = freePort();
const SCRIPT = `
server = cumulus:createTCPServer()
function server:onConnection(client)
  function client:onReception(data)
    if not data:find("\\n") then return #data end
    self:send("you said " .. data)
    return 0
  end
end
server:start(${port})
function onConnection(client)
  function client:add(a, b) return a + b end
end
`;

/** The files of Ruffle 0.6.0. */
const RUFFLE: Record<string, () => Promise<{ default: Uint8Array }>> = {
  "ruffle.js": () => import("@ruffle-rs/ruffle/ruffle.js", { with: { type: "bytes" } }),
  "core.ruffle.c80159b526e567babaf5.js": () =>
    import("@ruffle-rs/ruffle/core.ruffle.c80159b526e567babaf5.js", { with: { type: "bytes" } }),
  "core.ruffle.f000070ea72f8ae4fe3a.js": () =>
    import("@ruffle-rs/ruffle/core.ruffle.f000070ea72f8ae4fe3a.js", { with: { type: "bytes" } }),
  "72a20ef1c0b8ceb37720.wasm": () =>
    import("@ruffle-rs/ruffle/72a20ef1c0b8ceb37720.wasm", { with: { type: "bytes" } }),
  "826bb0938097485a2c9d.wasm": () =>
    import("@ruffle-rs/ruffle/826bb0938097485a2c9d.wasm", { with: { type: "bytes" } }),
};

/** The page around Ruffle. `port` and `gateway` are for the program, `proxy` for Ruffle. */
const page = (gateway: string, proxy: string) =>
  `<!doctype html>
<script>
  window.messages = [];
  window.heard = (text) => messages.push(text);
</script>
<script src="ruffle.js"></script>
<div id="game"></div>
<script type="module">
  const player = RufflePlayer.newest().createPlayer();
  document.getElementById("game").append(player);
  player.load({
    url: "Probe.swf",
    parameters: { port: "${port}", gateway: "${gateway}" },
    allowScriptAccess: true,
    autoplay: "on",
    socketProxy: [{ host: "game.example", port: ${port}, proxyUrl: "${proxy}" }],
  });
</script>`;

// deno-lint-ignore no-explicit-any -- runs in the page
declare const messages: any;

peerTest("A Flash program in Ruffle exchanges data with scripts by socket and by remoting", [
  "haxe",
  "chromium",
], async () => {
  const { server, http, ws } = await startWeb({ "": "", "/game": SCRIPT }, `sockets = ${port}\n`);
  const web = `${server.dir}/www/game/web`;
  await Deno.mkdir(web, { recursive: true });
  const graphics = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"];
  try {
    await using browser = await TestBrowser.launch(browserPath("Ruffle"), graphics);
    await using haxe = new Peer("haxe", [
      ...["-cp", folder, "-main", "Probe", "-swf", `${web}/Probe.swf`],
      ...["-swf-version", "11.9", "-swf-header", "200:100:25:FFFFFF"],
    ]);
    assert.deepEqual(await haxe.result, { code: 0, error: "" });
    for (const [name, load] of Object.entries(RUFFLE)) {
      await Deno.writeFile(`${web}/${name}`, (await load()).default);
    }
    const html = page(`${http}/game`, `${ws}/tcp/${port}`);
    await Deno.writeTextFile(`${web}/index.html`, html);
    await (await fetch(`${http}/game`, { // starts the application
      method: "POST",
      headers: { "content-type": "application/x-amf" },
      body: new Uint8Array(6),
    })).body?.cancel();
    const tab = await browser.newPage();
    await tab.goto(`${http}/game/`);
    const heard = await until(async () => {
      const all = await tab.evaluate(() => messages as string[]);
      return all.length >= 2 ? all : undefined;
    }, "messages to the Flash program");
    assert.deepEqual(heard.toSorted(), ["remoting: 42", "socket: you said hello from flash\n"]);
  } finally {
    await server.stop();
  }
});
