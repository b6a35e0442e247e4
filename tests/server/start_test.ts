// The server as an operator uses it: a process, its options, signals and exit code. What the facts CFG-001 to
// CFG-095 say of that is in tests/conformance/configuration_test.ts.
import assert from "node:assert/strict";
import { freePort } from "../support/ports.ts";
import { NetConnection } from "../../src/client/net_connection.ts";
import { StatusError } from "../../src/client/status.ts";
import { check } from "../../src/server/check.ts";
import { shippedPorts } from "../support/shipped_ports.ts";
import { PATIENCE, sleep, until as waitUntil } from "../support/wait.ts";

const main = new URL("../../main.ts", import.meta.url).pathname;

interface Running {
  readonly child: Deno.ChildProcess;
  readonly folder: string;
  /** Resolves once the program printed its last line of start. */
  readonly printed: Promise<unknown>;
  /** Standard output and error printed until now. */
  text: string;
  error: string;
}

/** Starts the program in a folder of its own that holds some files. */
function start(files: Record<string, string>, ...args: string[]): Running {
  const folder = Deno.makeTempDirSync({ prefix: "cumulus-start-" });
  for (const [name, text] of Object.entries(withTime(files, args))) {
    Deno.mkdirSync(`${folder}/${name}`.replace(/\/[^/]*$/, ""), { recursive: true });
    Deno.writeTextFileSync(`${folder}/${name}`, text);
  }
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", main, "--dir", folder, ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  const collect = async (from: ReadableStream<Uint8Array>, add: (text: string) => void) => {
    for await (const text of from.pipeThrough(new TextDecoderStream())) add(text);
  };
  const printed = Promise.all([
    collect(child.stdout, (text) => running.text += text),
    collect(child.stderr, (text) => running.error += text),
  ]);
  const running: Running = { child, folder, printed, text: "", error: "" };
  return running;
}

/** Gives scripts a minute, unless the configuration sets the limit. */
function withTime(files: Record<string, string>, args: string[]): Record<string, string> {
  const name = "CumulusServer.ini";
  const none = Object.keys(files).length === 0 || args.some((arg) => arg.startsWith("--ini"));
  if (none || /^time *=/m.test(files[name] ?? "")) return files;
  return { ...files, [name]: `${files[name] ?? ""}\n[script]\ntime = ${PATIENCE}\n` };
}

async function until(running: Running, pattern: RegExp): Promise<RegExpExecArray> {
  try {
    return await waitUntil(() => pattern.exec(running.text), String(pattern));
  } catch (error) {
    throw new Error(`${error}:\n${running.text}${running.error}`);
  }
}

async function end(running: Running): Promise<number> {
  const { code } = await running.child.status;
  await running.printed;
  Deno.removeSync(running.folder, { recursive: true });
  return code;
}

const portOf = async (running: Running) =>
  Number((await until(running, /RTMFP server starts on UDP port (\d+)/))[1]);

/** Runs the program until it exits. */
async function run(files: Record<string, string>, ...args: string[]) {
  const running = start(files, ...args);
  const code = await end(running);
  return { code, text: running.text, error: running.error };
}

Deno.test("CFG-077 the server counts a signal that deno task repeats at once as one", async () => {
  const running = start({
    "www/main.lua": `
      function onStop()
        local began = os.clock()
        while os.clock() < began + 0.1 do end
        NOTE("stopped in good order")
      end`,
  }, "--port=0");
  const client = await NetConnection.connect(`rtmfp://127.0.0.1:${await portOf(running)}/`);
  const first = performance.now();
  for (let i = 0; i < 5; i++) { // without waiting between, which could become long
    running.child.kill("SIGINT");
    while (performance.now() < first + 15 * i);
  }
  assert.equal(await end(running), 0, running.text);
  await client.close();
  assert.match(running.text, /stopped in good order/);
});

Deno.test("The server's first start in an empty folder writes configuration and main.lua, and logs it", async () => {
  using _ports = await shippedPorts();
  const running = start({}, "--port=0");
  const url = `rtmfp://127.0.0.1:${await portOf(running)}/no/such/folder`;
  const client = await NetConnection.connect(url); // as the configuration is shipped
  await client.close();
  running.child.kill("SIGTERM");
  await running.child.status;
  await running.printed;
  for (const name of ["CumulusServer.ini", "www/main.lua"]) {
    const shipped = Deno.readTextFileSync(new URL(`../../${name}`, import.meta.url));
    assert.equal(Deno.readTextFileSync(`${running.folder}/${name}`), shipped);
    assert.match(running.text, new RegExp(`^NOTE .*Wrote .*${name}`, "m"));
  }
  await end(running);
});

Deno.test("The server does not start if it cannot open the RTMP door, and names the key", async () => {
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const ini = (keys: string) => ({ "CumulusServer.ini": `[rtmp]\naddress = 127.0.0.1\n${keys}` });
  const busy = await run(ini(`port = ${taken.addr.port}\n`), "--port=0");
  taken.close();
  assert.equal(busy.code, 1);
  assert.match(
    busy.text,
    /^FATAL .*\[rtmp\] address = 127.0.0.1, port = \d+: cannot be opened/m,
  );
  const bare = await run(ini("tlsPort = 1\n"), "--port=0");
  assert.equal(bare.code, 1);
  assert.match(bare.text, /^FATAL .*\[rtmp\] tlsPort requires certificate and key/m);
});

Deno.test("CFG-010 the server exits with code 1 at an invalid value, and names section and key", async () => {
  const bad = await run({ "CumulusServer.ini": "[servers]\nport = abc\n" });
  assert.equal(bad.code, 1);
  assert.match(
    bad.text,
    /^FATAL .*CumulusServer\.ini:2: \[servers\] port = abc: expected an integer from 0 to 65535$/m,
  );
  const zero = await run({ "CumulusServer.ini": "port = 0\n" });
  assert.equal(zero.code, 1);
  assert.match(zero.text, /^FATAL .*port = 0: expected an integer from 1/m);
  const missing = await run({}, "--ini=nowhere.ini");
  assert.equal(missing.code, 1);
  assert.match(missing.text, /^FATAL .*nowhere\.ini.* cannot be read/m);
});

Deno.test("CFG-078 the server reports a port in use, and exits with code 1", async () => {
  const taken = Deno.listenDatagram({ transport: "udp", hostname: "0.0.0.0", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  const { code, text } = await run({ "CumulusServer.ini": `port = ${port}\n` });
  taken.close();
  assert.equal(code, 1);
  assert.match(text, new RegExp(`^FATAL .*UDP port ${port} is in use`, "m"));
});

Deno.test("The server prints --version and exits, and exits with code 2 at a usage error", async () => {
  const version = await run({}, "--version");
  assert.equal(version.code, 0);
  assert.match(version.text, /^\d+\.\d+\.\d+\n$/);
  const mistake = await run({}, "--prot=1");
  assert.equal(mistake.code, 2);
  assert.match(mistake.error, /unknown option --prot=1/);
});

Deno.test("The server logs warnings about the configuration, and --log overrides the configured level", async () => {
  const running = start(
    { "CumulusServer.ini": "[servers]\nprot = 1\n[logs]\nlevel = 3\nformat = json\n" },
    "--port=0",
    "--log=note",
  );
  await until(running, /RTMFP server starts/);
  running.child.kill("SIGTERM");
  assert.equal(await end(running), 0);
  const lines = running.text.trim().split("\n").map((line) => JSON.parse(line));
  assert.equal(lines[0].level, "WARN");
  assert.match(lines[0].text, /CumulusServer\.ini:2: unknown key \[servers\] prot; did you mean/);
  assert.deepEqual(lines.filter(({ level }) => level === "INFO"), []);
});

Deno.test("API-026 the server refuses clients of a script that does not compile, and serves others", async () => {
  const running = start({
    "www/main.lua": "function onConnection(client) function client:hi() return 'hi' end end",
    "www/broken/main.lua": "x = = 1",
    "www/failing/main.lua": "\nerror('out of order')",
  }, "--port=0");
  const url = `rtmfp://127.0.0.1:${await portOf(running)}`;
  const refused = async (path: string, description: RegExp) => {
    await assert.rejects(NetConnection.connect(`${url}${path}`), (error) => {
      assert.ok(error instanceof StatusError, String(error));
      assert.equal(error.status.code, "NetConnection.Connect.Rejected");
      assert.match(error.status.description, description);
      return true;
    });
  };
  await refused("/broken", /^unexpected symbol near '='$/);
  await refused("/failing", /^out of order$/);
  await until(running, /^ERROR {2}broken\/main\.lua\[1\] .*unexpected symbol/m);
  const client = await NetConnection.connect(`${url}/`);
  assert.equal(await client.call("hi"), "hi");
  Deno.writeTextFileSync(
    `${running.folder}/www/broken/main.lua`,
    "-- mended, and as long as it takes",
  );
  const mended = await NetConnection.connect(`${url}/broken`);
  await Promise.all([client.close(), mended.close()]);
  running.child.kill("SIGTERM");
  assert.equal(await end(running), 0);
});

Deno.test("CFG-077 the second signal ends the server at once, even while a script runs", async () => {
  const running = start({
    "CumulusServer.ini": "[script]\ntime = 120000\n",
    "www/main.lua": 'function onStop() NOTE("onStop") while true do end end',
  }, "--port=0");
  await portOf(running);
  await until(running, /The root|RTMFP server starts/);
  running.child.kill("SIGTERM");
  await until(running, /onStop/);
  const began = performance.now();
  running.child.kill("SIGTERM");
  assert.notEqual(await end(running), 0);
  assert.ok(performance.now() - began < PATIENCE, "it did not wait for the script's two minutes");
});

Deno.test("SOCK-067 the server reports unsent mails to scripts when it stops", async () => {
  const silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = silent.addr as Deno.NetAddr;
  const running = start({
    "CumulusServer.ini": `[smtp]\nhost = 127.0.0.1\nport = ${port}\n`,
    "www/main.lua": `
      function onStart()
        for i = 1, 2 do
          local mail = cumulus:sendMail("a@example.org", "", "", "b@example.org")
          function mail:onSent(error) NOTE("mail ", i, ": ", error) end
        end
      end
      function onStop() NOTE("onStop") end`,
  }, "--port=0");
  await portOf(running);
  await sleep(100);
  running.child.kill("SIGTERM");
  assert.equal(await end(running), 0);
  silent.close();
  assert.match(running.text, /mail 1: the server stopped.*mail 2: the server stopped.*onStop/s);
});

Deno.test("The server reopens the log at SIGHUP, applies live keys, and names changed keys that need a restart", async () => {
  const running = start({
    "CumulusServer.ini": `[sandbox]\nconnect = public\n[script]\ntime = ${PATIENCE}\n`,
    "www/main.lua": `
      function onConnection(client)
        function client:try()
          local socket = cumulus:createTCPClient()
          return socket:connect("127.0.0.1", 9) or "tried"
        end
      end`,
  }, "--port=0");
  const url = `rtmfp://127.0.0.1:${await portOf(running)}/`;
  const client = await NetConnection.connect(url);
  assert.match(String(await client.call("try")), /not allowed by \[sandbox\] connect/);
  Deno.renameSync(`${running.folder}/logs/log.0`, `${running.folder}/logs/old`);
  Deno.writeTextFileSync(
    `${running.folder}/CumulusServer.ini`,
    "keepAlivePeer = 20\nthreads = 3\nmine = 1\n[sandbox]\nconnect = loopback\n" +
      `[script]\ntime = ${PATIENCE}\n`,
  );
  running.child.kill("SIGHUP");
  await until(
    running,
    /NOTE .*SIGHUP: log reopened; now in effect: keepAlivePeer, \[sandbox\] connect; after a restart: threads, mine\n/,
  );
  const log = `${running.folder}/logs/log.0`; // written after standard output
  await waitUntil(() => /SIGHUP/.test(Deno.readTextFileSync(log)), "the line in the new file");
  assert.doesNotMatch(Deno.readTextFileSync(`${running.folder}/logs/old`), /SIGHUP/);
  assert.equal(await client.call("try"), "tried");
  Deno.writeTextFileSync(`${running.folder}/CumulusServer.ini`, "[script]\ntime = soon\n");
  running.child.kill("SIGHUP");
  await until(
    running,
    /ERROR .*keeping the old configuration: .*:2: \[script\] time = soon: expected an integer/,
  );
  assert.equal(await client.call("try"), "tried");
  await client.close();
  running.child.kill("SIGTERM");
  assert.equal(await end(running), 0);
});

Deno.test("Scripts keep running at SIGHUP with [script] memory = 2048, the maximum in MiB", async () => {
  const running = start({
    "CumulusServer.ini": `[script]\nmemory = 2048\ntime = ${PATIENCE}\n`,
    "www/main.lua": `
      function onConnection(client)
        function client:publish() cumulus:publish("stream") return "published" end
      end`,
  }, "--port=0");
  const client = await NetConnection.connect(`rtmfp://127.0.0.1:${await portOf(running)}/`);
  running.child.kill("SIGHUP");
  await until(running, /SIGHUP: log reopened/);
  assert.equal(await client.call("publish"), "published");
  await client.close();
  running.child.kill("SIGTERM");
  assert.equal(await end(running), 0);
});

Deno.test("The server restarts applications, with included files, at SIGUSR2 and at POST /api/reload", async () => {
  const port = freePort();
  const running = start({
    "CumulusServer.ini": `[http]\nport = ${port}\ntoken = sesame\n[script]\ntime = ${PATIENCE}\n`,
    "www/main.lua": "",
    "www/a/main.lua": `
      dofile("words.lua")
      function onConnection(client) function client:word() return www.a.word end end`,
    "www/a/words.lua": `word = "one"`,
  }, "--port=0");
  const client = await NetConnection.connect(`rtmfp://127.0.0.1:${await portOf(running)}/a`);
  const word = () => client.call("word");
  const write = (lua: string) => Deno.writeTextFileSync(`${running.folder}/www/a/words.lua`, lua);
  assert.equal(await word(), "one");
  write(`word = "two"`);
  assert.equal(await word(), "one");
  running.child.kill("SIGUSR2");
  await until(running, /NOTE .*SIGUSR2: 2 applications restarted/);
  assert.equal(await word(), "two");
  write(`word = `);
  const post = () =>
    fetch(`http://127.0.0.1:${port}/api/reload`, {
      method: "POST",
      headers: { authorization: "Bearer sesame" },
    }).then((response) => response.json());
  assert.deepEqual(
    (await post()).rows.map(({ path, running }: Record<string, unknown>) => [path, running]),
    [["", true], ["/a", false]],
  );
  await until(running, /NOTE .*POST \/api\/reload: 1 application restarted/);
  write(`word = "three"`);
  await post();
  assert.equal(await word(), "three");
  await client.close();
  running.child.kill("SIGTERM");
  assert.equal(await end(running), 0);
});

Deno.test("The server restarts applications at SIGUSR1, and closes the debugger of Deno", async () => {
  const running = start({ "www/main.lua": "" }, "--port=0");
  await (await NetConnection.connect(`rtmfp://127.0.0.1:${await portOf(running)}/`)).close();
  // Deno listens to the signal half a second after its start; another program may have the port.
  await waitUntil(() => {
    running.child.kill("SIGUSR1");
    return /Debugger listening|Failed to start inspector/.test(running.error);
  }, "Deno's debugger");
  await until(running, /NOTE .*SIGUSR1: 1 application restarted/);
  const address = /Debugger listening on ws:\/\/([\d.:]+)/.exec(running.error)?.[1];
  if (address) {
    await until(running, /WARN .*SIGUSR1: Deno opened its debugger, now closed; use SIGUSR2/);
    const [hostname, port] = address.split(":");
    await waitUntil(async () => {
      try {
        (await Deno.connect({ hostname, port: Number(port) })).close();
        return false;
      } catch (error) {
        return error instanceof Deno.errors.ConnectionRefused;
      }
    }, "the end of the debugger");
  }
  running.child.kill("SIGTERM");
  assert.equal(await end(running), 0);
});

Deno.test("The command check reports errors in configuration and scripts without serving", () => {
  const folder = Deno.makeTempDirSync();
  const lines: string[] = [];
  const run = (...args: string[]) => {
    lines.length = 0;
    return check(["--dir", folder, ...args], main, (line) => void lines.push(line));
  };
  assert.equal(run("--help"), 0);
  assert.match(lines.join("\n"), / check \[OPTIONS\]/);
  assert.equal(run(), 0);
  assert.match(lines.join("\n"), /^Checked the default configuration, and 0 scripts/);
  Deno.mkdirSync(`${folder}/www/a/b`, { recursive: true });
  Deno.writeTextFileSync(`${folder}/www/main.lua`, "error('never run')");
  Deno.writeTextFileSync(`${folder}/www/a/b/part.lua`, "x = = 1");
  Deno.writeTextFileSync(`${folder}/CumulusServer.ini`, "[servers]\nprot = 1\n");
  assert.equal(run(), 1);
  assert.match(lines[0], /^Warning: .*CumulusServer\.ini:2: unknown key \[servers\] prot; did you/);
  assert.match(lines[1], /^Error: www\/a\/b\/part\.lua:1: unexpected symbol/);
  assert.match(lines[2], /2 scripts in .*: 1 error$/);
  Deno.mkdirSync(`${folder}/www/b/folder.lua`, { recursive: true });
  Deno.symlinkSync("missing", `${folder}/www/b/link.lua`);
  Deno.symlinkSync("..", `${folder}/www/b/loop`);
  Deno.writeTextFileSync(`${folder}/CumulusServer.ini`, "port = no\n[script\n");
  assert.equal(run(), 1);
  assert.match(lines[0], /^Error: .*:1: port = no: expected/);
  assert.match(lines[1], /^Error: .*:2: section without "\]": \[script$/);
  assert.match(lines[2], /^Error: www\/a\/b\/part\.lua:1: unexpected symbol/);
  assert.match(lines[3], /^Error: www\/b\/link\.lua cannot be read: No such file/);
  assert.match(lines[4], /3 scripts in .*: 4 errors$/);
  Deno.writeFileSync(`${folder}/www/b/large.lua`, new Uint8Array((4 << 20) + 1).fill(0x20));
  assert.equal(run(), 1);
  assert.match(
    lines.join("\n"),
    /^Error: www\/b\/large\.lua cannot be read: File too large \(more than 4194304 bytes\)$/m,
  );
  Deno.writeTextFileSync(`${folder}/CumulusServer.ini`, "[http]\ntoken = to day\nport = 1\n");
  assert.equal(run(), 1);
  assert.match(lines[0], /^Error: .*:2: \[http\] token = …: expected text without blanks$/);
  for (const bytes of [[0xff, 0xfe, 0x70, 0], [0x70, 0, 0x6f, 0]]) {
    Deno.writeFileSync(`${folder}/CumulusServer.ini`, Uint8Array.from(bytes));
    assert.equal(run(), 1);
    assert.match(lines.join("\n"), /^Error: .*\.ini:1: the file is UTF-16 or not text.*UTF-8$/);
  }
  Deno.removeSync(`${folder}/CumulusServer.ini`);
  Deno.mkdirSync(`${folder}/CumulusServer.ini`);
  assert.equal(run(), 1);
  assert.match(lines.join("\n"), /^Error: .*\.ini cannot be read: Is a directory$/);
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("The server logs each reason why it cannot start in one line, without a stack", async () => {
  const broken = await run({ "CumulusServer.ini": "port = 0\n[script\n[logs]\nlevel = loud\n" });
  assert.equal(broken.code, 1);
  assert.match(
    broken.text,
    /FATAL .*:1: port = 0.*\nFATAL .*:2: section without.*\nFATAL .*:4: \[logs\]/,
  );
  assert.match(broken.text, /3 errors in the configuration: the server does not start\n$/);
  const { code, text } = await run({}, "--port=0", "--dir=/proc/none");
  assert.equal(code, 1);
  assert.match(
    text,
    /FATAL .*Cannot write \/proc\/none\/CumulusServer.ini: .* in \/proc \(the server runs as uid \d+\)\n$/,
  );
  assert.doesNotMatch(text, /\n\t| at /);
});

/** A configuration whose script never returns from its first event, within its time limit. */
const STANDS = {
  "www/main.lua": "function onManage() NOTE('stands') while true do end end",
};

Deno.test("The watchdog ends a blocked server with exit code 70, and names the script", async () => {
  const { code, text } = await run(
    { ...STANDS, "CumulusServer.ini": "[script]\ntime = 600000\nwatchdog = 1\n" },
    "--port=0",
  );
  assert.match(text, /FATAL .*The event loop has not run for 1 s in onManage of www\/main\.lua/);
  assert.equal(code, 70);
});

Deno.test("A second signal ends a blocked server", async () => {
  if (Deno.build.os === "windows") return;
  const running = start(
    { ...STANDS, "CumulusServer.ini": "[script]\ntime = 600000\nwatchdog = 0\n" },
    "--port=0",
  );
  await until(running, /stands/);
  // The watchdog counts signals once it listens; simultaneous ones count once.
  let ended = false;
  const code = end(running).finally(() => ended = true);
  while (!ended) {
    try {
      running.child.kill("SIGTERM");
    } catch {
      break; // it has ended
    }
    await sleep(100);
  }
  assert.equal(await code, 143);
  assert.match(running.text, /FATAL .*A second SIGTERM: the server ends at once, in onManage/);
});
