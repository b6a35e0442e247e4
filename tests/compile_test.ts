// The program as users download it: compiled, started in an empty folder, published to and played
// from with its own client commands. It takes a base runtime and a Deno that fits it, which
// ../shared/denort describes; where that is missing, the test says that it was skipped.
import assert from "node:assert/strict";
import config from "../deno.json" with { type: "json" };
import { runClient } from "../src/client/cli.ts";
import { NetConnection } from "../src/client/net_connection.ts";
import { NatsServer } from "./peers/nats.ts";
import { hasProgram } from "./peers/peers.ts";
import { freePort } from "./support/ports.ts";
import { shippedPorts } from "./support/shipped_ports.ts";
import { until } from "./support/wait.ts";

const root = new URL("../", import.meta.url).pathname;
const base = `${root}../shared/denort/denort-2.6.10-x86_64-linux.xz`;
const media = `${root}tests/fixtures/test.flv`;

const possible = Deno.build.target === "x86_64-unknown-linux-gnu" && exists(base);
if (!possible) console.log(`tests/compile_test.ts is skipped: there is no ${base} for this system`);

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Time (ms) after which a program that hangs is ended. */
const PATIENCE = 180_000;

async function run(
  program: string,
  args: string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<{ code: number; text: string }> {
  const signal = AbortSignal.timeout(PATIENCE);
  const command = new Deno.Command(program, { args, signal, ...options });
  const { code, stdout, stderr } = await command.output();
  return { code, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

/** A base runtime and the Deno that it fits, kept for the next run. */
async function tools(): Promise<{ deno: string; denort: string }> {
  const folder = `${Deno.env.get("TMPDIR") ?? "/tmp"}/cumulus-denort-2.6.8-${Deno.uid()}`;
  if (!exists(folder)) {
    const making = Deno.makeTempDirSync({ prefix: "cumulus-denort-" });
    const { stdout } = await new Deno.Command("xz", { args: ["-dc", base] }).output();
    Deno.writeFileSync(`${making}/denort`, stdout, { mode: 0o755 });
    const npm = ["install", "--silent", "--no-audit", "--no-fund", "--prefix", making];
    const { code, text } = await run("npm", [...npm, "deno@2.6.8"]);
    assert.equal(code, 0, text);
    Deno.renameSync(making, folder);
  }
  return { deno: `${folder}/node_modules/.bin/deno`, denort: `${folder}/denort` };
}

const ROOT = `
function onConnection(client)
  function client:sockets(port)
    local result = "nothing"
    server = cumulus:createTCPServer()
    function server:clientHandler(peer)
      function peer:onReception(data) self:send(data:upper()) return 0 end
    end
    server:start(port)
    socket = cumulus:createTCPClient()
    function socket:onReception(data) got = data return 0 end
    socket:connect("127.0.0.1", port)
    socket:send("through a worker")
    return cumulus:createTCPClient():connect("10.0.0.1", 80)
  end
  function client:got() return got end
  function client:mail()
    local mail = cumulus:sendMail("a@example.org", "s", "c", "b@example.org")
    function mail:onSent(error) failure = error end
  end
  function client:failure() return failure end
end`;

Deno.test({
  name: possible
    ? "The compiled program starts, serves every door and runs scripts as the source does"
    : "The compiled program (skipped: no base runtime in ../shared/denort)",
  ignore: !possible,
  fn: async (test) => {
    const { deno, denort } = await tools();
    const folder = Deno.makeTempDirSync({ prefix: "cumulus-compiled-" });
    const target = "x86_64-unknown-linux-gnu";
    const compiled = await run(
      deno,
      ["task", "compile", "--target", target, "--output", `${folder}/dist`],
      {
        cwd: root,
        env: { DENORT_BIN: denort, DENO_TLS_CA_STORE: "system,mozilla", NO_COLOR: "1" },
      },
    );
    assert.equal(compiled.code, 0, compiled.text);
    const home = `${folder}/home`;
    const program = `${home}/CumulusServer`;
    Deno.mkdirSync(home);
    Deno.renameSync(`${folder}/dist/CumulusServer-linux-x64`, program);
    const client = (...args: string[]) => run(program, ["client", ...args], { cwd: folder });
    /** The same command from the source, where the test is of the server: it starts no process. */
    const sourceClient = async (...args: string[]) => {
      let text = "";
      const output = { isTerminal: false, write: (part: string) => void (text += part) };
      const code = await runClient(args, output, (line) => void (text += `${line}\n`));
      return { code, text };
    };

    /** Starts it with nothing around it, and stops it. */
    const serve = async (
      ini: string,
      use: (port: number, output: () => string) => Promise<void>,
      dir = home,
    ) => {
      if (ini) Deno.writeTextFileSync(`${dir}/CumulusServer.ini`, ini);
      const port = freePort();
      const child = new Deno.Command(program, {
        args: ["--port", `${port}`, ...dir === home ? [] : [`--dir=${dir}`]],
        cwd: "/",
        clearEnv: true,
        stdout: "piped",
        stderr: "inherit",
      }).spawn();
      let output = "";
      const reading = (async () => {
        for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) output += part;
      })();
      try {
        await until(() => output.includes("RTMFP server starts"), "the start");
        await use(port, () => output);
      } finally {
        try {
          child.kill("SIGTERM");
        } catch {
          // it has ended by itself, such as where another program has the ports of the shipped configuration
        }
        const { code } = await child.status;
        await reading;
        assert.equal(code, 0, output);
      }
      assert.doesNotMatch(output, /CRITIC|FATAL/);
    };

    try {
      await test.step("the compiled program prints and exits with --version and --help", async () => {
        assert.equal((await run(program, ["--version"])).text, `${config.version}\n`);
        assert.match((await run(program, ["--help"])).text, /--port=N/);
      });
      await test.step("the compiled program writes configuration and main.lua at its first start in an empty folder", async () => {
        using _ports = await shippedPorts();
        await serve("", async (port, output) => {
          for (const name of ["CumulusServer.ini", "www/main.lua"]) {
            assert.match(output(), new RegExp(`Wrote ${home}/${name}`));
            assert.equal(
              Deno.readTextFileSync(`${home}/${name}`),
              Deno.readTextFileSync(`${root}${name}`),
            );
          }
          const ping = await client("ping", `rtmfp://127.0.0.1:${port}`);
          assert.equal(ping.code, 0, ping.text);
          const play = client("play", `rtmfp://127.0.0.1:${port}/cam`, `${folder}/copy.flv`);
          const publish = await client("publish", `rtmfp://127.0.0.1:${port}/cam`, media);
          assert.equal(publish.code, 0, publish.text);
          const played = await play;
          assert.equal(played.code, 0, played.text);
          const { size } = Deno.statSync(`${folder}/copy.flv`);
          assert.ok(size > 150_000, `${size} bytes were played`);
        });
        const checked = await run(program, ["check"]);
        assert.equal(checked.code, 0, checked.text);
        assert.match(checked.text, /1 script in .*www: no errors/);
      });
      const http = freePort();
      await test.step("the compiled program runs workers, mail and the status page without system libraries", async () => {
        Deno.writeTextFileSync(`${home}/www/main.lua`, ROOT);
        const ini = `[rtmfp]\nnative = off\n[http]\nport = ${http}\n[smtp]\nport = ${freePort()}\n`;
        await serve(ini, async (port, output) => {
          assert.match(output(), /Diffie-Hellman by worker/);
          const url = `rtmfp://127.0.0.1:${port}/`;
          const refused = await client("call", url, "sockets", `${freePort()}`, "--groups", "14");
          assert.match(refused.text, /10\.0\.0\.1:80 is not allowed by \[sandbox\] connect/);
          await client("call", url, "mail", "--strict");
          const caller = await NetConnection.connect(url);
          const answer = (method: string) => until(() => caller.call(method), method);
          assert.equal(await answer("got"), "THROUGH A WORKER");
          assert.match(String(await answer("failure")), /is there an SMTP server/);
          await caller.close();
          const page = await (await fetch(`http://127.0.0.1:${http}/`)).text();
          assert.match(page, /<title>/);
          const metrics = await (await fetch(`http://127.0.0.1:${http}/metrics`)).text();
          assert.match(metrics, /^cumulus_handshakes_total\{protocol="rtmfp"\} \d+$/m);
          assert.doesNotMatch(output(), /computed on the loop/);
        });
      });
      for (const native of ["auto", "off"]) {
        await test.step(`the compiled program serves every door and recordings with native = ${native}`, async () => {
          const [rtmp, web] = [freePort(), freePort()];
          const ini =
            `[rtmfp]\nnative = ${native}\n[rtmp]\nport = ${rtmp}\n[web]\nport = ${web}\n` +
            `[record]\npublications = /live/*\nas = record\n`;
          const live = `${home}/www/live`;
          const streams = `${live}/streams`;
          Deno.mkdirSync(live);
          Deno.writeTextFileSync(`${live}/main.lua`, "");
          await serve(ini, async (port, output) => {
            await until(
              () => [rtmp, web].every((opened) => output().includes(`${opened}`)),
              "the ports",
            );
            const command = native === "auto" ? client : sourceClient;
            const publish = command("publish", `rtmp://127.0.0.1:${rtmp}/live/door`, media);
            const watched = await until(async () => {
              const response = await fetch(`http://127.0.0.1:${web}/live/door.flv`);
              if (response.ok) return response;
              await response.body?.cancel();
            }, "the publication");
            const plays = ["rtmp", "rtmfp"].map((protocol) =>
              command(
                "play",
                `${protocol}://127.0.0.1:${protocol === "rtmp" ? rtmp : port}/live/door`,
                `${folder}/${native}-${protocol}.flv`,
              )
            );
            const { length } = await watched.bytes();
            assert.ok(length > 50_000, `${length} bytes were watched`);
            for (const { code, text } of await Promise.all([publish, ...plays])) {
              assert.equal(code, 0, text);
            }
            const { size } = await until(() => {
              const there = exists(`${streams}/door.flv`) && Deno.statSync(`${streams}/door.flv`);
              return there && there.size > 150_000 && there;
            }, "the recording");
            const again = await command(
              "play",
              `rtmp://127.0.0.1:${rtmp}/live/door`,
              `${folder}/${native}-again.flv`,
            );
            assert.equal(again.code, 0, again.text);
            assert.ok(Deno.statSync(`${folder}/${native}-again.flv`).size > size / 2);
          });
          Deno.removeSync(live, { recursive: true });
        });
      }
      await test.step({
        name: "the compiled program plays the publication of another server over NATS",
        ignore: !hasProgram("nats-server"),
        fn: async () => {
          await using nats = await NatsServer.start();
          const other = `${folder}/other`;
          Deno.mkdirSync(other);
          const ini = (name: string) =>
            `publicAddress = ${name}.example:1935\n[bus]\nservers = ${nats.url}\nsecret = sesame\n`;
          await serve(ini("one"), async (port, output) => {
            await serve(ini("two"), async (otherPort, otherOutput) => {
              await until(() => output().includes("two.example:1935 is on the bus"), "the other");
              await until(() => otherOutput().includes("one.example:1935 is on the bus"), "it");
              const play = sourceClient(
                "play",
                `rtmfp://127.0.0.1:${otherPort}/bus`,
                `${folder}/bus.flv`,
              );
              const publish = await sourceClient("publish", `rtmfp://127.0.0.1:${port}/bus`, media);
              assert.equal(publish.code, 0, publish.text);
              const played = await play;
              assert.equal(played.code, 0, played.text);
              const { size } = Deno.statSync(`${folder}/bus.flv`);
              assert.ok(size > 150_000, `${size} bytes were played`);
            }, other);
          });
        },
      });
      await test.step("the watchdog of the compiled program ends a script that no limit stops, and names it", async () => {
        const endless = `function onStart() while true do end end`;
        Deno.writeTextFileSync(`${home}/www/main.lua`, endless);
        const ini = "[script]\ntime = 600000\nwatchdog = 2\n";
        Deno.writeTextFileSync(`${home}/CumulusServer.ini`, ini);
        const { code, text } = await run("timeout", [
          ...["-s", "KILL", "30", program, "--port", `${freePort()}`],
        ], { cwd: "/" });
        assert.equal(code, 70, text);
        assert.match(text, /has not run for 2 s in onStart of www\/main\.lua.*exit code 70/);
      });
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  },
});
