// Links between servers as processes: admission by secret and address.
import assert from "node:assert/strict";
import type { TestServer } from "../conformance/support/test_server.ts";
import { freePort } from "../support/ports.ts";
import { linkLines, Servers } from "./linked_servers.ts";

/** Changes a server's configuration and starts it again. */
async function restart(server: TestServer, from: string, to: string): Promise<void> {
  await server.end("SIGKILL");
  const before = server.read("CumulusServer.ini");
  assert.ok(before.includes(from));
  server.write("CumulusServer.ini", before.replace(from, to));
  await server.run();
}

Deno.test("The server links only servers with its secret", async () => {
  await using servers = new Servers();
  const port = freePort();
  const target = `targets = 127.0.0.1:${port}\n`;
  const first = await servers.start("first", `port = ${port}\nsecret = open sesame\n`);
  const wrong = await servers.start("wrong", `${target}secret = open barley\n`);
  await first.logged(/^WARN .*Server link from .* closed: .*has another secret/);
  await wrong.logged(/^WARN .*No link to server .*: .* does not accept this server's secret/);
  const without = await servers.start("without", target);
  await first.logged(/^WARN .*Server link from .* closed: the other server uses no secret/);
  await without.logged(/^WARN .*No link to server .*: .* protocol, or uses a secret/);
  assert.deepEqual([first, wrong, without].map(linkLines), [[], [], []]);

  const right = await servers.start("right", `${target}secret = open sesame\n`);
  await first.logged(/heard hello from right/);
  await right.logged(/heard hello from first/);
  await restart(wrong, "open barley", "open sesame");
  await first.logged(/heard hello from wrong/);
  assert.deepEqual(linkLines(first), [
    "there are 1",
    "heard hello from right",
    "there are 2",
    "heard hello from wrong",
  ]);
  assert.deepEqual(linkLines(without), []);
  assert.ok(!first.log.items.some((line) => line.includes("sesame")), "it is not in the log");
});

Deno.test("The server links only addresses in its allow list", async () => {
  await using servers = new Servers();
  const port = freePort();
  const first = await servers.start("first", `port = ${port}\nallow = 192.0.2.0/24\n`);
  const second = await servers.start("second", `targets = 127.0.0.1:${port}\n`);
  await first.logged(/^WARN .*Server link from 127\.0\.0\.1:\d+ refused/);
  assert.deepEqual([first, second].map(linkLines), [[], []]);
  await restart(first, "192.0.2.0/24", "192.0.2.0/24, loopback");
  await first.logged(/heard hello from second/);
  await second.logged(/heard hello from first/);
});
