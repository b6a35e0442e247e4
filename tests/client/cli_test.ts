// Client commands and their server, both in this process.
import assert from "node:assert/strict";
import { runClient } from "../../src/client/cli.ts";
import { asAmf0 } from "../../src/client/cli/recording.ts";
import { encodeAmf, encodeAmf0 } from "../../src/amf/mod.ts";
import { toHex } from "../../src/bytes/hex.ts";
import { FlvReader } from "../../src/flv/reader.ts";
import { isPicture } from "../../src/flv/codec.ts";
import { flvHeader, type FlvTag, flvTag, TagType } from "../../src/flv/tags.ts";
import { NetConnection } from "../../src/client/net_connection.ts";
import { freePort } from "../support/ports.ts";
import { smallServer } from "../support/small_server.ts";
import { until } from "../support/wait.ts";

async function run(...args: string[]) {
  let error = "";
  let output = "";
  const code = await runClient(
    args,
    { isTerminal: false, write: (text) => void (error += text) },
    (line) => void (output += `${line}\n`),
  );
  return { code, output, error };
}

function readFlv(path: string): FlvTag[] {
  const reader = new FlvReader();
  const tags = reader.push(Deno.readFileSync(path));
  reader.end();
  return tags;
}

/** The first tags of tests/fixtures/test.flv, up to a time in milliseconds. */
function shortRecording(milliseconds: number): { path: string; tags: FlvTag[] } {
  const tags = readFlv(new URL("../fixtures/test.flv", import.meta.url).pathname)
    .filter(({ timestamp }) => timestamp <= milliseconds);
  const path = Deno.makeTempFileSync({ suffix: ".flv" });
  Deno.writeFileSync(path, flvHeader(true, true));
  for (const tag of tags) Deno.writeFileSync(path, flvTag(tag), { append: true });
  return { path, tags };
}

const lines = (tags: FlvTag[]) =>
  tags.map(({ type, timestamp, data }) => `${type} ${timestamp} ${toHex(data)}`);
const ofType = (tags: FlvTag[], wanted: number) => tags.filter(({ type }) => type === wanted);

Deno.test("client publish sends a file in real time, and client play writes every frame with its time", async () => {
  await using server = await smallServer();
  const { path, tags } = shortRecording(600);
  const copy = Deno.makeTempFileSync({ suffix: ".flv" });
  Deno.writeTextFileSync(copy, "x".repeat(1_000_000)); // longer than the copy
  const refused = await run("play", `${server.url}/live/cam`, copy);
  assert.deepEqual([refused.code, Deno.statSync(copy).size], [2, 1_000_000]);
  assert.match(refused.error, /exists already: --force overwrites it/);
  const playing = run("play", `${server.url}/live/cam`, copy, "--force");
  await until(() => server.hub.publications.get("cam"), "the player");
  const started = performance.now();
  const published = await run("publish", `${server.url}/live/cam`, path);
  const took = performance.now() - started;
  assert.deepEqual([published.code, published.output], [0, ""], published.error);
  assert.ok(took >= 590, `${took} ms`);
  assert.match(
    published.error,
    /^0:00:00\.\d {2}video \d+ {2}audio \d+ {2}\d+ kb\/s {2}rtt (-|\d+ ms)$/m,
  );
  assert.match(published.error, /Published 0\.6 s: 16 video and 24 audio frames, \d+ bytes/);
  const played = await playing;
  assert.equal(played.code, 0, played.error);
  assert.match(played.error, /Played up to 0\.6 s: 16 video and 24 audio frames/);
  const copied = readFlv(copy);
  for (const type of [TagType.audio, TagType.video, TagType.data]) {
    assert.deepEqual(lines(ofType(copied, type)), lines(ofType(tags, type)));
  }
  assert.equal(copied[0].type, TagType.data);
  Deno.removeSync(path);
  Deno.removeSync(copy);
});

Deno.test("client publish --type record ends with the server's reason if the server refuses recording", async () => {
  await using server = await smallServer();
  const { path } = shortRecording(100);
  const { code, error } = await run("publish", `${server.url}/live/cam`, path, "--type", "record");
  assert.equal(code, 1);
  assert.match(error, /Record\.NoAccess: Recording is off/);
  assert.deepEqual(server.log.filter((line) => /audio|video/i.test(line)), []);
});

Deno.test("client play stops after --seconds, and reports a stream without audio and video", async () => {
  await using server = await smallServer();
  const copy = Deno.makeTempFileSync({ suffix: ".flv" });
  const started = performance.now();
  const { code, error } = await run("play", `${server.url}/cam`, copy, "--seconds", "0.4");
  const took = performance.now() - started;
  assert.equal(code, 1);
  assert.match(error, /No audio or video was received/);
  assert.ok(took >= 390, `${took} ms`);
  assert.throws(() => Deno.statSync(copy), Deno.errors.NotFound);
});

Deno.test("client play sets the flags of the received kinds in the header of its file", async () => {
  await using server = await smallServer();
  const path = Deno.makeTempFileSync({ suffix: ".flv" });
  Deno.writeFileSync(path, flvHeader(true, false));
  for (const timestamp of [0, 100]) {
    const sound = { type: TagType.audio, timestamp, data: Uint8Array.of(0x2f, 1, 2) };
    Deno.writeFileSync(path, flvTag(sound), { append: true });
  }
  const copy = Deno.makeTempFileSync({ suffix: ".flv" });
  const playing = run("play", `${server.url}/sound`, copy);
  await until(() => server.hub.publications.get("sound"), "the player");
  assert.equal((await run("publish", `${server.url}/sound`, path)).code, 0);
  assert.equal((await playing).code, 0);
  assert.equal(Deno.readFileSync(copy)[4], 4);
  Deno.removeSync(path);
  Deno.removeSync(copy);
});

Deno.test("client publish --repeat continues the timestamps in each repetition", async () => {
  await using server = await smallServer();
  const { path } = shortRecording(120);
  const copy = Deno.makeTempFileSync({ suffix: ".flv" });
  const playing = run("play", `${server.url}/cam`, copy);
  await until(() => server.hub.publications.get("cam"), "the player");
  assert.equal((await run("publish", "--repeat", "3", `${server.url}/cam`, path)).code, 0);
  assert.equal((await playing).code, 0);
  const times = ofType(readFlv(copy), TagType.video)
    .filter(({ data }) => data[1] === 1).map(({ timestamp }) => timestamp);
  assert.deepEqual(times, [0, 40, 80, 120, 160, 200, 240, 280, 320, 360, 400, 440]);
  Deno.removeSync(path);
  Deno.removeSync(copy);
});

Deno.test("client play writes a complete file and leaves the server when Ctrl-C ends it", async () => {
  await using server = await smallServer();
  const publisher = await NetConnection.connect(`${server.url}/live`);
  const stream = await publisher.createStream();
  await stream.publish("cam");
  const copy = Deno.makeTempFileSync({ suffix: ".flv" });
  const main = new URL("../../main.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", main, "client", "play", `${server.url}/live/cam`, copy],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  await until(() => server.hub.publications.get("cam")!.listeners.size > 0, "the player");
  for (let time = 0; time < 100; time += 20) {
    stream.sendAudio(time, Uint8Array.of(0x2f, time));
    stream.sendVideo(time, Uint8Array.of(0x12, time));
  }
  const tag = 11 + 2 + 4;
  await until(() => Deno.statSync(copy).size >= 13 + 9 * tag, "the file");
  child.kill("SIGINT");
  const { code, stderr } = await child.output();
  assert.equal(code, 0);
  assert.match(new TextDecoder().decode(stderr), /Played up to 0\.1 s: 5 video and 5 audio frames/);
  const times = readFlv(copy).map(({ timestamp }) => timestamp);
  assert.deepEqual(times, [0, 0, 20, 20, 40, 40, 60, 60, 80, 80]);
  assert.equal(server.clients.size, 1, "the player has left");
  await publisher.close();
  Deno.removeSync(copy);
});

Deno.test("client call prints the result as JSON, or the server's error with exit code 1", async () => {
  await using server = await smallServer();
  const echo = await run("call", `${server.url}/app`, "echo", '{"a": [1, {"$bytes": "AAE="}]}');
  assert.deepEqual(echo, { code: 0, output: '{"a":[1,{"$bytes":"AAE="}]}\n', error: "" });
  assert.deepEqual(await run("call", server.url, "fail"), {
    code: 1,
    output: "",
    error: "The server refused: NetConnection.Call.Failed: not today\n",
  });
  const refused = await run("call", server.url, "echo", "1", "--connect", '["refuse"]');
  assert.equal(refused.code, 1);
  assert.match(refused.error, /^The server refused: NetConnection\.Connect\.Rejected: not you/);
  const impossible = await run(
    ...["call", server.url, "echo", "--encoding=0"],
    '{"$dictionary": []}',
  );
  assert.equal(impossible.code, 1);
  assert.match(impossible.error, /Cannot send this: .*dictionary/);
});

Deno.test("client shared prints, sets, deletes and calls, and prints refusals of the server", async () => {
  await using server = await smallServer();
  const connection = await NetConnection.connect(`${server.url}/game`);
  const calls: string[] = [];
  const object = connection.sharedObject("users", {
    handler: { onCall: (handler, args) => calls.push(`${handler} ${args}`) },
  });
  await object.ready;
  const shared = (...args: string[]) => run("shared", `${server.url}/game`, "users", ...args);
  const value = '{"x":10}';
  assert.deepEqual(await shared("set", "tom", value), { code: 0, output: "", error: "" });
  assert.equal((await shared()).output, `{"tom":${value}}\n`);
  assert.equal((await shared("send", "say", '"hello"', "2")).code, 0);
  assert.deepEqual(calls, ["say hello,2"]);
  assert.equal((await shared("delete", "tom")).code, 0);
  assert.equal((await shared()).output, "{}\n");
  const refused = await shared("--persistent");
  assert.deepEqual([refused.code, refused.error], [
    1,
    "The server refused: SharedObject.ObjectCreationFailed\n",
  ]);
  assert.match((await shared("set", "tom")).error, /takes SLOT JSON/);
  assert.match((await shared("paint")).error, /Unknown action paint/);
  const long = await shared("set", "s".repeat(300), "1");
  assert.deepEqual([long.code, long.error], [
    1,
    "The server refused: SharedObject.NoWriteAccess\n",
  ]);
  await connection.close();
});

Deno.test("client prints each error to standard error, and exits with 1, or with 2 for a wrong command line", async () => {
  const port = freePort();
  const url = `rtmfp://127.0.0.1:${port}/app`;
  const folder = Deno.makeTempDirSync();
  const noFlv = `${folder}/text.flv`;
  Deno.writeTextFileSync(noFlv, "this is text");
  const cases: [string[], number, RegExp][] = [
    [["call", url, "echo", "--timeout=0.2"], 1, /Cannot connect to 127.* within 0\.2 s/],
    [["publish", `${url}/cam`, `${folder}/none.flv`], 1, /none\.flv/],
    [["publish", `${url}/cam`, folder], 1, /directory/i],
    [["publish", `${url}/cam`, noFlv], 1, /does not begin with "FLV"/],
    [["play", `${url}/cam`, `${folder}/none/copy.flv`], 1, /none\/copy\.flv/],
    [["play", `${url}/cam`, `${folder}/new.flv`, "--timeout=0.2"], 1, /Cannot connect/],
    [["call", "http://h/app", "echo"], 2, /only rtmfp/],
    [["call", "rtmp://h:0/app", "echo"], 2, /invalid port/],
    [["call", "rtmp://h/app", "echo", "--strict"], 2, /--strict works only with rtmfp:\/\//],
    [["play", "rtmp://h/app", `${folder}/new.flv`], 2, /an application and a stream/],
    [["call", url], 2, /needs URL METHOD/],
    [
      ["call", url, "echo", "x"],
      2,
      /Argument 1 is not JSON: x .*\nTry deno task -q client call --help/,
    ],
    [["call", url, "echo", '{"$date": true}'], 2, /"\$date" needs/],
    [["call", url, "echo", "--groups=5"], 2, /list of 2, 14 and 16/],
    [["call", url, "echo", "--encoding=1"], 2, /0 or 3/],
    [["publish", "rtmfp://h/", noFlv], 2, /Cannot find a stream name/],
    [["sing"], 2, /Unknown command sing/],
  ];
  for (const [args, code, message] of cases) {
    const result = await run(...args);
    assert.equal(result.code, code, args.join(" "));
    assert.match(result.error, message);
    assert.equal(result.output, "");
  }
  assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["text.flv"]);
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("client prints the help of each command to standard output", async () => {
  for (const args of [["--help"], ["publish", "--help"], ["play", "-h"], ["call", "x", "--help"]]) {
    const { code, output, error } = await run(...args);
    assert.deepEqual([code, error], [0, ""]);
    assert.match(output, /^Usage: deno task -q client /);
  }
  assert.equal((await run()).code, 2);
});

Deno.test("asAmf0() converts data from AMF3 to AMF0, and leaves AMF0 unchanged", () => {
  const amf0 = encodeAmf0("onMetaData", { width: 320 });
  assert.equal(toHex(asAmf0(amf0)), toHex(amf0));
  assert.equal(toHex(asAmf0(encodeAmf("onMetaData", { width: 320 }))), toHex(amf0));
});

Deno.test("client answers help and a wrong --type without connecting to the server", async () => {
  const wrongType = await run("publish", "rtmfp://127.0.0.1:9/live/cam", "x.flv", "--type", "lvie");
  assert.equal(wrongType.code, 2);
  assert.match(
    wrongType.error,
    /^Option --type needs live, record, append or appendWithGap, not "lvie"/,
  );
  const help = await run("help", "peer", "play");
  assert.equal(help.code, 0);
  assert.match(
    help.output,
    /^Usage: deno task -q client peer play .*Example:\n {2}deno task -q client peer/s,
  );
});

Deno.test("client publish sends in real time a file whose times begin at -80 ms or at an hour", async () => {
  await using server = await smallServer();
  const { tags } = shortRecording(200);
  const media = tags.filter(({ type }) => type !== TagType.data);
  for (const first of [-80, 3_600_000]) {
    const path = Deno.makeTempFileSync({ suffix: ".flv" });
    const moved = media.map((tag) => ({ ...tag, timestamp: (tag.timestamp + first) >>> 0 }));
    const bytes = moved.map((tag) => flvTag(tag));
    bytes[bytes.length - 1] = bytes.at(-1)!.subarray(0, -4); // as killed recorders leave it
    Deno.writeFileSync(path, flvHeader(true, true));
    for (const tag of bytes) Deno.writeFileSync(path, tag, { append: true });
    const frames = ofType(media, TagType.video).filter(({ data }) => isPicture(data)).length;
    for (const repeat of [1, 2]) {
      const { code, error } = await run(
        "publish",
        `${server.url}/live/cam`,
        path,
        `--repeat=${repeat}`,
      );
      assert.equal(code, 0, error);
      assert.match(error, new RegExp(`Published 0\\.\\d s: ${repeat * frames} video and`));
    }
    Deno.removeSync(path);
  }
});
