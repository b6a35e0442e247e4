// Sockets and mail of scripts, over real sockets of this machine. SOCK-001 to SOCK-068.
import assert from "node:assert/strict";
import type { SandboxPolicy } from "../../src/net/sandbox/policy.ts";
import { DEFAULT_SOCKET_LIMITS } from "../../src/net/sandbox/policy.ts";
import { ScriptSockets } from "../../src/net/sandbox/script_sockets.ts";
import { SocketHost } from "../../src/net/sandbox/socket_host.ts";
import { freePort } from "../support/ports.ts";
import { PATIENCE, until } from "../support/wait.ts";
import { Machine } from "./machine.ts";

const loopback: SandboxPolicy = {
  connect: (ip) => ip === "127.0.0.1",
  udp: (ip) => ip === "127.0.0.1" || ip === "255.255.255.255",
  listen: (_, port) => port >= 1024,
  permissions: {
    connect: ["127.0.0.1"],
    udp: ["127.0.0.1"],
    listen: (ip) => [ip.includes(":") ? `[${ip}]` : ip],
  },
};

/** A machine with sockets and a script that logs by INFO. */
class Networked {
  readonly machine = new Machine();
  readonly sockets = new SocketHost(loopback, {
    ...DEFAULT_SOCKET_LIMITS,
    openTimeout: 5 * PATIENCE,
  });

  /** The sockets of the application that started last. */
  last: ScriptSockets | undefined;

  constructor(source: string) {
    this.machine.host.sockets = () => this.last = new ScriptSockets(this.sockets);
    this.machine.write("main.lua", source);
    this.machine.start();
  }

  said(): string[] {
    return this.machine.logged("info");
  }

  errors(): string[] {
    return this.machine.logged("error");
  }

  /** Waits for a line of the log. @returns it */
  async until(line: RegExp, lines = () => this.said()): Promise<string> {
    const find = () => lines().find((text) => line.test(text));
    await until(() => find() !== undefined, String(line)).catch((error) =>
      assert.fail(`${error} in ${JSON.stringify([...lines(), ...this.errors()])}`)
    );
    return find()!;
  }

  close(): void {
    this.machine.applications.stop();
    this.sockets.close();
  }
}

async function networked(
  source: string,
  test: (net: Networked) => Promise<void>,
): Promise<void> {
  const net = new Networked(source);
  try {
    await test(net);
  } finally {
    net.close();
  }
}

/** Waits until no socket listens on a port. */
async function refusedSoon(port: number): Promise<void> {
  await until(async () => {
    const conn = await Deno.connect({ port, hostname: "127.0.0.1" }).catch(() => undefined);
    conn?.close();
    return !conn;
  }, `port ${port} to close`);
}

/** A server that answers the first bytes with `answer(bytes)`, and closes. */
async function serveOnce(answer: (text: string) => string): Promise<number> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  (async () => {
    const conn = await listener.accept();
    listener.close();
    const buffer = new Uint8Array(1000);
    const length = await conn.read(buffer) ?? 0;
    await conn.write(
      new TextEncoder().encode(answer(new TextDecoder().decode(buffer.subarray(0, length)))),
    );
    conn.close();
  })();
  await Promise.resolve();
  return listener.addr.port;
}

Deno.test("SOCK-010, SOCK-011, SOCK-016, SOCK-022: a client connects, sends at once, and gets onDisconnection", async () => {
  const port = await serveOnce((text) => `got ${text}`);
  await networked(
    `
    c = cumulus:createTCPClient()
    INFO(type(c), " ", c.connected, " ", c.address, " ", c.peerAddress, " ", c.error)
    function c:onReception(data)
      INFO("data ", data, " ", self == c, " ", self.address ~= nil, " ", self.peerAddress)
      return 0
    end
    function c:onDisconnection() INFO("end ", self.connected, " ", self.error, " ", self.address) end
    local result = c:connect("127.0.0.1", ${port})
    INFO("connect ", result, " ", c.connected)
    INFO("send ", c:send("he\\0llo"), " ", c:send(""))
    `,
    async (net) => {
      await net.until(/^end/);
      assert.deepEqual(net.said(), [
        "table (false) (null) (null) (null)",
        "connect (null) (true)",
        "send (null) ",
        `data got he\0llo (true) (true) 127.0.0.1:${port}`,
        "end (false) (null) (null)",
      ]);
    },
  );
});

Deno.test("SOCK-020: onReception gets unused bytes again, before new bytes", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await networked(
    `
    c = cumulus:createTCPClient()
    function c:onReception(data)
      INFO(data)
      if #data < 10 then return #data end
      return 2.7
    end
    c:connect("127.0.0.1", ${listener.addr.port})
    `,
    async (net) => {
      const conn = await listener.accept();
      const send = (text: string) => conn.write(new TextEncoder().encode(text));
      await send("12345");
      await net.until(/^12345$/);
      await send("67890");
      await net.until(/^1234567890$/);
      await send("abcdefgh");
      await net.until(/^90abcdefgh$/);
      conn.close();
      listener.close();
    },
  );
});

Deno.test("SOCK-021: onReception uses all bytes if it returns nothing or fails, and the server warns of a result beyond them", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await networked(
    `
    n = 0
    c = cumulus:createTCPClient()
    function c:onReception(data)
      n = n + 1
      INFO(n, " ", data)
      if n == 2 then return 100 end
      if n == 3 then return -5 end
      if n == 4 then error("oops") end
    end
    c:connect("127.0.0.1", ${listener.addr.port})
    `,
    async (net) => {
      const conn = await listener.accept();
      for (const [i, expected] of ["1 a", "2 b", "3 bc", "4 d", "5 e"].entries()) {
        await conn.write(new TextEncoder().encode("abcde"[i]));
        await net.until(new RegExp(`^${expected}$`));
      }
      assert.match(net.errors()[0], /main.lua:9: oops/);
      assert.deepEqual(net.machine.logged("warn"), ["onReception left 100 of 1 bytes unread"]);
      conn.close();
      listener.close();
    },
  );
});

Deno.test("SOCK-013, SOCK-014, SOCK-015, SOCK-016: a client reports refusal and misuse, and closes itself", async () => {
  const port = freePort();
  await networked(
    `
    c = cumulus:createTCPClient()
    function c:onDisconnection() INFO("end ", self.error) end
    INFO(c:connect("", 80))
    INFO(c:connect("127.0.0.1", 0))
    INFO(c:connect("127.0.0.1", "x"))
    INFO(c:connect("10.0.0.1", 80), " ", c.error)
    INFO(c:send("nobody"))
    c:disconnect()
    INFO(c:connect("127.0.0.1", ${port}))
    `,
    async (net) => {
      await net.until(/^end Connection refused$/);
      assert.deepEqual(net.said(), [
        "the host is empty",
        "invalid port 0 (1 to 65535)",
        "invalid port 0 (1 to 65535)",
        "connecting to 10.0.0.1:80 is not allowed by [sandbox] connect " +
        "connecting to 10.0.0.1:80 is not allowed by [sandbox] connect",
        "",
        "",
        "end Connection refused",
      ]);
      assert.deepEqual(net.errors(), ["TCPClient:send on a client that is not connected"]);
    },
  );
});

Deno.test("SOCK-005, SOCK-015: onDisconnection runs during disconnect(), and the client can reconnect", async () => {
  const port = await serveOnce((text) => text.toUpperCase());
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await networked(
    `
    c = cumulus:createTCPClient()
    function c:onReception(data) INFO(data) end
    function c:onDisconnection() INFO("end") end
    c:connect("127.0.0.1", ${listener.addr.port})
    INFO("before")
    c:disconnect()
    INFO("after")
    c:disconnect()
    c:connect("127.0.0.1", ${listener.addr.port})
    c:connect("127.0.0.1", ${port})
    c:send("again")
    `,
    async (net) => {
      await net.until(/^AGAIN$/);
      assert.deepEqual(net.said().slice(0, 4), ["before", "end", "after", "end"]);
      listener.close();
    },
  );
});

Deno.test("SOCK-013: a client that reconnects in onDisconnection has one open socket", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  await networked(
    `
    c = cumulus:createTCPClient()
    function c:onDisconnection() INFO("end") self:connect("127.0.0.1", ${port}) end
    for i = 1, 3 do c:connect("127.0.0.1", ${port}) end
    INFO(c.connected, " ", c:connect("", 1), " ", c.connected)
    c.onDisconnection = nil
    c:connect("127.0.0.1", ${port})
    `,
    async (net) => {
      assert.deepEqual(net.said(), ["end", "end", "end", "(true) the host is empty (false)"]);
      assert.equal(net.last!.count, 1);
      (await listener.accept()).close();
      await net.until(/^$/, () => net.last!.count === 0 ? [""] : []);
      listener.close();
    },
  );
});

Deno.test("SOCK-030 to SOCK-035: a script's server serves clients that no variable keeps", async () => {
  const port = freePort();
  await networked(
    `
    s = cumulus:createTCPServer()
    INFO(s.port, " ", s.running)
    function s:clientHandler(client)
      INFO("new ", self == s, " ", client.connected, " ", client.address, " ", client.peerAddress ~= nil)
      function client:onReception(data)
        self:send(data:upper())
        return 0
      end
      function client:onDisconnection() INFO("left") end
      client:send("hi ")
    end
    INFO(s:start(0), " ", s.running)
    INFO(s:start(80))
    INFO(s:start(${port}), " ", s.running, " ", s.port)
    collectgarbage()
    `,
    async (net) => {
      const conn = await Deno.connect({ port, hostname: "127.0.0.1" });
      await conn.write(new TextEncoder().encode("lower"));
      let text = "";
      const buffer = new Uint8Array(100);
      while (text.length < 8) {
        const length = await conn.read(buffer) ?? assert.fail("closed");
        text += new TextDecoder().decode(buffer.subarray(0, length));
      }
      assert.equal(text, "hi LOWER");
      conn.close();
      await net.until(/^left$/);
      assert.deepEqual(net.said(), [
        "0 (false)",
        "(false) (false)",
        "(false)",
        `(true) (true) ${port}`,
        `new (true) (true) 127.0.0.1:${port} (true)`,
        "left",
      ]);
      assert.deepEqual(net.errors(), [
        "TCPServer:start(0): invalid port 0 (1 to 65535)",
        "TCPServer:start(80): listening on port 80 of all addresses is not allowed by [sandbox] listen",
      ]);
    },
  );
});

Deno.test("SOCK-032, SOCK-033, SOCK-034: a server reports a port in use, stops, and closes unhandled connections", async () => {
  const taken = Deno.listen({ hostname: "0.0.0.0", port: 0 });
  const port = freePort();
  await networked(
    `
    s = cumulus:createTCPServer()
    INFO(s:start(${taken.addr.port}))
    INFO(s:start(${port}))
    function stop() s:stop() INFO(s.running, " ", s.port) end
    `,
    async (net) => {
      assert.match(net.errors()[0], /TCPServer:start\(\d+\): Address already in use/);
      const conn = await Deno.connect({ port, hostname: "127.0.0.1" });
      const end = await conn.read(new Uint8Array(1)).catch(() => null);
      assert.equal(end, null, "no handler: closed");
      conn.close();
      net.machine.write("main.lua", "INFO('reloaded')");
      net.machine.applications.manage();
      assert.ok(net.said().includes("reloaded"));
      await refusedSoon(port);
      taken.close();
    },
  );
});

Deno.test("SOCK-040 to SOCK-049: bound, connected and other UDP sockets exchange datagrams", async () => {
  const port = freePort();
  await networked(
    `
    a = cumulus:createUDPSocket()
    INFO(a.address, " ", a.peerAddress)
    function a:onReception(data, address)
      INFO("a ", data)
      self:send(data .. "!", address)
    end
    INFO(a:bind("127.0.0.1:${port}"), " ", a:bind("127.0.0.1:${port}"), " ", a.address)
    INFO(a:bind("127.0.0.1:${port + 1}"))
    INFO(a:bind("nonsense"))
    b = cumulus:createUDPSocket()
    function b:onReception(data, address) INFO("b ", data, " ", address, " ", self.address) end
    b:send("free", "127.0.0.1:${port}")
    c = cumulus:createUDPSocket()
    function c:onReception(data, address) INFO("c ", data, " ", address, " ", self.peerAddress) end
    c:connect("127.0.0.1:${port}")
    INFO(c.address ~= nil)
    c:send("joined")
    c:send("")
    INFO(c:bind("127.0.0.1:${port + 2}"))
    a:connect("127.0.0.1:1")
    b:send("lost")
    b:send("far", "10.9.8.7:1")
    b:send("all", "255.255.255.255:9")
    `,
    async (net) => {
      await net.until(/^c joined!/);
      await net.until(/^b free!/);
      await net.until(/not allowed by/, () => net.errors());
      assert.deepEqual(
        net.said().filter((line) => !/^[abc] /.test(line)),
        [
          "(null) (null)",
          `(null) (null) 127.0.0.1:${port}`,
          `the socket is bound to 127.0.0.1:${port}: close it first`,
          `"nonsense" is not ip:port`,
          "(true)",
          "the socket is connected: close it first",
        ],
      );
      assert.ok(net.said().includes(`b free! 127.0.0.1:${port} (null)`));
      assert.ok(net.said().includes(`c joined! 127.0.0.1:${port} 127.0.0.1:${port}`));
      assert.deepEqual([...net.errors()].sort(), [
        "UDPSocket: broadcast is off: create the socket by createUDPSocket(true)",
        "UDPSocket: connect: it is bound, close it first",
        "UDPSocket: send: no address",
        "UDPSocket: sending to 10.9.8.7:1 is not allowed by [sandbox] udp",
      ]);
    },
  );
});

Deno.test("socket:bind refuses a port that another UDP socket of a script has", async () => {
  const port = freePort();
  await networked(
    `
    function bind(address) local u = cumulus:createUDPSocket() return u:bind(address .. ":${port}"), u end
    local failed, first = bind("127.0.0.1")
    INFO(failed)
    INFO((bind("127.0.0.1")))
    INFO((bind("0.0.0.0")))
    first:close()
    INFO((bind("127.0.0.1")))
    `,
    (net) => {
      const used = "Address already in use";
      assert.deepEqual(net.said(), ["(null)", used, used, "(null)"]);
      return Promise.resolve();
    },
  );
});

Deno.test("SOCK-045: a closed UDP socket can be bound again", async () => {
  const port = freePort();
  await networked(
    `
    u = cumulus:createUDPSocket()
    function u:onReception(data) INFO("got ", data) end
    INFO(u:bind("127.0.0.1:${port}"))
    u:close()
    INFO(u.address)
    INFO(u:bind("127.0.0.1:${port}"))
    `,
    async (net) => {
      const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
      await socket.send(new TextEncoder().encode("x"), {
        transport: "udp",
        hostname: "127.0.0.1",
        port,
      });
      await net.until(/^got x$/);
      assert.deepEqual(net.said(), ["", "(null)", "", "got x"]);
      socket.close();
    },
  );
});

Deno.test("SOCK-017: open sockets stay open without references, and Lua collects closed ones", async () => {
  const port = freePort();
  await networked(
    `
    s = cumulus:createTCPServer()
    function s:clientHandler(client)
      function client:onReception(data) self:disconnect() end
    end
    s:start(${port})
    `,
    async (net) => {
      const rounds = async (count: number): Promise<void> => {
        for (let i = 0; i < count; i++) {
          const conn = await Deno.connect({ port, hostname: "127.0.0.1" });
          await conn.write(new Uint8Array(1));
          await conn.read(new Uint8Array(1)).catch(() => null);
          conn.close();
        }
      };
      const size = (): number => {
        const { applications } = net.machine;
        applications.api.lua.collect();
        applications.manage();
        return applications.api.objects.size;
      };
      await rounds(5);
      const before = size();
      await rounds(40);
      assert.ok(size() <= before + 5, `${before} objects became ${size()}`);
    },
  );
});

Deno.test("SOCK-060 to SOCK-068: sendMail passes on all parts of a mail, and reports its result once", async () => {
  await networked(
    `
    local mail = cumulus:sendMail("a@x.org", "subject", "content", "b@y.org", "c@y.org")
    function mail:onSent(error) INFO("sent ", error) end
    collectgarbage()
    function cumulus:sendMail2() end
    cumulus:sendMail().onSent = function(self, error) INFO("second ", error) end
    `,
    (net) => {
      const { mails } = net.machine.host;
      assert.deepEqual(mails.map(({ mail }) => mail), [
        {
          sender: "a@x.org",
          subject: "subject",
          content: "content",
          recipients: ["b@y.org", "c@y.org"],
        },
        { sender: "", subject: "", content: "", recipients: [] },
      ]);
      mails[0].done(undefined);
      mails[1].done("no recipient");
      assert.deepEqual(net.said(), ["sent (null)", "second no recipient"]);
      return Promise.resolve();
    },
  );
});
