import assert from "node:assert/strict";
import { Inbox } from "../conformance/support/inbox.ts";
import { sleep, until } from "../support/wait.ts";
import { Peer } from "../conformance/support/peer.ts";
import { TestServer } from "../conformance/support/test_server.ts";
import { freePort } from "../support/ports.ts";
import { shipped, www } from "./support.ts";

/** Broadcast address of this machine's own network. */
const EVERYBODY = "127.255.255.255";

/** Another host on the network. */
class Host {
  readonly heard = new Inbox<{ text: string; from: number; at: number }>();
  readonly port: number;
  readonly #socket: Deno.DatagramConn;

  constructor(port = 0, hostname = "127.0.0.1") {
    this.#socket = Deno.listenDatagram({
      transport: "udp",
      hostname,
      port,
      reuseAddress: port > 0,
    });
    this.port = (this.#socket.addr as Deno.NetAddr).port;
    this.#read();
  }

  send(text: string, port: number): Promise<number> {
    const to: Deno.NetAddr = { transport: "udp", hostname: "127.0.0.1", port };
    return this.#socket.send(new TextEncoder().encode(text), to);
  }

  close(): void {
    this.#socket.close();
  }

  async #read(): Promise<void> {
    try {
      for await (const [bytes, from] of this.#socket) {
        const text = new TextDecoder().decode(bytes);
        this.heard.push({ text, from: (from as Deno.NetAddr).port, at: performance.now() });
      }
    } catch {
      // closed
    }
  }
}

const question = "CumulusServer?".padEnd(256);
const told = /^CumulusServer ([0-9a-f]{16})\nport=(\d+)\nclients=(\d+)\nname=(.*)\n$/;

let port = 0;
const configured = (more = "") => () => ({
  ini: `[beacon]\nport = ${port = freePort()}\n${more}`,
});

www("answers only hosts that send a question", "beacon", async ({ server, connect }) => {
  const host = new Host();
  try {
    const anna = await connect();
    await connect();
    await host.send(question, port);
    const { text, from } = await host.heard.find(() => true, "an answer");
    assert.equal(from, port);
    const [, , rtmfp, clients, name] = told.exec(text) ?? assert.fail(text);
    assert.deepEqual([Number(rtmfp), clients, name], [server.port, "2", "Ünter"]);
    // an answer is never longer than its question: a question may have a forged source
    for (const other of ["", "CumulusServer?", "CumulusServer!".padEnd(256), "x".repeat(2000)]) {
      await host.send(other, port);
    }
    await sleep(100);
    assert.equal(host.heard.items.length, 1);
    const began = performance.now();
    for (let i = 0; i < 60; i++) await host.send(question, port);
    await until(() => host.heard.items.length >= 11 || undefined, "ten more answers");
    await sleep(300);
    const answers = host.heard.items.length - 1;
    const most = 20 * Math.ceil((performance.now() - began) / 1000 + 1); // 20 a second
    assert.ok(answers <= most, `${answers} answers`);
    assert.deepEqual(await anna.call("servers"), []);
  } finally {
    host.close();
  }
}, configured("name = Ünter\n"));

www(
  "lists the servers that other hosts announce until they expire",
  "beacon",
  async ({ connect }) => {
    const host = new Host();
    try {
      const anna = await connect();
      const announce = (id: string, port: string | number, clients: string, name: string) =>
        `CumulusServer ${id}\nport=${port}\nclients=${clients}\nname=${name}\n`;
      await host.send(announce("0123abcd", 1935, "7", "Other"), port);
      await host.send(announce("0123abce", 1936, "x".repeat(300), "é".repeat(100)), port);
      for (const bad of ["", 0, 65536, "x", 123456]) {
        await host.send(announce("1", bad, "1", "bad"), port);
      }
      for (const bad of ["CumulusServer \n", "CumulusServer zz\nport=1\n", "\0".repeat(500)]) {
        await host.send(bad, port);
      }
      const servers = await until(async () => {
        const servers = await anna.call("servers") as unknown[];
        return servers.length >= 2 ? servers : undefined;
      }, "two servers");
      assert.deepEqual(servers, [
        { url: "rtmfp://127.0.0.1:1935/", name: "Other", clients: 7 },
        { url: "rtmfp://127.0.0.1:1936/", name: "é".repeat(32), clients: 0 },
      ]);
      const count = async () => (await anna.call("servers") as unknown[]).length;
      await until(
        async () => await count() === 0,
        "the end of servers that are no longer announced",
      );
    } finally {
      host.close();
    }
  },
  configured("every = 2\n"),
);

www(
  "lists at most 8 servers of one host, the most recent ones, and 100 servers in all",
  "beacon",
  async ({ connect }) => {
    const anna = await connect();
    const hosts = Array.from({ length: 31 }, (_, i) => new Host(0, `127.0.0.${i + 2}`));
    const announce = (host: Host, rtmfp: number) =>
      host.send(`CumulusServer abcd\nport=${rtmfp}\nclients=1\nname=x\n`, port);
    const known = async () => {
      const servers = await anna.call("servers") as { url: string }[];
      return servers.map(({ url }) => url.slice("rtmfp://127.0.0.".length, -1));
    };
    const knows = (server: string) => until(async () => (await known()).includes(server), server);
    const [greedy, ...others] = hosts;
    try {
      await announce(others[0], 1935); // the oldest of all
      await knows("3:1935");
      for (let i = 2000; i < 2200; i++) {
        await announce(greedy, i);
        if (i % 20 === 19) await knows(`2:${i}`);
      }
      const few = await known();
      assert.equal(few.length, 9);
      assert.ok(few.includes("3:1935") && few.includes("2:2199"), few.join(" "));
      // at the limit hosts with most servers make room for others
      for (const [i, host] of others.entries()) {
        for (let at = 1936; at < (i < 13 ? 1943 : 1936); at++) await announce(host, at);
        await sleep(2);
      }
      for (const [i, host] of others.slice(13).entries()) {
        await announce(host, 1935);
        await knows(`${i + 16}:1935`);
      }
      const list = await known();
      assert.equal(list.length, 100);
      const shares = Map.groupBy(list, (server) => server.split(":")[0]);
      for (let i = 3; i <= 32; i++) assert.ok(shares.has(`${i}`), `no server of host ${i} is left`);
      assert.ok(Math.max(...[...shares.values()].map((share) => share.length)) <= 7);
    } finally {
      for (const host of hosts) host.close();
    }
  },
  configured("every = 60\n"),
);

Deno.test("www/beacon servers on one network find each other after the first client", async () => {
  const port = freePort();
  const ini = `[beacon]\nport = ${port}\nannounce = ${EVERYBODY}:${port}\nevery = 2\n`;
  const host = new Host(port, "0.0.0.0");
  const servers: TestServer[] = [];
  const peers: Peer[] = [];
  try {
    for (const name of ["One", "Two"]) {
      servers.push(
        await TestServer.start({ www: shipped("beacon"), ini: `${ini}name = ${name}\n` }),
      );
    }
    await sleep(300);
    assert.deepEqual(host.heard.items, [], "no client has connected yet");
    for (const server of servers) peers.push(await Peer.connect(server.url("/beacon")));
    for (const [i, peer] of peers.entries()) {
      const other = servers[1 - i];
      const [found] = await until(
        async () => {
          const found = await peer.call("servers") as Record<string, unknown>[];
          return found.length > 0 ? found : undefined;
        },
        "the other server",
      );
      assert.equal(found.url, `rtmfp://127.0.0.1:${other.port}/`);
      assert.equal(found.name, ["Two", "One"][i]);
    }
    const from = (name: string) =>
      host.heard.items.filter(({ text }) => text.includes(`name=${name}`));
    await until(() => from("One").length >= 4 || undefined, "four announcements");
    const times = from("One").map(({ at }) => at);
    assert.ok(times[3] - times[0] > 3000, "every 2 seconds"); // the first one may come late
    assert.deepEqual(
      servers.flatMap(({ log }) => log.items.filter((line) => /^(ERROR|WARN)/.test(line))),
      [],
    );
  } finally {
    for (const peer of peers) await peer.close();
    for (const server of servers) await server.stop();
    host.close();
  }
});

www(
  "neither sends nor listens with the shipped configuration",
  "beacon",
  async ({ server, connect }) => {
    const anna = await connect();
    await server.logged(/ 1 client$/); // counted every two seconds, after onManage has run
    assert.deepEqual(await anna.call("servers"), []);
    assert.ok(!server.log.items.some((line) => /^(ERROR|WARN)|beacon \w+ at/i.test(line)));
  },
);

www(
  "does not broadcast to the whole network unless [sandbox] udp allows it",
  "beacon",
  async ({ server, connect }) => {
    await connect();
    await server.logged(/sending to 255\.255\.255\.255:20101 is not allowed by \[sandbox\] udp/);
  },
  {
    ini: "[beacon]\nannounce = 255.255.255.255:20101\n",
    refuses: /not allowed by \[sandbox\] udp/,
  },
);

Deno.test("www/beacon logs an unavailable port", async () => {
  const server = await TestServer.start({ www: shipped("beacon"), ini: "[beacon]\nport = 80\n" });
  const peer = await Peer.connect(server.url("/beacon"));
  try {
    await server.logged(
      /^WARN .*does not receive: listening on 0\.0\.0\.0:80 is not allowed by \[sandbox\] listen/,
    );
    assert.deepEqual(await peer.call("servers"), []);
  } finally {
    await peer.close();
    await server.stop();
  }
});
