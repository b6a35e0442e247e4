// README.md: its first application runs, and its tasks print only the server's lines.
import assert from "node:assert/strict";
import type { AmfValue } from "../../src/amf/mod.ts";
import { NetConnection } from "../../src/client/net_connection.ts";
import { TestServer } from "../conformance/support/test_server.ts";

Deno.test("The first application of README.md sends each client's text to all clients, and returns their number", async () => {
  const readme = Deno.readTextFileSync(new URL("../../README.md", import.meta.url));
  const lua = /```lua\n([^]*?)```/.exec(readme)![1];
  assert.ok(lua.trim().split("\n").length <= 10, "ten lines");
  const server = await TestServer.start({ www: { "/hello": lua } });
  const heard: AmfValue[][] = [];
  const connect = (name: string) =>
    NetConnection.connect(server.url("/hello"), {
      parameters: [name],
      handler: { onCall: (method, args) => void heard.push([method, ...args]) },
    });
  const [anna, tom] = [await connect("Anna"), await connect("Tom")];
  assert.equal(await anna.call("say", "Hello!"), 2);
  await tom.call("say", "Hi.");
  assert.deepEqual(heard.filter(([, name]) => name === "Anna"), [
    ["onSaid", "Anna", "Hello!"],
    ["onSaid", "Anna", "Hello!"],
  ]);
  await Promise.all([anna.close(), tom.close()]);
  assert.equal(await server.end(), 0);
  await server.stop();
});

Deno.test("The tasks start and client of deno.json run Deno with --quiet, so that no progress bar covers the server's lines", () => {
  const { tasks } = JSON.parse(Deno.readTextFileSync(new URL("../../deno.json", import.meta.url)));
  for (const name of ["start", "client"]) assert.match(tasks[name], /^deno run --quiet /, name);
});
