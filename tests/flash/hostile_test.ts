// Attacks of a client that speaks the protocol correctly.
import { writeData, writeUserControl } from "../tc/flow_messages.ts";
import assert from "node:assert/strict";
import { fromHex, toHex } from "../../src/bytes/hex.ts";
import { Writer } from "../../src/bytes/writer.ts";
import { encodeAmf0 } from "../../src/amf/mod.ts";
import { FlashServer } from "../../src/flash/flash_server.ts";
import { MessageType, writeMessage } from "../../src/tc/format/messages.ts";
import { writeTcMetadata } from "../../src/tc/format/metadata.ts";
import { portable } from "../../src/rtmfp/crypto/portable.ts";
import type { Limits } from "../../src/rtmfp/session/limits.ts";
import { writeFlowOptions } from "../../src/rtmfp/wire/flow_options.ts";
import { Fragment, UserData, writeUserData } from "../../src/rtmfp/wire/user_data.ts";
import { world } from "../media/fakes.ts";
import { makeServer } from "../support/pair.ts";
import { RawPeer } from "../support/raw_peer.ts";
import { command } from "./fakes.ts";
import { play, publish } from "./network.ts";

const chunk = new UserData();

/** A client that sends given messages, and acknowledges only on request. */
class Attacker {
  readonly peer: RawPeer;
  readonly here;
  readonly server: FlashServer;
  readonly #sequences = new Map<number, number>();

  constructor(limits: Partial<Limits> = {}) {
    this.here = world();
    this.server = new FlashServer(this.here.hub, {
      keepAliveServer: 15_000,
      keepAlivePeer: 10_000,
      sha256: (bytes) => portable.sha256(bytes),
      resolve: () => undefined,
    });
    this.here.hub.now = 1000;
    this.peer = new RawPeer(makeServer(1, this.server, { limits })).open();
  }

  get session() {
    return [...this.peer.endpoint.sessions()][0];
  }

  get state(): string {
    return this.session?.state ?? "gone";
  }

  /** Messages of a flow, each one whole, in one packet. Stream 0 is the connection's. */
  send(flowId: number, stream: number, ...messages: Uint8Array[]): this {
    let hex = "";
    const options = writeFlowOptions({
      metadata: writeTcMetadata(stream),
      association: flowId > 2 ? 2 : undefined,
    });
    for (const data of messages) {
      const sequence = (this.#sequences.get(flowId) ?? 0) + 1;
      this.#sequences.set(flowId, sequence);
      const to = new Writer(data.length + 64);
      const first = sequence === 1 ? options : undefined;
      const fragment = Fragment.whole;
      Object.assign(chunk, { flowId, sequence, fsn: 0, fragment, data, options: first });
      hex += toHex(writeUserData(to, chunk).view());
    }
    this.peer.send(hex);
    this.peer.flush();
    return this;
  }

  /** Acknowledges all of a flow, with a full receive window. */
  acknowledgeAndShut(flowId: number): void {
    const to = new Writer(16).u8(0x51).u16(10).vlu(flowId).vlu(0).bytes(
      fromHex("ffffffffffffff7f"),
    );
    this.peer.send(toHex(to.view()));
    this.peer.flush();
  }

  connect(object = {}): this {
    return this.send(
      2,
      0,
      command("connect", 1, { app: "live", tcUrl: "rtmfp://h/live", ...object }),
    );
  }
}

const createStream = () => command("createStream", 2, null);

Deno.test("The server closes a client whose unread answers exceed 16 MiB of memory", () => {
  const limits = { queued: 16 << 20 };
  const attacker = new Attacker(limits).connect().send(2, 0, createStream());
  attacker.acknowledgeAndShut(2);
  const question = writeUserControl(3, 1, 1000); // the length of a buffer, answered with 11 bytes
  const packet = Array(50).fill(question);
  let answers = 0;
  for (let i = 0; i < 4000 && attacker.state === "open"; i++) {
    attacker.send(2, 0, ...packet);
    answers += 50;
    attacker.peer.take();
    attacker.peer.sent.length = 0;
  }
  assert.equal(attacker.state, "gone");
  assert.ok(answers > 10_000 && answers * 300 < 17 << 20, `${answers} answers wait`);
  assert.deepEqual(attacker.here.application.events.slice(-2), [
    "onFailed the client exceeded a limit",
    "onDisconnection",
  ]);
});

Deno.test("The server closes a client whose play commands open flows that it never acknowledges", () => {
  const attacker = new Attacker().connect().send(2, 0, createStream());
  let plays = 0;
  while (attacker.state === "open" && plays < 5000) {
    attacker.send(3, 1, ...Array(10).fill(play("foo")));
    plays += 10;
  }
  assert.equal(attacker.state, "gone");
  assert.ok(plays > 500 && plays < 1200, `${plays}`); // two flows each
  assert.equal(attacker.here.hub.publications.size, 0);
  assert.equal(attacker.here.hub.clients.size, 0);
});

Deno.test("The server queues at most 8 MiB a stream, counted as memory, for a client that does not read", () => {
  const attacker = new Attacker().connect();
  const streams = 4;
  for (let i = 1; i <= streams; i++) attacker.send(2, 0, createStream());
  attacker.send(3, 1, publish("foo"));
  for (let i = 2; i <= streams; i++) attacker.send(2 + i, i, play("foo"));
  for (let id = 2; id < 20; id++) attacker.acknowledgeAndShut(id);
  const frame = writeMessage(MessageType.audio, 0, Uint8Array.of(0x22));
  let most = 0;
  for (let i = 0; i < 1500; i++) {
    attacker.send(3, 1, ...Array(50).fill(frame));
    most = Math.max(most, attacker.session.queuedBytes);
    attacker.peer.take();
    attacker.peer.sent.length = 0;
    attacker.here.application.events.length = 0;
  }
  assert.equal(attacker.state, "open");
  const queues = (streams - 1) * (8 << 20);
  assert.ok(most > queues / 2 && most < 1.1 * queues, `${most} bytes wait, of ${queues}`);
  const [{ connection }] = attacker.server.connections();
  const { waiting } = connection; // nearly all of it is overhead of memory
  assert.ok(waiting > queues / 2 && waiting < 1.1 * queues, `${waiting}`);
});

Deno.test("The server answers a call of a name of 60,000 characters with an error of less than 10,000 bytes", () => {
  const attacker = new Attacker();
  const name = "x".repeat(900);
  attacker.send(2, 0, command(name, 1, null)).connect();
  for (let i = 0; i < 3; i++) attacker.send(2, 0, command(name, 1, null));
  assert.equal(attacker.state, "open");
  const long = new Attacker().connect();
  let quoted = 0;
  const piece = command("y".repeat(60_000), 1, null);
  long.send(2, 0, piece);
  quoted = long.peer.take().reduce((sum, { length }) => sum + length, 0) + long.session.queuedBytes;
  assert.ok(quoted < 10_000, `${quoted} bytes for ${piece.length}`);
});

Deno.test("Client keeps fewer than 3,000 properties, and 8,192 characters of swfUrl", () => {
  const attacker = new Attacker();
  const query = Array.from({ length: 6000 }, (_, i) => `${i}`).join("&");
  const long = { tcUrl: `rtmfp://h/live?${query}`, swfUrl: "s".repeat(20_000) };
  attacker.send(2, 0, command("connect", 1, { app: "live", ...long }));
  const [client] = attacker.here.hub.clients.values();
  assert.ok(client.properties.size < 3000, `${client.properties.size}`);
  assert.equal(client.swfUrl.length, 8192);
});

Deno.test("Publication keeps at most 1 MiB of codec headers", () => {
  const attacker = new Attacker().connect().send(2, 0, createStream()).send(3, 1, publish("foo"));
  const header = (track: number) => {
    const payload = new Uint8Array(60_000);
    payload.set([0x96, 0x00, 1, 2, 3, 4, track]); // Enhanced RTMP: one track of many
    return writeMessage(MessageType.video, 0, payload);
  };
  for (let track = 0; track < 24; track++) attacker.send(3, 1, header(track));
  const publication = attacker.here.hub.publications.get("foo")!;
  let bytes = 0;
  for (const { payload } of publication.headers("video")) bytes += payload.length;
  assert.ok(bytes > 500_000 && bytes <= 1 << 20, `${bytes}`);
});

Deno.test("The publications of one client keep at most 4 MiB together", () => {
  const attacker = new Attacker().connect();
  const count = 24;
  for (let i = 1; i <= count; i++) attacker.send(2, 0, createStream());
  const values = encodeAmf0("m".repeat(60_000));
  for (let i = 1; i <= count; i++) {
    attacker.send(2 + i, i, publish(`foo${i}`));
    for (let j = 0; j < 10; j++) {
      attacker.send(
        2 + i,
        i,
        writeData("@setDataFrame", Uint8Array.of(...encodeAmf0(`m${j}`), ...values)),
      );
    }
  }
  const { publications } = attacker.here.hub;
  assert.equal(publications.size, count);
  let bytes = 0;
  for (const { keptBytes } of publications.values()) bytes += keptBytes;
  assert.ok(bytes > 3.9 * (1 << 20) && bytes <= 4 << 20, `${bytes}`);
  attacker.send(2, 0, command("deleteStream", 0, null, 1));
  attacker.send(
    2 + count,
    count,
    writeData("@setDataFrame", Uint8Array.of(...encodeAmf0("late"), ...values)),
  );
  assert.ok(publications.get(`foo${count}`)!.metadata.has("late"), "there is room again");
});

Deno.test("The server accepts at most 50 publications, 32 groups and 10 peer addresses of one client", () => {
  const attacker = new Attacker().connect();
  for (let i = 0; i < 40; i++) attacker.send(2, 0, ...Array(20).fill(createStream()));
  const name = (i: number) => `${i}`.padEnd(4096, "n");
  for (let i = 1; i <= 128; i++) attacker.send(2 + (i % 50) + 1, (i % 50) + 1, publish(name(i)));
  assert.ok(attacker.here.hub.publications.size <= 50);
  const group = Uint8Array.of(0x47, 0x43);
  for (let i = 0; i < 200; i++) {
    const join = Uint8Array.of(1, 33, 0x15, ...new Uint8Array(32).fill(i));
    Object.assign(chunk, {
      flowId: 1000,
      sequence: 1 + i,
      fsn: 0,
      fragment: Fragment.whole,
      data: join,
      options: i === 0 ? writeFlowOptions({ metadata: group, association: undefined }) : undefined,
    });
    attacker.peer.send(toHex(writeUserData(new Writer(128), chunk).view()));
  }
  assert.equal(attacker.here.hub.groups.size, 32);
  const peerInfo = command("setPeerInfo", 0, null, ...Array(50).fill("192.0.2.1:1"));
  attacker.send(2, 0, ...Array(20).fill(peerInfo));
  const [{ farAddresses }] = attacker.server.connections();
  assert.equal(farAddresses.length, 10);
  assert.equal(attacker.state, "open");
  attacker.peer.now += 200_000;
  attacker.here.hub.now = attacker.peer.now;
  attacker.peer.run(attacker.peer.now + 200_000);
  assert.equal(attacker.state, "gone", "it never acknowledges");
  const { clients, groups, publications } = attacker.here.hub;
  assert.equal(clients.size + groups.size + publications.size, 0);
});
