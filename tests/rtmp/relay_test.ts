// Streams to and from other servers, in virtual time.
import assert from "node:assert/strict";
import { encodeAmf0 } from "../../src/amf/mod.ts";
import { Frame } from "../../src/media/frame.ts";
import type { Hub } from "../../src/media/hub.ts";
import type { Publication } from "../../src/media/publication.ts";
import type { Recordings } from "../../src/media/recordings.ts";
import { Pull } from "../../src/rtmp/pull.ts";
import { Push } from "../../src/rtmp/push.ts";
import { Relay, type RelaySide } from "../../src/rtmp/relay.ts";
import { RtmpServer } from "../../src/rtmp/rtmp_server.ts";
import type { RtmpSession } from "../../src/rtmp/rtmp_session.ts";
import { parseRtmpStreamUrl } from "../../src/rtmp/url.ts";
import { type Steps, world } from "../media/fakes.ts";
import { NO_LIMITS } from "./simulated.ts";
import { hmac, pseudoRandom } from "./support.ts";

const STEP = 500;
const RECEPTION = { received: 1, lost: 0, ping: 0 };
const SECRET = "key?token=secret";
const URL = `rtmp://there.example/live/${SECRET}`;

const audio = (time: number) => new Frame("audio", time, Uint8Array.of(0x2f, time & 255));
const video = (time: number, key: boolean) =>
  new Frame("video", time, Uint8Array.of(key ? 0x12 : 0x22, time & 255));

/** Two servers, and a relay between them with its events and dialled addresses. */
function scene(makeSide: (hub: Hub) => RelaySide, steps: Steps = {}) {
  const [here, there] = [world(), world(steps)];
  const random = pseudoRandom(3);
  const server = new RtmpServer(there.hub, {
    hmac,
    random,
    limits: NO_LIMITS,
  });
  const log: string[] = [];
  const dialled: number[] = [];
  const block = new Uint8Array(4096);
  let session: RtmpSession | undefined;
  let closed = 0;
  let answers = true;
  const relay = new Relay(parseRtmpStreamUrl(URL), makeSide(here.hub), {
    hub: here.hub,
    hmac,
    random,
    dial: () => void dialled.push(here.hub.now),
    log: (level, text) => void log.push(`${level} ${text}`),
    onClosed: () => void closed++,
  });
  /** Carries bytes between both ends until neither sends more. */
  const settle = () => {
    for (let more = true; more && session;) {
      more = false;
      for (let n; session && (n = relay.fill(block)) > 0; more = true) {
        session.receive(block.slice(0, n));
      }
      for (let n; session && (n = session.fill(block)) > 0; more = true) {
        relay.receive(block.slice(0, n));
      }
    }
  };
  const drop = () => {
    const gone = session;
    session = undefined;
    gone?.gone();
  };
  const connect = () => {
    if (!answers) return relay.failed("connection refused");
    const far = { wake() {}, end: () => relay.gone(undefined) };
    session = server.accept(far, {
      protocol: "rtmp",
      address: "192.0.2.9:4000",
      hostname: "192.0.2.9",
    });
    const near = {
      wake() {},
      end() {
        for (let n; session && (n = relay.fill(block)) > 0;) session.receive(block.slice(0, n));
        drop();
      },
    };
    relay.opened(near);
  };
  const run = (milliseconds: number) => {
    const end = here.hub.now + milliseconds;
    for (let tried = dialled.length; here.hub.now < end; tried = dialled.length) {
      here.hub.now = there.hub.now += STEP;
      relay.manage();
      if (dialled.length > tried) connect();
      settle();
    }
  };
  return {
    here: here.hub,
    there: there.hub,
    relay,
    log,
    dialled,
    run,
    settle,
    drop,
    get closed() {
      return closed;
    },
    set answers(on: boolean) {
      answers = on;
    },
  };
}

/** Events of a hub's publication, as lines. */
function listen(hub: Hub, name: string): string[] {
  const lines: string[] = [];
  const listener = hub.subscriptions.attach(name, {
    send: ({ kind, name, payload }, time) => {
      lines.push(`${kind} ${time} ${name}${kind === "data" ? "" : payload[0]}`);
    },
    queuedBytes: 0,
    queuedDataBytes: 0,
    videoWaitsSince: Infinity,
    abandon: () => 0,
    sampleAccess() {},
    published: () => void lines.push("published"),
    unpublished: () => void lines.push("unpublished"),
    overflowed() {},
  });
  listener.start();
  return lines;
}

Deno.test("A push sends metadata, headers and frames, and ends with its publisher", () => {
  const all = scene((hub) => new Push("cam", hub));
  const lines = listen(all.there, "key");
  all.run(5_000);
  assert.deepEqual([all.relay.state, all.dialled], ["idle", []]);
  const publisher = all.here.relay("cam", "test");
  publisher.start();
  const metadata = encodeAmf0({ width: 320 });
  publisher.data(new Frame("data", 0, metadata, "onMetaData"));
  all.run(1_000);
  assert.equal(all.relay.state, "running");
  publisher.video(video(4_000, true), RECEPTION);
  publisher.audio(audio(4_010), RECEPTION);
  publisher.video(video(4_040, false), RECEPTION);
  all.settle();
  assert.deepEqual(lines, [
    "published",
    "data 0 onMetaData",
    "video 0 18",
    "audio 10 47",
    "video 40 34",
  ]);
  const kept = all.there.publications.get("key")!;
  assert.deepEqual([...kept.metadata.values()].map(({ payload }) => payload), [metadata]);
  assert.equal(kept.properties.get("token"), "secret");
  all.here.unpublish(publisher);
  all.run(1_000);
  assert.deepEqual([all.relay.state, lines.at(-1)], ["idle", "unpublished"]);
  assert.equal(all.relay.reconnects, 0);
  assert.deepEqual(all.log, ["note The push of cam to rtmp://there.example/live/… runs"]);
});

Deno.test("A push of one publisher closes when another one publishes", () => {
  let side: Push | undefined;
  const all = scene((hub) => {
    const publisher = hub.relay("cam", "test");
    side = new Push("cam", hub, publisher.publication.publisherId);
    return side;
  });
  all.run(1_000);
  assert.equal(all.relay.state, "running");
  const [publication] = all.here.published();
  publication.end();
  all.here.relay("cam", "test");
  all.run(STEP);
  assert.deepEqual([all.relay.state, all.closed], ["closed", 1]);
  assert.equal(publication.listeners.size, 0);
});

Deno.test("A relay retries after 1 s, doubling the delay up to 60 s", () => {
  const all = scene((hub) => new Pull("cam", hub));
  all.answers = false;
  all.run(260_000);
  const pauses = all.dialled.slice(1).map((at, i) => at - all.dialled[i]);
  assert.deepEqual(pauses, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  assert.deepEqual([all.relay.state, all.relay.error], ["waiting", "connection refused"]);
  assert.equal(all.relay.reconnects, all.dialled.length - 1);
  assert.equal(all.relay.failedAt, all.dialled.at(-1));
  assert.deepEqual([all.relay.bytesIn, all.relay.bytesOut], [0, 0]);
  const words = "The pull of cam from rtmp://there.example/live/…";
  assert.deepEqual(all.log, [`warn ${words}: connection refused`]);
  all.answers = true;
  all.run(60_000);
  assert.equal(all.relay.state, "running");
  const before = all.dialled.length;
  all.drop();
  all.relay.gone(undefined);
  all.run(1_500);
  assert.equal(all.dialled.length, before + 1, "it had run long enough to begin with 1 s");
  const [read, written] = [all.relay.bytesIn, all.relay.bytesOut];
  assert.ok(
    read > 2 * 3_073 && written > 2 * 3_073,
    `${read} and ${written} bytes of two connections`,
  );
  all.relay.close();
  all.run(120_000);
  assert.deepEqual([all.relay.state, all.closed, all.dialled.length], ["closed", 1, before + 1]);
  assert.ok(all.relay.bytesIn >= read, "its bytes are known after its end");
});

Deno.test("A pull publishes with the first frame, and begins anew with each publisher there", () => {
  const all = scene((hub) => new Pull("cam", hub));
  const lines = listen(all.here, "cam");
  const begun: string[] = [];
  all.here.recordings = {
    published: ({ name }: Publication, path: string, application: string) =>
      begun.push(`${path}/${name} in ${application}/`),
  } as unknown as Recordings;
  all.run(1_000);
  assert.deepEqual([all.relay.state, lines], ["running", []]);
  for (const round of [0, 1]) {
    const publisher = all.there.relay("key", "test");
    publisher.start();
    publisher.data(new Frame("data", 0, encodeAmf0({ width: 320 }), "onMetaData"));
    publisher.video(video(0, true), RECEPTION);
    publisher.audio(audio(20), RECEPTION);
    all.settle();
    const came = lines.splice(0);
    assert.equal(came[0], "published");
    assert.deepEqual(came.map((line) => line.split(" ")[0]), [
      "published",
      "data",
      "video",
      "audio",
    ]);
    all.there.unpublish(publisher);
    all.settle();
    assert.deepEqual(lines.splice(0), ["unpublished"], `round ${round}`);
  }
  assert.deepEqual(begun, ["/cam in /", "/cam in /"], "it may be recorded: VOD-305");
});

Deno.test("A pull from a server that does not signal the end stops after 10 s without media", () => {
  const all = scene((hub) => new Pull("cam", hub));
  const lines = listen(all.here, "cam");
  all.run(1_000);
  const publisher = all.there.relay("key", "test");
  publisher.start();
  publisher.video(video(0, true), RECEPTION);
  all.settle();
  all.run(9_500);
  assert.ok(!lines.includes("unpublished"));
  all.run(1_000);
  assert.ok(lines.includes("unpublished"));
  publisher.video(video(20_000, true), RECEPTION);
  all.settle();
  assert.equal(lines.filter((line) => line === "published").length, 2);
});

Deno.test("A pull waits while another publisher uses its name", () => {
  const all = scene((hub) => new Pull("cam", hub));
  const other = all.here.relay("cam", "test");
  all.run(1_000);
  const publisher = all.there.relay("key", "test");
  publisher.start();
  publisher.video(video(0, true), RECEPTION);
  all.settle();
  assert.equal(all.here.publications.get("cam")!.publisher, "test");
  all.here.unpublish(other);
  publisher.video(video(40, true), RECEPTION);
  all.settle();
  assert.equal(all.here.publications.get("cam")!.publisher, "relay");
});

Deno.test("A relay reports a refusal by its code alone, without a stream key", () => {
  const all = scene((hub) => new Push("cam", hub), {
    publish: () => {
      throw new Error("not key?token=secret");
    },
  });
  all.here.relay("cam", "test");
  all.there.relay("key", "test"); // the name is taken there
  all.run(3_000);
  assert.equal(all.relay.error, "refused: NetStream.Publish.BadName");
  assert.ok(!all.log.join().includes("secret"));
});

Deno.test("parseRtmpStreamUrl() splits URLs of streams and refuses invalid ones", () => {
  const url = parseRtmpStreamUrl("rtmps://[2001:db8::1]:4443/app/inst/name?a=b/c");
  assert.deepEqual(url, {
    protocol: "rtmps",
    hostname: "2001:db8::1",
    port: 4443,
    app: "app/inst",
    tcUrl: "rtmps://[2001:db8::1]:4443/app/inst",
    name: "name?a=b/c",
    shown: "rtmps://[2001:db8::1]:4443/app/inst/…",
  });
  assert.equal(parseRtmpStreamUrl("rtmp://h/app/name").port, 1935);
  assert.equal(parseRtmpStreamUrl("rtmps://h/app/name").port, 443);
  const bad: [string, RegExp][] = [
    ["http://h/app/secret", /not rtmp:\/\/host/],
    ["rtmp://h/app/", /an application and a stream/],
    ["rtmp://h", /an application and a stream/],
    ["rtmp://h:0/app/secret", /port/],
    ["rtmp://h:99999/app/secret", /port/],
    ["rtmp://user:secret@h/app/secret", /user and password/],
    ["", /not rtmp:\/\/host/],
  ];
  for (const [text, message] of bad) {
    assert.throws(() => parseRtmpStreamUrl(text), (error: Error) => {
      assert.ok(error instanceof RangeError);
      assert.match(error.message, message);
      return !error.message.includes("secret");
    }, text);
  }
});
