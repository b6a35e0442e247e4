// Memory of an idle client: counts objects, since bytes and times vary between runs.
import assert from "node:assert/strict";
import { Generator } from "../../bench/load/generator.ts";
import { innerServer, InnerTransport } from "../../bench/support/inner_server.ts";
import { connectAll } from "../../bench/support/steps.ts";
import { openLibcrypto } from "../../src/openssl/libcrypto.ts";
import { NativeCrypto } from "../../src/openssl/native_crypto.ts";
import type { CryptoBackend } from "../../src/rtmfp/crypto/backend.ts";
import { census } from "../support/census.ts";

let crypto: CryptoBackend | undefined;
try {
  crypto = new NativeCrypto(openLibcrypto());
} catch {
  // the portable back-end has its own buffers
}

const CLIENTS = 200;
/** Objects for each client, at most. A short buffer has some 300 bytes besides its content, an empty map 200. */
const MOST = { ArrayBuffer: 0.2, Map: 0.1, Set: 0.1 };

Deno.test({
  name: "The server keeps at most 0.2 array buffers, 0.1 maps and 0.1 sets for each idle client",
  ignore: crypto === undefined,
  fn: async () => {
    const server = innerServer(crypto!);
    await connectClients(server, 10); // objects made once
    const names = Object.keys(MOST);
    const before = await census(...names);
    await connectClients(server, CLIENTS);
    const after = await census(...names);
    assert.equal(server.hub.clients.size, 10 + CLIENTS);
    Object.entries(MOST).forEach(([name, most], i) => {
      const each = (after[i] - before[i]) / CLIENTS;
      assert.ok(each <= most, `${name}: ${each}`);
    });
  },
});

/** Clients that only the server refers to. */
async function connectClients(server: ReturnType<typeof innerServer>, count: number) {
  const generator = new Generator({
    url: "rtmfp://127.0.0.1/bench",
    target: { hostname: "127.0.0.1", port: 1935 },
    transport: (receive) => new InnerTransport(server, receive),
  });
  await connectAll(generator, Array.from({ length: count }, () => generator.add()), "bench");
}
