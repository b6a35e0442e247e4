import assert from "node:assert/strict";
import { canonicalIp } from "../../src/common/ip.ts";
import type { Tcp, TcpEvents, Udp } from "../../src/common/socket_events.ts";
import {
  DEFAULT_SOCKET_LIMITS,
  type SandboxPolicy,
  type SocketLimits,
} from "../../src/net/sandbox/policy.ts";
import { hostFault, resolve } from "../../src/net/sandbox/resolve.ts";
import { ScriptSockets } from "../../src/net/sandbox/script_sockets.ts";
import { SocketHost } from "../../src/net/sandbox/socket_host.ts";
import { freePort } from "../support/ports.ts";
import { PATIENCE, sleep, until } from "../support/wait.ts";

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Lets scripts use 127.0.0.1 only, and listen on high ports. */
const loopback: SandboxPolicy = {
  connect: (ip) => ip === "127.0.0.1",
  udp: (ip) => ip === "127.0.0.1",
  listen: (_, port) => port >= 1024,
  permissions: {
    connect: ["127.0.0.1"],
    udp: ["127.0.0.1"],
    listen: (ip) => [ip.includes(":") ? `[${ip}]` : ip],
  },
};

/** Collects events, and waits for them. */
class Events {
  readonly log: string[] = [];
  #wake: (() => void)[] = [];
  add(line: string): void {
    this.log.push(line);
    for (const wake of this.#wake.splice(0)) wake();
  }
  async until(line: RegExp): Promise<string> {
    const deadline = performance.now() + PATIENCE;
    for (;;) {
      const found = this.log.find((entry) => line.test(entry));
      if (found !== undefined) return found;
      assert.ok(performance.now() < deadline, `no ${line} in ${JSON.stringify(this.log)}`);
      let timer: ReturnType<typeof setTimeout> | undefined;
      await new Promise<void>((resolve) => {
        this.#wake.push(resolve);
        timer = setTimeout(resolve, 500);
      });
      clearTimeout(timer);
    }
  }
  tcp(name: string, onData?: (bytes: Uint8Array) => void): TcpEvents {
    return {
      onOpen: (local, peer) =>
        this.add(`${name} open ${peer.hostname}:${peer.port} ${local.port > 0}`),
      onData: (data) => {
        this.add(`${name} data ${text(data)}`);
        onData?.(data);
      },
      onClose: (error) => this.add(`${name} closed ${error ?? "by the other end"}`),
    };
  }
}

async function withSockets(
  policy: SandboxPolicy,
  test: (sockets: ScriptSockets, host: SocketHost) => Promise<void>,
  limits: Partial<SocketLimits> = {},
): Promise<void> {
  const host = new SocketHost(policy, {
    ...DEFAULT_SOCKET_LIMITS,
    openTimeout: 5 * PATIENCE,
    ...limits,
  });
  const sockets = new ScriptSockets(host);
  try {
    await test(sockets, host);
  } finally {
    sockets.close();
    host.close();
  }
}

Deno.test("ScriptSockets: a server and a client exchange all bytes, and get the end of the connection", () =>
  withSockets(loopback, async (sockets) => {
    const events = new Events();
    const port = freePort();
    const server = sockets.listen(port, {
      onAccept: (connection, _, peer) => {
        events.add(`accepted ${peer.hostname}`);
        return events.tcp("server", (data) => connection.write(data));
      },
      onError: (error) => events.add(`listener failed ${error}`),
    });
    assert.ok(typeof server !== "string", String(server));
    const client = sockets.connect("127.0.0.1", port, events.tcp("client"));
    assert.ok(typeof client !== "string", String(client));
    assert.equal(client.write(bytes("early \0 ")), undefined); // kept until the connection is open
    await events.until(/client open 127.0.0.1:\d+ true/);
    await events.until(/server data early/);
    await events.until(/client data early \0 /);
    client.close();
    await events.until(/server closed by the other end/);
    assert.ok(
      !events.log.some((line) => line.startsWith("client closed")),
      "no event after the client's own close",
    );
    assert.equal(client.write(bytes("late")), "the socket is closed");
    assert.equal(sockets.count, 1, "only the listening socket is open");
  }));

Deno.test("ScriptSockets keeps other sockets working when a handler of one socket throws", () =>
  withSockets(loopback, async (sockets) => {
    const events = new Events();
    const bugs = (event: ErrorEvent) => {
      event.preventDefault();
      events.add(event.error.message);
    };
    addEventListener("error", bugs);
    const socket = sockets.bind("127.0.0.1", freePort(), {
      onDatagram: (data) => {
        events.add(text(data));
        if (text(data) === "first") throw new Error("a bug");
      },
      onError: (error) => events.add(error),
    });
    assert.ok(typeof socket !== "string", String(socket));
    const { hostname, port } = socket.local;
    for (const word of ["first", "second"]) socket.send(bytes(word), hostname, port);
    await events.until(/^a bug$/);
    await events.until(/^second$/);
    socket.send(bytes("third"), hostname, port);
    await events.until(/^third$/);
    removeEventListener("error", bugs);
  }));

Deno.test("ScriptSockets gives a slow reader all bytes in order, and its worker reads ahead at most the window", () =>
  withSockets(loopback, async (sockets) => {
    const events = new Events();
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const total = 5_000_000;
    const sent = (async () => {
      const conn = await listener.accept();
      const block = new Uint8Array(50_000).map((_, i) => i % 251);
      for (let at = 0; at < total; at += block.length) {
        let done = 0;
        while (done < block.length) done += await conn.write(block.subarray(done));
      }
      conn.close();
    })();
    let received = 0;
    let wrong = 0;
    sockets.connect("127.0.0.1", listener.addr.port, {
      onOpen: () => {},
      onData: (data) => {
        for (const byte of data) if (byte !== (received++ % 50_000) % 251) wrong++;
      },
      onClose: (error) => events.add(`closed ${error}`),
    });
    await events.until(/closed/);
    await sent;
    listener.close();
    assert.equal(received, total);
    assert.equal(wrong, 0);
  }));

Deno.test("ScriptSockets reports the cause of a refused connection and of an unknown host name", () =>
  withSockets({ ...loopback, connect: () => true }, async (sockets) => {
    const events = new Events();
    sockets.connect("127.0.0.1", freePort(), events.tcp("a"));
    await events.until(/a closed Connection refused$/);
    sockets.connect("no-such-host.invalid", 80, events.tcp("b"));
    await events.until(/b closed unknown host "no-such-host.invalid"$/);
    assert.equal(sockets.count, 0);
  }));

Deno.test("ScriptSockets refuses invalid arguments at once", () =>
  withSockets(loopback, (sockets) => {
    const nobody = new Events().tcp("x");
    for (const host of ["", "a b", "a\nb", "http://x/", "x".repeat(300)]) {
      assert.equal(typeof sockets.connect(host, 80, nobody), "string", host);
      assert.ok(hostFault(host));
    }
    for (const port of [0, -1, 65536, 1.5, NaN]) {
      assert.match(sockets.connect("127.0.0.1", port, nobody) as string, /invalid port/);
    }
    return Promise.resolve();
  }));

Deno.test("ScriptSockets refuses and counts forbidden addresses in every notation", () =>
  withSockets(loopback, async (sockets, host) => {
    const events = new Events();
    const spellings = [
      "10.0.0.1",
      "169.254.169.254",
      "192.168.1.1",
      "0.0.0.0",
      "::",
      "[::]",
      "::1",
      "[::1]",
      "::ffff:10.0.0.1",
      "[::ffff:a00:1]",
      "::ffff:169.254.169.254",
      "0:0:0:0:0:ffff:a9fe:a9fe",
      "fe80::1%lo",
      "fd00::1",
      "127.0.0.2",
      "2130706434", // 127.0.0.2 in one number
      "0x7f.0.0.2",
      "0177.0.0.2",
      "127.2",
      "0x7f000002",
      "017700000002",
      "127.0.0.2.",
      "ip6-localhost",
    ];
    for (const [i, host] of spellings.entries()) {
      const outcome = sockets.connect(host, 9, events.tcp(`s${i}`));
      if (typeof outcome === "string") {
        events.add(`s${i} refused ${outcome}`);
      }
    }
    for (const [i, spelling] of spellings.entries()) {
      const line = await events.until(new RegExp(`^s${i} (refused|closed)`));
      assert.match(line, /not allowed by \[sandbox\] connect|unknown host|not a host/, spelling);
    }
    assert.ok(host.refusals.connect >= 15, `${host.refusals.connect} refusals`);
    assert.ok(!events.log.some((line) => line.includes(" open ")));
  }));

Deno.test("Deno's permissions refuse an address that a faulty policy of ScriptSockets allows", () =>
  withSockets({
    ...loopback,
    connect: () => true,
    udp: () => true,
    listen: () => true,
    permissions: { connect: ["127.0.0.1"], udp: ["127.0.0.1"], listen: () => ["0.0.0.0:1024"] },
  }, async (sockets) => {
    const events = new Events();
    const listener = Deno.listen({ hostname: "127.0.0.2", port: 0 });
    sockets.connect("127.0.0.2", listener.addr.port, events.tcp("tcp"));
    await events.until(/tcp closed Requires net access to "127.0.0.2:\d+"/);
    listener.close();
    const port = freePort();
    assert.match(
      sockets.listen(port, { onAccept: () => undefined, onError: () => {} }) as string,
      /Requires net access/,
    );
    const udp = sockets.bind("0.0.0.0", 0, {
      onDatagram: () => {},
      onError: (error) => events.add(`udp ${error}`),
    }) as Udp;
    udp.send(bytes("x"), "127.0.0.2", 9);
    await events.until(/udp Requires net access to "127.0.0.2:9"/);
    const bound = sockets.bind("0.0.0.0", freePort(), {
      onDatagram: () => {},
      onError: (error) => events.add(`bound ${error}`),
    });
    assert.match(bound as string, /Requires net access to "0.0.0.0:\d+"/);
  }));

Deno.test("The permission of ScriptSockets to listen on a port does not allow connections to that port elsewhere", () =>
  withSockets({ ...loopback, connect: () => true, udp: () => true }, async (sockets, host) => {
    const events = new Events();
    const target = Deno.listen({ hostname: "127.0.0.2", port: 0 });
    const { port } = target.addr;
    const socket = sockets.bind("0.0.0.0", port, {
      onDatagram: () => {},
      onError: (error) => events.add(`udp ${error}`),
    }) as Udp;
    assert.ok(typeof socket !== "string", String(socket));
    socket.send(bytes("x"), "127.0.0.2", port);
    await events.until(/udp Requires net access to "127.0.0.2:\d+"/);
    const link = host.listening(port);
    assert.ok(typeof link !== "string");
    const id = link.add((message) => events.add(`tcp ${JSON.stringify(message)}`));
    link.post({ op: "connect", id, hostname: "127.0.0.2", port, timeout: PATIENCE });
    await events.until(/tcp .*Requires net access/);
    link.remove(id);
    target.close();
  }));

/** Whether this machine has IPv6. */
const ipv6 = (() => {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return true;
  } catch {
    return false;
  }
})();

Deno.test({
  name:
    "ScriptSockets: a server accepts connections of exactly the address families that the policy allows",
  ignore: !ipv6,
  fn: async (t) => {
    for (const families of [["0.0.0.0", "::"], ["0.0.0.0"], ["::"]]) {
      await t.step(
        `a server allowed to listen on ${families.join(" and ")} accepts only these families`,
        () =>
          withSockets(
            { ...loopback, listen: (ip) => families.includes(ip) },
            async (sockets) => {
              const port = freePort();
              const server = sockets.listen(port, {
                onAccept: (connection) => {
                  connection.write(bytes("welcome"));
                  return new Events().tcp("x");
                },
                onError: (error) => assert.fail(error),
              });
              assert.ok(typeof server !== "string", String(server));
              for (const [any, hostname] of [["0.0.0.0", "127.0.0.1"], ["::", "::1"]]) {
                let heard: string | undefined;
                try {
                  const conn = await Deno.connect({ hostname, port });
                  const buffer = new Uint8Array(10);
                  heard = text(buffer.subarray(0, await conn.read(buffer) ?? 0));
                  conn.close();
                } catch {
                  // refused
                }
                assert.equal(heard === "welcome", families.includes(any), `by ${hostname}`);
              }
            },
          ),
      );
    }
  },
});

Deno.test(
  "ScriptSockets.listen() refuses a port on which another program listens by IPv6 or IPv4",
  {
    ignore: !ipv6,
  },
  async (t) => {
    for (const hostname of ["0.0.0.0", "::", "127.0.0.1"]) {
      await t.step(
        `listen() refuses a port in use on ${hostname}`,
        () =>
          withSockets(loopback, (sockets) => {
            const taken = Deno.listen({ hostname, port: 0 });
            const outcome = sockets.listen(taken.addr.port, {
              onAccept: () => undefined,
              onError: () => {},
            });
            taken.close();
            assert.match(outcome as string, /Address already in use/);
            return Promise.resolve();
          }),
      );
    }
  },
);

Deno.test("ScriptSockets: a UDP socket on [::] receives by IPv4 too if the policy allows it", {
  ignore: !ipv6,
}, async () => {
  for (const families of [["0.0.0.0", "::"], ["::"]]) {
    const policy = { ...loopback, udp: () => true, listen: (ip: string) => families.includes(ip) };
    await withSockets(policy, async (sockets) => {
      const events = new Events();
      const socket = sockets.bind("::", freePort(), {
        onDatagram: (data, { hostname, port }) => {
          events.add(text(data));
          socket.send(data, hostname, port);
        },
        onError: (error) => events.add(error),
      }) as Udp;
      assert.ok(typeof socket !== "string", String(socket));
      for (const [hostname, any] of [["127.0.0.1", "0.0.0.0"], ["::1", "::"]]) {
        const sender = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
        const to: Deno.NetAddr = { transport: "udp", hostname, port: socket.local.port };
        await sender.send(bytes(any), to);
        if (any === "0.0.0.0" && families.includes(any)) {
          assert.equal(text((await sender.receive())[0]), any, "the answer");
        }
        sender.close();
      }
      await events.until(/^::$/);
      assert.deepEqual(events.log.filter((line) => line.length < 10), families);
    });
  }
});

Deno.test("ScriptSockets.listen() returns the error of a port in use, and counts no socket", () =>
  withSockets(loopback, (sockets) => {
    const listener = Deno.listen({ hostname: "0.0.0.0", port: 0 });
    const outcome = sockets.listen(listener.addr.port, {
      onAccept: () => undefined,
      onError: () => {},
    });
    listener.close();
    assert.match(outcome as string, /Address already in use/);
    assert.equal(sockets.count, 0);
    return Promise.resolve();
  }));

Deno.test("ScriptSockets: two UDP sockets exchange datagrams, and report their senders", () =>
  withSockets(loopback, async (sockets) => {
    const events = new Events();
    const open = (name: string): Udp => {
      const socket = sockets.bind("127.0.0.1", 0, {
        onDatagram: (data, from) => events.add(`${name} ${text(data)} from ${from.port}`),
        onError: (error) => events.add(`${name} failed ${error}`),
      });
      assert.ok(typeof socket !== "string", String(socket));
      return socket;
    };
    const [a, b] = [open("a"), open("b")];
    a.send(bytes("hello"), "127.0.0.1", b.local.port);
    await events.until(new RegExp(`^b hello from ${a.local.port}$`));
    a.send(bytes("no"), "10.1.2.3", 9);
    await events.until(/^a failed sending to 10.1.2.3:9 is not allowed by \[sandbox\] udp/);
  }));

Deno.test("ScriptSockets limits sockets, unsent bytes and accepted connections", () =>
  withSockets(loopback, async (sockets) => {
    const events = new Events();
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const connections: Tcp[] = [];
    for (let i = 0; i < 3; i++) {
      const outcome = sockets.connect("127.0.0.1", listener.addr.port, events.tcp("x"));
      assert.ok(typeof outcome !== "string");
      connections.push(outcome);
    }
    assert.match(
      sockets.connect("127.0.0.1", listener.addr.port, events.tcp("x")) as string,
      /3 sockets are open already/,
    );
    assert.equal(connections[0].write(new Uint8Array(900)), undefined);
    assert.match(connections[1].write(new Uint8Array(200))!, /too many bytes/);
    connections[0].close();
    assert.equal(connections[1].write(new Uint8Array(200)), undefined, "released by the close");
    assert.equal(sockets.count, 2);
    sockets.close();
    assert.equal(sockets.count, 0);
    listener.close();
    await sleep(50);
  }, { sockets: 3, buffered: 1000 + 256 }));

Deno.test("canonicalIp() returns the notation of an address that the sandbox checks", async () => {
  assert.equal(canonicalIp("[::FFFF:10.0.0.1]"), "10.0.0.1");
  assert.equal(canonicalIp("0:0:0:0:0:0:0:1"), "::1");
  assert.equal(canonicalIp("127.1"), undefined, "not an address");
  assert.equal(canonicalIp("example.org"), undefined);
  assert.deepEqual(await resolve("127.1"), ["127.0.0.1"]);
  assert.deepEqual(await resolve("0x7f.1"), ["127.0.0.1"]);
});

Deno.test("ScriptSockets sends all bytes written before disconnect, then the end of the connection", () =>
  withSockets(loopback, async (sockets) => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const events = new Events();
    const client = sockets.connect("127.0.0.1", listener.addr.port, events.tcp("c")) as Tcp;
    const conn = await listener.accept();
    await events.until(/c open/);
    const sent = crypto.getRandomValues(new Uint8Array(60_000));
    for (let at = 0; at < sent.length; at += 20_000) client.write(sent.slice(at, at + 20_000));
    client.close();
    let received: number[] = [];
    const buffer = new Uint8Array(65_536);
    for (;;) {
      const length = await conn.read(buffer);
      if (length === null) break;
      received = received.concat([...buffer.subarray(0, length)]);
    }
    assert.deepEqual(Uint8Array.from(received), sent);
    conn.close();
    listener.close();
  }));

Deno.test("ScriptSockets counts unsent bytes for a peer that does not read, and frees them at the close", () =>
  withSockets(loopback, async (sockets) => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const events = new Events();
    const connect = () => sockets.connect("127.0.0.1", listener.addr.port, events.tcp("c")) as Tcp;
    const [slow, other] = [connect(), connect()];
    const conns = [await listener.accept(), await listener.accept()];
    for (let i = 0; i < 16; i++) assert.equal(slow.write(new Uint8Array(1_000_000)), undefined);
    await sleep(300);
    assert.ok(slow.unsent > 1_000_000 && slow.unsent <= 16_000_000, `${slow.unsent} wait`);
    other.write(new Uint8Array(1000));
    await until(() => other.unsent === 0, "the other is not held up");
    assert.equal(slow.write(new Uint8Array(30_000_000)), "too many bytes wait to be sent");
    slow.close();
    assert.equal(slow.unsent, 0);
    assert.equal(other.write(new Uint8Array(20_000_000)), undefined, "there is room again");
    for (const conn of conns) conn.close();
    listener.close();
    await until(() => sockets.count === 0, "the end of the other");
  }));

Deno.test("ScriptSockets: a server closes connections beyond its rate, and a connection accepted while it stopped", () =>
  withSockets(loopback, async (sockets) => {
    let accepted = 0;
    const port = freePort();
    const listen = () =>
      sockets.listen(port, {
        onAccept: () => void accepted++,
        onError: () => {},
      }) as { close(): void };
    const closed = async (conn: Deno.TcpConn): Promise<void> => {
      let timer: ReturnType<typeof setTimeout>;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error("the connection is open")), PATIENCE);
      });
      await Promise.race([conn.read(new Uint8Array(1)).catch(() => null), late]);
      clearTimeout(timer!);
      conn.close();
    };
    const connect = () => Deno.connect({ hostname: "127.0.0.1", port });
    const server = listen();
    const began = performance.now();
    const conns = await Promise.all(Array.from({ length: 40 }, connect));
    await Promise.all(conns.map(closed));
    const most = 10 + 5 * Math.ceil((performance.now() - began) / 1000);
    assert.ok(accepted >= 5 && accepted <= most, `${accepted} connections were accepted`);
    await sleep(1000);
    const late = await connect();
    server.close();
    await closed(late);
  }, { acceptsPerSecond: 5 }));

/**
 * Runs another program. It blocks this thread from the call of `told()` to the end of the program,
 * like a long call of a script.
 *
 * @param ready whether the program has called `told()`
 * @param after checks that run after its end, before any other task
 */
async function whileBusy(program: string, ready: () => boolean, after: () => void): Promise<void> {
  const folder = await Deno.makeTempDir();
  const [go, done] = [`${folder}/go`, `${folder}/done`];
  const there = (path: string) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  };
  const source = `
    const told = async () => {
      for (;;) {
        try { return await Deno.stat(${JSON.stringify(go)}) } catch { /* not yet */ }
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    ${program}
    Deno.writeTextFileSync(${JSON.stringify(done)}, "");`;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--unstable-net",
      "--allow-net",
      `--allow-read=${folder}`,
      `--allow-write=${folder}`,
      `data:application/javascript,${encodeURIComponent(source)}`,
    ],
    stderr: "null",
  }).spawn();
  await until(ready, "the other program");
  Deno.writeTextFileSync(go, "");
  const began = performance.now();
  while (!there(done)) {
    assert.ok(performance.now() - began < PATIENCE, "the program does not end");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  }
  after();
  await child.status;
  await Deno.remove(folder, { recursive: true });
}

Deno.test("ScriptSockets drops datagrams that arrive faster than a script takes them", () =>
  withSockets(loopback, async (sockets) => {
    let received = 0;
    const socket = sockets.bind("127.0.0.1", 0, {
      onDatagram: () => received++,
      onError: (error) => assert.fail(error),
    }) as Udp;
    await whileBusy(
      `const s = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
      const send = () =>
        s.send(new Uint8Array(1000), { transport: "udp", hostname: "127.0.0.1", port: ${socket.local.port} });
      await send();
      await told();
      for (let i = 0; i < 20_000; i++) await send();`,
      () => received > 0,
      () => assert.equal(received, 1),
    );
    await until(() => received > 50, "the buffered datagrams");
    for (let before = 0; before < received;) {
      before = received;
      await sleep(200);
    }
    assert.ok(received < 19_000, `${received} of 20,000 datagrams were delivered`);
    socket.close();
  }));

Deno.test("ScriptSockets needs no more memory for bytes that arrive one by one during a long call", () =>
  withSockets(loopback, async (sockets) => {
    let pieces = 0;
    let received = 0;
    const port = freePort();
    sockets.listen(port, {
      onAccept: () => ({
        onOpen: () => {},
        onData: (data) => {
          pieces++;
          received += data.length;
        },
        onClose: () => {},
      }),
      onError: (error) => assert.fail(error),
    });
    await whileBusy(
      `const conn = await Deno.connect({ hostname: "127.0.0.1", port: ${port} });
      conn.setNoDelay(true);
      await conn.write(new Uint8Array(1));
      await told();
      for (let i = 1; i < 1500; i++) {
        await conn.write(new Uint8Array(1));
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      conn.close();`,
      () => received > 0,
      () => assert.equal(received, 1),
    );
    await until(() => received === 1_500, "all of them");
    assert.ok(pieces < 1_100, `1500 bytes came in ${pieces} pieces`);
  }));

Deno.test("ScriptSockets needs no more memory for bytes written one by one to a peer that does not read", () =>
  withSockets(loopback, async (sockets) => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const events = new Events();
    const slow = sockets.connect("127.0.0.1", listener.addr.port, events.tcp("c")) as Tcp;
    const conn = await listener.accept();
    assert.equal(slow.write(new Uint8Array(1_000_000)), undefined);
    for (let i = 0; i < 80; i++) assert.equal(slow.write(new Uint8Array(100_000)), undefined);
    let taken = 0;
    while (taken < 100_000 && slow.write(new Uint8Array(1)) === undefined) taken++;
    assert.ok(taken > 1_000 && taken < 10_000, `${taken} of one byte were taken`);
    slow.close();
    const other = sockets.connect("127.0.0.1", listener.addr.port, events.tcp("d")) as Tcp;
    assert.equal(other.write(new Uint8Array(10_000_000)), undefined, "there is room again");
    conn.close();
    listener.close();
    other.close();
  }, { buffered: 10_000_000 + 256 }));

Deno.test("SOCK-048: ScriptSockets sends to a broadcast address in any notation only from a broadcast socket", () =>
  withSockets({
    ...loopback,
    udp: () => true,
    permissions: { ...loopback.permissions, udp: ["127.0.0.0/8"] },
  }, async (sockets) => {
    const events = new Events();
    const receiver = Deno.listenDatagram({ transport: "udp", hostname: "0.0.0.0", port: 0 });
    const { port } = receiver.addr as Deno.NetAddr;
    const open = (name: string, broadcast: boolean): Udp =>
      sockets.bind("0.0.0.0", 0, {
        onDatagram: () => {},
        onError: (error) => events.add(`${name} ${error}`),
      }, broadcast) as Udp;
    const [quiet, loud] = [open("quiet", false), open("loud", true)];
    for (
      const [i, host] of [
        "255.255.255.255",
        "::ffff:255.255.255.255",
        "127.255.255.255",
        "::ffff:7fff:ffff",
        "0x7fffffff",
        "2147483647",
        "0177.0377.255.255",
        "127.16777215",
        "4294967295",
      ].entries()
    ) {
      quiet.send(bytes("quiet"), host, port);
      await until(() => events.log.length > i, host);
      assert.match(events.log[i], /^quiet (send: .* is broadcast|unknown host ".*")/, host);
    }
    loud.send(bytes("loud"), "127.255.255.255", port);
    assert.equal(text((await receiver.receive())[0]), "loud");
    receiver.close();
  }));

Deno.test("ScriptSockets opens a port again right after closing it", () =>
  withSockets(loopback, (sockets) => {
    const port = freePort();
    for (let i = 0; i < 5; i++) {
      const events = { onAccept: () => undefined, onError: () => {} };
      const server = sockets.listen(port, events) as { close(): void };
      assert.ok(typeof server !== "string", String(server));
      server.close();
    }
    return Promise.resolve();
  }));

/** Allows 127.0.0.1 by a rule that Deno's permissions cannot express, such as a name. */
const byName: SandboxPolicy = {
  ...loopback,
  connect: (ip, _port, name) => ip === "127.0.0.1" && name !== undefined,
  udp: (ip, _port, name) => ip === "127.0.0.1" && name !== undefined,
  permissions: { ...loopback.permissions, connect: [], udp: [] },
  alone: () => true,
};

Deno.test("ScriptSockets gives a host allowed by name a worker with permission for only this address and port", () =>
  withSockets(byName, async (sockets, host) => {
    const events = new Events();
    const [listener, other] = [0, 0].map(() => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
    const { port } = listener.addr;
    const client = sockets.connect("127.1", port, events.tcp("named")) as Tcp;
    client.write(bytes("early"));
    const conn = await listener.accept();
    const buffer = new Uint8Array(10);
    assert.equal(text(buffer.subarray(0, await conn.read(buffer) ?? 0)), "early");
    conn.close();
    await events.until(/named closed by the other end/);
    assert.match(sockets.connect("127.0.0.1", port, events.tcp("x")) as string, /not allowed/);
    // the worker of one address refuses another address
    const link = host.workerFor("connect", "127.0.0.1", port);
    assert.ok(typeof link !== "string");
    const id = link.add((message) => events.add(`worker ${JSON.stringify(message)}`));
    link.post({
      op: "connect",
      id,
      hostname: "127.0.0.1",
      port: other.addr.port,
      timeout: PATIENCE,
    });
    await events.until(/worker .*Requires net access to \\"127.0.0.1:\d+\\"/);
    link.remove(id);
    listener.close();
    other.close();
  }));

Deno.test("ScriptSockets: an unbound UDP socket exchanges datagrams with a host allowed by name", () =>
  withSockets(byName, async (sockets) => {
    const events = new Events();
    const echo = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
    const { port } = echo.addr as Deno.NetAddr;
    const echoing = (async () => {
      for (let i = 0; i < 2; i++) {
        const [data, from] = await echo.receive();
        await echo.send(data, from);
      }
    })();
    const open = (port: number): Udp =>
      sockets.bind("127.0.0.1", port, {
        onDatagram: (data, from) => events.add(`got ${text(data)} from ${from.port}`),
        onError: (error) => events.add(`failed ${error}`),
      }) as Udp;
    const socket = open(0);
    socket.send(bytes("one"), "127.1", port);
    await events.until(new RegExp(`^got one from ${port}$`));
    socket.send(bytes("two"), "127.1", port);
    await events.until(new RegExp(`^got two from ${port}$`));
    assert.equal(sockets.count, 2);
    socket.send(bytes("three"), "127.0.0.1", port);
    await events.until(/^failed sending to 127.0.0.1:\d+ is not allowed by \[sandbox\] udp/);
    socket.close();
    assert.equal(sockets.count, 0);
    const bound = open(freePort());
    bound.send(bytes("four"), "127.1", port);
    await events.until(/^failed sending to .*: a bound socket reaches/);
    bound.close();
    await echoing;
    echo.close();
  }));

Deno.test("ScriptSockets limits the workers for single addresses, and replaces unused ones", () =>
  withSockets(byName, async (sockets) => {
    const events = new Events();
    const listeners = Array.from(
      { length: 17 },
      () => Deno.listen({ hostname: "127.0.0.1", port: 0 }),
    );
    const clients: Tcp[] = [];
    for (const [i, { addr }] of listeners.entries()) {
      clients.push(sockets.connect("127.1", addr.port, events.tcp(`c${i}`)) as Tcp);
      await events.until(new RegExp(`^c${i} (open|closed)`));
    }
    await events.until(/^c16 closed 16 workers for addresses of networks or names are in use$/);
    clients[3].close();
    sockets.connect("127.1", listeners[16].addr.port, events.tcp("again"));
    await events.until(/^again open/);
    for (const listener of listeners) listener.close();
  }));

Deno.test("ScriptSockets.listen() returns an error if the port does not open within the time-out", () =>
  withSockets(loopback, (sockets) => {
    const events = { onAccept: () => undefined, onError: () => {} };
    assert.equal(sockets.listen(freePort(), events), "no answer within 0 ms");
    assert.equal(sockets.count, 0);
    return Promise.resolve();
  }, { openTimeout: 0 }));
