import assert from "node:assert/strict";
import type { Address } from "../../src/common/address.ts";
import type { DatagramSocket } from "../../src/net/datagram_socket.ts";
import { AF_INET, findSocket, openLibc } from "../../src/net/libc.ts";
import { NativeUdpSocket } from "../../src/net/native_udp.ts";
import { bindUdp, UdpSocket } from "../../src/net/udp.ts";
import { sleep, until } from "../support/wait.ts";

type Open = (hostname?: string) => Promise<DatagramSocket>;

const backends: [string, boolean, Open][] = [
  ["UdpSocket", false, async (hostname) => new UdpSocket(await bindUdp({ hostname, port: 0 }))],
  ["NativeUdpSocket", Deno.build.os !== "linux", async (hostname) => {
    return new NativeUdpSocket(await bindUdp({ hostname, port: 0 }), openLibc(), 1 << 20);
  }],
];

function send(socket: DatagramSocket, bytes: ArrayLike<number>, to: Address): void {
  const buffer = socket.buffer(bytes.length);
  assert.ok(buffer);
  buffer.set(bytes);
  socket.post(bytes.length, to);
}

for (const [backend, ignore, open] of backends) {
  const test = (name: string, body: () => Promise<void>) =>
    Deno.test({ name: `${backend} ${name}`, ignore, fn: body });

  test("receives whole datagrams with the sender's address, by IPv4 and IPv6", async () => {
    for (const hostname of ["127.0.0.1", "::1"]) {
      const server = await open();
      const client = Deno.listenDatagram({ hostname, port: 0, transport: "udp" });
      const received: [Uint8Array, Address][] = [];
      const serving = server.serve({
        receive(datagram, from) {
          received.push([datagram.slice(), from]);
          send(server, [...datagram].reverse(), from);
        },
        settle: () => server.flush(),
        writable: () => {},
      });
      const to = { transport: "udp", hostname, port: server.address.port } as const;
      for (const length of [0, 1, 1200, 2048]) {
        const datagram = Uint8Array.from({ length }, (_, i) => i * 7);
        await client.send(datagram, to);
        const [answer, from] = await client.receive();
        assert.deepEqual(answer, datagram.slice().reverse());
        assert.equal((from as Deno.NetAddr).port, server.address.port);
        const [bytes, address] = received.at(-1)!;
        assert.deepEqual(bytes, datagram);
        const { port } = client.addr as Deno.NetAddr;
        assert.deepEqual([address.hostname, address.port], [hostname, port]);
      }
      assert.equal(server.counters.received, 4);
      assert.equal(server.counters.sent, 4);
      server.close();
      client.close();
      await serving;
    }
  });

  test("receives a burst of 60 datagrams in order, and calls settle at most 20 times", async () => {
    const server = await open("127.0.0.1");
    const client = await open("127.0.0.1");
    const received: number[] = [];
    let settled = 0;
    for (let i = 0; i < 60; i++) send(client, [i, ...new Uint8Array(600)], server.address);
    client.flush();
    await until(() => client.pending === 0, "sending");
    const serving = server.serve({
      receive: (datagram) => received.push(datagram[0]),
      settle: () => settled++,
      writable: () => {},
    });
    await until(() => received.length === 60, "60 datagrams");
    await sleep(5);
    assert.deepEqual(received, Array.from({ length: 60 }, (_, i) => i));
    assert.ok(settled >= 1 && settled <= 20, `settled ${settled} times`);
    server.close();
    client.close();
    await serving;
  });

  test("receives datagrams while 3,000 datagrams wait to be sent", async () => {
    const most = 3_000;
    const sink = Deno.listenDatagram({ hostname: "127.0.0.1", port: 0, transport: "udp" });
    const client = Deno.listenDatagram({ hostname: "127.0.0.1", port: 0, transport: "udp" });
    const server = await open("127.0.0.1");
    const { port } = sink.addr as Deno.NetAddr;
    let posted = 0;
    const fill = () => {
      for (; posted < most && server.buffer(100); posted++) {
        server.post(100, { hostname: "127.0.0.1", port });
      }
      server.flush();
    };
    let sentBefore = Infinity;
    const serving = server.serve({
      receive: () => sentBefore = Math.min(sentBefore, server.counters.sent),
      settle: () => {},
      writable: fill,
    });
    await sleep(5); // until the server waits for datagrams
    await client.send(new Uint8Array(50), { ...server.address, transport: "udp" });
    fill();
    await until(() => server.counters.sent === most, "everything to be sent");
    await until(() => sentBefore < Infinity, "the received datagram");
    if (backend === "UdpSocket") {
      assert.ok(sentBefore <= 256, `${sentBefore} datagrams were sent first`);
    }
    server.close();
    client.close();
    sink.close();
    await serving;
  });

  test("accepts as many datagrams as room says", async () => {
    const sink = Deno.listenDatagram({ hostname: "127.0.0.1", port: 0, transport: "udp" });
    const to = sink.addr as Deno.NetAddr;
    const socket = await open("127.0.0.1");
    const { room } = socket;
    assert.ok(room >= 16, `${room}`);
    for (let i = 0; i < room; i++) {
      assert.equal(socket.room, room - i);
      send(socket, [i], to);
    }
    assert.equal(socket.room, 0);
    socket.flush();
    await until(() => socket.pending === 0, "everything to be sent");
    assert.equal(socket.room, room);
    assert.equal(socket.counters.sent, room);
    socket.close();
    sink.close();
  });

  test("returns no buffer while the ring is full, and calls writable when it has room", async () => {
    const sink = Deno.listenDatagram({ hostname: "127.0.0.1", port: 0, transport: "udp" });
    const socket = await open("127.0.0.1");
    let writable = 0;
    const serving = socket.serve({
      receive: () => {},
      settle: () => {},
      writable: () => writable++,
    });
    const { port } = sink.addr as Deno.NetAddr;
    // Either back-end takes its slow path for an address that the system refuses.
    for (let i = 0; i < 5_000; i++) {
      if (!socket.buffer(10)) break;
      socket.post(10, i % 2 ? { hostname: "127.0.0.1", port } : { hostname: "127.0.0.1", port: 0 });
    }
    assert.equal(socket.buffer(10), undefined);
    socket.flush();
    await until(() => writable === 1, "room");
    assert.ok(socket.buffer(10));
    await until(() => socket.pending === 0, "everything to be sent");
    assert.ok(socket.counters.sent > 0 && socket.counters.unsent > 0);
    assert.throws(() => socket.buffer(70_000), RangeError);
    socket.close();
    sink.close();
    await serving;
  });

  test("counts datagrams that it cannot send, and sends the others", async () => {
    const socket = await open();
    const client = Deno.listenDatagram({ hostname: "127.0.0.1", port: 0, transport: "udp" });
    const { port } = client.addr as Deno.NetAddr;
    send(socket, [1], { hostname: "127.0.0.1", port: 0 });
    send(socket, [2], { hostname: "not an address", port: 1 });
    send(socket, [3], { hostname: "127.0.0.1", port });
    socket.flush();
    const [bytes] = await client.receive();
    assert.deepEqual([...bytes], [3]);
    await until(() => socket.pending === 0, "sending");
    assert.equal(socket.counters.unsent, 2);
    socket.close();
    client.close();
  });

  test("sends runs of datagrams of any length as separate datagrams", async () => {
    for (const hostname of ["127.0.0.1", "::1"]) {
      const socket = await open(hostname);
      const clients = [await open(hostname), await open(hostname)];
      const received: Uint8Array[][] = [[], []];
      const serving = clients.map((client, i) =>
        client.serve({
          receive: (datagram) => received[i].push(datagram.slice()),
          settle: () => {},
          writable: () => {},
        })
      );
      const sent: Uint8Array[][] = [[], []];
      let seed = 1;
      const random = (below: number) => (seed = seed * 48_271 % 2_147_483_647) % below;
      for (let round = 0; round < 60; round++) {
        // Runs of equal length with a shorter last datagram, as a frame makes them, and other runs.
        const target = random(2);
        const length = [1_188, 1_188, 2_048, 52, 0][random(5)];
        const tail = [1_188, 500, 0, 2_048][random(4)];
        const lengths = [...new Array(random(9)).fill(length), tail];
        for (const length of lengths) {
          const datagram = Uint8Array.from({ length }, () => random(256));
          sent[target].push(datagram);
          send(socket, datagram, clients[target].address);
        }
        socket.flush();
        await until(() => received[target].length === sent[target].length, "a run");
      }
      assert.deepEqual(received, sent);
      assert.equal(socket.counters.sent, sent[0].length + sent[1].length);
      for (const each of [socket, ...clients]) each.close();
      await Promise.all(serving);
    }
  });

  test("drops and counts received datagrams of more than 2,048 bytes", async () => {
    const server = await open("127.0.0.1");
    const client = Deno.listenDatagram({ hostname: "127.0.0.1", port: 0, transport: "udp" });
    const received: number[] = [];
    const serving = server.serve({
      receive: (datagram) => received.push(datagram.length),
      settle: () => {},
      writable: () => {},
    });
    const to = { ...server.address, transport: "udp" } as const;
    for (const length of [2049, 9000, 100, 2049, 60_000, 101]) {
      await client.send(new Uint8Array(length), to);
    }
    await until(() => received.length === 2, "the short ones");
    assert.deepEqual(received, [100, 101]);
    assert.equal(server.counters.oversize, 4);
    server.close();
    client.close();
    await serving;
  });
}

Deno.test("bindUdp() rejects a port that another program uses, by IPv6 and IPv4", async () => {
  const first = await bindUdp({ port: 0 });
  const { port } = first.addr as Deno.NetAddr;
  await assert.rejects(bindUdp({ port }), Deno.errors.AddrInUse);
  await assert.rejects(bindUdp({ port, hostname: "0.0.0.0" }), Deno.errors.AddrInUse);
  first.close();
  await assert.rejects(bindUdp({ port: 0, hostname: "192.0.2.1" }), Deno.errors.AddrNotAvailable);
});

Deno.test({
  name: "NativeUdpSocket has buffers of the requested size in bytes",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const conn = await bindUdp({ port: 0 });
    const socket = new NativeUdpSocket(conn, openLibc(), 100_000);
    assert.deepEqual(socket.bufferSizes, { receive: 100_000, send: 100_000 });
    socket.close();
  },
});

const SOL_SOCKET = 1;
const SO_NO_CHECK = 11;

Deno.test({
  name: "NativeUdpSocket sends datagrams one by one if the system refuses segments",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const libc = openLibc();
    const conn = await bindUdp({ hostname: "127.0.0.1", port: 0 });
    const socket = new NativeUdpSocket(conn, libc, 1 << 20);
    const client = new UdpSocket(await bindUdp({ hostname: "127.0.0.1", port: 0 }));
    const received: number[] = [];
    const serving = client.serve({
      receive: (datagram) => received.push(datagram[0], datagram.length),
      settle: () => {},
      writable: () => {},
    });
    // Without checksums Linux refuses segments: EINVAL.
    const fd = findSocket(libc, AF_INET, socket.address.port)!;
    assert.equal(libc.setsockopt(fd, SOL_SOCKET, SO_NO_CHECK, new Int32Array([1]), 4), 0);
    const expected: number[] = [];
    for (let i = 0; i < 12; i++) {
      const length = i === 3 ? 10 : 100; // two runs
      send(socket, [i, ...new Uint8Array(length - 1)], client.address);
      expected.push(i, length);
      if (i === 7) socket.flush();
    }
    socket.flush();
    assert.equal(socket.pending, 0, "all datagrams are sent");
    await until(() => received.length === expected.length, "12 datagrams");
    assert.deepEqual(received, expected);
    assert.equal(socket.counters.sent, 12);
    assert.equal(socket.counters.unsent, 0);
    socket.close();
    client.close();
    await serving;
  },
});
