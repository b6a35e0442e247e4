// API-021 to API-046: applications, their files, their globals. (API-041 is in servers_test.ts.)
import assert from "node:assert/strict";
import type { Externalizable } from "../../src/amf/mod.ts";
import type { StatusError } from "../../src/client/status.ts";
import { hello } from "./support/hello.ts";
import { sleep, until } from "../support/wait.ts";
import { Peer } from "./support/peer.ts";
import { probe } from "./support/probe.ts";
import { type FactContext, scenario } from "./support/scenario.ts";
import type { TestServer } from "./support/test_server.ts";

const life = `
function onStart(path) NOTE("started ", path) end
function onStop(path) NOTE("stopped ", path) end
`;

const root = `${probe}${life}
where, flavour = "root", "vanilla"
function helper() return flavour end
function twice(x) return where, x and x * 2 end
function onConnection(client)
  probe(client)
  seenConnections = (seenConnections or 0) + 1
  record("connection", client.path)
end
function onPublish(client, publication)
  lastFlavour, lastHelper = flavour, helper()
end
`;

const own = (where: string, more = "") =>
  `${probe}
where = "${where}"
function onConnection(client) probe(client) end
${more}`;

const www = {
  "": root,
  "/a": own("a"),
  "/a/b": own("a/b"),
  "/heir": `flavour = "chocolate"`,
  "/never": own("never"),
  "/child": own("child"),
  "/__index": own("index"),
  "/__metatable": own("metatable"),
  "/split": own(
    "split",
    `here = "of split"\nincluded = dofile(cumulus:absolutePath("/split") .. "part.lua")`,
  ),
  "www/split/part.lua": `partSees = here\nfunction fromPart() return where end\nreturn 42`,
  "www/empty/notes.txt": "no script here",
  "/broken": `leftover = 1\nerror("this script is broken")`,
};
const ini = `[application]
unknown = reject
`;

async function connectTo(server: TestServer, path: string): Promise<Peer> {
  return await Peer.connect(server.url(path));
}

async function refusal(promise: Promise<unknown>): Promise<StatusError["status"]> {
  const error = await promise.then(() => undefined, (error) => error);
  assert.ok(error?.status, `refused, not ${error}`);
  return error.status;
}

/** Counts the records of the log that match, of the whole time. */
const times = (t: FactContext, pattern: RegExp) =>
  t.server.log.items.filter((line) => pattern.test(line)).length;

scenario("applications", { www, ini }, ({ fact, slow }) => {
  slow("API-042", async (t) => {
    const said = `
    function onStop(path) NOTE("stopped ", path) end
    function onDisconnection(client) NOTE("left ", client.path) end`;
    const server = await t.start({
      www: { "": said, "/a": "", "/a/b": "", "/broken": `error("never started")` },
    });
    await connectTo(server, "/a");
    await connectTo(server, "/a/b");
    await connectTo(server, "/broken").catch(() => {});
    await server.end();
    const order = server.log.items.map((line) =>
      /(left|stopped) (\S*)$/.exec(line)?.slice(1).join(" ")
    )
      .filter((found) => found !== undefined);
    assert.deepEqual(order.slice(0, 2).sort(), ["left /a", "left /a/b"]);
    assert.deepEqual(order.slice(2), ["stopped /a/b", "stopped /a", "stopped "]);
  });

  slow("API-035", async (t) => {
    const version = (n: number) =>
      own(
        "edited",
        `version = ${n}\nfunction onStart(path) NOTE("v${n} started ", path, left) end
      function onStop(path) NOTE("v${n} stopped ", path) left = "over" end`,
      );
    const server = await t.start({ www: { "": version(1), "/app": version(1) } });
    const first = await t.connectTo(server, "/app");
    await first.lua("leftover = 'from before'");
    await sleep(20);
    server.write("www/app/main.lua", version(2));
    const second = await t.connectTo(server, "/app");
    await server.logged(/v2 started \/app\(null\)$/);
    assert.ok(server.log.items.some((line) => /v1 stopped \/app$/.test(line)));
    assert.deepEqual(await second.lua("return { version, leftover == nil }"), [2, true]);
    server.write("www/main.lua", version(3));
    await server.logged(/v3 started \(null\)$/); // the root is looked at every 2 s
    assert.ok(server.log.items.some((line) => /v1 stopped $/.test(line)));
  });

  fact("API-021", async (t) => {
    const where = async (path: string) => await (await t.connect(path)).lua("return where");
    assert.equal(await where(""), "root");
    assert.equal(await where("/a"), "a");
    assert.equal(await where("/a/b"), "a/b");
  });

  fact("API-022", async (t) => {
    const path = async (path: string) => await (await t.connect(path)).lua("return (...).path");
    assert.equal(await path(""), "");
    assert.equal(await path("/a/"), "/a");
    assert.equal(await path("/a/b/?x=1"), "/a/b");
    for (const bad of ["/a//b", "/a/../a", "/./a", "/a/.."]) {
      assert.equal((await refusal(t.connect(bad))).code, "NetConnection.Connect.InvalidApp", bad);
    }
  });

  fact("API-023", async (t) => {
    const server = await t.start({ www: { "": life, "/lazy": "" } });
    await server.logged(/started $/);
    assert.equal(server.log.items.some((line) => /started \/lazy/.test(line)), false);
    await hello(server.port, { path: "/lazy" });
    await server.logged(/started \/lazy$/);
  });

  fact("API-024", async (t) => {
    const before = await t.lua("return #events");
    const client = refusal(t.connect("/no/such"));
    assert.equal((await client).code, "NetConnection.Connect.InvalidApp");
    assert.equal(await t.lua("return #events"), before);
  });

  fact("API-025", async (t) => {
    const before = await t.lua("return #events");
    const peer = await t.connect("/empty");
    assert.equal(peer.info.code, "NetConnection.Connect.Success");
    const { description } = await refusal(peer.lua("return 1"));
    assert.equal(description, "Method 'lua' not found");
    assert.equal(await t.lua("return #events"), before);
  });

  fact("API-026", async (t) => {
    const { code, description } = await refusal(t.connect("/broken"));
    assert.equal(code, "NetConnection.Connect.Rejected");
    assert.equal(description, "this script is broken");
    await t.logged(/^ERROR .*this script is broken/);
    await sleep(20);
    t.server.write("www/broken/main.lua", own("mended"));
    const peer = await t.connect("/broken");
    assert.equal(await peer.lua("return leftover == nil"), true);
  });

  fact("API-027", async (t) => {
    const peer = await t.connect("/a/b");
    assert.deepEqual(await peer.lua("return { where, flavour, type(print) }"), [
      "a/b",
      "vanilla",
      "function",
    ]);
    await peer.lua("written = 'below'");
    assert.equal(await t.lua("return written == nil"), true);
  });

  fact("API-028", async (t) => {
    const peer = await t.connect("/a/b");
    assert.deepEqual(
      await peer.lua(`
        flavour = "mint"
        local mint = flavour
        flavour = nil
        return { mint, flavour }`),
      ["mint", "vanilla"],
    );
  });

  fact("API-029", async (t) => {
    const below = await t.connect("/a/b");
    assert.deepEqual(
      await below.lua("return { b.where, super.where, a.where, www.where, super.super.where }"),
      ["a/b", "a", "a", "root", "root"],
    );
    const peer = await t.connect("/a");
    assert.equal(await peer.lua("return b.where"), "a/b");
    assert.equal(await t.lua("return super.print == print"), true);
  });

  fact("API-030", async (t) => {
    const peer = await t.connect("/a/b");
    assert.deepEqual(
      await peer.lua(`
        www, super = "my own", nil
        local mine, parents = www, super.where
        www = nil
        return { mine, parents, www.where }`),
      ["my own", "a", "root"],
    );
  });

  fact("API-031", async (t) => {
    assert.equal(await t.lua("return never == nil and unrelated == nil"), true);
    const peer = await t.connect("/child");
    assert.equal(await peer.lua("return www.child.where"), "child");
    assert.equal(await t.lua("return a and a.b and a.b.where or 'not there'"), "a/b");
    assert.equal(times(t, /started \/never/), 0);
  });

  fact("API-032", async (t) => {
    await t.connect("/heir");
    assert.deepEqual(await t.lua("return events[#events]"), ["connection", "/heir"]);
  });

  fact("API-033", async (t) => {
    const heir = await t.connect("/heir");
    await heir.publish("flavoured");
    assert.equal(await t.lua("return lastFlavour == nil"), true);
    assert.deepEqual(
      await t.lua("return { heir.lastFlavour, heir.lastHelper, heir.seenConnections ~= nil }"),
      ["chocolate", "vanilla", true],
    );
  });

  fact("API-034", async (t) => {
    const peer = await t.connect("/a");
    assert.deepEqual(
      await peer.lua(`
        local where, colon = super:twice(4)
        local _, dot = super.twice(5)
        local _, root = www:twice(6)
        return { where, colon, dot, root, select("#", www:twice()) }`),
      ["root", 8, 10, 12, 2],
    );
  });

  fact("API-036", async (t) => {
    const peer = await t.connect("/split");
    await peer.lua("kept = true");
    await sleep(20);
    t.server.write("www/split/part.lua", "return 43");
    await t.connect("/split");
    assert.deepEqual(await peer.lua("return { kept, included }"), [true, 42]);
  });

  slow("API-037", async (t) => {
    const server = await t.start({ www: { "": life, "/doomed": own("doomed", life) }, ini });
    await t.connectTo(server, "/doomed");
    server.remove("www/doomed/main.lua");
    const peer = await t.connectOnceGone(server, "/doomed");
    await server.logged(/stopped \/doomed$/);
    assert.match((await refusal(peer.lua("return 1"))).description, /not found/);
    server.remove("www/doomed");
    await until(async () => {
      const { code } = await refusal(t.connectTo(server, "/doomed"));
      return code === "NetConnection.Connect.InvalidApp";
    }, "the folder to count as deleted");
  });

  fact("API-038", async (t) => {
    t.server.write("www/survive/main.lua", own("first"));
    const peer = await t.connect("/survive");
    await peer.lua(
      "local me = ... me.nick = 'Tom' function me:hello() return 'I am ' .. self.nick end",
    );
    await sleep(20);
    t.server.write(
      "www/survive/main.lua",
      own("second", "function onConnection(client) probe(client) client.nick = 'new' end"),
    );
    const other = await t.connect("/survive");
    assert.equal(await other.lua("return where"), "second");
    assert.equal(await peer.call("hello"), "I am Tom");
  });

  fact("API-039", async (t) => {
    t.server.write("www/keeps/main.lua", own("first"));
    await (await t.connect("/keeps")).lua("cumulus.kept = { 7 } forgotten = 7");
    await sleep(20);
    t.server.write("www/keeps/main.lua", own("second"));
    const peer = await t.connect("/keeps");
    assert.deepEqual(await peer.lua("return { where, cumulus.kept[1], forgotten == nil }"), [
      "second",
      7,
      true,
    ]);
  });

  fact("API-040", async (t) => {
    const peer = await t.connect("/split");
    assert.deepEqual(await peer.lua("return { included, partSees, fromPart() }"), [
      42,
      "of split",
      "split",
    ]);
    assert.equal(await t.lua("return partSees == nil and fromPart == nil"), true);
  });

  fact("API-043", async (t) => {
    const peer = await t.connect("/a");
    assert.deepEqual(
      await peer.lua(`return {
        type(getmetatable(super)), type(getmetatable(a)), pcall(setmetatable, super, {}),
      }`).then((all) => all.slice(0, 3)),
      ["string", "string", false],
    );
  });

  fact("API-044", async (t) => {
    for (const path of ["/__index", "/__metatable"]) {
      assert.equal((await refusal(t.connect(path))).code, "NetConnection.Connect.InvalidApp");
    }
  });

  fact("API-045", async (t) => {
    await t.lua(`
      function onTypedObject(type, object)
        function object:__readExternal(reader)
          stolenReader, during = reader, true
          object.value = reader:readByte()
        end
      end`);
    const value: Externalizable = {
      externalizable: "Stolen",
      writeExternal: (writer) => writer.raw.u8(5),
    };
    assert.equal(await t.lua("return (select(2, ...)).value", value), 5);
    assert.equal(await t.lua("return during and stolenReader == nil"), true);
    await t.lua("onTypedObject = nil");
  });

  fact("API-046", async (t) => {
    const server = await t.start({
      www: {
        "": "",
        "/split": `dofile("part.lua")
          function onConnection(client) function client:part() return www.split.part end end`,
        "www/split/part.lua": `part = 1`,
      },
    });
    const peer = await t.connectTo(server, "/split");
    assert.equal(await peer.call("part"), 1);
    server.write("www/split/part.lua", "part = 2");
    Deno.kill(server.pid, "SIGUSR2");
    await server.logged(/^NOTE .*SIGUSR2: 2 applications restarted/, 0);
    assert.equal(await peer.call("part"), 2);
  });
});
