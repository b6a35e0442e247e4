// Two halves of a NATS cluster lose each other, while every server stays connected to its own half.
import assert from "node:assert/strict";
import type { NetConnection } from "../../src/client/net_connection.ts";
import { toHex } from "../../src/bytes/hex.ts";
import { freePort } from "../support/ports.ts";
import { until } from "../support/wait.ts";
import { bytes, connect, Frames, Servers } from "./bus_servers.ts";
import { NatsServer } from "./nats.ts";
import { peerTest } from "./peers.ts";
import { TcpProxy } from "./tcp_proxy.ts";

/** What a split may take to be over, once it has healed. */
const HEALING = 5_000;

/** A nats-server with a route to another one, by way of a proxy. */
async function twoNats() {
  const port = freePort();
  const cluster = ["--cluster_name", "test", "--no_advertise", "--cluster"];
  const first = await NatsServer.start(...cluster, `nats://127.0.0.1:${port}`);
  const proxy = new TcpProxy(port);
  const routes = ["--routes", `nats://127.0.0.1:${proxy.port}`];
  const second = await NatsServer.start(...cluster, `nats://127.0.0.1:${freePort()}`, ...routes);
  return { first, second, proxy };
}

/** Publishes frames that no other sends, until it is ended with its name taken. */
class Source {
  readonly codes: string[] = [];
  #sent = 0;

  private constructor(
    readonly mark: string,
    readonly stream: Awaited<ReturnType<NetConnection["createStream"]>>,
  ) {
    stream.handler = { onStatus: ({ code }) => this.codes.push(code) };
  }

  static async of(mark: string, connection: NetConnection, name: string): Promise<Source> {
    const source = new Source(mark, await connection.createStream());
    await source.stream.publish(name);
    return source;
  }

  get ended(): boolean {
    return this.codes.includes("NetStream.Publish.BadName");
  }

  /** A key frame. */
  send(): void {
    if (this.ended) return;
    const count = toHex(Uint8Array.of(this.#sent >> 8, this.#sent & 0xff));
    this.stream.sendVideo(this.#sent++ * 10, bytes(`1701000000${this.mark}${count}`));
  }
}

const marks = ({ got }: Frames, from: number) =>
  got.slice(from).filter((frame) => frame.startsWith("v")).map((frame) =>
    frame.split(" ")[1].slice(10, 12)
  );

for (const [what, split] of [["is cut", "cut"], ["takes nothing for a while", "stall"]] as const) {
  peerTest(
    `a route of a NATS cluster that ${what}: a name is published once 5 s after it heals`,
    ["nats-server"],
    async () => {
      const { first, second, proxy } = await twoNats();
      await using _first = first;
      await using _second = second;
      using _proxy = proxy;
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
      // The name is free on the other side, and both sides take another one.
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
