// docs/scalability.md: its scripts on several server processes, one of them killed and started
// again on the way. The sample of the original's API page (OpenRTMFP/Cumulus wiki, "Server
// Application, API", onHandshake) is run as it stands there but for its comments:
// tests/vectors/seed_balancing.lua.
import assert from "node:assert/strict";
import { toHex } from "../../src/bytes/hex.ts";
import { isAudioHeader, isKeyFrame, isVideoHeader } from "../../src/flv/codec.ts";
import { NetConnection } from "../../src/client/net_connection.ts";
import type { NetGroup } from "../../src/client/net_group.ts";
import type { NetStream } from "../../src/client/net_stream.ts";
import { FlvReader } from "../../src/flv/reader.ts";
import { type FlvTag, TagType } from "../../src/flv/tags.ts";
import { hello } from "../conformance/support/hello.ts";
import { type ServerOptions, TestServer } from "../conformance/support/test_server.ts";
import { freePort } from "../support/ports.ts";
import { PATIENCE, sleep, until } from "../support/wait.ts";

const page = Deno.readTextFileSync(new URL("../../docs/scalability.md", import.meta.url));
const sample = Deno.readTextFileSync(new URL("../vectors/seed_balancing.lua", import.meta.url));

/** A script of the page, by what its first line says of it. */
function script(about: string): string {
  for (const [, text] of page.matchAll(/```lua\n([\s\S]*?)```/g)) {
    if (text.split("\n")[0].endsWith(`: ${about}`)) return text;
  }
  throw new Error(`docs/scalability.md has no script "${about}"`);
}

/** Servers, each dialling all earlier ones, and clients; all end with the test. */
class Cluster implements AsyncDisposable {
  readonly servers: TestServer[] = [];
  readonly clients = new Set<NetConnection>();
  readonly #linkPorts: number[] = [];

  static async start(scripts: readonly string[]): Promise<Cluster> {
    const cluster = new Cluster();
    try {
      for (const main of scripts) await cluster.add(main);
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  async add(main: string, more: Partial<ServerOptions> = {}): Promise<TestServer> {
    const port = freePort();
    const targets = this.#linkPorts.map((port) => `127.0.0.1:${port}`).join(";");
    this.#linkPorts.push(port);
    const ini = `[servers]\nport = ${port}\ntargets = ${targets}\n`;
    const server = await TestServer.start({ www: { "": main }, ini, level: 6, ...more });
    this.servers.push(server);
    for (const other of this.servers) if (other !== server) await linked(other, server);
    return server;
  }

  /** Starts a server again that was killed, and waits until the others have it. */
  async restart(server: TestServer): Promise<void> {
    const others = this.servers.filter((other) => other !== server);
    const from = others.map(({ log }) => log.items.length);
    await server.run();
    for (const [i, other] of others.entries()) await linked(other, server, from[i]);
  }

  /** Connects to a server; where it is sent to shows `at`. */
  async connect(server: TestServer, query = ""): Promise<NetConnection> {
    const client = await NetConnection.connect(server.url("", query), { timeout: PATIENCE });
    this.clients.add(client);
    client.handler.onClose = () => this.clients.delete(client);
    return client;
  }

  /** How many clients each server has, in their order. */
  spread(): number[] {
    const counts = this.servers.map(() => 0);
    for (const client of this.clients) counts[this.at(client)]++;
    return counts;
  }

  /** Which server a client is at. */
  at(client: NetConnection): number {
    return this.servers.findIndex(({ port }) => port === client.session.address.port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.clients].map((client) => client.close()));
    await Promise.all(this.servers.map((server) => server.stop()));
  }
}

/** Waits until a server has logged the link with another one. */
async function linked(here: TestServer, there: TestServer, from = 0): Promise<void> {
  await here.logged(new RegExp(`^NOTE .*:${there.port} linked`), from);
}

Deno.test("Sessions are balanced over three servers by the original's own sample", async () => {
  await using cluster = await Cluster.start([sample, "", "", ""]);
  const [door, , second] = cluster.servers;
  const query = "acceptableAttempts=2";
  const come = async (count: number) => {
    for (let i = 0; i < count; i++) await cluster.connect(door, query);
  };
  await come(30);
  assert.deepEqual(cluster.spread(), [0, 10, 10, 10]);

  await second.end("SIGKILL");
  await door.logged(new RegExp(`^NOTE .*:${second.port} gone`));
  for (const client of [...cluster.clients]) {
    if (cluster.at(client) === 2) await client.close(); // it would notice in a while
  }
  await come(20);
  assert.deepEqual(cluster.spread(), [0, 20, 0, 20]);

  await cluster.restart(second);
  await come(30);
  assert.deepEqual(cluster.spread(), [0, 30, 10, 30]);

  // A client that has tried too often gets all servers to choose from.
  const tag = crypto.getRandomValues(new Uint8Array(16));
  const knock = async () => (await hello(door.port, { path: `/?${query}`, tag })).addresses.length;
  assert.deepEqual([await knock(), await knock(), await knock()], [1, 1, 3]);
  assert.deepEqual(door.log.items.filter((line) => line.startsWith("ERROR")), []);
});

Deno.test("Clients go to the server with the fewest, whichever they ask", async () => {
  const main = `${script("clients go to the server with the fewest")}
  local connected = onServerConnection
  function onServerConnection(server)
    connected(server)
    local balance = server.balance
    function server:balance(clients)
      balance(self, clients)
      NOTE("has heard of ", clients)
    end
  end`;
  await using cluster = await Cluster.start([main, main, main]);
  const [first, second, third] = cluster.servers;
  const even = (counts: number[], slack: number) =>
    assert.ok(Math.max(...counts) - Math.min(...counts) <= slack, counts.join());
  for (let i = 0; i < 24; i++) await cluster.connect(first);
  even(cluster.spread(), 2);
  await third.end("SIGKILL");
  await first.logged(new RegExp(`^NOTE .*:${third.port} gone`));
  for (const client of [...cluster.clients]) {
    if (cluster.at(client) === 2) await client.close();
  }
  for (let i = 0; i < 10; i++) await cluster.connect([first, second][i % 2]);
  const [one, other, none] = cluster.spread();
  assert.equal(none, 0);
  even([one, other], 2);
  const from = cluster.servers.map(({ log }) => log.items.length);
  await cluster.restart(third);
  const heard = (server: number) =>
    cluster.servers[server].log.items.slice(from[server]).flatMap((line) =>
      /has heard of (\d+)$/.exec(line)?.[1] ?? []
    );
  const counts = [one, other].map(String);
  await until(
    () =>
      heard(0).includes("0") && heard(1).includes("0") && heard(2).length >= 2 &&
      counts.every((count) => heard(2).includes(count)),
    "each other's numbers",
  );
  for (let i = 0; i < 10; i++) await cluster.connect(cluster.servers[i % 3]);
  even(cluster.spread(), 6); // what each knows of the others is up to 2 s old
  for (const { log } of cluster.servers) {
    assert.deepEqual(log.items.filter((line) => line.startsWith("ERROR")), []);
  }
});

const tags = new FlvReader().push(
  Deno.readFileSync(new URL("../fixtures/test.flv", import.meta.url)),
);

/** Publishes the recording over and over, ten times as fast as it is meant. */
class Publisher {
  #going = true;
  readonly #done: Promise<void>;

  constructor(readonly stream: NetStream) {
    this.#done = this.#run();
  }

  async stop(): Promise<void> {
    this.#going = false;
    await this.#done;
  }

  async #run(): Promise<void> {
    let last = 0;
    for (let offset = 0; this.#going; offset += last + 40) {
      for (const { type, timestamp, data } of tags) {
        if (!this.#going) return;
        if (timestamp > last) await sleep((timestamp - last) / 10);
        last = timestamp;
        const time = timestamp + offset;
        if (type === TagType.audio) this.stream.sendAudio(time, data);
        else if (type === TagType.video) this.stream.sendVideo(time, data);
        else if (offset === 0) this.stream.sendData(time, data);
      }
      last = tags.at(-1)!.timestamp;
    }
  }
}

interface Played {
  readonly tags: FlvTag[];
  readonly statuses: string[];
  readonly data: string[];
}

async function play(client: NetConnection, name: string): Promise<Played> {
  const stream = await client.createStream();
  const played: Played = { tags: [], statuses: [], data: [] };
  const keep = (type: TagType) => (timestamp: number, data: Uint8Array) =>
    void played.tags.push({ type, timestamp, data: data.slice() });
  stream.handler = {
    onAudio: keep(TagType.audio),
    onVideo: keep(TagType.video),
    onData: ({ name }) => void played.data.push(name),
    onStatus: ({ code }) => void played.statuses.push(code),
  };
  await stream.play(name);
  return played;
}

const source = new Set(tags.map(({ data }) => toHex(data)));

/** Codec headers and metadata first, then whole frames of the recording from a key frame on. */
function checkPlayed({ tags, data }: Played): void {
  const of = (type: number) => tags.filter((tag) => tag.type === type).map(({ data }) => data);
  assert.ok(of(TagType.video).every((bytes) => source.has(toHex(bytes))));
  assert.ok(of(TagType.audio).every((bytes) => source.has(toHex(bytes))));
  assert.ok(isVideoHeader(of(TagType.video)[0]));
  assert.ok(isKeyFrame(of(TagType.video).find((bytes) => !isVideoHeader(bytes))!));
  assert.ok(isAudioHeader(of(TagType.audio)[0]));
  assert.ok(data.includes("onMetaData"), data.join());
}

const frames = ({ tags }: Played) => tags.length;

Deno.test("A publication is played at all servers, also at restarted ones", async () => {
  const main = script("a publication on one is published on all");
  await using cluster = await Cluster.start([main, main, main]);
  const [first, second, third] = cluster.servers;
  const publish = async () => {
    const stream = await (await cluster.connect(first)).createStream();
    await stream.publish("show");
    return new Publisher(stream);
  };
  let publisher = await publish();
  const watch = async (server: TestServer) => await play(await cluster.connect(server), "show");
  const watched = await Promise.all([first, second, third].map(watch));
  await until(() => watched.every((played) => frames(played) > 100), "frames at all servers");
  watched.forEach(checkPlayed);

  // A playing server dies and returns: it gets the missed initial state.
  await second.end("SIGKILL");
  await first.logged(new RegExp(`^NOTE .*:${second.port} gone`));
  await cluster.restart(second);
  const again = await watch(second);
  await until(() => frames(again) > 100, "frames at the one that has come back");
  checkPlayed(again);
  const before = frames(watched[2]);
  await until(() => frames(watched[2]) > before + 50, "frames go on elsewhere");

  // The one that publishes dies and comes back.
  await publisher.stop();
  await first.end("SIGKILL");
  const ended = ({ statuses }: Played) => statuses.includes("NetStream.Play.UnpublishNotify");
  await until(() => ended(again) && ended(watched[2]), "the end at the others");
  await cluster.restart(first);
  publisher = await publish();
  const counts = [again, watched[2]].map(frames);
  await until(() => frames(again) > counts[0] + 50 && frames(watched[2]) > counts[1] + 50, "more");
  assert.ok(again.statuses.includes("NetStream.Play.PublishNotify"));
  await publisher.stop();
  for (const { log } of cluster.servers) {
    assert.deepEqual(log.items.filter((line) => line.startsWith("ERROR")), []);
  }
});

Deno.test("A group is one group at several servers, and its peers find each other", async () => {
  const main = script("their groups are one");
  await using cluster = await Cluster.start([main, main, main]);
  const [first, second, third] = cluster.servers;
  const join = async (server: TestServer): Promise<{ id: string; group: NetGroup }> => {
    const client = await cluster.connect(server);
    return { id: client.nearId, group: client.joinGroup("G:everybody") };
  };
  const meet = (members: { id: string; group: NetGroup }[]) =>
    until(
      () =>
        members.every(({ id, group }) =>
          members.every((other) => other.id === id || group.neighbors.includes(other.id))
        ),
      "everybody is a neighbor of everybody",
    );
  const [one, two] = [await join(first), await join(second)];
  await meet([one, two]);
  const three = await join(first);
  await meet([one, two, three]);

  // The server of one of them dies: connected peers stay connected.
  await second.end("SIGKILL");
  await first.logged(new RegExp(`^NOTE .*:${second.port} gone`));
  await meet([one, two, three]);
  const four = await join(third);
  await until(() => one.group.neighbors.includes(four.id), "a member at the third server");
  await until(() => three.group.neighbors.includes(four.id), "and the other one");
  assert.ok(!four.group.neighbors.includes(two.id), "it is in no member list any more");

  // It returns, and learns the members present.
  await cluster.restart(second);
  const five = await join(second);
  await meet([one, three, four, five]);
  for (const { log } of cluster.servers) {
    assert.deepEqual(log.items.filter((line) => line.startsWith("ERROR")), []);
  }
});

Deno.test('"again" has a client knock here once more, and several addresses at all of them', async () => {
  const door = `
  function onHandshake(address, path, properties, attempts)
    if path == "/later" and attempts == 1 then return "again" end
    if path == "/all" then return "127.0.0.1:1", cumulus.servers, "again" end
  end`;
  await using cluster = await Cluster.start([door, "", ""]);
  const [first, second, third] = cluster.servers;
  for (const name of ["later", "all"]) {
    for (const { dir } of cluster.servers) {
      Deno.mkdirSync(`${dir}/www/${name}`, { recursive: true });
      Deno.writeTextFileSync(`${dir}/www/${name}/main.lua`, "");
    }
  }
  const asked = (await hello(first.port, { path: "/later" })).addresses;
  assert.deepEqual(asked, [`127.0.0.1:${first.port}`]);
  const started = performance.now();
  const later = await NetConnection.connect(first.url("/later"), { timeout: PATIENCE });
  assert.ok(performance.now() - started >= 900, "the second hello comes after a second");
  assert.equal(later.session.address.port, first.port);
  await later.close();
  const expected = [1, second.port, third.port, first.port].map((port) => `127.0.0.1:${port}`);
  assert.deepEqual((await hello(first.port, { path: "/all" })).addresses, expected);
  // A live server answers; one may be dead.
  await third.end("SIGKILL");
  const all = await NetConnection.connect(first.url("/all"), { timeout: PATIENCE });
  assert.equal(all.session.address.port, second.port);
  await all.close();
});
