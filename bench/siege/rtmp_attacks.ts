// Attacks by RTMP, also on the code that all doors share.
import { encodeAmf0 } from "../../src/amf/mod.ts";
import { concat } from "../../src/bytes/concat.ts";
import { Writer } from "../../src/bytes/writer.ts";
import { sleep } from "../../src/common/wait.ts";
import { ControlType, writeU32 } from "../../src/rtmp/control.ts";
import { MessageType, userControlMessage } from "../../src/tc/format/messages.ts";
import { writeSharedObject } from "../../src/tc/format/shared_object.ts";
import { type Attack, crowd, longText } from "./attack.ts";
import { collidingKeys, externalizable, NOTHING, worstOf } from "./messages.ts";
import { chunksOf, discard, MAX_CHUNK_SIZE, RawRtmp, writeAll } from "./raw_rtmp.ts";

/** Clients that connect and then run `attack`. */
function clients(
  count: number,
  attack: (client: RawRtmp, number: number, until: number) => Promise<void>,
): Attack {
  return ({ rtmp }, until) =>
    crowd(count, until, async (number) => {
      const client = await RawRtmp.connect(rtmp);
      try {
        await attack(client, number, until);
      } finally {
        client.close();
      }
    });
}

/** Calls functions without end. */
const calls = (count: number, name: (i: number) => string, values: (i: number) => Uint8Array) =>
  clients(count, async (client, number, until) => {
    for (let i = 0; performance.now() < until; i++) {
      await client.command(name(number * 1000 + i), values(i));
    }
  });

const several = (parts: readonly Uint8Array[], until: number, client: RawRtmp) =>
  (async () => {
    const all = concat(parts);
    while (performance.now() < until) await writeAll(client.conn, all);
  })();

const shared = (
  name: string,
  events: Parameters<typeof writeSharedObject>[0]["events"],
  persistent = false,
) =>
  chunksOf(
    MessageType.sharedObject,
    writeSharedObject({ name, version: 0, persistent, events }, false),
  );

/** Creates new objects without end, each with a slot. */
const sharedObjects = (persistent: boolean) =>
  clients(2, async (client, number, until) => {
    for (let i = 0; performance.now() < until;) {
      const parts = Array.from({ length: 500 }, () => {
        const name = `${number}-${i++}`;
        return concat([
          shared(name, [{ type: "use" }], persistent),
          shared(name, [{ type: "requestChange", slot: "a", value: NOTHING }], persistent),
        ]);
      });
      await writeAll(client.conn, concat(parts));
    }
  });

const WORST = worstOf(65_000);
const COLLIDING = collidingKeys(50_000);
/** About 60 kB for which an earlier redaction took quadratic time. */
const DOTS = `${"a.".repeat(30_000)}://x?y`;

const text = (name: string) => encodeAmf0(name);
const audio = (bytes: number) => new Uint8Array(bytes).fill(0xaf);

export const rtmpAttacks: Readonly<Record<string, Attack>> = {
  "log flood of long class names": calls(
    4,
    () => "echo",
    (i) => externalizable(longText(i, 1_000_000)),
  ),
  "log flood of missing functions": calls(4, (i) => longText(i, 2_000), () => NOTHING),
  "colliding keys in a Dictionary": calls(2, () => "echo", () => COLLIDING),
  "colliding keys in the connect object": ({ rtmp }, until) =>
    crowd(4, until, async () => {
      const client = await RawRtmp.open(rtmp);
      const members = Array.from({ length: 5_000 }, (_, i) => [String(i * 65_536), null]);
      await client.command(
        "connect",
        encodeAmf0({
          app: "bench",
          tcUrl: "rtmp://127.0.0.1/bench",
          ...Object.fromEntries(members),
        }),
        0,
        1,
      );
      client.close();
    }),
  // As class names, which the server logs.
  "texts that redaction searches": calls(
    4,
    () => "echo",
    (i) => externalizable(`${i}${DOTS}`),
  ),
  "worst messages": calls(2, () => "echo", (i) => WORST[i % WORST.length]!),
  "half-open handshakes": ({ rtmp }, until) =>
    crowd(400, until, async (number) => {
      const conn = await Deno.connect({ hostname: "127.0.0.1", port: rtmp });
      await writeAll(conn, number % 2 ? new Uint8Array(1000).fill(3) : Uint8Array.of(3));
      await discard(conn);
    }),
  "chunks of one byte": clients(2, async (client, _, until) => {
    await client.send(ControlType.setChunkSize, writeU32(1));
    await several(
      [chunksOf(MessageType.command, new Uint8Array(60_000), { chunk: 1 })],
      until,
      client,
    );
  }),
  "chunk sizes and empty messages": clients(
    2,
    (client, _, until) =>
      several(
        Array.from({ length: 4_000 }, (_, i) =>
          i % 2
            ? chunksOf(ControlType.setChunkSize, writeU32(MAX_CHUNK_SIZE - i))
            : chunksOf(MessageType.audio, new Uint8Array(0))),
        until,
        client,
      ),
  ),
  "messages begun in all chunk streams": clients(8, async (client, _, until) => {
    await client.send(ControlType.setChunkSize, writeU32(128));
    for (let stream = 3; stream < 64 && performance.now() < until; stream++) {
      const whole = chunksOf(MessageType.command, new Uint8Array(1_000_000), {
        chunk: 128,
        chunkStream: stream,
      });
      await writeAll(client.conn, whole.subarray(0, whole.length - 10));
    }
    await sleep(until - performance.now());
  }),
  "aggregates": clients(2, async (client, _, until) => {
    await client.command("createStream", new Uint8Array(0));
    await client.command("publish", concat([text("aggregated"), text("live")]), 1);
    const parts = new Writer(65_536);
    for (let i = 0; i < 5_000; i++) {
      parts.u8(MessageType.audio).u24(1).u24(i).u8(0).u24(0).u8(0xaf).u32(12);
    }
    await several([chunksOf(ControlType.aggregate, parts.copy(), { stream: 1 })], until, client);
  }),
  "thousands of published names": clients(4, async (client, number, until) => {
    for (let i = 0; i < 100; i++) await client.command("createStream", new Uint8Array(0));
    for (let i = 0; performance.now() < until; i++) {
      const stream = 1 + i % 100;
      await client.command(
        "publish",
        concat([text(longText(number * 1e6 + i, 4_000)), text("live")]),
        stream,
      );
      await client.send(MessageType.audio, audio(100), stream);
      await client.command("closeStream", new Uint8Array(0), stream);
    }
  }),
  "streams that are played and looked up": clients(4, async (client, number, until) => {
    for (let i = 0; performance.now() < until; i++) {
      await client.command("getStreamLength", text(`none ${number} ${i}`));
      await client.command("createStream", new Uint8Array(0));
      await client.command("play", text(`none ${number} ${i}`), 1);
    }
  }),
  "shared object names": sharedObjects(false),
  "names of persistent shared objects": sharedObjects(true),
  "shared object slots": clients(4, async (client, number, until) => {
    await writeAll(client.conn, shared("slots", [{ type: "use" }]));
    for (let i = 0; performance.now() < until;) {
      const events = Array.from({ length: 2_000 }, () => ({
        type: "requestChange" as const,
        slot: `${number}-${i++}`,
        value: NOTHING,
      }));
      await writeAll(client.conn, shared("slots", events));
    }
  }),
  "shared object messages to many": clients(40, async (client, _, until) => {
    await writeAll(client.conn, shared("crowd", [{ type: "use" }]));
    const values = encodeAmf0("heard", "x".repeat(1_000));
    while (performance.now() < until) {
      await writeAll(
        client.conn,
        shared("crowd", Array(20).fill({ type: "sendMessage", values })),
      );
    }
  }),
  "user control floods": clients(
    2,
    (client, _, until) => {
      const { payload } = userControlMessage(6, 1, 2);
      const events = Array.from(
        { length: 4_000 },
        () => chunksOf(MessageType.userControl, payload),
      );
      return several(events, until, client);
    },
  ),
};
