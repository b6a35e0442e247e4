// www/main.lua, the root application that the server writes into an empty folder.
import assert from "node:assert/strict";
import { Peer } from "../conformance/support/peer.ts";
import { TestServer } from "../conformance/support/test_server.ts";

const root = Deno.readTextFileSync(new URL("../../www/main.lua", import.meta.url));

/** Lines of the log about clients, without level and address. */
const about = ({ log }: TestServer) =>
  log.items.filter((line) => line.includes("Client "))
    .map((line) => line.replace(/^.*Client \S+ /, ""));

Deno.test("www/main.lua logs each client's arrival before its leaving", async () => {
  const server = await TestServer.start({
    www: {
      "www/main.lua": root,
      "www/own/main.lua": "function onConnection(client) end\nfunction onPublish() end",
      "www/inherits/main.lua": "",
    },
  });
  try {
    for (const path of ["/own", "/", "/inherits"]) {
      const from = server.log.items.length;
      const peer = await Peer.connect(server.url(path, "greeted=1"));
      const { net } = await peer.publish("cam");
      await net.close();
      await peer.close();
      if (path === "/own") continue;
      await server.log.find((line) => line.includes(" has left"), `the end of ${path}`, from);
    }
    const lines = ["is here, with 0 arguments", "publishes cam", "has stopped publishing cam"];
    const once = [...lines, "has left; 0 remain"];
    assert.deepEqual(about(server), [...once, ...once]);
  } finally {
    await server.stop();
  }
});
