// docs/scalability.md: its script that publishes on all servers, which are killed and restarted.
import assert from "node:assert/strict";
import { toHex } from "../../src/bytes/hex.ts";
import type { NetConnection } from "../../src/client/net_connection.ts";
import type { NetStream } from "../../src/client/net_stream.ts";
import { isAudioHeader, isKeyFrame, isVideoHeader } from "../../src/flv/codec.ts";
import { FlvReader } from "../../src/flv/reader.ts";
import { type FlvTag, TagType } from "../../src/flv/tags.ts";
import type { TestServer } from "../conformance/support/test_server.ts";
import { sleep, until } from "../support/wait.ts";
import { Cluster, script } from "./scalability.ts";

const tags = new FlvReader().push(
  Deno.readFileSync(new URL("../fixtures/test.flv", import.meta.url)),
);

/** Publishes the recording in a loop, at three times its speed. */
class Publisher {
  #going = true;
  readonly #done: Promise<void>;

  constructor(readonly stream: NetStream) {
    this.#done = this.#run();
  }

  async stop(): Promise<void> {
    this.#going = false;
    await this.#done;
  }

  async #run(): Promise<void> {
    let last = 0;
    for (let offset = 0; this.#going; offset += last + 40) {
      for (const { type, timestamp, data } of tags) {
        if (!this.#going) return;
        if (timestamp > last) await sleep((timestamp - last) / 3);
        last = timestamp;
        const time = timestamp + offset;
        if (type === TagType.audio) this.stream.sendAudio(time, data);
        else if (type === TagType.video) this.stream.sendVideo(time, data);
        else if (offset === 0) this.stream.sendData(time, data);
      }
      last = tags.at(-1)!.timestamp;
    }
  }
}

interface Played {
  readonly tags: FlvTag[];
  readonly statuses: string[];
  readonly data: string[];
}

async function play(client: NetConnection, name: string): Promise<Played> {
  const stream = await client.createStream();
  const played: Played = { tags: [], statuses: [], data: [] };
  const keep = (type: TagType) => (timestamp: number, data: Uint8Array) =>
    void played.tags.push({ type, timestamp, data: data.slice() });
  stream.handler = {
    onAudio: keep(TagType.audio),
    onVideo: keep(TagType.video),
    onData: ({ name }) => void played.data.push(name),
    onStatus: ({ code }) => void played.statuses.push(code),
  };
  await stream.play(name);
  return played;
}

const source = new Set(tags.map(({ data }) => toHex(data)));

/** Codec headers and metadata first, then whole frames of the recording from a key frame on. */
function checkPlayed({ tags, data }: Played): void {
  const of = (type: number) => tags.filter((tag) => tag.type === type).map(({ data }) => data);
  assert.ok(of(TagType.video).every((bytes) => source.has(toHex(bytes))));
  assert.ok(of(TagType.audio).every((bytes) => source.has(toHex(bytes))));
  assert.ok(isVideoHeader(of(TagType.video)[0]));
  assert.ok(isKeyFrame(of(TagType.video).find((bytes) => !isVideoHeader(bytes))!));
  assert.ok(isAudioHeader(of(TagType.audio)[0]));
  assert.ok(data.includes("onMetaData"), data.join());
}

const frames = ({ tags }: Played) => tags.length;

Deno.test("All servers play a publication of one server, also after each server was restarted", async () => {
  const main = script("a publication on one is published on all");
  await using cluster = await Cluster.start([main, main, main]);
  const [first, second, third] = cluster.servers;
  const publish = async () => {
    const stream = await (await cluster.connect(first)).createStream();
    await stream.publish("show");
    return new Publisher(stream);
  };
  let publisher = await publish();
  const watch = async (server: TestServer) => await play(await cluster.connect(server), "show");
  const watched = await Promise.all([first, second, third].map(watch));
  await until(() => watched.every((played) => frames(played) > 100), "frames at all servers");
  watched.forEach(checkPlayed);

  // A playing server dies and returns: it gets the missed initial state.
  await second.end("SIGKILL");
  await first.logged(new RegExp(`^NOTE .*:${second.port} gone`));
  await cluster.restart(second);
  const again = await watch(second);
  await until(() => frames(again) > 100, "frames at the one that has come back");
  checkPlayed(again);
  const before = frames(watched[2]);
  await until(() => frames(watched[2]) > before + 50, "frames go on elsewhere");

  // The publishing server dies and returns.
  await publisher.stop();
  await first.end("SIGKILL");
  const ended = ({ statuses }: Played) => statuses.includes("NetStream.Play.UnpublishNotify");
  await until(() => ended(again) && ended(watched[2]), "the end at the others");
  await cluster.restart(first);
  publisher = await publish();
  const counts = [again, watched[2]].map(frames);
  await until(() => frames(again) > counts[0] + 50 && frames(watched[2]) > counts[1] + 50, "more");
  assert.ok(again.statuses.includes("NetStream.Play.PublishNotify"));
  await publisher.stop();
  for (const { log } of cluster.servers) {
    assert.deepEqual(log.items.filter((line) => line.startsWith("ERROR")), []);
  }
});
