// The links between servers as processes: admission, and a server that hangs.
import assert from "node:assert/strict";
import { type ServerOptions, TestServer } from "../conformance/support/test_server.ts";
import { freePort } from "../support/ports.ts";
import { PATIENCE, sleep } from "../support/wait.ts";

const script = `
function onServerConnection(server)
  NOTE("there are ", cumulus.servers.count)
  function server:say(text) NOTE("heard ", text) end
  server:send("say", "hello from " .. cumulus.configs.me.name)
end
function onServerDisconnection(server) NOTE("there are ", cumulus.servers.count) end
`;

/** Servers that are stopped when the test ends. */
class Servers implements AsyncDisposable {
  readonly #all: TestServer[] = [];

  async start(name: string, servers: string, more: Partial<ServerOptions> = {}) {
    const ini = `[me]\nname = ${name}\n[servers]\n${servers}`;
    const server = await TestServer.start({ www: { "": script }, ini, ...more });
    this.#all.push(server);
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#all.map((server) => server.stop()));
  }
}

const linkLines = ({ log }: TestServer) =>
  log.items.filter((line) => /there are|heard/.test(line)).map((line) =>
    line.replace(/^.*(?=there are|heard)/, "")
  );

/** Changes a server's configuration and starts it again. */
async function restart(server: TestServer, from: string, to: string): Promise<void> {
  await server.end("SIGKILL");
  const before = server.read("CumulusServer.ini");
  assert.ok(before.includes(from));
  server.write("CumulusServer.ini", before.replace(from, to));
  await server.run();
}

Deno.test("Servers without the secret are never linked; with it they are", async () => {
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

Deno.test("Only addresses in the allow list may link", async () => {
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

Deno.test("The link to a frozen server closes after 35 s of silence, and returns when it resumes", async () => {
  await using servers = new Servers();
  const port = freePort();
  const first = await servers.start("first", `port = ${port}\n`);
  const second = await servers.start("second", `targets = 127.0.0.1:${port}\n`);
  const third = await servers.start("third", `targets = 127.0.0.1:${port}\n`);
  for (const name of ["second", "third"]) {
    await first.logged(new RegExp(`heard hello from ${name}`));
  }
  // Beats go every ten seconds; what follows the first of them is the other end's to keep up.
  await sleep(12_500);
  Deno.kill(second.pid, "SIGSTOP"); // the connection stays open: nothing is sent, nothing is closed
  try {
    const stopped = performance.now();
    const before = first.log.items.length;
    await first.logged(/^NOTE .* gone: it was silent for 35 s/, before, 2 * PATIENCE);
    const took = performance.now() - stopped;
    assert.ok(took > 20_000 && took < 90_000, `${took} ms`);
    await first.logged(/there are 1$/, before); // the script hears of it after the log
  } finally {
    Deno.kill(second.pid, "SIGCONT");
  }
  const from = first.log.items.length;
  await first.logged(/heard hello from second/, from);
  assert.equal(linkLines(third).filter((line) => line.startsWith("there are")).length, 1);
});
