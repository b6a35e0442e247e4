// Two halves of a NATS cluster lose each other, while every server stays connected to its own half.
import assert from "node:assert/strict";
import { freePort } from "../support/ports.ts";
import { until } from "../support/wait.ts";
import { connect, Frames, marks, Servers, Source } from "./bus_servers.ts";
import { NatsServer } from "./nats.ts";
import { peerTest } from "./peers.ts";
import { TcpProxy } from "./tcp_proxy.ts";

/** Maximum time (ms) for servers to recover after a split has healed. */
const HEALING = 5_000;

/** Two servers of a NATS cluster. A proxy between them can cut or stall their route. */
async function startCluster() {
  const port = freePort();
  const cluster = ["--cluster_name", "test", "--no_advertise", "--cluster"];
  const first = await NatsServer.start(...cluster, `nats://127.0.0.1:${port}`);
  const proxy = new TcpProxy(port);
  const routes = ["--routes", `nats://127.0.0.1:${proxy.port}`];
  const second = await NatsServer.start(...cluster, `nats://127.0.0.1:${freePort()}`, ...routes);
  return {
    first,
    second,
    proxy,
    async [Symbol.asyncDispose]() {
      proxy[Symbol.dispose]();
      await second[Symbol.asyncDispose]();
      await first[Symbol.asyncDispose]();
    },
  };
}

for (const [what, split] of [["is cut", "cut"], ["stalls", "stall"]] as const) {
  peerTest(
    `servers of a NATS cluster whose route ${what} publish each stream name once within 5 s after it heals`,
    ["nats-server"],
    async () => {
      await using cluster = await startCluster();
      const { first, second, proxy } = cluster;
      await using near = new Servers(first.url);
      await using far = new Servers(second.url);
      const [a, b, c] = await Promise.all([near.start("a"), near.start("b"), far.start("c")]);
      for (const [server, other] of [[a, "c"], [b, "c"], [c, "a"], [c, "b"]] as const) {
        await server.logged(new RegExp(`met ${other}$`));
      }
      const clients = await Promise.all([a, b, c].map(connect));
      const [ofA, ofB, ofC] = clients;
      const groups = [ofA, ofC].map((client) => client.joinGroup("G:split"));
      await until(() => groups.every(({ neighbors }) => neighbors.length === 1), "the neighbors");
      const cam = await Source.of("aa", ofA, "cam");
      const listeners = await Promise.all([Frames.of(b, "cam", ofB), Frames.of(c, "cam", ofC)]);
      const send = async (sources: Source[], done: () => boolean, what: string) => {
        await until(() => {
          for (const source of sources) source.send();
          return done();
        }, what);
      };
      await send([cam], () => listeners.every(({ got }) => got.length > 0), "frames of cam");

      const lost = c.log.items.length;
      proxy[split]();
      await Promise.all([
        a.logged(/lost c$/),
        c.logged(/lost a$/, lost),
        c.logged(/lost b$/, lost),
      ]);
      // The stream name is free on the other side, and both sides publish another one.
      const sources = [
        cam,
        await Source.of("cc", ofC, "cam"),
        await Source.of("ab", ofB, "both"),
        await Source.of("cb", ofC, "both"),
      ];
      const both = await Promise.all([Frames.of(a, "both", ofA), Frames.of(c, "both", ofC)]);
      const before = listeners.map(({ got }) => got.length);
      await send(
        sources,
        () =>
          listeners.every(({ got }, i) => got.length > before[i]) &&
          both.every(({ got }) => got.length > 0),
        "service on both sides",
      );
      assert.deepEqual(both.map((frames) => [...new Set(marks(frames, 0))]), [["ab"], ["cb"]]);
      for (const client of clients) assert.equal(await client.call("echo", 1), 1);

      const healed = performance.now();
      const from = [a, b, c].map(({ log }) => log.items.length);
      proxy.heal();
      const isOne = () =>
        sources.filter(({ ended }) => ended).length === 2 && sources[1].ended && sources[3].ended;
      const plays = (frames: Frames, mark: string) =>
        frames.got.at(-1)?.includes(` 1701000000${mark}`) === true;
      await send(
        sources,
        () =>
          isOne() && listeners.every((frames) => plays(frames, "aa")) &&
          both.every((frames) => plays(frames, "ab")),
        "one publisher for all",
      );
      await Promise.all([a.logged(/met c$/, from[0]), c.logged(/met a$/, from[2])]);
      const newcomer = await connect(a);
      const group = newcomer.joinGroup("G:split");
      await until(() => group.neighbors.length === 2, "a member of each side");
      const took = performance.now() - healed;
      assert.ok(took < HEALING, `${Math.round(took)} ms`);
      // No name is published twice, now or later.
      const after = listeners.map(({ got }) => got.length);
      await send(
        sources,
        () => listeners.every(({ got }, i) => got.length > after[i] + 20),
        "frames",
      );
      for (const [i, frames] of listeners.entries()) {
        assert.deepEqual([...new Set(marks(frames, after[i]))], ["aa"]);
      }
      await Promise.all([newcomer, ...clients].map((client) => client.close()));
    },
  );
}

peerTest(
  "servers on a bus drop a frozen server, and publish its stream names once when it resumes",
  ["nats-server"],
  async () => {
    await using nats = await NatsServer.start();
    await using servers = new Servers(nats.url);
    const [a, b, c] = await Promise.all(["a", "b", "c"].map((zone) => servers.start(zone)));
    for (const other of ["b", "c"]) await a.logged(new RegExp(`met ${other}$`));
    const clients = await Promise.all([a, b, c].map(connect));
    const [ofA, ofB, ofC] = clients;
    const sources = [await Source.of("bb", ofB, "cam")];
    const listener = await Frames.of(a, "cam", ofA);
    const plays = async (mark: string) => {
      await until(() => {
        for (const source of sources) source.send();
        return listener.got.at(-1)?.includes(` 1701000000${mark}`) === true;
      }, `frames of ${mark}`);
    };
    await plays("bb");
    const from = [a, c].map(({ log }) => log.items.length);
    Deno.kill(b.pid, "SIGSTOP");
    try {
      await Promise.all([a.logged(/lost b$/, from[0]), c.logged(/lost b$/, from[1])]);
      assert.equal(await ofA.call("echo", 1), 1);
      sources.push(await Source.of("cc", ofC, "cam"));
      await plays("cc");
    } finally {
      Deno.kill(b.pid, "SIGCONT");
    }
    const healed = performance.now();
    await until(() => {
      for (const source of sources) source.send();
      return sources.filter(({ ended }) => ended).length === 1;
    }, "one publisher");
    await plays(sources.find(({ ended }) => !ended)!.mark);
    const took = performance.now() - healed;
    assert.ok(took < HEALING, `${Math.round(took)} ms`);
    const before = listener.got.length;
    await until(() => {
      for (const source of sources) source.send();
      return listener.got.length > before + 20;
    }, "frames");
    assert.equal(new Set(marks(listener, before)).size, 1);
    await Promise.all(clients.map((client) => client.close()));
  },
);

peerTest(
  "servers whose NATS server dies connect to another one of its cluster, and streams continue within 5 s",
  ["nats-server"],
  async () => {
    await using cluster = await startCluster();
    const { first, second } = cluster;
    const nobody = `nats://127.0.0.1:${freePort()}`;
    await using servers = new Servers(`${nobody}; ${first.url}; ${second.url}`);
    const [a, c] = await Promise.all([servers.start("a"), servers.start("c")]);
    await Promise.all([a.logged(/met c$/), c.logged(/met a$/)]);
    const [ofA, ofC] = await Promise.all([a, c].map(connect));
    const source = await Source.of("aa", ofA, "cam");
    const listener = await Frames.of(c, "cam", ofC);
    const goesOn = async () => {
      const before = listener.got.length;
      await until(() => {
        source.send();
        return listener.got.length > before + 5;
      }, "frames at the other server");
    };
    await goesOn();
    const from = a.log.items.length;
    const used = await a.logged(/Connected to the bus at /);
    await (used.endsWith(`:${first.port}`) ? first : second).kill();
    await a.logged(/^NOTE .*Connected to the bus at /, from);
    const back = performance.now();
    await goesOn();
    const took = performance.now() - back;
    assert.ok(took < HEALING, `${Math.round(took)} ms`);
    await Promise.all([ofA, ofC].map((client) => client.close()));
  },
);
