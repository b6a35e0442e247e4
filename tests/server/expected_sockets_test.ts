import assert from "node:assert/strict";
import { readConfig } from "../../src/config/config.ts";
import { expectedSockets } from "../../src/server/expected_sockets.ts";
import { freePort } from "../support/ports.ts";
import { sleep, until } from "../support/wait.ts";
import { TestServer } from "../conformance/support/test_server.ts";

const expected = (ini: string) => expectedSockets(readConfig(ini, "test.ini").texts);

Deno.test("expectedSockets() predicts the scripts' sockets from their configuration sections", () => {
  const nothing = { ports: [], connects: false };
  assert.deepEqual(expected(""), nothing);
  assert.deepEqual(expected("port = 1936\n[servers]\nport = 1937\n[http]\nport = 8080\n"), nothing);
  assert.deepEqual(expected("[edges]\nactivated = true\nport = 1937\n"), nothing); // of old
  assert.deepEqual(expected("[smtp]\nhost = mail.test\nport = 2525\n"), nothing);
  assert.deepEqual(
    expected(
      "[telnet]\nport = 2323\nusers = 9000\n[beacon]\nPort = 20101\n[a.b]\nudpPort = 5000\n",
    ),
    { ports: [2323, 20101, 5000], connects: false },
  );
  assert.deepEqual(expected("gamePort = 4000\n"), { ports: [4000], connects: false });
  assert.deepEqual(expected("[lookup]\nurl = http://127.0.0.1:8080/words/\n"), {
    ports: [],
    connects: true,
  });
  assert.deepEqual(
    expected("[db]\nhost = 127.0.0.1\nport = 6379\n[x]\nport = many\nreport = -1\n"),
    {
      ports: [],
      connects: true,
    },
  );
});

Deno.test({
  name: "The server starts its socket workers at once if the configuration mentions sockets",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const port = freePort();
    const workersWith = async (ini: string, expected?: number) => {
      const server = await TestServer.start({ ini });
      const workers = () =>
        [...Deno.readDirSync(`/proc/${server.pid}/task`)].filter(({ name }) =>
          /^worker-/.test(Deno.readTextFileSync(`/proc/${server.pid}/task/${name}/comm`))
        ).length;
      try {
        await sleep(300); // it serves already
        return expected === undefined
          ? workers()
          : await until(() => workers() === expected ? expected : undefined, `${expected} workers`);
      } finally {
        await server.stop();
      }
    };
    const before = await workersWith("");
    await workersWith(`[telnet]\nport = ${port}\n`, before + 1);
    await workersWith(`[telnet]\nport = ${port}\nurl = http://127.0.0.1/\n`, before + 2);
    await workersWith(`[telnet]\nport = ${port}\n[sandbox]\nlisten = 0.0.0.0:80\n`, before);
  },
});
