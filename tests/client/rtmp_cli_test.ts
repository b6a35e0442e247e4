// Client commands over RTMP, in this process; the server is another process.
import assert from "node:assert/strict";
import { runClient } from "../../src/client/cli.ts";
import { flvHeader, flvTag, TagType } from "../../src/flv/tags.ts";
import { TestServer } from "../conformance/support/test_server.ts";
import { FILE, mediaOf, NginxRtmp, peerTest, tagsOf } from "../peers/peers.ts";
import { freePort } from "../support/ports.ts";
import { until } from "../support/wait.ts";

const SCRIPT = `
  function onConnection(client, parameter)
    if parameter == "refuse" then error("not you") end
    function client:echo(...) return ... end
    function client:fail() error("not today") end
  end
  function onPublish(client, publication)
    NOTE("publishes ", publication.name, " ", publication.properties.token)
    if publication.name == "closed" then error("no") end
  end`;

/** Runs a command; `said` is called with the text of standard error. */
async function run(args: string[], said: (text: string) => void = () => {}) {
  let error = "";
  let output = "";
  const write = (text: string) => {
    error += text;
    said(text);
  };
  const code = await runClient(
    args,
    { isTerminal: false, write },
    (line) => void (output += `${line}\n`),
  );
  return { code, output, error };
}

/** The first second of the file. */
function shortFile(): string {
  const tags = tagsOf(FILE).filter(({ timestamp }) => timestamp <= 1000);
  const path = Deno.makeTempFileSync({ suffix: ".flv" });
  Deno.writeFileSync(path, flvHeader(true, true));
  for (const tag of tags) Deno.writeFileSync(path, flvTag(tag), { append: true });
  return path;
}

/** Publishes a file that is played at the same time. @returns the copy that was played */
async function copyOf(file: string, publishTo: string, playFrom: string): Promise<string> {
  const copy = Deno.makeTempFileSync({ suffix: ".flv" });
  const started = Promise.withResolvers<void>();
  const playing = run(["play", playFrom, copy], (text) => {
    if (text.includes("NetStream.Play.Start")) started.resolve();
  });
  await Promise.race([started.promise, playing]);
  const published = await run(["publish", publishTo, file]);
  assert.equal(published.code, 0, published.error);
  const played = await playing;
  assert.equal(played.code, 0, played.error);
  return copy;
}

const TLS = new URL("../net/tls/", import.meta.url).pathname;

/** A server with ports for RTMP and RTMPS, which pushes the stream `relayed` to itself as `there`. */
async function serve() {
  const [port, tlsPort] = [freePort(), freePort()];
  const server = await TestServer.start({
    www: { "": SCRIPT },
    ini: `[application]\nunknown = nearest\n[rtmp]\nport = ${port}\naddress = 127.0.0.1\n` +
      `tlsPort = ${tlsPort}\ncertificate = ${TLS}localhost.pem\nkey = ${TLS}localhost.key\n` +
      `[relay]\npush = relayed rtmps://localhost:${tlsPort}/live/there\n`,
    env: { DENO_CERT: `${TLS}authority.pem` },
  });
  await server.log.find((line) => line.includes(`RTMP server starts on TCP port ${port}`), "RTMP");
  await server.log.find((line) => line.includes(`TCP port ${tlsPort}`), "RTMPS");
  return {
    server,
    url: `rtmp://127.0.0.1:${port}/live`,
    tlsUrl: `rtmps://localhost:${tlsPort}/live`,
    logs: (text: string) =>
      until(() => server.log.items.some((line) => line.includes(text)), `the line ${text}`),
  };
}

/** The server of all tests. */
let all: Awaited<ReturnType<typeof serve>>;
Deno.test.beforeAll(async () => {
  all = await serve();
});
Deno.test.afterAll(() => all.server.stop());

Deno.test("client publish sends a file over RTMP, and client play writes every frame", async () => {
  const file = shortFile();
  const copy = await copyOf(file, `${all.url}/cam?token=abc`, `${all.url}/cam`);
  await all.logs("publishes cam abc");
  const [expected, copied] = [tagsOf(file), tagsOf(copy)];
  assert.deepEqual(mediaOf(copied), mediaOf(expected));
  const data = ({ type }: { type: TagType }) => type === TagType.data;
  assert.deepEqual(copied.find(data)?.data, expected.find(data)?.data);
  for (const path of [file, copy]) Deno.removeSync(path);
});

Deno.test("client call and ping print results over RTMP, and refusals of the server", async () => {
  for (const encoding of [0, 3]) {
    const args = ["call", all.url, "echo", '{"a": [1, "x"]}', `--encoding=${encoding}`];
    assert.deepEqual(await run(args), { code: 0, output: '{"a":[1,"x"]}\n', error: "" });
  }
  assert.match((await run(["call", all.url, "fail"])).error, /Call\.Failed: .*not today/);
  const refused = await run(["call", all.url, "echo", "--connect", '["refuse"]']);
  assert.equal(refused.code, 1);
  assert.match(refused.error, /refused: NetConnection\.Connect\.Rejected: .*not you/);
  const closed = await run(["publish", `${all.url}/closed`, FILE]);
  assert.deepEqual([closed.code, /NetStream\.Publish/.test(closed.error)], [1, true], closed.error);
  assert.match((await run(["ping", all.url])).output, /^\d+ ms\n$/);
  const nobody = await run(["ping", `rtmp://127.0.0.1:${freePort()}/live`]);
  assert.equal(nobody.code, 1);
  assert.match(nobody.error, /^Cannot connect to 127\.0\.0\.1:\d+: Connection refused/);
});

peerTest(
  "client publish and client play transfer every frame over nginx-rtmp",
  ["nginx"],
  async () => {
    await using nginx = new NginxRtmp("publish_notify on;");
    const url = nginx.url("cam");
    const application = url.slice(0, -"/cam".length);
    await until(async () => (await run(["ping", application])).code === 0, "nginx");
    const file = shortFile();
    const copy = await copyOf(file, url, url);
    assert.deepEqual(mediaOf(tagsOf(copy)), mediaOf(tagsOf(file)));
    for (const path of [file, copy]) Deno.removeSync(path);
  },
);

/** Runs a command as a process that trusts the system's authorities and this one. */
async function runTrusting(authority: string | undefined, ...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL("../../main.ts", import.meta.url).pathname, "client", ...args],
    env: { NO_COLOR: "1", ...authority && { DENO_CERT: authority } },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, output: text(stdout), error: text(stderr) };
}

Deno.test("client call, client publish and a relay connect over RTMPS if the certificate is trusted", async () => {
  const url = all.tlsUrl;
  const stranger = await runTrusting(undefined, "call", url, "echo", "1");
  assert.equal(stranger.code, 1);
  assert.match(stranger.error, /certificate/i);
  const authority = `${TLS}authority.pem`;
  const called = await runTrusting(authority, "call", url, "echo", '"over TLS"');
  assert.deepEqual(called, { code: 0, output: '"over TLS"\n', error: "" });
  const copy = Deno.makeTempFileSync({ suffix: ".flv" });
  const started = Promise.withResolvers<void>();
  const playing = run(["play", `${all.url}/there`, copy], (text) => {
    if (text.includes("NetStream.Play.Start")) started.resolve();
  });
  await Promise.race([started.promise, playing]);
  const published = await runTrusting(authority, "publish", `${url}/relayed`, FILE);
  assert.equal(published.code, 0, published.error);
  assert.equal((await playing).code, 0);
  const { video } = mediaOf(tagsOf(copy));
  const digests = (lines: string[]) => lines.map((line) => line.split(" ").slice(1).join(" "));
  assert.ok(video.length >= 25, `${video.length} frames`);
  const expected = digests(mediaOf(tagsOf(FILE)).video);
  assert.deepEqual(digests(video), expected.slice(-video.length));
  Deno.removeSync(copy);
});
