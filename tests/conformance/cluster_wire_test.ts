// CLU-040 to CLU-045 and CLU-060 to CLU-076: what goes over the wire between servers, and to
// clients that are sent elsewhere.
import assert from "node:assert/strict";
import { hello } from "./support/hello.ts";
import { sleep, until } from "../support/wait.ts";
import {
  frame,
  hex,
  identification,
  named,
  numbered,
  RawLink,
  text,
  values,
} from "./support/link.ts";
import { Peer } from "./support/peer.ts";
import { probe } from "./support/probe.ts";
import { type FactContext, scenario } from "./support/scenario.ts";
import { freePort } from "../support/ports.ts";

const main = `${probe}
targets = {}
function onConnection(client) probe(client) end
function onServerConnection(server)
  last = server
  record("connection", server.publicAddress)
  function server:note(...) record("note", ...) end
end
function onServerDisconnection(server) record("disconnection", server.publicAddress) end
function onHandshake(address, path, properties, attempts)
  if properties.to == "servers" then return cumulus.servers end
  if properties.to == "initiators" then return cumulus.servers.initiators, cumulus.servers.targets end
  if properties.to == "server" then return last, "127.0.0.1:9" end
  if properties.to == "text" then return "127.0.0.7:7", "[2001:db8::1]:8" end
  if properties.to == "there" then return "127.0.0.1:" .. properties.port end
  if properties.to == "escalate" then
    if attempts == 1 then return "127.0.0.1:1001" end
    return "127.0.0.1:1001", "127.0.0.1:1002", "again"
  end
end
function onRendezVousUnknown(peerId)
  if peerId:byte(1) == 7 then return cumulus.servers end
end
`;

const port = freePort();
const ini = `publicAddress = pub.example:1987\n[servers]\nport = ${port}\n`;

async function link(t: FactContext): Promise<RawLink> {
  const link = await RawLink.connect(port);
  t.cleanup(() => link.close());
  return link;
}

/** A link that has identified itself by an RTMFP port of its own, and is known to the server. */
async function identified(t: FactContext, rtmfpPort: number): Promise<RawLink> {
  const connection = await link(t);
  await connection.write(identification(rtmfpPort));
  await until(
    () => t.lua("return cumulus.servers('127.0.0.1:' .. select(2, ...)) ~= nil", rtmfpPort),
    "the link",
  );
  return connection;
}

/** Notes whose first value is this. */
const noted = (t: FactContext, mark: string, count = 1) =>
  until(async () => {
    const notes = await t.lua(
      `local notes = {}
      for _, event in ipairs(events) do
        if event[1] == "note" and event[2] == select(2, ...) then notes[#notes + 1] = event end
      end
      return notes`,
      mark,
    );
    return notes.length >= count ? notes : undefined;
  }, `the note ${mark}`);

let lastPort = 40_000;
const www = { "": main, "/app1": "", "/app2": "", "/far": `NOTE("started from far")` };

scenario("links", { www, ini }, ({ fact }) => {
  fact("CLU-071", async (t) => {
    assert.equal(
      await (await link(t)).frame(0),
      "00 00 00 14 00 00 01 10 70 75 62 2E 65 78 61 6D 70 6C 65 3A 31 39 38 37",
    );
  });

  fact("CLU-072", async (t) => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    t.cleanup(() => listener.close());
    await t.start({
      ini:
        `publicAddress = pub.example:1987\n[servers]\ntargets = 127.0.0.1:${listener.addr.port}?type=master&n=a+b\n`,
    });
    const connection = await RawLink.accept(listener);
    t.cleanup(() => connection.close());
    assert.equal(
      await connection.frame(0),
      "00 00 00 26 00 00 01 10 70 75 62 2E 65 78 61 6D 70 6C 65 3A 31 39 38 37 01 6E 03 61 20 62 04 74 79 70 65 06 6D 61 73 74 65 72",
    );
  });

  fact("CLU-073", async (t) => {
    const connection = await identified(t, ++lastPort);
    assert.equal(await connection.frame(1), "00 00 00 03 01 2E 00");
  });

  fact("CLU-074", async (t) => {
    const connection = await identified(t, ++lastPort);
    await connection.frame(1);
    await t.connect("/app1");
    assert.equal(await connection.frame(2), "00 00 00 08 00 01 05 2F 61 70 70 31");
  });

  fact("CLU-075", async (t) => {
    const connection = await identified(t, ++lastPort);
    await connection.frame(1);
    await t.lua(`last:send("hello", 1, "two", { x = 1 })`);
    assert.equal(
      await connection.frame(2),
      "00 00 00 18 05 68 65 6C 6C 6F 11 04 01 11 06 07 74 77 6F 11 0A 0B 01 03 78 04 01 01",
    );
  });

  fact("CLU-076", async (t) => {
    const connection = await identified(t, ++lastPort);
    await connection.frame(1);
    await t.lua(`last:send("hello", 1) last:send("hello", "again")`);
    assert.equal(await connection.frame(3), "00 00 00 0A 00 02 11 06 0B 61 67 61 69 6E");
  });

  fact("CLU-060", async (t) => {
    const connection = await identified(t, ++lastPort);
    const first = frame(named("note"), values("one segment", 1));
    const second = frame(numbered(1), values("one segment", 2));
    await connection.write(first, second);
    await noted(t, "one segment", 2);
    for (const byte of frame(numbered(1), values("many segments"))) {
      await connection.write(Uint8Array.of(byte));
      if (byte % 7 === 0) await sleep(5);
    }
    await noted(t, "many segments");
  });

  fact("CLU-061", async (t) => {
    const connection = await identified(t, ++lastPort);
    await connection.write(
      frame(named("."), text("")),
      frame(named("note"), values("numbered", 1)),
      frame(numbered(2), values("numbered", 2)), // "." was 1
    );
    assert.deepEqual((await noted(t, "numbered", 2)).map((note: unknown[]) => note[2]), [1, 2]);
    const other = await identified(t, ++lastPort);
    await other.write(
      frame(named("note"), values("anew", 1)),
      frame(numbered(1), values("anew", 2)),
    );
    await noted(t, "anew", 2);
  });

  fact("CLU-062", async (t) => {
    const withAddress = await link(t);
    const payload = [1, ...text("there.example:99"), ...text("color"), ...text("red")];
    await withAddress.write(frame(numbered(0), Uint8Array.from(payload)));
    assert.equal(
      await until(
        () => t.lua(`local s = cumulus.servers("there.example:99") return s and s.color`),
        "the link",
      ),
      "red",
    );
    const withPort = await identified(t, ++lastPort);
    assert.ok(withPort);
    assert.equal(await t.lua("return last.publicAddress"), `127.0.0.1:${lastPort}`);
  });

  fact("CLU-063", async (t) => {
    const connection = await link(t);
    const long = "ä".repeat(100); // 200 bytes, whose length takes two
    const bytes = new TextEncoder().encode(long);
    const payload = [0, 1, 2, ...text("long"), 0xc8, 0x01, ...bytes];
    await connection.write(frame(numbered(0), Uint8Array.from(payload)));
    assert.equal(
      await until(
        () => t.lua(`local s = cumulus.servers("127.0.0.1:258") return s and s.long`),
        "it",
      ),
      long,
    );
  });

  fact("CLU-064", async (t) => {
    const connection = await link(t);
    assert.match(await connection.frame(0), /^00 00 00 14 00 00/); // before this end sent a frame
    const own = ++lastPort;
    await connection.write(identification(own), identification(own, "late", "property"));
    await until(
      () =>
        t.lua(
          "local s = cumulus.servers('127.0.0.1:' .. select(2, ...)) return s and s.late == 'property'",
          own,
        ),
      "the update",
    );
    const connections = await t.lua(
      `local n = 0
      for _, event in ipairs(events) do
        if event[1] == "connection" and event[2] == "127.0.0.1:" .. select(2, ...) then n = n + 1 end
      end
      return n`,
      own,
    );
    assert.equal(connections, 1);
  });

  fact("CLU-065", async (t) => {
    await t.connect("/app2");
    const connection = await identified(t, ++lastPort);
    const running = await connection.frame(1);
    assert.match(running, /01 2E .*00/);
    assert.ok(running.includes(hex(text("/app2"))), running);
    await connection.write(frame(named("."), text("/far")));
    await t.logged(/started from far/);
  });

  fact("CLU-066", async (t) => {
    const connection = await identified(t, ++lastPort);
    const payload = Uint8Array.of(2, 0, 3, ...new TextEncoder().encode("amf"), 0x11, 4, 5, 5, 1, 1);
    await connection.write(frame(named("note"), payload));
    assert.deepEqual(await noted(t, "amf"), [["note", "amf", 5, null, true]]);
  });

  fact("CLU-067", async (t) => {
    const connection = await identified(t, ++lastPort);
    await connection.write(
      frame(numbered(77), values("nothing")),
      frame(named("note"), values("after an unknown number")),
    );
    await noted(t, "after an unknown number");
    await t.logged(/^ERROR .*handler/);
  });

  fact("CLU-068", async (t) => {
    const connection = await identified(t, ++lastPort);
    await connection.write(Uint8Array.of(0x7f, 0xff, 0xff, 0xff, 1, 0x61));
    await connection.ended();
    await until(
      () => t.lua("return cumulus.servers('127.0.0.1:' .. select(2, ...)) == nil", lastPort),
      "the end at the server",
    );
  });

  // Redirecting clients

  fact("CLU-040", async (t) => {
    const sent = await hello(t.server.port, { path: "/?to=text" });
    assert.deepEqual(sent.addresses, ["127.0.0.7:7", "[2001:db8::1]:8"]);
    const own = ++lastPort;
    await identified(t, own);
    const peer = await hello(t.server.port, { peerId: new Uint8Array(32).fill(7) });
    assert.equal(peer.kind, "redirect");
    assert.ok(peer.addresses.includes(`127.0.0.1:${own}`));
  });

  fact("CLU-041", async (t) => {
    const own = ++lastPort;
    await identified(t, own);
    const one = await hello(t.server.port, { path: "/?to=server" });
    assert.deepEqual(one.addresses, [`127.0.0.1:${own}`, "127.0.0.1:9"]);
    const all = await hello(t.server.port, { path: "/?to=servers" });
    assert.ok(all.addresses.includes(`127.0.0.1:${own}`));
    const side = await hello(t.server.port, { path: "/?to=initiators" });
    assert.deepEqual(side.addresses, all.addresses);
  });

  fact("CLU-042", async (t) => {
    const { payload, tag } = await hello(t.server.port, { path: "/?to=text" });
    const address = (flag: string, ip: string, port: string) => `${flag} ${ip} ${port}`;
    assert.equal(
      hex(payload),
      [
        "10",
        hex(tag),
        address("02", "7F 00 00 07", "00 07"),
        address("81", "20 01 0D B8 00 00 00 00 00 00 00 00 00 00 00 01", "00 08"),
      ].join(" "),
    );
  });

  fact("CLU-043", async (t) => {
    const other = await t.start({
      www: {
        "": `${probe}here = "the other server"
      function onConnection(client) probe(client) end`,
      },
    });
    const peer = await Peer.connect(t.server.url("", `to=there&port=${other.port}`));
    t.cleanup(() => peer.close());
    assert.equal(await peer.lua("return here"), "the other server");
  });

  fact("CLU-044", async (t) => {
    assert.equal((await hello(t.server.port, { path: "/?to=nowhere" })).kind, "rHello");
    const peerId = new Uint8Array(32).fill(8);
    assert.equal((await hello(t.server.port, { peerId, patience: 400 })).kind, "silence");
  });

  fact("CLU-045", async (t) => {
    const tag = crypto.getRandomValues(new Uint8Array(16));
    const knock = async () =>
      (await hello(t.server.port, { path: "/?to=escalate", tag })).addresses;
    assert.deepEqual(await knock(), ["127.0.0.1:1001"]);
    assert.deepEqual(await knock(), [
      "127.0.0.1:1001",
      "127.0.0.1:1002",
      `127.0.0.1:${t.server.port}`,
    ]);
  });
});
