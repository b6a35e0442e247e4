// `client listen` in this process, against a server in this process.
import assert from "node:assert/strict";
import { runClient } from "../../../src/client/cli.ts";
import { TestServer } from "../../conformance/support/test_server.ts";

Deno.test("client listen prints the server's calls, and exits with 1 when the connection ends", async () => {
  const server = await TestServer.start({
    www: {
      "/hello": `
        function onConnection(client, name)
          client.writer:writeAMFMessage("onSaid", name, { 1, 2 })
          client.writer:writeAMFMessage("onDone")
        end`,
    },
  });
  const lines: string[] = [];
  let error = "";
  let heard = () => {};
  const both = new Promise<void>((resolve) => heard = resolve);
  const listening = runClient(
    ["listen", "--connect", '["Tom"]', server.url("/hello")],
    { isTerminal: false, write: (text) => void (error += text) },
    (line) => {
      lines.push(line);
      if (lines.length === 2) heard();
    },
  );
  await Promise.race([both, listening]);
  await server.stop();
  assert.equal(await listening, 1);
  assert.deepEqual(lines, ['["onSaid","Tom",[1,2]]', '["onDone"]']);
  assert.equal(error, "The connection has ended\n");
});
