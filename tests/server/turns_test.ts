// RTMP clients that send as fast as the server reads, beside one RTMFP client.
import assert from "node:assert/strict";
import { RawRtmp } from "../../bench/siege/raw_rtmp.ts";
import { encodeAmf0 } from "../../src/amf/mod.ts";
import { NetConnection } from "../../src/client/net_connection.ts";
import { TestServer } from "../conformance/support/test_server.ts";
import { freePort } from "../support/ports.ts";
import { until } from "../support/wait.ts";

const APPLICATION = `
local calls = 0
function onConnection(client)
  function client:work()
    calls = calls + 1
    for i = 1, 400000 do local x = i end
  end
  function client:calls() return calls end
end
`;
const CLIENTS = 3;
/** Maximum calls of other clients while a client shakes hands, connects and calls. */
const MOST_BEFORE = 60;

Deno.test("The server makes a new client wait for at most 60 calls of clients that call without pause", async () => {
  const port = freePort();
  const server = await TestServer.start({
    www: { "/bench": APPLICATION },
    ini: `[rtmp]\nport = ${port}`,
  });
  const url = `rtmfp://127.0.0.1:${server.port}/bench`;
  const visit = async () => {
    const connection = await NetConnection.connect(url);
    const calls = await connection.call("calls") as number;
    await connection.close();
    return calls;
  };
  const clients: RawRtmp[] = [];
  try {
    await visit();
    let sent = 0;
    const values = encodeAmf0(null, "x".repeat(65_000));
    for (let i = 0; i < CLIENTS; i++) {
      const client = await RawRtmp.connect(port);
      clients.push(client);
      (async () => {
        for (;; sent++) await client.command("work", values);
      })().catch(() => {});
    }
    await until(() => sent > 50, "the calls are under way");
    let least = Infinity;
    let before = await visit();
    for (let i = 0; i < 3; i++) {
      const now = await visit();
      least = Math.min(least, now - before);
      before = now;
    }
    assert.ok(least <= MOST_BEFORE, `${least} calls came first`);
  } finally {
    for (const client of clients) client.close();
    await server.stop();
  }
});
