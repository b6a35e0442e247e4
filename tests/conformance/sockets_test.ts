// SOCK-001 to SOCK-049: sockets of scripts.
import assert from "node:assert/strict";
import { Inbox } from "./support/inbox.ts";
import { until } from "../support/wait.ts";
import { probe } from "./support/probe.ts";
import { type FactContext, scenario } from "./support/scenario.ts";
import { TcpHost, TcpPeer } from "./support/tcp_peer.ts";
import { freePort } from "../support/ports.ts";

const main = `${probe}
function onConnection(client) probe(client) end

-- a TCP client that keeps received bytes under a name
sockets, got, ended = {}, {}, {}
function watch(name, socket)
  sockets[name], got[name], ended[name] = socket, {}, {}
  function socket:onReception(data) table.insert(got[name], data) return 0 end
  function socket:onDisconnection()
    table.insert(ended[name], { self == socket, self.error, self.connected })
  end
  return socket
end
function dial(name, port)
  return watch(name, cumulus:createTCPClient()):connect("127.0.0.1", port)
end
-- a TCP server that keeps its clients
servers, clients = {}, {}
function serve(name, port)
  local server = cumulus:createTCPServer()
  servers[name], clients[name] = server, {}
  function server:clientHandler(client)
    table.insert(clients[name], client)
    watch(name .. #clients[name], client)
  end
  return server:start(port)
end
-- a UDP socket that keeps received datagrams
udp, datagrams = {}, {}
function listen(name, ...)
  local socket = cumulus:createUDPSocket(...)
  udp[name], datagrams[name] = socket, {}
  function socket:onReception(data, address)
    table.insert(datagrams[name], { data, address, self == socket })
  end
  return socket
end
`;

const app = `${probe}
function onConnection(client) probe(client) end
`;

async function host(t: FactContext): Promise<TcpHost> {
  const host = new TcpHost();
  t.cleanup(() => host.close());
  return await Promise.resolve(host);
}

/** Has the script dial, and returns this end of the connection. */
async function dialled(t: FactContext, name: string): Promise<TcpPeer> {
  const there = await host(t);
  await t.lua("return dial(select(2, ...))", name, there.port);
  t.cleanup(() => t.lua("sockets[select(2, ...)]:disconnect()", name));
  const peer = await there.peer();
  await until(
    () => t.lua("return sockets[select(2, ...)].peerAddress ~= nil", name),
    "the connection",
  );
  return peer;
}

/** Has the script listen; the port. */
async function serving(t: FactContext, name: string): Promise<number> {
  const port = freePort();
  assert.equal(await t.lua("return serve(select(2, ...))", name, port), true);
  t.cleanup(() => t.lua("servers[select(2, ...)]:stop()", name));
  return port;
}

async function connected(t: FactContext, port: number): Promise<TcpPeer> {
  const peer = await TcpPeer.connect(port);
  t.cleanup(() => peer.close());
  return peer;
}

const ended = (t: FactContext, name: string) =>
  until(
    () => t.lua("local ends = ended[select(2, ...)] return #ends > 0 and ends", name),
    `onDisconnection of ${name}`,
  );

/** A UDP socket of the test. */
class Udp {
  readonly datagrams = new Inbox<{ text: string; from: string }>();
  readonly #socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });

  constructor() {
    this.#pump();
  }

  get port(): number {
    return (this.#socket.addr as Deno.NetAddr).port;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  send(text: string, port: number): Promise<number> {
    const to: Deno.NetAddr = { transport: "udp", hostname: "127.0.0.1", port };
    return this.#socket.send(new TextEncoder().encode(text), to);
  }

  next(text: string): Promise<{ text: string; from: string }> {
    return this.datagrams.find((datagram) => datagram.text === text, `the datagram ${text}`);
  }

  close(): void {
    this.#socket.close();
  }

  async #pump(): Promise<void> {
    try {
      for (;;) {
        const [bytes, from] = await this.#socket.receive();
        const { hostname, port } = from as Deno.NetAddr;
        this.datagrams.push({ text: new TextDecoder().decode(bytes), from: `${hostname}:${port}` });
      }
    } catch {
      // closed
    }
  }
}

function udp(t: FactContext): Udp {
  const socket = new Udp();
  t.cleanup(() => socket.close());
  return socket;
}

/** Has the script bind a socket to a free port; the port. */
async function bound(t: FactContext, name: string): Promise<number> {
  const port = freePort();
  assert.equal(
    await t.lua(
      "local _, name, address = ... return listen(name):bind(address)",
      name,
      `127.0.0.1:${port}`,
    ),
    null,
  );
  t.cleanup(() => t.lua("udp[select(2, ...)]:close()", name));
  return port;
}

const datagram = (t: FactContext, name: string, place = 1) =>
  until(() => t.lua("local _, name, i = ... return datagrams[name][i]", name, place), "a datagram");

const ini = `[smtp]
host = 127.0.0.1
port = 1
timeout = 1
`;

scenario("sockets", { www: { "": main, "/app": app }, ini }, ({ fact }) => {
  fact("SOCK-001", async (t) => {
    assert.deepEqual(
      await t.lua(`
        local mail = cumulus:sendMail("a@b.example", "", "", "c@d.example")
        function mail:onSent() end
        return {
          type(cumulus:createTCPClient().send), type(cumulus:createTCPServer().start),
          type(cumulus:createUDPSocket().bind), type(cumulus:createUDPSocket(true).bind), type(mail),
        }`),
      ["function", "function", "function", "function", "table"],
    );
  });

  fact("SOCK-002", async (t) => {
    const peer = await dialled(t, "binary");
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    await peer.send(all);
    await until(() => t.lua(`return #table.concat(got.binary) == 256`), "the bytes");
    assert.deepEqual(await t.lua("return { __raw = table.concat(got.binary) }"), all);
    await t.lua("sockets.binary:send(select(2, ...).__raw)", all);
    assert.equal(await peer.received(256), String.fromCharCode(...all));
  });

  fact("SOCK-003", async (t) => {
    const peer = await dialled(t, "addressed");
    const { port } = peer.connection.remoteAddr as Deno.NetAddr;
    assert.equal(await t.lua("return sockets.addressed.address"), `127.0.0.1:${port}`);
  });

  fact("SOCK-004", async (t) => {
    const there = await host(t);
    await t.lua(
      "deaf = cumulus:createTCPClient() deaf:connect('127.0.0.1', select(2, ...))",
      there.port,
    );
    const peer = await there.peer();
    const other = await dialled(t, "marker");
    await t.lua("function sockets.marker:onReception(data) self:send(data) return 0 end");
    await peer.send("lost");
    for (let i = 1; i <= 3; i++) { // the answer was read after the other one
      await other.send("x");
      await other.received(i);
    }
    await t.lua("watch('deaf', deaf)");
    await peer.send("heard");
    assert.deepEqual(await until(() => t.lua("return got.deaf[1] and got.deaf"), "data"), [
      "heard",
    ]);
  });

  fact("SOCK-005", async (t) => {
    const peer = await dialled(t, "nested");
    await t.lua(`
      inside, nested = 0, 0
      function sockets.nested:onReception(data)
        if inside > 0 then nested = nested + 1 end
        inside = inside + 1
        for i = 1, 300000 do end
        inside = inside - 1
        return 0
      end`);
    for (let i = 0; i < 5; i++) {
      await peer.send("x");
      await t.lua("inside = inside + 1 for i = 1, 300000 do end inside = inside - 1");
    }
    assert.equal(await t.lua("return nested"), 0);
    assert.deepEqual(
      await t.lua(`
        local order = {}
        function sockets.nested:onDisconnection() order[#order + 1] = "event" end
        sockets.nested:disconnect()
        order[#order + 1] = "after"
        return order`),
      ["event", "after"],
    );
  });

  fact("SOCK-006", async (t) => {
    const peer = await dialled(t, "faulty");
    await t.lua(`
      function sockets.faulty:onReception(data)
        if data == "bad" then error("cannot take " .. data) end
        self:send("took " .. data)
        return 0
      end`);
    await peer.send("bad");
    await t.logged(/^ERROR .*cannot take bad/);
    await peer.send("good");
    assert.equal(await peer.received(9), "took good");
  });

  fact("SOCK-007", async (t) => {
    await dialled(t, "fields");
    await t.lua("sockets.fields.purpose = { 'own' }");
    assert.equal(await t.lua("return sockets.fields.purpose[1]"), "own");
  });

  fact("SOCK-008", async (t) => {
    const there = await host(t);
    t.server.write(
      "www/brief/main.lua",
      `${app}
      function open(port) socket = cumulus:createTCPClient() return socket:connect("127.0.0.1", port) end`,
    );
    const client = await t.connect("/brief");
    await client.lua("return open(select(2, ...))", there.port);
    const peer = await there.peer();
    t.server.remove("www/brief/main.lua");
    await t.connectOnceGone(t.server, "/brief");
    await peer.ended();
  });

  fact("SOCK-010", async (t) => {
    const there = await host(t);
    assert.deepEqual(
      await t.lua(
        `local socket = cumulus:createTCPClient()
        local before = socket.connected
        socket:connect("127.0.0.1", select(2, ...))
        local after = socket.connected
        socket:disconnect()
        return { before, after, socket.connected }`,
        there.port,
      ),
      [false, true, false],
    );
  });

  fact("SOCK-011", async (t) => {
    const peer = await dialled(t, "ends");
    const { port } = peer.connection.localAddr as Deno.NetAddr;
    assert.deepEqual(
      await t.lua(`
        local socket = sockets.ends
        local there = { socket.peerAddress, socket.address ~= nil }
        socket:disconnect()
        there[3], there[4] = socket.peerAddress == nil, socket.address == nil
        return there`),
      [`127.0.0.1:${port}`, true, true, true],
    );
  });

  fact("SOCK-012", async (t) => {
    await t.lua("dial('cleared', 1)");
    await ended(t, "cleared");
    assert.equal(typeof await t.lua("return sockets.cleared.error"), "string");
    const there = await host(t);
    assert.equal(
      await t.lua(
        "sockets.cleared:connect('127.0.0.1', select(2, ...)) return sockets.cleared.error == nil",
        there.port,
      ),
      true,
    );
    await t.lua("sockets.cleared:disconnect()");
  });

  fact("SOCK-013", async (t) => {
    const problem = (host: string, port: string) =>
      t.lua(`return (cumulus:createTCPClient():connect(${host}, ${port}))`);
    assert.equal(typeof await problem(`"127.0.0.1"`, "0"), "string");
    assert.equal(typeof await problem(`"127.0.0.1"`, "70000"), "string");
    assert.equal(typeof await problem(`""`, "80"), "string");
    await t.lua(`watch("unknown", cumulus:createTCPClient()):connect("no-such-host.invalid", 80)`);
    const [[, error]] = await ended(t, "unknown");
    assert.equal(typeof error, "string");
    const [first, second] = [await host(t), await host(t)];
    await t.lua("dial('again', select(2, ...))", first.port);
    await first.peer();
    assert.equal(
      await t.lua(
        "sockets.again:connect('127.0.0.1', select(2, ...)) return #ended.again",
        second.port,
      ),
      1,
    );
    await second.peer();
    await t.lua("sockets.again:disconnect()");
  });

  fact("SOCK-014", async (t) => {
    const port = freePort();
    assert.equal(await t.lua("return dial('refused', select(2, ...))", port), null);
    const [[own, error, connected]] = await ended(t, "refused");
    assert.deepEqual([own, typeof error, connected], [true, "string", false]);
  });

  fact("SOCK-015", async (t) => {
    const peer = await dialled(t, "closing");
    assert.deepEqual(
      await t.lua(`
        local socket = sockets.closing
        socket:disconnect()
        local once = #ended.closing
        socket:disconnect()
        return { once, #ended.closing, socket.error == nil }`),
      [1, 1, true],
    );
    await peer.ended();
  });

  fact("SOCK-016", async (t) => {
    const there = await host(t);
    await t.lua(
      `dial("ordered", select(2, ...))
      for i = 1, 2000 do sockets.ordered:send(("%06d\\n"):format(i)) end
      sockets.ordered:send("")`,
      there.port,
    );
    const peer = await there.peer();
    const text = await peer.received(14_000);
    assert.deepEqual(
      text.split("\n").slice(0, -1).map(Number),
      Array.from({ length: 2000 }, (_, i) => i + 1),
    );
    assert.equal(
      await t.lua(`sockets.ordered:disconnect() return sockets.ordered:send("late")`),
      null,
    );
    await t.logged(/^ERROR .*not connected/);
  });

  fact("SOCK-017", async (t) => {
    const port = freePort();
    await t.lua(
      `local server = cumulus:createTCPServer()
      function server:clientHandler(client)
        function client:onReception(data) self:send("echo " .. data) return 0 end
      end
      server:start(select(2, ...))`,
      port,
    );
    const peer = await connected(t, port);
    await peer.send("1");
    await peer.received(6);
    await t.lua("for i = 1, 5 do collectgarbage() end");
    await peer.send("2");
    assert.equal(await peer.received(12), "echo 1echo 2");
  });

  fact("SOCK-020", async (t) => {
    const peer = await dialled(t, "partial");
    await t.lua(`
      seen = {}
      function sockets.partial:onReception(data)
        seen[#seen + 1] = data
        if #seen == 1 then return #data end
        if #seen == 2 then return 3 end
        return 0
      end`);
    for (const [i, text] of ["12345", "67890", "!"].entries()) {
      await peer.send(text);
      await until(() => t.lua(`return #seen > ${i}`), text);
    }
    assert.deepEqual(await t.lua("return seen"), ["12345", "1234567890", "890!"]);
  });

  fact("SOCK-021", async (t) => {
    const peer = await dialled(t, "strange");
    await t.lua(`
      seen, results = {}, { nil, 100, -5, 1.9 }
      function sockets.strange:onReception(data)
        seen[#seen + 1] = data
        local result = results[#seen]
        if #seen == 5 then error("all is consumed") end
        return result
      end`);
    for (const [i, text] of ["a", "bb", "c", "dd", "e", "f"].entries()) {
      await peer.send(text);
      await until(() => t.lua(`return #seen > ${i}`), text);
    }
    assert.deepEqual(await t.lua("return seen"), ["a", "bb", "bbc", "dd", "de", "f"]);
    assert.equal((await t.matching(/^WARN/)).length, 1);
  });

  fact("SOCK-022", async (t) => {
    const peer = await dialled(t, "over");
    peer.close();
    const [[own, error]] = await ended(t, "over");
    assert.deepEqual([own, error], [true, null]);
    assert.equal(await t.lua("return sockets.over.connected"), false);
    await t.lua("dial('error', 1)");
    assert.equal(typeof (await ended(t, "error"))[0][1], "string");
  });

  fact("SOCK-030", async (t) => {
    assert.equal(await t.lua("return cumulus:createTCPServer().port"), 0);
    const port = await serving(t, "ported");
    assert.equal(await t.lua("return servers.ported.port"), port);
    assert.equal(await t.lua("servers.ported:stop() return servers.ported.port"), port);
  });

  fact("SOCK-031", async (t) => {
    await serving(t, "running");
    assert.deepEqual(
      await t.lua(`
        local server = servers.running
        local before = server.running
        server:stop()
        return { before, server.running, cumulus:createTCPServer().running }`),
      [true, false, false],
    );
  });

  fact("SOCK-032", async (t) => {
    const port = await serving(t, "started");
    assert.equal(
      await t.lua("return cumulus:createTCPServer():start(select(2, ...))", port),
      false,
    );
    await t.logged(/^ERROR/);
    assert.equal(await t.lua("return cumulus:createTCPServer():start(0)"), false);
    const other = freePort();
    assert.equal(await t.lua("return servers.started:start(select(2, ...))", other), true);
    await connected(t, other);
    await assert.rejects(TcpPeer.connect(port));
  });

  fact("SOCK-033", async (t) => {
    const port = await serving(t, "stopped");
    const peer = await connected(t, port);
    await until(() => t.lua("return clients.stopped[1] ~= nil"), "the client");
    await t.lua("servers.stopped:stop()");
    await until(
      () => TcpPeer.connect(port).then((peer) => void peer.close(), () => true),
      "the end",
    );
    await peer.send("still here");
    await until(() => t.lua(`return table.concat(got.stopped1) == "still here"`), "data");
  });

  fact("SOCK-034", async (t) => {
    const port = await serving(t, "handled");
    const peer = await connected(t, port);
    await until(() => t.lua("return clients.handled[1] ~= nil"), "the client");
    const { port: own } = peer.connection.localAddr as Deno.NetAddr;
    assert.deepEqual(
      await t.lua("local c = clients.handled[1] return { c.connected, c.peerAddress, c.address }"),
      [true, `127.0.0.1:${own}`, `127.0.0.1:${port}`],
    );
    await t.lua("servers.handled.clientHandler = nil");
    await (await connected(t, port)).ended();
  });

  fact("SOCK-035", async (t) => {
    const port = freePort();
    await t.lua(
      `named = cumulus:createTCPServer()
      function named:onConnection(client) client:send("welcome") end
      named:start(select(2, ...))`,
      port,
    );
    assert.equal(await (await connected(t, port)).received(7), "welcome");
    await t.lua("named:stop()");
  });

  fact("SOCK-040", async (t) => {
    assert.equal(await t.lua("listen('free') return udp.free.address == nil"), true);
    const port = await bound(t, "addressed");
    assert.equal(await t.lua("return udp.addressed.address"), `127.0.0.1:${port}`);
    const wild = freePort();
    assert.match(
      await t.lua(
        "listen('wild'):bind('0.0.0.0:' .. select(2, ...)) return udp.wild.address",
        wild,
      ),
      new RegExp(`:${wild}$`),
    );
    const other = udp(t);
    assert.match(
      await t.lua("udp.free:connect(select(2, ...)) return udp.free.address", other.address),
      /:\d+$/,
    );
    await t.lua("udp.free:close() udp.wild:close()");
  });

  fact("SOCK-041", async (t) => {
    const other = udp(t);
    assert.deepEqual(
      await t.lua(
        `local socket = listen("peer")
        local before = socket.peerAddress
        socket:connect(select(2, ...))
        local there = socket.peerAddress
        socket:close()
        return { before == nil, there, socket.peerAddress == nil }`,
        other.address,
      ),
      [true, other.address, true],
    );
  });

  fact("SOCK-042", async (t) => {
    const port = await bound(t, "twice");
    assert.equal(await t.lua("return udp.twice:bind(select(2, ...))", `127.0.0.1:${port}`), null);
    assert.equal(
      typeof await t.lua("return udp.twice:bind(select(2, ...))", `127.0.0.1:${freePort()}`),
      "string",
    );
    assert.equal(typeof await t.lua("return listen('x'):bind('nonsense')"), "string");
    assert.equal(typeof await t.lua("return listen('x'):bind()"), "string");
    assert.equal(typeof await t.lua("return listen('x'):bind('192.0.2.1:5000')"), "string");
    const other = udp(t);
    assert.equal(
      typeof await t.lua(
        "listen('x'):connect(select(2, ...)) return udp.x:bind('127.0.0.1:0')",
        other.address,
      ),
      "string",
    );
    await t.lua("udp.x:close()");
  });

  fact("SOCK-043", async (t) => {
    const [first, second] = [udp(t), udp(t)];
    await t.lua(
      `local _, first, second = ...
      listen("fickle"):connect(first)
      udp.fickle:send("to the first")
      udp.fickle:connect(second)
      udp.fickle:send("to the second")`,
      first.address,
      second.address,
    );
    await first.next("to the first");
    await second.next("to the second");
    await bound(t, "tied");
    assert.equal(await t.lua("return udp.tied:connect(select(2, ...))", first.address), null);
    await t.logged(/^ERROR .*bound/);
    await t.lua("udp.fickle:close()");
  });

  fact("SOCK-044", async (t) => {
    const other = udp(t);
    const port = await bound(t, "sender");
    await t.lua(
      "udp.sender:send('with address', select(2, ...)) udp.sender:send('', select(2, ...))",
      other.address,
    );
    assert.equal((await other.next("with address")).from, `127.0.0.1:${port}`);
    assert.equal(await t.lua("return udp.sender:send('without')"), null);
    await t.logged(/^ERROR .*address/);
    assert.equal(other.datagrams.items.length, 1);
  });

  fact("SOCK-045", async (t) => {
    const port = await bound(t, "reused");
    const next = freePort();
    assert.deepEqual(
      await t.lua(
        `local socket = udp.reused
        socket:close()
        local between = socket.address
        return { between == nil, socket:bind("127.0.0.1:" .. select(2, ...)) == nil }`,
        next,
      ),
      [true, true],
    );
    const other = udp(t);
    await other.send("old", port);
    await other.send("new", next);
    assert.equal((await datagram(t, "reused"))[0], "new");
  });

  fact("SOCK-046", async (t) => {
    const port = await bound(t, "receiver");
    const other = udp(t);
    await other.send("one", port);
    await datagram(t, "receiver", 1);
    await other.send("two", port);
    await datagram(t, "receiver", 2);
    assert.deepEqual(await t.lua("return datagrams.receiver"), [
      ["one", other.address, true],
      ["two", other.address, true],
    ]);
  });

  fact("SOCK-047", async (t) => {
    const other = udp(t);
    await t.lua("listen('loose'):send('question', select(2, ...))", other.address);
    const { from } = await other.next("question");
    await other.send("answer", Number(from.split(":").at(-1)));
    assert.equal((await datagram(t, "loose"))[0], "answer");
    await t.lua("udp.loose:close()");
  });

  fact("SOCK-048", async (t) => {
    await t.lua(`listen("quiet"):send("x", "255.255.255.255:9") udp.quiet:close()`);
    await t.logged(/^ERROR .*broadcast/);
    const before = (await t.matching(/createUDPSocket\(true\)/)).length;
    await t.lua(`listen("loud", true):send("x", "255.255.255.255:9") udp.loud:close()`);
    assert.equal((await t.matching(/createUDPSocket\(true\)/)).length, before);
  });

  fact("SOCK-049", async (t) => {
    const port = await bound(t, "full");
    const other = udp(t);
    await other.send("", port);
    await other.send("full", port);
    assert.equal((await datagram(t, "full"))[0], "full");
    assert.equal(await t.lua("return #datagrams.full"), 1);
  });
});
