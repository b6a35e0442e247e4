// Servers as processes that meet on a real nats-server.
import assert from "node:assert/strict";
import { toHex } from "../../src/bytes/hex.ts";
import { NetConnection } from "../../src/client/net_connection.ts";
import { check } from "../../src/server/check.ts";
import { TestServer } from "../conformance/support/test_server.ts";
import { freePort } from "../support/ports.ts";
import { PATIENCE, until } from "../support/wait.ts";
import {
  AUDIO_HEADER,
  bytes,
  connect,
  Frames,
  inter,
  KEY,
  Servers,
  VIDEO_HEADER,
} from "./bus_servers.ts";
import { NatsServer } from "./nats.ts";
import { peerTest } from "./peers.ts";

peerTest("three servers on a bus share messages, load, streams, names, peers and groups", [
  "nats-server",
], async () => {
  await using nats = await NatsServer.start();
  await using servers = new Servers(nats.url);
  const [a, b, c] = await Promise.all(["a", "b", "c"].map((zone) => servers.start(zone)));
  for (const [server, others] of [[a, "bc"], [b, "ac"], [c, "ab"]] as const) {
    for (const other of others) await server.logged(new RegExp(`^NOTE .*met ${other}$`));
  }
  const clients = await Promise.all([a, b, c].map(connect));
  const [ofA, ofB, ofC] = clients;

  // Servers exchange messages of scripts, and their load.
  ofA.send("say", "hello");
  for (const server of [b, c]) await server.logged(/heard hello from a$/);
  await until(async () => await ofA.call("servers") === "b 1, c 1", "the load of the others");

  // A server with many clients redirects new ones to a server with few.
  const crowd = await Promise.all(Array.from({ length: 5 }, () => connect(a)));
  await until(async () => await ofB.call("servers") === "a 6, c 1", "the load of the first");
  const sent = await NetConnection.connect(a.url("/balance"), { timeout: PATIENCE });
  assert.notEqual(await sent.call("where"), `127.0.0.1:${a.port}`);
  await Promise.all([sent, ...crowd].map((client) => client.close()));

  // The other servers play a stream, beginning at once with headers and a picture.
  const waiting = await Frames.of(b, "cam", ofB);
  const published = await ofA.createStream();
  await published.publish("cam");
  published.send("@setDataFrame", "onMetaData", { width: 320 });
  published.sendVideo(0, bytes(VIDEO_HEADER));
  published.sendAudio(0, bytes(AUDIO_HEADER));
  published.sendVideo(0, bytes(KEY));
  published.sendVideo(40, bytes(inter(1)));
  const all = ["onMetaData", `v0 ${VIDEO_HEADER}`, `a0 ${AUDIO_HEADER}`, `v0 ${KEY}`];
  await waiting.has(...all, `v40 ${inter(1)}`);
  published.sendAudio(40, bytes("af0101"));
  await waiting.has("a40 af0101");
  const late = await Frames.of(c, "cam", ofC);
  await late.has("onMetaData", `v0 ${KEY}`, `v40 ${inter(1)}`);
  const firstPicture = late.got.findIndex((frame) => frame.endsWith(KEY));
  assert.ok(late.got.slice(0, firstPicture).some((frame) => frame.endsWith(VIDEO_HEADER)));
  published.sendVideo(80, bytes(inter(2)));
  for (const listener of [waiting, late]) await listener.has(`v80 ${inter(2)}`);
  for (const { got } of [waiting, late]) {
    for (const frame of [`v0 ${KEY}`, `v40 ${inter(1)}`]) {
      assert.equal(got.filter((one) => one === frame).length, 1, `${frame} in ${got}`);
    }
  }

  // All servers refuse the name: at once where the stream is played, soon elsewhere.
  await assert.rejects((await ofB.createStream()).publish("cam"), /NetStream\.Publish\.BadName/);
  const other = await ofB.createStream();
  await other.publish("solo");
  const second = new Frames(await ofC.createStream());
  await until(async () => {
    try {
      await second.stream.publish("solo");
    } catch (error) {
      return /BadName/.test((error as Error).message);
    }
    return await until(() => second.codes.includes("Publish.BadName"), "BadName");
  }, "the older publisher keeps its name");

  // Peers at different servers are introduced to each other.
  const direct = ofB.publishDirect("direct");
  const stream = await ofA.openDirect(ofB.nearId, PATIENCE);
  const times: number[] = [];
  stream.handler = { onVideo: (time) => times.push(time) };
  await stream.play("direct");
  direct.sendVideo(7, bytes(KEY));
  await until(() => times.includes(7), "the peer's frames");

  // Members of a group at different servers meet.
  const groups = [ofB, ofC].map((client) => client.joinGroup("G:bus"));
  await until(() => groups.every(({ neighbors }) => neighbors.length === 1), "the neighbors");

  // The server of the publisher dies: the others end the stream, and a client of another one publishes the name.
  await a.end("SIGKILL");
  await until(() => waiting.codes.includes("Play.UnpublishNotify"), "the end of the stream");
  const successor = await ofC.createStream();
  await until(async () => {
    try {
      await successor.publish("cam");
      return true;
    } catch {
      return false;
    }
  }, "the name to be free");
  successor.sendVideo(0, bytes(VIDEO_HEADER));
  successor.sendVideo(0, bytes("170100000022"));
  await until(() => waiting.got.some((frame) => frame.endsWith("170100000022")), "its frames");
  await Promise.all([ofB, ofC].map((client) => client.close()));
});

peerTest(
  "a server serves its clients while the bus dies, freezes and returns",
  ["nats-server"],
  async () => {
    await using nats = await NatsServer.start();
    await using servers = new Servers(nats.url);
    const [a, b] = await Promise.all(["a", "b"].map((zone) => servers.start(zone)));
    await a.logged(/met b$/);
    const clients = await Promise.all([a, b].map(connect));
    const published = await clients[0].createStream();
    await published.publish("cam");
    const listener = await Frames.of(a, "cam", clients[0]);
    const remote = await Frames.of(b, "cam", clients[1]);
    let time = 0;
    /** Checks that local clients get a frame. @returns the sent frame */
    const serve = async () => {
      const marker = `17010000${toHex(Uint8Array.of(time >> 8, time & 0xff))}`;
      published.sendVideo(time++, bytes(marker));
      await until(() => listener.got.some((frame) => frame.endsWith(marker)), "a local frame");
      assert.equal(await clients[1].call("echo", time), time);
      return marker;
    };
    /** Waits until the other server is linked again, and plays frames sent from now on. */
    const isBack = async (from: number) => {
      await a.logged(/met b$/, from);
      const before = remote.got.length;
      await until(async () => {
        await serve();
        return remote.got.slice(before).some((frame) => frame.startsWith("v"));
      }, "frames at the other server");
    };
    await isBack(0);

    let from = a.log.items.length;
    await nats.kill();
    await a.logged(/^WARN .*Not connected to the bus/, from);
    await serve();
    await a.logged(/lost b$/, from);
    await serve();
    await nats.run();
    await isBack(from);

    from = a.log.items.length;
    nats.signal("SIGSTOP");
    await a.logged(/lost b$/, from);
    await serve();
    nats.signal("SIGCONT");
    await isBack(from);

    from = a.log.items.length;
    await b.end("SIGKILL");
    await b.run();
    await a.logged(/met b$/, from);
    assert.equal(a.log.items.filter((line) => /lost b$/.test(line)).length, 3);
    await clients[0].close();
  },
);

peerTest("the server's log names a subject that the bus refuses", ["nats-server"], async () => {
  const file = await Deno.makeTempFile({ suffix: ".conf" });
  Deno.writeTextFileSync(
    file,
    `authorization { users = [ { user: cumulus, password: sesame, permissions: {
      publish: { allow: ["cum.mine.>"] }, subscribe: { allow: ["cum.mine.>"] } } } ] }`,
  );
  await using nats = await NatsServer.start("-c", file);
  await using servers = new Servers(nats.url);
  const user = "user = cumulus\npassword = sesame\n";
  const [first, , third] = await Promise.all([
    servers.start("b", `${user}cluster = mine\n`),
    servers.start("c", `${user}cluster = mine\n`),
    servers.start("d", `${user}cluster = yours\n`),
  ]);
  await first.logged(/met c$/);
  await third.logged(/^WARN .*Bus: .*[Pp]ermissions? [Vv]iolation.*cum\.yours/);
  assert.ok(!first.log.items.some((line) => line.includes("Violation")));
  const server = await servers.start("a", "user = cumulus\npassword = barley\n");
  await server.logged(/^WARN .*Bus: .*[Aa]uthoriz|^WARN .*Bus: .*[Aa]uthentication/);
  assert.ok(!server.log.items.some((line) => line.includes("barley")));
  const client = await connect(server);
  assert.equal(await client.call("echo", 1), 1);
  await client.close();
  await Deno.remove(file);
});

peerTest(
  "a script sees a server that is linked and on the bus as one object, that of the link",
  ["nats-server"],
  async () => {
    await using nats = await NatsServer.start();
    await using servers = new Servers(nats.url);
    const port = freePort();
    const a = await servers.start("a", `secret = sesame\n[servers]\nport = ${port}\n`);
    const b = await servers.start("b", "secret = sesame\n");
    await a.logged(/met b$/);
    const links = `[servers]\ntargets = 127.0.0.1:${port}\n`;
    await b.end();
    b.write("CumulusServer.ini", `${b.read("CumulusServer.ini")}${links}`);
    const from = a.log.items.length;
    await b.run();
    await a.logged(/Server 127\.0\.0\.1:\d+ linked$/, from);
    await a.logged(/Server 127\.0\.0\.1:\d+ is on the bus$/, from);
    const client = await connect(a);
    // The link has no zone; the server sends only its load on the bus.
    await until(async () => await client.call("servers") === "nil 0", "one server, with its load");
    const lost = a.log.items.length;
    await b.end("SIGKILL");
    await a.logged(/has left the bus: it was silent/, lost);
    await until(async () => await client.call("servers") === "", "none");
    await client.close();
  },
);

peerTest("servers connect to the bus by TLS, and refuse a certificate of an unknown authority", [
  "nats-server",
], async () => {
  const folder = new URL("../net/tls/", import.meta.url).pathname;
  const certificate = ["--tlscert", `${folder}localhost.pem`, "--tlskey", `${folder}localhost.key`];
  await using nats = await NatsServer.start("--tls", ...certificate);
  await using servers = new Servers(`tls://localhost:${nats.port}`);
  const [a, , stranger] = await Promise.all([
    servers.start("a", `ca = ${folder}authority.pem\n`),
    servers.start("b", `ca = ${folder}authority.pem\n`),
    servers.start("c"),
  ]);
  await a.logged(/met b$/);
  await stranger.logged(/^WARN .*Bus: .*certificate/);
});

Deno.test("a server with a bus and no publicAddress does not start, and check reports the error", async () => {
  const server = await TestServer.prepare({ ini: "[bus]\nservers = nats://127.0.0.1:4222\n" });
  assert.equal(await server.exit(), 1);
  await server.logged(/\[bus\] servers requires publicAddress/);
  const lines: string[] = [];
  assert.equal(check([`--dir=${server.dir}`], "main.ts", (line) => lines.push(line)), 1);
  assert.match(lines.join("\n"), /^Error: \[bus\] servers requires publicAddress/m);
  await server.stop();
});
