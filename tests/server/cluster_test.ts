import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { fromHex, toHex } from "../../src/bytes/hex.ts";
import { toUtf8 } from "../../src/bytes/text.ts";
import type { Peer } from "../../src/cluster/roster.ts";
import { parseTargets } from "../../src/cluster/targets.ts";
import { Cluster, type ClusterOptions } from "../../src/server/cluster.ts";
import { freePort } from "../support/ports.ts";
import { sleep, until } from "../support/wait.ts";

/** A server's links, with all received messages. */
class Node {
  readonly log: string[] = [];
  readonly cluster: Cluster;
  now = 0;

  constructor(readonly name: string, options: Partial<ClusterOptions> = {}) {
    this.cluster = new Cluster({
      port: 0,
      targets: [],
      publicAddress: `${name}.example:1935`,
      rtmfpPort: 1935,
      secret: new Uint8Array(0),
      hmac: (key, message) => new Uint8Array(createHmac("sha256", key).update(message).digest()),
      random: (length) => crypto.getRandomValues(new Uint8Array(length)),
      allows: () => true,
      now: () => this.now,
      ...options,
    });
    this.cluster.start({
      paths: () => ["", `/${name}`],
      onConnection: (peer) => this.#add(`+ ${describe(peer)} of ${this.cluster.roster.all.length}`),
      onDisconnection: (peer) =>
        this.#add(`- ${peer.publicAddress} of ${this.cluster.roster.all.length}`),
      onMessage: (peer, handler, payload) =>
        this.#add(`${peer.publicAddress} ${handler} ${toHex(payload)}`),
      onRunning: (paths) => this.#add(`running ${paths}`),
      log: (level, text) => this.#add(`${level}: ${text}`),
    });
  }

  #add(line: string): void {
    this.log.push(line);
  }

  async until(line: RegExp, count = 1): Promise<void> {
    try {
      await until(
        () => this.log.filter((entry) => line.test(entry)).length >= count,
        String(line),
      );
    } catch (error) {
      assert.fail(`${error} at ${this.name}: ${JSON.stringify(this.log)}`);
    }
  }
}

const describe = ({ address, publicAddress, isTarget, properties }: Peer): string =>
  `${isTarget ? "target" : "initiator"} ${address.replace(/:\d+$/, ":*")} ${publicAddress} ${
    JSON.stringify([...properties])
  }`;

async function withNodes(nodes: Node[], test: () => Promise<void>): Promise<void> {
  try {
    await test();
  } finally {
    for (const node of nodes) node.cluster.close();
    await sleep(20);
  }
}

Deno.test("Two servers link, see each other's addresses and properties, and exchange messages", () => {
  const port = freePort();
  const b = new Node("b", { port });
  const a = new Node("a", { targets: parseTargets(`127.0.0.1:${port}?type=master&n=1`) });
  return withNodes([a, b], async () => {
    await a.until(/^\+/);
    await b.until(/^\+/);
    assert.ok(a.log.includes(
      `+ target 127.0.0.1:* b.example:1935 [["type","master"],["n","1"]] of 1`,
    ));
    assert.ok(b.log.includes(
      `+ initiator 127.0.0.1:* a.example:1935 [["n","1"],["type","master"]] of 1`,
    ));
    await b.until(/^running ,\/a$/);
    b.cluster.roster.all[0].send("hello", fromHex("0101"));
    await a.until(/^b.example:1935 hello 0101$/);
    b.cluster.announce("/late");
    await a.until(/^running \/late$/);
    a.cluster.close();
    await b.until(/^- a.example:1935 of 0$/);
    b.cluster.roster.all[0]?.send("x", new Uint8Array());
  });
});

Deno.test("CLU-003 Cluster dials an unreachable target every 10 s, and again after a lost link", () => {
  const port = freePort();
  const a = new Node("a", { targets: parseTargets(`127.0.0.1:${port}`) });
  const nodes = [a];
  return withNodes(nodes, async () => {
    await a.until(/^warn: No link to server .*: Connection refused/);
    a.now = 9_000;
    a.cluster.tick(a.now);
    assert.equal(a.log.filter((line) => line.startsWith("info: Linking")).length, 1);
    const b = new Node("b", { port });
    nodes.push(b);
    a.now = 10_000;
    a.cluster.tick(a.now);
    await a.until(/^\+ target/);
    b.cluster.close();
    await a.until(/^- b.example:1935 of 0$/);
    const again = new Node("b", { port });
    nodes.push(again);
    a.now = 15_000;
    a.cluster.tick(a.now);
    assert.equal(a.log.filter((line) => line.startsWith("info: Linking")).length, 2);
    a.now = 20_000;
    a.cluster.tick(a.now);
    await a.until(/^\+ target/, 2);
  });
});

Deno.test("Cluster uses the source address of its link for a server without a public address", () => {
  const port = freePort();
  const b = new Node("b", { port });
  const a = new Node("a", {
    publicAddress: "",
    rtmfpPort: 1999,
    targets: parseTargets(`127.0.0.1:${port}`),
  });
  return withNodes([a, b], () => b.until(/^\+ initiator 127.0.0.1:\* 127.0.0.1:1999 /));
});

Deno.test("Cluster refuses servers with another secret or a forbidden address", () => {
  const [port, closed] = [freePort(), freePort()];
  const b = new Node("b", { port, secret: toUtf8("right") });
  const c = new Node("c", { port: closed, allows: () => false });
  const a = new Node("a", {
    secret: toUtf8("wrong"),
    targets: parseTargets(`127.0.0.1:${port};127.0.0.1:${closed}`),
  });
  return withNodes([a, b, c], async () => {
    await a.until(
      /^warn: No link to server .*: the other server does not accept this server's secret/,
    );
    await a.until(/^warn: No link to server .*: the other server closed the connection before/);
    await b.until(/^warn: Server link from .* closed: the other server has another secret/);
    await c.until(/^warn: Server link from 127.0.0.1:\d+ refused: \[servers\] allow does not/);
    assert.deepEqual(a.cluster.failures.map(({ address }) => address), [
      `127.0.0.1:${port}`,
      `127.0.0.1:${closed}`,
    ]);
    a.now = 10_000; // the same reason again is logged at level debug only
    a.cluster.tick(a.now);
    for (const node of [b, c]) await node.until(/^debug: Server link from/);
    await a.until(/^debug: No link to server/, 2);
    for (const node of [a, b, c]) {
      const warnings = node.log.filter((line) => line.startsWith("warn"));
      assert.equal(warnings.length, node === a ? 2 : 1, node.name);
    }
    for (const node of [a, b, c]) {
      assert.ok(!node.log.some((line) => line.startsWith("+")), node.name);
    }
  });
});

Deno.test("CLU-005 Cluster keeps both of two links with one server, and logs a warning", () => {
  const [portA, portB] = [freePort(), freePort()];
  const a = new Node("a", { port: portA, targets: parseTargets(`127.0.0.1:${portB}`) });
  const b = new Node("b", { port: portB, targets: parseTargets(`127.0.0.1:${portA}`) });
  return withNodes([a, b], async () => {
    await a.until(/No link to server/); // b did not listen yet
    await a.until(/^\+/); // b's link, which would be too late by the new time
    a.now = 10_000;
    a.cluster.tick(a.now);
    await a.until(/^\+/, 2);
    await a.until(/warn: Server b.example:1935 has two links/);
    assert.equal(a.cluster.roster.all.length, 2);
  });
});

Deno.test("Cluster logs a target's new reason of failure, and clears it when linked", () => {
  const port = freePort();
  const a = new Node("a", { targets: parseTargets(`127.0.0.1:${port}`) });
  const nodes = [a];
  return withNodes(nodes, async () => {
    await a.until(/^warn: No link to .*: Connection refused/);
    assert.deepEqual(a.cluster.failures, [
      { address: `127.0.0.1:${port}`, failure: "Connection refused" },
    ]);
    const other = Deno.listen({ hostname: "127.0.0.1", port });
    a.now = 10_000;
    a.cluster.tick(a.now);
    const connection = await other.accept();
    await connection.write(toUtf8("220 mail.example.org\r\n"));
    await a.until(/^warn: No link to .*: the other server speaks another protocol, or uses a/);
    connection.close();
    other.close();
    nodes.push(new Node("b", { port }));
    a.now = 20_000;
    a.cluster.tick(a.now);
    await a.until(/^\+ target/);
    assert.deepEqual(a.cluster.failures, []);
  });
});

Deno.test("Cluster closes silent connections, and links a server while 40 are open", () => {
  const port = freePort();
  const b = new Node("b", { port });
  const nodes = [b];
  const silent: Deno.Conn[] = [];
  return withNodes(nodes, async () => {
    for (let i = 0; i < 40; i++) silent.push(await Deno.connect({ hostname: "127.0.0.1", port }));
    await b.until(/: more than 16 did not identify themselves/, 24);
    const a = new Node("a", { targets: parseTargets(`127.0.0.1:${port}`) });
    nodes.push(a);
    await a.until(/^\+ target/);
    b.now = 5_001;
    b.cluster.tick(b.now);
    await b.until(/closed: no identification in time/, 15);
    assert.equal(b.cluster.roster.all.length, 1);
  }).finally(() => silent.forEach((connection) => connection.close()));
});

Deno.test("Cluster closes only the connection that sends invalid bytes", () => {
  const port = freePort();
  const b = new Node("b", { port });
  return withNodes([b], async () => {
    const conn = await Deno.connect({ port });
    await conn.write(new Uint8Array(64).fill(0xff));
    await b.until(/^warn: Server link from .* closed: the other server speaks another protocol/);
    assert.equal(await drain(conn), true);
    conn.close();
    assert.equal(b.cluster.roster.all.length, 0);
  });
});

/** Reads to the end of a connection. */
async function drain(conn: Deno.TcpConn): Promise<boolean> {
  const buffer = new Uint8Array(1024);
  try {
    while (await conn.read(buffer) !== null);
  } catch {
    // a reset ends the connection, too
  }
  return true;
}
