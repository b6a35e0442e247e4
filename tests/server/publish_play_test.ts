// The server as a process, a real recording, and clients that compare received with published frames.
import assert from "node:assert/strict";
import type { AmfValue, MixedArray } from "../../src/amf/mod.ts";
import { toHex } from "../../src/bytes/hex.ts";
import type { ObjectEncoding } from "../../src/tc/format/calls.ts";
import { FlvReader } from "../../src/flv/reader.ts";
import { type FlvTag, TagType } from "../../src/flv/tags.ts";
import { isAudioHeader, isKeyFrame, isVideoHeader } from "../../src/flv/codec.ts";
import { runClient } from "../../src/client/cli.ts";
import { NetConnection } from "../../src/client/net_connection.ts";
import type { NetStream } from "../../src/client/net_stream.ts";
import { TestServer } from "../conformance/support/test_server.ts";
import { runClientProcess, startClientProcess } from "../support/client_process.ts";
import { PATIENCE, until } from "../support/wait.ts";

const APPLICATION = `
function onSubscribe(client, listener) NOTE("plays ", listener.publication.name) end
function onConnection(client, ...)
  local parameters = {...}
  function client:echo(...) return ... end
  function client:add(a, b) return a + b end
  function client:fail() error("not today") end
  function client:greet() client.writer:writeAMFMessage("hello", "you") end
  return { parameters = #parameters, first = parameters[1] }
end
`;

const media = new URL("../fixtures/test.flv", import.meta.url).pathname;
const source = readFlv(media);

function readFlv(path: string): FlvTag[] {
  const reader = new FlvReader();
  const tags = reader.push(Deno.readFileSync(path));
  reader.end();
  return tags;
}

/** The frames of a listener whose times begin at 0 with the given frame. */
const rebased = (tags: FlvTag[], base: number) =>
  tags.map((tag) => ({ ...tag, timestamp: Math.max(0, tag.timestamp - base) }));

const line = ({ timestamp, data }: FlvTag) => `${timestamp} ${data.length} ${toHex(data)}`;
const linesOf = (tags: FlvTag[], type: number) => tags.filter((tag) => tag.type === type).map(line);

/** A listener that keeps its frames. */
class Listener {
  readonly tags: FlvTag[] = [];
  readonly statuses: string[] = [];
  readonly metadata: { values: AmfValue[]; after: number }[] = [];
  readonly unpublished: Promise<void>;

  private constructor(readonly connection: NetConnection, readonly stream: NetStream) {
    this.unpublished = new Promise((resolve) => {
      stream.handler = {
        onStatus: ({ code }) => {
          this.statuses.push(code.replace("NetStream.", ""));
          if (code === "NetStream.Play.UnpublishNotify") resolve();
        },
        onAudio: (timestamp, data) =>
          this.tags.push({ type: TagType.audio, timestamp, data: data.slice() }),
        onVideo: (timestamp, data) =>
          this.tags.push({ type: TagType.video, timestamp, data: data.slice() }),
        onData: ({ name, values }) => {
          if (name !== "onMetaData") return;
          this.metadata.push({ values: values(), after: this.tags.length });
        },
      };
    });
  }

  static async open(url: string, name: string, objectEncoding: ObjectEncoding): Promise<Listener> {
    const connection = await NetConnection.connect(url, {
      objectEncoding,
      timeout: PATIENCE,
    });
    const listener = new Listener(connection, await connection.createStream());
    await listener.stream.play(name);
    return listener;
  }

  /** Waits for the frames that were in flight when the publisher ended. */
  async ended(): Promise<void> {
    await this.unpublished;
    for (const type of [TagType.audio, TagType.video]) {
      const dataOf = (tags: FlvTag[]) => {
        const last = tags.findLast((tag) => tag.type === type);
        return last && toHex(last.data);
      };
      await until(() => dataOf(this.tags) === dataOf(source), "the last frames");
    }
    await this.stream.close();
    await this.connection.close();
  }
}

Deno.test("The server sends a published recording unchanged to every listener", async (test) => {
  const server = await TestServer.start({ www: { "": "", "/live": APPLICATION } });
  try {
    await test.step("early and late listeners of both object encodings get the recording, and client play writes it", (step) =>
      publishAndPlay(server, step));
    await test.step("client call prints the results of calls", () => calls(server));
    await test.step("the server exchanges parameters, results and messages in both object encodings", () =>
      encodings(server));
    await test.step("the server refuses a second publisher of a name", () => nameTaken(server));
  } finally {
    const code = await server.end();
    await server.stop();
    assert.equal(code, 0, server.log.items.join("\n"));
  }
});

async function publishAndPlay(server: TestServer, test: Deno.TestContext): Promise<void> {
  const url = server.url("/live");
  const early = await Listener.open(url, "cam", 3);
  const file = await Deno.makeTempFile({ suffix: ".flv" });
  const copying = runClientProcess("play", `${url}/cam`, file);
  await until(
    () => server.log.items.filter((line) => line.endsWith("plays cam")).length === 2,
    "both listeners",
  );
  const publishing = startClientProcess("publish", `${url}/cam`, media);
  await until(() => early.tags.some(({ timestamp }) => timestamp >= 1300), "a second and more");
  publishing.kill("SIGSTOP"); // a late listener on a slow machine might come too late
  const late = await Listener.open(url, "cam", 0);
  publishing.kill("SIGCONT");
  const published = await publishing.result;
  assert.equal(published.code, 0, published.stderr);
  await Promise.all([early.ended(), late.ended()]);

  await test.step("the early listener gets the whole recording", () => {
    for (const type of [TagType.audio, TagType.video]) {
      assert.deepEqual(linesOf(early.tags, type), linesOf(source, type));
    }
    assert.deepEqual(early.statuses.slice(0, 3), [
      "Play.Reset",
      "Play.Start",
      "Play.PublishNotify",
    ]);
    assert.equal(early.metadata.length, 1);
    checkMetadata(early);
  });

  await test.step("the late listener gets headers and metadata first, then every frame from a key frame on", () => {
    const video = late.tags.filter(({ type }) => type === TagType.video);
    const audio = late.tags.filter(({ type }) => type === TagType.audio);
    const [videoHeader, firstPicture] = video;
    assert.ok(isVideoHeader(videoHeader.data) && isAudioHeader(audio[0].data));
    assert.equal(
      toHex(videoHeader.data),
      toHex(source.find(({ type, data }) => type === TagType.video && isVideoHeader(data))!.data),
    );
    assert.equal(toHex(audio[0].data), "af00120856e500");
    assert.ok(isKeyFrame(firstPicture.data));
    assert.equal(firstPicture.timestamp, 0);
    const base = source.find(({ data }) => toHex(data) === toHex(firstPicture.data))!.timestamp;
    assert.ok(base >= 1000, `${base}`);
    const videoLines = linesOf(rebased(source, base), TagType.video);
    assert.deepEqual(
      video.slice(1).map(line),
      videoLines.slice(videoLines.indexOf(line(firstPicture))),
    );
    const audioLines = linesOf(rebased(source, base), TagType.audio);
    const firstSound = audioLines.indexOf(line(audio[1]));
    assert.ok(firstSound > 0);
    assert.deepEqual(audio.slice(1).map(line), audioLines.slice(firstSound));
    assert.deepEqual(late.statuses.slice(0, 3), [
      "Play.Reset",
      "Play.Start",
      "Play.UnpublishNotify",
    ]);
    assert.equal(late.metadata[0].after, 0, "metadata came after media");
    checkMetadata(late);
  });

  await test.step("client play writes the same recording into a file", async () => {
    const copied = await copying;
    assert.equal(copied.code, 0, copied.stderr);
    const copy = readFlv(file);
    for (const type of [TagType.audio, TagType.video]) {
      assert.deepEqual(linesOf(copy, type), linesOf(source, type));
    }
    const [metadata] = copy;
    assert.equal(metadata.type, TagType.data);
    assert.equal(toHex(metadata.data), toHex(source[0].data));
    for (let i = 1; i < copy.length; i++) {
      assert.ok(copy[i].timestamp >= copy[i - 1].timestamp, `tag ${i} goes back in time`);
    }
    await Deno.remove(file);
  });
}

function checkMetadata({ metadata }: Listener): void {
  const [{ values: [information] }] = metadata;
  const { named } = information as MixedArray;
  assert.deepEqual([named.width, named.height, named.duration], [320, 180, 5.08]);
}

async function calls(server: TestServer): Promise<void> {
  const url = server.url("/live");
  const run = async (...args: string[]) => {
    const lines: string[] = [];
    let stderr = "";
    const output = { isTerminal: false, write: (text: string) => void (stderr += text) };
    const code = await runClient(["call", ...args], output, (line) => lines.push(line));
    return { code, stdout: lines.join("\n"), stderr };
  };
  const [echo, add, fail, unknown, nobody, usage, refused] = await Promise.all([
    runClientProcess("call", url, "echo", '{"a": [1, "b", null, {"$date": 5}]}'),
    run("--encoding=0", "--groups=16", "--strict", url, "add", "1.5", "2"),
    runClientProcess("call", url, "fail"),
    run(url, "nothing"),
    run("rtmfp://127.0.0.1:9/", "echo", "--timeout", "0.5"),
    run(url, "echo", "not JSON"),
    run(server.url("/nowhere"), "echo"),
  ]);
  assert.deepEqual([echo.code, JSON.parse(echo.stdout)], [0, {
    a: [1, "b", null, { $date: "1970-01-01T00:00:00.005Z" }],
  }]);
  assert.deepEqual([add.code, add.stdout], [0, "3.5"]);
  assert.equal(fail.code, 1);
  assert.match(fail.stderr, /NetConnection\.Call\.Failed: .*not today/);
  assert.equal(fail.stdout, "");
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /NetConnection\.Call\.Failed: Method 'nothing' not found/);
  assert.equal(nobody.code, 1);
  assert.match(nobody.stderr, /Cannot connect to 127\.0\.0\.1:9: no answer within 0\.5 s/);
  assert.equal(usage.code, 2);
  assert.match(usage.stderr, /not JSON/);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /refused: NetConnection\.Connect\.(InvalidApp|Rejected)/);
}

async function encodings(server: TestServer): Promise<void> {
  for (const objectEncoding of [0, 3] as const) {
    const called: unknown[] = [];
    const connection = await NetConnection.connect(server.url("/live"), {
      objectEncoding,
      parameters: ["tom", 7],
      handler: { onCall: (name, args) => void called.push([name, ...args]) },
    });
    const info = connection.info as Record<string, AmfValue>;
    assert.deepEqual(
      [info.code, info.objectEncoding, info.parameters, info.first],
      ["NetConnection.Connect.Success", objectEncoding, 2, "tom"],
    );
    const values: AmfValue[] = [0, -1.5, 1e300, "é", true, "", [1, [2]], new Date(86_400_000)];
    for (const value of values) assert.deepEqual(await connection.call("echo", value), value);
    assert.equal(await connection.call("echo", null), null);
    assert.equal(await connection.call("greet"), null);
    assert.deepEqual(called, [["hello", "you"]]);
    await connection.close();
  }
}

async function nameTaken(server: TestServer): Promise<void> {
  const connection = await NetConnection.connect(server.url("/live"));
  const [first, second] = [await connection.createStream(), await connection.createStream()];
  await first.publish("one");
  await assert.rejects(second.publish("one"), /NetStream\.Publish\.BadName/);
  await first.close();
  await second.publish("one");
  await connection.close();
}
