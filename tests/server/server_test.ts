// The server in this process, with an application that accepts every client. Scripts have their own
// tests; start_test.ts tests the program.
import assert from "node:assert/strict";
import { encodeAmf } from "../../src/amf/mod.ts";
import { NetConnection } from "../../src/client/net_connection.ts";
import type { Application } from "../../src/media/application.ts";
import { openLibcrypto } from "../../src/openssl/libcrypto.ts";
import { readConfig } from "../../src/config/config.ts";
import { Log } from "../../src/log/log.ts";
import type { Scripts } from "../../src/server/scripts.ts";
import { Server } from "../../src/server/server.ts";
import { StartError } from "../../src/server/start_error.ts";
import { freePort } from "../support/ports.ts";
import { sleep, until } from "../support/wait.ts";

const decoder = new TextDecoder();

/** Events of the applications, in order. */
class Recorder implements Scripts {
  readonly events: string[] = [];
  readonly memory = 0;
  readonly #application: Application = {
    path: "",
    connect: () => void this.events.push("connect"),
    failed: (_client, error) => void this.events.push(`failed ${error}`),
    disconnect: () => void this.events.push("disconnect"),
    call: (client, name) => {
      if (name === "bug") throw new TypeError("a bug");
      client.connection.writer.result(encodeAmf(name));
      return true;
    },
    publish() {},
    unpublish() {},
    subscribe() {},
    unsubscribe() {},
    audio() {},
    video() {},
    data() {},
    joinGroup() {},
    unjoinGroup() {},
    manage() {},
  };

  open = () => this.#application;
  handshake = () => [];
  rendezvousUnknown = () => [];
  manage = () => void this.events.push("manage");
  start = () => void this.events.push("start");
  stop = () => void this.events.push("stop");
  paths = () => [""];
  onServerConnection() {}
  onServerDisconnection() {}
  onServerMessage() {}
  onServerRunning() {}
  rows = () => [];
}

async function serve(settings = "", dump?: "clients" | "middle" | "all") {
  const lines: string[] = [];
  const log = new Log({
    level: 8,
    format: "text",
    console: (bytes) => lines.push(decoder.decode(bytes).trimEnd()),
  });
  const scripts = new Recorder();
  const server = await Server.start({
    configuration: readConfig(settings, "test.ini"),
    log,
    version: "0",
    port: 0,
    dump,
    scripts: () => scripts,
  });
  const url = `rtmfp://127.0.0.1:${server.port}/`;
  return { server, scripts, lines, url, [Symbol.asyncDispose]: () => server.stop() };
}

for (const native of ["off", "auto"]) {
  Deno.test(`A client connects and calls, with [rtmfp] native = ${native}`, async () => {
    await using running = await serve(`[rtmfp]\nnative = ${native}`);
    const { scripts, lines, url, server } = running;
    const client = await NetConnection.connect(url);
    assert.equal(await client.call("hello"), "hello");
    assert.equal(server.status.status().sessions.clients, 1);
    await client.close();
    assert.deepEqual(scripts.events.slice(0, 2), ["start", "manage"]);
    assert.ok(scripts.events.includes("connect"));
    assert.match(
      lines.join("\n"),
      new RegExp(`NOTE .*RTMFP server starts on UDP port ${server.port}`),
    );
    if (native === "off") {
      assert.match(lines.join("\n"), /Diffie-Hellman by worker, datagrams by Deno\.listenDatagram/);
    }
  });
}

Deno.test("API-042, CFG-077 The server notifies clients first, then applications, when it stops", async () => {
  const { scripts, server, lines, url } = await serve();
  let closed = () => {};
  const end = new Promise<void>((resolve) => closed = resolve);
  await NetConnection.connect(url, { handler: { onClose: () => closed() } });
  await server.stop();
  await end;
  assert.deepEqual(scripts.events.filter((event) => event !== "manage"), [
    ...["start", "connect", "disconnect", "stop"],
  ]);
  assert.match(lines.at(-1)!, /NOTE .*RTMFP server stops/);
  await server.finished;
  await server.stop(); // a second time changes nothing
});

Deno.test("The server drops invalid datagrams and counts them by reason, and serves clients meanwhile", async () => {
  await using running = await serve("[rtmfp]\nnative = off");
  const { server, url, lines } = running;
  const garbage = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const to = { transport: "udp", hostname: "127.0.0.1", port: server.port } as const;
  const client = await NetConnection.connect(url);
  for (const length of [0, 1, 4, 19, 20, 36, 100, 1200, 2048, 5000]) {
    for (let i = 0; i < 5; i++) {
      const bytes = crypto.getRandomValues(new Uint8Array(length));
      if (i === 4) bytes.fill(0); // session 0: a handshake
      await garbage.send(bytes, to);
    }
    assert.equal(await client.call("still"), "still");
  }
  const { drops } = server.status.status();
  assert.equal(drops.oversize, 5);
  assert.equal(drops.size, 20 + 2, "shorter than a packet, and zeros that are not whole blocks");
  assert.ok(drops.session >= 20, `${drops.session} of no session`);
  assert.ok(drops.checksum >= 1);
  assert.deepEqual(lines.filter((line) => /CRITIC|ERROR/.test(line)), []);
  await client.close();
  garbage.close();
});

Deno.test("The server logs a bug with its stack, and closes one session only", async () => {
  await using running = await serve();
  const { url, lines } = running;
  const [one, other] = [await NetConnection.connect(url), await NetConnection.connect(url)];
  await assert.rejects(one.call("bug"));
  assert.equal(await other.call("fine"), "fine");
  const bug = lines.find((line) => line.startsWith("CRITIC"));
  assert.match(bug ?? "", /TypeError: a bug\n\t.*at .*server_test\.ts/);
  await other.close();
});

Deno.test("The server refuses clients beyond [rtmfp] sessions until a session ends", async () => {
  await using running = await serve("[rtmfp]\nsessions = 1");
  const { server, url, lines } = running;
  const first = await NetConnection.connect(url);
  const second = NetConnection.connect(url);
  while (!server.status.status().drops.sessions) await sleep(10);
  assert.deepEqual(
    lines.filter((line) => line.startsWith("WARN")).map((line) => line.replace(/^\S+ +\S+ /, "")),
    ["Refusing clients: [rtmfp] sessions = 1"],
  );
  assert.equal(server.status.status().sessions.clients, 1);
  await first.close();
  await (await second).close();
});

Deno.test("The server sets no limit of sessions with [rtmfp] sessions = 0", async () => {
  await using running = await serve("[rtmfp]\nsessions = 0");
  await (await NetConnection.connect(running.url)).close();
});

Deno.test("The server logs decrypted packets with --dump", async () => {
  await using running = await serve("", "clients");
  const client = await NetConnection.connect(running.url);
  await client.close();
  const dump = running.lines.filter((line) => / dump\[0\] Packet of \d+ bytes/.test(line));
  assert.ok(dump.some((line) => /received/.test(line)) && dump.some((line) => /sent/.test(line)));
  assert.ok(dump.some((line) => /^\t([0-9A-F]{2} ){16} .{16}$/m.test(line)));
  assert.ok(dump.some((line) => line.replaceAll(/\n\t[0-9A-F ]{48} /g, "").includes("connect")));
});

Deno.test("The server logs messages between servers, and no packets, with --dump=middle", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const settings = `[servers]\ntargets = 127.0.0.1:${port}`;
  const running = await serve(settings, "middle");
  const connection = await listener.accept();
  const client = await NetConnection.connect(running.url);
  await until(() => running.lines.some((line) => /to server/.test(line)), "a frame");
  const dump = running.lines.filter((line) => / dump\[0\]/.test(line));
  for (const line of dump) assert.match(line, /\d+ bytes (to|from) server/);
  assert.ok(dump.length > 0, running.lines.join("\n"));
  connection.close();
  listener.close();
  await client.close();
  await running.server.stop();
});

Deno.test("The server does not start with an unavailable port or library, and reports the reason", async () => {
  const taken = Deno.listenDatagram({ transport: "udp", hostname: "0.0.0.0", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  const start = (settings: string, port?: number) =>
    Server.start({
      configuration: readConfig(settings, "test.ini"),
      log: new Log({ level: 0, format: "text" }),
      version: "0",
      port,
      scripts: () => new Recorder(),
    });
  await assert.rejects(start("", port), (error) => {
    assert.ok(error instanceof StartError);
    assert.match(error.message, new RegExp(`UDP port ${port} is in use`));
    return true;
  });
  taken.close();
  await assert.rejects(start("[rtmfp]\naddress = 192.0.2.1", 0), /192\.0\.2\.1 cannot be opened/);
  const listener = Deno.listen({ port: 0 });
  const tcp = (listener.addr as Deno.NetAddr).port;
  await assert.rejects(start(`[servers]\nport = ${tcp}`, 0), /\[servers\] port = \d+: cannot/);
  await assert.rejects(
    start(`[http]\nport = ${tcp}`, 0),
    /\[http\] address = 127\.0\.0\.1, port = \d+: cannot/,
  );
  listener.close();
});

Deno.test("The server serves the statistics on [http] port", async () => {
  const port = freePort();
  await using running = await serve(`[http]\nport = ${port}`);
  const client = await NetConnection.connect(running.url);
  const status = await (await fetch(`http://127.0.0.1:${port}/api/status`)).json();
  assert.equal(status.sessions.clients, 1);
  assert.ok(status.traffic.datagramsIn > 3 && status.traffic.bytesOut > 100);
  assert.deepEqual(status.addresses.listening, [`[::]:${running.server.port}`]);
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  assert.match(metrics, /^cumulus_clients 1$/m);
  const { rows } = await (await fetch(`http://127.0.0.1:${port}/api/clients`)).json();
  assert.equal(rows.length, 1);
  assert.equal(await (await fetch(`http://127.0.0.1:${port}/health`)).text(), "ok");
  await client.close();
  await sleep(0);
});

Deno.test({
  name: "The server starts with [rtmfp] native = on where every native library is available",
  ignore: Deno.build.os !== "linux" || !canOpen(),
  async fn() {
    await using running = await serve("[rtmfp]\nnative = on");
    assert.match(running.lines.join("\n"), /Cryptography by OpenSSL .*sendmmsg/);
  },
});

function canOpen(): boolean {
  try {
    openLibcrypto();
    return true;
  } catch {
    return false;
  }
}
