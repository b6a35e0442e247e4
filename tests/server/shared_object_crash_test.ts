// What persistent shared objects are after the server was killed, or stopped.
import assert from "node:assert/strict";
import { NetConnection } from "../../src/client/net_connection.ts";
import { TestServer } from "../conformance/support/test_server.ts";
import { until } from "../support/wait.ts";

const ini = "[sharedObjects]\npersist = on\nfolder = kept";

async function use(server: TestServer) {
  const connection = await NetConnection.connect(server.url());
  const object = connection.sharedObject("a/b", { persistent: true });
  await object.ready;
  return { connection, object };
}

Deno.test("a persistent object survives kill -9 as it was last written, and a stop as it was", async () => {
  const server = await TestServer.start({ www: { "": "" }, ini });
  try {
    const file = `${server.dir}/kept/%2F/a/b.so`;
    const written = () => Deno.stat(file).then(() => true, () => undefined);
    const first = await use(server);
    first.object.set("x", 1);
    await until(written, "the file");
    first.object.set("x", 2); // within the second that a crash may lose
    await server.end("SIGKILL");
    await first.connection.close();
    await server.run();
    const second = await use(server);
    assert.ok([1, 2].includes(second.object.data.get("x") as number));
    second.object.set("x", 3);
    await until(() => second.object.version > 1, "the answer");
    await server.end("SIGTERM");
    await second.connection.close();
    await server.run();
    const third = await use(server);
    assert.deepEqual([...third.object.data], [["x", 3]]);
    await third.connection.close();
  } finally {
    await server.stop();
  }
});
