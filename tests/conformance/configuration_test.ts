// CFG-001 to CFG-095 but for mail: the file, cumulus.configs, the command line, logs.
import assert from "node:assert/strict";
import { MessageType, readUserControl, UserControl } from "../../src/tc/format/messages.ts";
import { sleep, until } from "../support/wait.ts";
import { Peer } from "./support/peer.ts";
import { probe } from "./support/probe.ts";
import { type FactContext, scenario } from "./support/scenario.ts";
import { type ServerOptions, TestServer } from "./support/test_server.ts";
import { freePort } from "../support/ports.ts";
import { WireClient } from "./support/wire_client.ts";

const main = `${probe}
function onConnection(client) probe(client) end
function onDisconnection(client) NOTE("left ", client.address) end
function onStop() NOTE("application stops") end
`;
const www = { "": main };
/** The original refused clients of these addresses. */
const blacklist = "127.0.0.1\n::1\n";

const serversPort = freePort();
const ini = `; a comment = not a key
# another = neither
  KEEPALIVESERVER   =   20
keepAlivePeer = 3
udpBufferSize = 300000
threads = 3
publicAddress = \${names.host}:1935

[names]
host = pub.example.org
[servers]
port = ${serversPort}
[myGroup]
myConfig = test
Number = 42
yes = true
no = false
spaced = a b  c
[both]
inner.key = below
inner = above
[edges]
activated = true
port = 1936
[auth]
whitelist = true
`;

/** A server that is prepared and not started. */
async function prepared(t: FactContext, options: ServerOptions = {}): Promise<TestServer> {
  const server = await TestServer.prepare(options);
  t.cleanup(() => server.stop());
  return server;
}

/** The two times, in milliseconds, that the server tells its clients. */
async function keepAlive(t: FactContext): Promise<readonly number[]> {
  const client = await WireClient.connect(t.server.port);
  t.cleanup(() => client.close());
  client.command("setPeerInfo", 0, null, "127.0.0.1:1");
  const { payload } = await client.messages.find(
    ({ type, payload }) =>
      type === MessageType.userControl &&
      readUserControl(payload).event === UserControl.setKeepAlive,
    "the keep-alive periods",
  );
  return readUserControl(payload).values;
}

scenario("configuration", { www: { ...www, blacklist }, ini }, ({ fact, slow }) => {
  slow("CFG-004", async (t) => {
    const server = await t.start({ www, ini: "[my]\nkey = before\n" });
    server.write("CumulusServer.ini", `port = ${server.port}\n[my]\nkey = after\n`);
    await sleep(2500);
    const before = await Peer.connect(server.url());
    assert.equal(await before.lua("return cumulus.configs.my.key"), "before");
    await before.close();
    await server.end();
    await server.run();
    const after = await t.connectTo(server);
    assert.equal(await after.lua("return cumulus.configs.my.key"), "after");
  });

  slow("CFG-095", async (t) => {
    const server = await t.start({ www, ini: `[servers]\nport = ${freePort()}\n` });
    assert.ok(server.log.items.some((line) => new RegExp(`^NOTE .*${server.port}`).test(line)));
    const link = /port = (\d+)\n$/.exec(server.options.ini as string)![1];
    await server.logged(new RegExp(`^NOTE .*${link}`));
    const peers = [await Peer.connect(server.url()), await Peer.connect(server.url())];
    await server.logged(/^INFO .*\b2 clients/);
    const from = server.log.items.length;
    await peers[0].close();
    await server.logged(/^INFO .*\b1 client/, from);
    await peers[1].close();
    await server.end();
    assert.match(server.log.items.at(-1)!, /^NOTE .*stop/);
  });

  slow("CFG-077", async (t) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGQUIT"] as const) {
      const server = await t.start({ www });
      const peer = await Peer.connect(server.url());
      assert.equal(await server.end(signal), 0, signal);
      await peer.ended();
      const said = server.log.items.map((line) => /(left|application stops)/.exec(line)?.[1])
        .filter((found) => found);
      assert.deepEqual(said, ["left", "application stops"], signal);
      await peer.close();
    }
  });

  slow("CFG-090", async (t) => {
    const server = await t.start({ www });
    const peer = await Peer.connect(server.url());
    await peer.lua(`NOTE("the oldest line")`);
    for (let i = 0; i < 75; i++) {
      await peer.lua(`NOTE(${i}, ("x"):rep(15000))`);
    }
    await peer.lua(`NOTE("the newest line")`);
    await peer.close();
    await server.end();
    assert.match(server.read("logs/log.1"), /the oldest line/);
    assert.match(server.read("logs/log.0"), /the newest line/);
    assert.ok(server.read("logs/log.1").length <= 1_200_000);
    await server.run();
    await server.end();
    assert.match(server.read("logs/log.0"), /the newest line[\s\S]*server starts/);
  });

  slow("CFG-001", async (t) => {
    const port = freePort();
    const without = await prepared(t, { www, ini: false, port, args: [`--port=${port}`] });
    await without.run();
    assert.deepEqual(without.log.items.filter((line) => /^(WARN|ERROR)/.test(line)), []);
    const peer = await t.connectTo(without);
    assert.equal(await peer.lua("return cumulus.configs.port == nil"), true);
    const strange = await prepared(t, { www, ini: "this is not a key\n" });
    assert.equal(await strange.exit(), 1);
    await strange.logged(/^FATAL .*CumulusServer\.ini:\d+: not a "key = value" line/);
  });

  fact("CFG-002", async (t) => {
    const configs = await t.lua("return cumulus.configs.myGroup");
    assert.equal(configs.spaced, "a b  c");
    assert.equal(await t.lua("return cumulus.configs['; a comment'] == nil"), true);
    assert.equal(await t.lua("return cumulus.configs['# another'] == nil"), true);
    assert.equal((await keepAlive(t))[0], 20_000); // it was written in capitals
  });

  fact("CFG-003", async (t) => {
    assert.equal(await t.lua("return cumulus.configs.publicAddress"), "pub.example.org:1935");
  });

  fact("CFG-005", async (t) => {
    assert.equal(await t.lua("return cumulus.configs.myGroup.myConfig"), "test");
    assert.equal(t.server.log.items.some((line) => /^WARN .*myGroup/i.test(line)), false);
  });

  fact("CFG-010", async (t) => {
    assert.equal(await t.lua("return cumulus.configs.port"), String(t.server.port));
    const zero = await prepared(t, { www, ini: false });
    zero.write("CumulusServer.ini", "port = 0\n");
    assert.notEqual(await zero.exit(), 0);
    assert.match(zero.log.items.join("\n"), /^(ERROR|FATAL) .*port/m);
  });

  fact("CFG-011", async (t) => {
    const { stdout } = await new Deno.Command("ss", {
      args: ["-uanmH", `sport = :${t.server.port}`],
    }).output();
    const sizes = /\brb(\d+).*\btb(\d+)/.exec(new TextDecoder().decode(stdout));
    assert.ok(sizes, "a socket");
    // Linux doubles the requested size, and limits it to net.core.rmem_max and wmem_max.
    for (const [i, name] of ["rmem_max", "wmem_max"].entries()) {
      const most = Number(Deno.readTextFileSync(`/proc/sys/net/core/${name}`));
      const asked = 300_000;
      assert.ok([2 * asked, 2 * Math.min(asked, most)].includes(Number(sizes[1 + i])), sizes[0]);
    }
  });

  fact("CFG-012", async (t) => {
    assert.equal((await keepAlive(t))[0], 20_000);
  });

  fact("CFG-013", async (t) => {
    assert.equal((await keepAlive(t))[1], 5000); // 3 is less than it may be
    assert.ok(t.server.log.items.some((line) => /^WARN .*keepAlivePeer/i.test(line)));
  });

  fact("CFG-014", async (t) => {
    assert.equal(await t.lua("return cumulus.configs.threads"), "3");
    assert.equal(t.server.log.items.some((line) => /^(WARN|ERROR) .*threads/.test(line)), false);
  });

  fact("CFG-015", async (t) => {
    assert.equal(await t.lua("return cumulus.publicAddress"), "pub.example.org:1935");
    const bare = await t.start({ www });
    const peer = await t.connectTo(bare);
    assert.equal(await peer.lua("return cumulus.publicAddress"), "");
  });

  fact("CFG-016", async (t) => {
    const link = await Deno.connect({ hostname: "127.0.0.1", port: serversPort });
    t.cleanup(() => link.close());
    assert.ok(await link.read(new Uint8Array(100)), "it says who it is");
  });

  fact("CFG-017", async (t) => {
    const listeners = [1, 2].map(() => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
    for (const listener of listeners) t.cleanup(() => listener.close());
    const targets = listeners.map((listener) => `127.0.0.1:${listener.addr.port}`).join(";");
    const server = await t.start({
      www: { "": `function onManage() NOTE("a tick") end` },
      ini: `[servers]\ntargets = ${targets}\n`,
    });
    for (const listener of listeners) (await listener.accept()).close();
    const lines = server.log.items;
    const second = await until(() => {
      const places = [...lines.keys()].filter((i) => /^INFO .*Linking/.test(lines[i]));
      return places[1];
    }, "the second attempt in the log");
    const ticks = lines.slice(0, second).filter((line) => line.endsWith("a tick")).length;
    assert.ok(ticks <= 3, `after ${ticks} ticks; the next attempt is after five`);
  });

  fact("CFG-025", async (t) => {
    const server = await t.start({ www, ini: "[logs]\ndirectory = other\n" });
    await until(() => /server starts/.test(server.read("other/log.0")), "the line in the file");
  });

  fact("CFG-026", async (t) => {
    const server = await t.start({ www, ini: "[logs]\nname = cumulus\n" });
    await until(() => /server starts/.test(server.read("logs/cumulus.0")), "the line in the file");
  });

  fact("CFG-030", async (t) => {
    const dir = await Deno.realPath(t.server.dir);
    assert.equal(await t.lua("return cumulus.configs.application.dir"), `${dir}/`);
    const base = await prepared(t, { www: { "": `NOTE("the base's script")` }, ini: false });
    const server = await prepared(t, { ini: `[application]\ndir = ${base.dir}\n`, dir: false });
    await server.run(`--ini=${server.dir}/CumulusServer.ini`);
    await server.logged(/the base's script/);
    assert.deepEqual(
      [await exists(`${base.dir}/logs/log.0`), await exists(`${server.dir}/logs`)],
      [true, false],
    );
  });

  fact("CFG-032", async (t) => {
    const server = await t.start();
    assert.equal((await Deno.stat(`${server.dir}/www`)).isDirectory, true);
  });

  fact("CFG-040", async (t) => {
    await t.server.logged(/^WARN .*\[edges\] activated/);
    await t.server.logged(/^WARN .*\[edges\] port/);
  });

  fact("CFG-041", async (t) => {
    await t.server.logged(/^WARN .*\[auth\] whitelist/);
  });

  fact("CFG-042", async (t) => {
    assert.equal(t.server.read("blacklist"), blacklist);
    assert.equal(await t.lua("return 1"), 1);
  });

  fact("CFG-060", async (t) => {
    assert.deepEqual(
      await t.lua(
        "local c = cumulus.configs return { type(c), type(c.myGroup), c.myGroup.myConfig, type(c.port) }",
      ),
      ["table", "table", "test", "string"],
    );
  });

  fact("CFG-061", async (t) => {
    assert.deepEqual(
      await t.lua(
        "local g = cumulus.configs.myGroup return { g.Number, g.yes, g.no, type(g.Number) }",
      ),
      ["42", "true", false, "string"],
    );
  });

  fact("CFG-062", async (t) => {
    assert.deepEqual(
      await t.lua(`
        local c = cumulus.configs
        return { c.KEEPALIVESERVER, c.keepAliveServer == nil, c.myGroup.number == nil, c.mygroup == nil }`),
      ["20", true, true, true],
    );
  });

  fact("CFG-063", async (t) => {
    assert.deepEqual(
      await t.lua(
        "local c = cumulus.configs return { c.smtp == nil, c.logs == nil, c.servers.targets == nil }",
      ),
      [true, true, true],
    );
  });

  fact("CFG-064", async (t) => {
    const { application, system } = await t.lua(
      "return { application = cumulus.configs.application, system = cumulus.configs.system }",
    );
    for (const name of ["path", "name", "baseName", "dir"]) {
      assert.equal(typeof application[name], "string", name);
    }
    const names = [
      "osName",
      "osVersion",
      "osArchitecture",
      "nodeName",
      "currentDir",
      "homeDir",
      "tempDir",
      "dateTime",
      "pid",
    ];
    for (const name of names) assert.ok(system[name], name);
    assert.equal(system.pid, String(t.server.pid));
    for (const folder of [application.dir, system.currentDir, system.homeDir, system.tempDir]) {
      assert.match(folder, /\/$/);
    }
  });

  fact("CFG-065", async (t) => {
    assert.deepEqual(await t.lua("return cumulus.configs.both"), { inner: { key: "below" } });
  });

  fact("CFG-066", async (t) => {
    assert.deepEqual(
      await t.lua(`
        local configs = cumulus.configs
        configs.port, configs.added = "1", "by a script"
        return { cumulus.configs == configs, cumulus.configs.port, cumulus.configs.added }`),
      [true, "1", "by a script"],
    );
    await t.lua("cumulus.configs.port = select(2, ...)", String(t.server.port));
    assert.equal((await t.connect()).info.code, "NetConnection.Connect.Success");
  });

  fact("CFG-070", async (t) => {
    const said = `WARN("a warning") NOTE("a note") DEBUG("a detail")`;
    const quiet = await prepared(t, { www: { "": said }, level: 4 });
    quiet.spawn();
    await quiet.logged(/^WARN .*a warning/);
    await sleep(200);
    assert.equal(quiet.log.items.some((line) => /^(NOTE|INFO|DEBUG)/.test(line)), false);
    const usual = await t.start({ www: { "": said }, level: null });
    await usual.logged(/^NOTE .*a note/);
    assert.equal(usual.log.items.some((line) => /^DEBUG/.test(line)), false);
  });

  fact("CFG-071", async (t) => {
    const server = await t.start({ www, args: ["--dump"] });
    const peer = await t.connectTo(server);
    const from = server.log.items.length;
    await peer.lua("return 'A word on the wire'");
    await server.logged(/A word on/, from);
  });

  const answers = async (t: FactContext, ...args: string[]) => {
    const server = await prepared(t);
    const code = await server.exit(...args);
    return { code, stdout: server.log.items.join("\n"), stderr: server.stderr };
  };

  fact("CFG-072", async (t) => {
    const { code, stderr } = await answers(t, "--cirrus=p2p.rtmfp.net:1935");
    assert.notEqual(code, 0);
    assert.match(stderr, /cirrus.*Adobe/s);
  });

  fact("CFG-073", async (t) => {
    const { code, stderr } = await answers(t, "-m");
    assert.notEqual(code, 0);
    assert.match(stderr, /-m.*Adobe/s);
  });

  fact("CFG-074", async (t) => {
    for (const option of ["--help", "-h"]) {
      const { code, stdout } = await answers(t, option);
      assert.equal(code, 0);
      for (const word of ["--log", "--dump", "--pidfile"]) assert.ok(stdout.includes(word), word);
    }
  });

  fact("CFG-075", async (t) => {
    const server = await prepared(t, { www });
    const file = `${server.dir}/pid`;
    const started = await prepared(t, { www, args: [`--pidfile=${file}`, "--umask=027"] });
    await started.run();
    assert.equal(
      await until(() => Deno.readTextFile(file).catch(() => undefined), "the file"),
      `${started.pid}\n`,
    );
    await started.end();
    assert.equal(await exists(file), false);
    const { code, stderr } = await answers(t, "--daemon");
    assert.notEqual(code, 0);
    assert.match(stderr, /systemd/);
  });

  fact("CFG-076", async (t) => {
    for (const option of ["--registerService", "--startup=automatic"]) {
      const { code, stderr } = await answers(t, option);
      assert.notEqual(code, 0);
      assert.match(stderr, /service/);
    }
  });

  fact("CFG-078", async (t) => {
    const server = await prepared(t, { www, port: t.server.port });
    assert.notEqual(await server.exit(), 0);
    assert.match(server.log.items.join("\n"), new RegExp(`^FATAL .*${t.server.port}`, "m"));
    const wrong = await prepared(t, { ini: "keepAliveServer = abc\n" });
    assert.notEqual(await wrong.exit(), 0);
    assert.match(wrong.log.items.join("\n"), /^FATAL .*keepAliveServer/m);
  });

  fact("CFG-079", async (t) => {
    const { code, stdout, stderr } = await answers(t, "--no-such-option");
    assert.notEqual(code, 0);
    assert.match(stderr, /--no-such-option/);
    assert.equal(stdout, "");
  });

  fact("CFG-091", async (t) => {
    await t.lua(`NOTE("a line for the file")`);
    const line = t.server.read("logs/log.0").split("\n").find((line) =>
      line.includes("a line for the file")
    );
    assert.match(
      line!,
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d {2}NOTE\t\w+\(\d+\)\t\S+\[\d+\] {2}a line for the file$/,
    );
  });

  fact("CFG-092", async (t) => {
    t.server.write("www/deep/er/main.lua", `NOTE("a line for the console")`);
    await t.connect("/deep/er");
    assert.match(
      await t.logged(/a line for the console/),
      /^NOTE {2}er\/main\.lua\[1\] a line for the console$/,
    );
    assert.ok(t.server.log.items.some((line) => /^NOTE {2}server\[\d+\] /.test(line)));
  });

  fact("CFG-093", async (t) => {
    const server = await t.start({
      level: 8,
      www: {
        "":
          `for _, level in ipairs { ERROR, WARN, NOTE, INFO, DEBUG, TRACE } do level("named") end`,
      },
    });
    await server.logged(/^TRACE .*named/);
    const names = new Set(server.log.items.map((line) => /^([A-Z]+) {2}/.exec(line)?.[1]));
    names.delete(undefined);
    const known = ["FATAL", "CRITIC", "ERROR", "WARN", "NOTE", "INFO", "DEBUG", "TRACE"];
    assert.deepEqual([...names].filter((name) => !known.includes(name!)), []);
    for (const name of known.slice(2)) assert.ok(names.has(name), name);
  });

  fact("CFG-094", async (t) => {
    const server = await t.start({ www, args: ["--dump=all"] });
    const peer = await t.connectTo(server);
    await peer.lua("return 1");
    const record = await server.logged(/\n/);
    const [header, ...rows] = record.split("\n");
    assert.match(header, /\d+ bytes/);
    for (const row of rows.slice(0, -1)) {
      assert.match(row, /^\s*([0-9A-F]{2} ){16}\s*.{16}$/);
    }
    assert.match(server.read("logs/log.0"), /([0-9A-F]{2} ){16}/);
  });
});

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
