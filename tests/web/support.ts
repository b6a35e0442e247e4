import { connect, type NetConnection, type NetStream } from "../../clients/js/cumulus.js";
import { encodeAmf0 } from "../../src/amf/mod.ts";
import { toUtf8 } from "../../src/bytes/text.ts";
import { Writer } from "../../src/bytes/writer.ts";
import { FlvReader } from "../../src/flv/reader.ts";
import { type FlvTag, TagType } from "../../src/flv/tags.ts";
import { TestServer } from "../conformance/support/test_server.ts";
import { freePort } from "../support/ports.ts";
import { sleep } from "../support/wait.ts";

/** A server with a web door. */
export interface WebServer {
  readonly server: TestServer;
  /** `http://127.0.0.1:port`, without a slash at the end. */
  readonly http: string;
  readonly ws: string;
}

export async function startWeb(
  www: Record<string, string>,
  ini = "",
): Promise<WebServer> {
  const port = freePort();
  const server = await TestServer.prepare({ www, ini: `[web]\nport = ${port}\n${ini}` });
  try {
    await server.run();
    await server.log.find((line) => line.includes("HTTP server starts"), "the web door");
    return { server, http: `http://127.0.0.1:${port}`, ws: `ws://127.0.0.1:${port}` };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** The tags of the test recording. */
export const recording: readonly FlvTag[] = (() => {
  const reader = new FlvReader();
  return [
    ...reader.push(Deno.readFileSync(new URL("../fixtures/test.flv", import.meta.url))),
  ];
})();

export const media = recording.filter(({ type }) => type !== TagType.data);

/** Publishes over RTWebSocket; `send` sends tags at once, with their own times. */
export async function publish(
  url: string,
  name: string,
): Promise<{ connection: NetConnection; stream: NetStream; send(tags: readonly FlvTag[]): void }> {
  const connection = await connect(url);
  const stream = await connection.createStream();
  await stream.publish(name);
  return {
    connection,
    stream,
    send: (tags) => {
      for (const { type, timestamp, data } of tags) {
        if (type === TagType.audio) stream.sendAudio(timestamp, data);
        else if (type === TagType.video) stream.sendVideo(timestamp, data);
      }
    },
  };
}

/** Milliseconds of the recording. */
export const LOOP = 5080;

/** Publishes the recording in a loop, at its own speed, until `stop` is called. */
export async function live(ws: string, name: string): Promise<{ stop(): void }> {
  const publisher = await publish(`${ws}/live`, name);
  let stopped = false;
  (async () => {
    const start = performance.now();
    for (let loop = 0; !stopped; loop++) {
      for (const tag of media) {
        const timestamp = loop * LOOP + tag.timestamp;
        const wait = start + timestamp - performance.now();
        if (wait > 5) await sleep(wait);
        if (stopped) break;
        publisher.send([{ ...tag, timestamp }]);
      }
    }
    publisher.connection.close();
  })();
  return { stop: () => void (stopped = true) };
}

/** Reads FLV tags until `enough` returns true, or the source ends. */
export async function readTags(
  source: AsyncIterable<Uint8Array>,
  enough: (tags: readonly FlvTag[]) => boolean,
): Promise<FlvTag[]> {
  const reader = new FlvReader();
  const tags: FlvTag[] = [];
  for await (const bytes of source) {
    for (const tag of reader.push(bytes)) tags.push({ ...tag, data: tag.data.slice() });
    if (enough(tags)) break;
  }
  return tags;
}

/** A packet of Flash remoting with one call. */
export function remotingPacket(target: string, ...values: number[]): Uint8Array<ArrayBuffer> {
  const value = new Writer(64).u8(0x0a).u32(values.length).bytes(encodeAmf0(...values)).copy();
  const to = new Writer(64).u16(0).u16(0).u16(1);
  for (const text of [target, "/1"]) to.u16(text.length).bytes(toUtf8(text));
  return to.u32(value.length).bytes(value).copy();
}
