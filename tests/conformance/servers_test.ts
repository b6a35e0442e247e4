// API-501 to API-526, the events of servers, API-041, and CLU-001 to CLU-034: two linked servers.
// The hub is dialled by the branch.
import assert from "node:assert/strict";
import { sleep, until } from "../support/wait.ts";
import { probe } from "./support/probe.ts";
import { type FactContext, scenario } from "./support/scenario.ts";
import { type ServerOptions } from "./support/test_server.ts";
import { freePort } from "../support/ports.ts";

const main = `${probe}
function onStart(path) record("start", path) end
function onConnection(client) probe(client) end
function onServerConnection(server)
  record("connection", server.publicAddress, cumulus.servers.count, cumulus.servers(server.address) == server)
  function server:note(...) record("note", self == cumulus.servers(self.address), ...) end
  function server:answers() return "not wanted" end
  function server:fails() error("this handler fails") end
  function server:type() record("never", "built-in names win") end
end
function onServerDisconnection(server)
  record("disconnection", server.publicAddress, cumulus.servers.count, server.custom)
end
`;

const late = `${probe}
function onStart(path) record("start", path) end
function onConnection(client) probe(client) end
function onServerConnection(server) record("connection", server.isTarget, server.sharedField) end
function onServerDisconnection(server) record("disconnection", server.isTarget) end
`;

const linkPort = freePort();
const hubAddress = "pub.example:1987";
const hub: ServerOptions = {
  www: {
    "": main,
    "/late": late,
    "/quiet": "-- no events of its own",
    "/app": late,
    "/errands": "",
  },
  ini: `publicAddress = ${hubAddress}\n[servers]\nport = ${linkPort}\n`,
};
const branch: ServerOptions = {
  www: { "": main, "/app": late, "/away": late },
  ini: `[servers]\ntargets = 127.0.0.1:${linkPort}?type=master&n=a+b%21&isTarget=no\n`,
};

/** A further server that dials the hub, of this fact alone. */
const third = (main: string, query = "", more = "") => ({
  www: { "": main },
  ini: `${more}[servers]\ntargets = ;; 127.0.0.1:${linkPort}${query} ;\n`,
});

const onHub = (t: FactContext, code: string) => t.lua(code);
const onBranch = (t: FactContext, code: string) => t.luaOf("branch", code);

/** Notes that a server's Lua got with this first value. */
const noted = (t: FactContext, name: string, mark: string) =>
  until(async () => {
    const code = `
      for _, event in ipairs(events) do
        if event[1] == "note" and event[3] == select(2, ...) then return event end
      end`;
    return (name === "" ? await t.lua(code, mark) : await t.luaOf(name, code, mark)) ?? undefined;
  }, `the note ${mark}`);

const branchAddress = (t: FactContext) => `127.0.0.1:${t.other("branch").port}`;

scenario("servers", { ...hub, others: { branch } }, ({ fact, slow }) => {
  slow("CLU-003", async (t) => {
    const port = freePort();
    const dialling = await t.start({
      www: { "": main },
      ini: `[servers]\ntargets = 127.0.0.1:${port}\n`,
    });
    await dialling.logged(new RegExp(`^INFO .*127\\.0\\.0\\.1:${port}`));
    const began = Date.now();
    await sleep(500); // that attempt has failed
    const listener = Deno.listen({ hostname: "127.0.0.1", port });
    const connection = await listener.accept();
    const waited = Date.now() - began;
    assert.ok(waited > 5000 && waited < 19_000, `dialled again after ${waited} ms`);
    connection.close();
    listener.close();
  });

  slow("CLU-006", async (t) => {
    const joined = await t.start(third(main));
    const peer = await t.connectTo(joined);
    await until(() => peer.lua("return cumulus.servers.count == 1"), "the link");
    await until(
      () => t.lua("return cumulus.servers('127.0.0.1:' .. select(2, ...)) ~= nil", joined.port),
      "the link at the hub",
    );
  });

  fact("API-501", async (t) => {
    await until(() => onHub(t, "return cumulus.servers.count > 0"), "the link");
    assert.equal(await onBranch(t, "return cumulus.servers.count"), 1);
  });

  fact("API-502", async (t) => {
    assert.ok(await onHub(t, "return cumulus.servers.initiators.count") >= 1);
    assert.equal(await onBranch(t, "return cumulus.servers.initiators.count"), 0);
  });

  fact("API-503", async (t) => {
    assert.equal(await onHub(t, "return cumulus.servers.targets.count"), 0);
    assert.equal(await onBranch(t, "return cumulus.servers.targets.count"), 1);
  });

  fact("API-504", async (t) => {
    assert.deepEqual(
      await onBranch(
        t,
        `local found = {}
        for i, server in cumulus.servers:ipairs() do found[#found + 1] = i .. server.address end
        return found`,
      ),
      [`1127.0.0.1:${linkPort}`],
    );
  });

  fact("API-505", async (t) => {
    await onHub(t, `cumulus.servers:broadcast("note", "broadcast", { 1, 2 })`);
    assert.deepEqual((await noted(t, "branch", "broadcast")).slice(3), [[1, 2]]);
    for (const handler of [`""`, "nil", `"."`]) {
      const before = (await t.matching(/^ERROR/)).length;
      await onHub(t, `cumulus.servers:broadcast(${handler}, 1)`);
      assert.equal((await t.matching(/^ERROR/)).length, before + 1, handler);
    }
  });

  fact("API-506", async (t) => {
    assert.deepEqual(
      await onBranch(
        t,
        `local servers = cumulus.servers
        local server = servers(1)
        return {
          server ~= nil, servers(server.address) == server, servers(server.publicAddress) == server,
          servers(2) == nil, servers(0) == nil, servers("nobody:1") == nil,
        }`,
      ),
      [true, true, true, true, true, true],
    );
  });

  fact("API-507", async (t) => {
    assert.deepEqual(
      await onBranch(
        t,
        "local s = cumulus.servers return { s[1] == s(1), s[1] ~= nil, s[2] == nil }",
      ),
      [true, true, true],
    );
  });

  fact("API-508", async (t) => {
    await onBranch(t, `cumulus.servers.targets:broadcast("note", "to targets")`);
    await onBranch(t, `cumulus.servers.initiators:broadcast("note", "to nobody")`);
    await noted(t, "", "to targets");
    assert.deepEqual(
      await onBranch(
        t,
        `local targets, found = cumulus.servers.targets, 0
        for _ in targets:ipairs() do found = found + 1 end
        return { found, targets.count, targets(1) == cumulus.servers(1), targets("x") == nil }`,
      ),
      [1, 1, true, true],
    );
  });

  fact("API-520", async (t) => {
    assert.equal(await onBranch(t, "return cumulus.servers(1).address"), `127.0.0.1:${linkPort}`);
    assert.match(await onHub(t, "return cumulus.servers(1).address"), /^127\.0\.0\.1:\d+$/);
  });

  fact("API-521", async (t) => {
    assert.equal(await onBranch(t, "return cumulus.servers(1).publicAddress"), hubAddress);
    assert.equal(await onHub(t, "return cumulus.servers(1).publicAddress"), branchAddress(t));
  });

  fact("API-522", async (t) => {
    assert.deepEqual(
      [
        await onBranch(t, "return cumulus.servers(1).isTarget"),
        await onHub(t, "return cumulus.servers(1).isTarget"),
      ],
      [true, false],
    );
  });

  fact("API-523", async (t) => {
    const code = "local s = cumulus.servers(1) return { s.n, type(s.n) }";
    assert.deepEqual([await onBranch(t, code), await onHub(t, code)], [["a b!", "string"], [
      "a b!",
      "string",
    ]]);
  });

  fact("API-524", async (t) => {
    await onBranch(t, `cumulus.servers(1):send("note", "sent", 1, nil, { x = "y" })`);
    assert.deepEqual(await noted(t, "", "sent"), ["note", true, "sent", 1, null, { x: "y" }]);
    await onBranch(t, `cumulus.servers(1):send("")`);
    await t.other("branch").logged(/^ERROR/);
  });

  fact("API-525", async (t) => {
    await onBranch(
      t,
      `local hub = cumulus.servers(1)
      hub:send("noSuchHandler") hub:send("answers") hub:send("fails") hub:send("note", "after all")`,
    );
    await noted(t, "", "after all");
    await t.logged(/^WARN .*answers/);
    await t.logged(/^ERROR .*this handler fails/);
    assert.deepEqual(await t.matching(/noSuchHandler/), []);
  });

  fact("API-526", async (t) => {
    const peer = await t.connect("/app");
    await peer.lua("cumulus.servers(1).prefixed = 5");
    assert.equal(await onHub(t, "return cumulus.servers(1).prefixed"), 5);
  });

  fact("API-619", async (t) => {
    const [app, away] = [await t.connect("/app"), await t.connect("/quiet")];
    const added = await t.start(third(""));
    await added.logged(/pub\.example/);
    await until(
      async () => await app.lua(`return count("connection")`) >= 2,
      "the application's event",
    );
    assert.ok(await onHub(t, `return count("connection")`) >= 2);
    assert.equal(away.info.code, "NetConnection.Connect.Success");
  });

  fact("API-620", async (t) => {
    const app = await t.connect("/app");
    const before = await app.lua(`return count("disconnection")`);
    const rootBefore = await onHub(t, `return count("disconnection")`);
    const added = await t.start(third(""));
    await added.logged(/pub\.example/);
    await added.end();
    await until(async () => await app.lua(`return count("disconnection")`) > before, "the event");
    assert.ok(await onHub(t, `return count("disconnection")`) > rootBefore);
  });

  fact("API-652", async (t) => {
    const [first] = await onBranch(
      t,
      `
      local found = {}
      for _, event in ipairs(events) do if event[1] == "connection" then found[#found + 1] = event end end
      return found`,
    );
    assert.deepEqual(first, ["connection", hubAddress, 1, true]);
  });

  fact("API-653", async (t) => {
    const added = await t.start(third(""));
    await added.logged(/pub\.example/);
    const address = `127.0.0.1:${added.port}`;
    await until(
      () =>
        t.lua(
          "local s = cumulus.servers(select(2, ...)) if s then s.custom = 8 end return s ~= nil",
          address,
        ),
      "the link",
    );
    await added.end();
    const event = await until(() =>
      t.lua(
        `for _, event in ipairs(events) do
          if event[1] == "disconnection" and event[2] == select(2, ...) then return event end
        end`,
        address,
      ).then((event) => event ?? undefined), "the event");
    assert.equal(event[3], 8);
    assert.equal(await t.lua("return cumulus.servers(select(2, ...)) == nil", address), true);
    assert.ok(event[2] >= 1, "the branch is still there");
  });

  fact("API-041", async (t) => {
    const peer = await t.connect("/late");
    const [first, second] = await peer.lua("return events");
    assert.deepEqual([first, second[0]], [["start", "/late"], "connection"]);
  });

  fact("CLU-001", async (t) => {
    assert.deepEqual(
      await onHub(t, "return { cumulus.publicAddress, cumulus.configs.servers.port }"),
      [hubAddress, String(linkPort)],
    );
    assert.match(await onBranch(t, "return cumulus.configs.servers.targets"), /\?type=master/);
  });

  fact("CLU-002", async (t) => {
    const direction = `
      local servers = cumulus.servers
      local server = servers(1)
      return {
        server.isTarget, servers.targets(1) == server, servers.initiators(1) == server,
      }`;
    assert.deepEqual(await onBranch(t, direction), [true, true, false]);
    assert.deepEqual(await onHub(t, direction), [false, false, true]);
  });

  fact("CLU-004", async (t) => {
    assert.equal(await onBranch(t, "return cumulus.configs.servers.port == nil"), true);
    const sockets = await new Deno.Command("cat", {
      args: [`/proc/${t.other("branch").pid}/net/tcp`],
    })
      .output();
    assert.ok(sockets.success);
    await assert.rejects(
      Deno.connect({ hostname: "127.0.0.1", port: t.other("branch").port }),
      Deno.errors.ConnectionRefused,
    );
  });

  slow("CLU-005", async (t) => {
    const [a, b] = [freePort(), freePort()];
    const mutual = (own: number, other: number, name: string) => ({
      www: { "": main },
      ini: `publicAddress = ${name}:1\n[servers]\nport = ${own}\ntargets = 127.0.0.1:${other}\n`,
    });
    const second = t.start(mutual(b, a, "second"));
    await second;
    const first = await t.start(mutual(a, b, "first"));
    const peer = await t.connectTo(first);
    // the first dials at once; the second found no server, and dials again 10 s later
    await until(() => peer.lua("return cumulus.servers.count == 2"), "both links");
    await first.logged(/^WARN .*second:1/);
  });

  fact("CLU-008", async (t) => {
    const before = await onHub(t, "return { cumulus.servers.count, #events }");
    const stranger = await Deno.connect({ hostname: "127.0.0.1", port: linkPort });
    t.cleanup(() => stranger.close());
    await sleep(150);
    assert.deepEqual(await onHub(t, "return { cumulus.servers.count, #events }"), before);
  });

  fact("CLU-009", async (t) => {
    const added = await t.start(third("", "", "publicAddress = added.example:7\n"));
    await t.logged(/^NOTE .*added\.example:7/);
    await added.logged(/^NOTE .*pub\.example:1987/);
    const from = t.server.log.items.length;
    await added.end();
    await t.server.logged(/^NOTE .*added\.example:7/, from);
  });

  fact("CLU-010", async (t) => {
    const added = await t.start({
      www: { "": main },
      ini: `[servers]\ntargets = 127.0.0.1:${linkPort}?a=1 ;; 127.0.0.1:${linkPort}?b=2&c=3;\n`,
    });
    const peer = await t.connectTo(added);
    await until(() => peer.lua("return cumulus.servers.count == 2"), "both links");
    assert.deepEqual(
      await peer.lua(`
        local found = {}
        for _, s in cumulus.servers:ipairs() do
          found[#found + 1] = s.a and "a" .. s.a or "b" .. s.b .. "c" .. s.c
        end
        table.sort(found)
        return found`),
      ["a1", "b2c3"],
    );
  });

  fact("CLU-011", async (t) => {
    assert.deepEqual(
      await onBranch(t, "local s = cumulus.servers(1) return { s.type == nil, s.n }"),
      [false, "a b!"],
    );
  });

  fact("CLU-012", async (t) => {
    assert.equal(await onHub(t, "return cumulus.servers(1).n"), "a b!");
  });

  fact("CLU-013", async (t) => {
    assert.deepEqual(
      await onHub(
        t,
        "local s = cumulus.servers(1) return { s.isTarget, type(s.send), s.address:match('^127') }",
      ),
      [false, "function", "127"],
    );
    assert.equal(await onBranch(t, "return cumulus.servers(1).isTarget"), true);
  });

  fact("CLU-014", async (t) => {
    const [target, initiator] = [
      await onBranch(t, "return cumulus.servers.targets(1).address"),
      await onHub(t, "return cumulus.servers.initiators(1).address"),
    ];
    assert.equal(target, `127.0.0.1:${linkPort}`);
    assert.notEqual(Number(initiator.split(":")[1]), linkPort);
  });

  fact("CLU-015", async (t) => {
    assert.equal(
      await onHub(t, "return cumulus.servers.initiators(1).publicAddress"),
      branchAddress(t),
    );
    assert.equal(await onBranch(t, "return cumulus.servers.targets(1).publicAddress"), hubAddress);
  });

  fact("CLU-020", async (t) => {
    await onHub(
      t,
      `cumulus.servers(1):send("note", "converted", { __time = 1000 }, { __raw = "\\0\\255" }, 1.5, "ä", { 1, { 2 } })`,
    );
    const values = (await noted(t, "branch", "converted")).slice(3);
    assert.deepEqual(values, [new Date(1000), Uint8Array.of(0, 255), 1.5, "ä", [1, [2]]]);
  });

  fact("CLU-021", async (t) => {
    await onHub(t, `cumulus.servers.initiators:broadcast("note", "to initiators")`);
    await onBranch(t, `cumulus.servers.targets:broadcast("note", "to the targets")`);
    await noted(t, "branch", "to initiators");
    await noted(t, "", "to the targets");
  });

  fact("CLU-022", async (t) => {
    await onHub(
      t,
      `
      local server = cumulus.servers(1)
      function server:addedLater(x) record("note", true, "added " .. x) end`,
    );
    await onBranch(t, `cumulus.servers(1):send("addedLater", "now")`);
    await noted(t, "", "added now");
  });

  fact("CLU-023", async (t) => {
    assert.equal(
      await onBranch(
        t,
        `
        local hub = cumulus.servers(1)
        return select("#", hub:send("answers")) + select("#", hub:send("unknown")) + select("#", hub:send("fails"))`,
      ),
      0,
    );
    await t.logged(/^ERROR .*this handler fails/);
  });

  fact("CLU-024", async (t) => {
    const branch = t.other("branch");
    const from = branch.log.items.length;
    await onBranch(t, `cumulus.servers(1):send(".") cumulus.servers(1):send(nil, 1)`);
    await branch.logged(/^ERROR/, from);
    const name = "h".repeat(255);
    await t.lua(
      "local server = cumulus.servers(1) server[select(2, ...)] = function() record('note', true, 'cut') end",
      name,
    );
    await t.luaOf("branch", "cumulus.servers(1):send(select(2, ...))", `${name}too long`);
    await noted(t, "", "cut");
    await branch.logged(/^WARN/, from);
  });

  fact("CLU-025", async (t) => {
    await onHub(
      t,
      `
      order = {}
      local server = cumulus.servers(1)
      function server:step(i) order[#order + 1] = i end`,
    );
    await onBranch(t, `for i = 1, 500 do cumulus.servers(1):send("step", i) end`);
    await until(() => onHub(t, "return #order == 500"), "all of them");
    assert.equal(
      await onHub(t, "for i = 1, 500 do if order[i] ~= i then return i end end return 0"),
      0,
    );
  });

  fact("CLU-026", async (t) => {
    const peer = await t.connect("/app");
    await peer.lua(`local server = cumulus.servers(1) function server:collide() end`);
    assert.equal(await onHub(t, "return type(cumulus.servers(1).collide)"), "function");
  });

  fact("CLU-030", async (t) => {
    const added = await t.start(third(""));
    const address = `127.0.0.1:${added.port}`;
    const of = (name: string) =>
      until(() =>
        t.lua(
          `for _, event in ipairs(events) do
            if event[1] == select(2, ...) and event[2] == select(3, ...) then return event[3] end
          end`,
          name,
          address,
        ).then((count) => count ?? undefined), name);
    const included = await of("connection");
    await added.end();
    assert.equal(await of("disconnection"), included - 1);
  });

  fact("CLU-031", async (t) => {
    const started = () => t.server.log.items.length;
    const before = started();
    const peer = await t.connect("/errands"); // runs at the hub only: the branch has no such folder
    assert.ok(peer && started() >= before);
    const branch = t.other("branch");
    const client = await t.connectTo(branch, "/app");
    await client.lua("return 1");
    branch.write("www/late/main.lua", late);
    await t.connect("/late");
    const announced = await t.start({
      ...third(""),
      www: { "": "", "/away": late, "/late": `function onStart() NOTE("late was started") end` },
    });
    await announced.logged(/late was started/);
  });

  fact("CLU-032", async (t) => {
    const peer = await t.connect("/late");
    assert.ok(await peer.lua(`return count("connection")`) >= 1);
    const quiet = await onHub(t, `return count("connection")`);
    await t.connect("/quiet"); // inherits, but is not called: the root was
    assert.equal(await onHub(t, `return count("connection")`), quiet);
  });

  fact("CLU-033", async (t) => {
    const branch = t.other("branch");
    const before = `function onStart() NOTE("reload v1") end`;
    branch.write("www/shared/main.lua", before);
    t.server.write("www/shared/main.lua", "-- here v1");
    await t.connect("/shared");
    await branch.logged(/reload v1/);
    await sleep(20);
    branch.write("www/shared/main.lua", before.replace("v1", "v2"));
    await sleep(300);
    assert.equal(branch.log.items.some((line) => line.includes("reload v2")), false);
    t.server.write("www/shared/main.lua", "-- here v2");
    await t.connect("/shared");
    await branch.logged(/reload v2/);
  });

  fact("CLU-034", async (t) => {
    t.server.write("www/refuses/main.lua", `function onServerConnection() error("go away") end`);
    await t.connect("/refuses");
    await t.logged(/^ERROR .*go away/);
    const added = await t.start(third(main));
    const peer = await t.connectTo(added);
    await until(() => peer.lua("return cumulus.servers.count == 1"), "the link");
    await sleep(100);
    assert.equal(await peer.lua("return cumulus.servers.count"), 1);
  });

  fact("CLU-007", async (t) => {
    const link = await Deno.connect({ hostname: "127.0.0.1", port: linkPort });
    t.cleanup(() => link.close());
    const bytes = new Uint8Array(100);
    const length = await link.read(bytes);
    assert.ok(new TextDecoder().decode(bytes.subarray(0, length!)).includes(hubAddress));
  });
});
