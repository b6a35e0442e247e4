// Reads a chunk of any type with its codec and writes it again.
import type { Reader } from "../../src/bytes/reader.ts";
import type { Writer } from "../../src/bytes/writer.ts";
import { Ack, readBitmapAck, readRangeAck, writeRangeAck } from "../../src/rtmfp/wire/ack.ts";
import { bufferProbe } from "../../src/rtmfp/wire/buffer_probe.ts";
import { type ChunkCodec, ChunkType, writeChunk } from "../../src/rtmfp/wire/chunk.ts";
import { cookieChange } from "../../src/rtmfp/wire/cookie_change.ts";
import { fiHello } from "../../src/rtmfp/wire/fihello.ts";
import { flowException } from "../../src/rtmfp/wire/flow_exception.ts";
import { iHello } from "../../src/rtmfp/wire/ihello.ts";
import { iiKeying } from "../../src/rtmfp/wire/iikeying.ts";
import { packetFragment } from "../../src/rtmfp/wire/packet_fragment.ts";
import { ping, pingReply } from "../../src/rtmfp/wire/ping.ts";
import { redirect } from "../../src/rtmfp/wire/redirect.ts";
import { rHello } from "../../src/rtmfp/wire/rhello.ts";
import { riKeying } from "../../src/rtmfp/wire/rikeying.ts";
import { sessionClose, sessionCloseAck } from "../../src/rtmfp/wire/session_close.ts";
import {
  readNextUserData,
  readUserData,
  UserData,
  writeNextUserData,
  writeUserData,
} from "../../src/rtmfp/wire/user_data.ts";
import { writeBitmapAck } from "./bitmap_ack.ts";
import { closeReason, ecnReport } from "./foreign_chunks.ts";

// deno-lint-ignore no-explicit-any
const codecs: ChunkCodec<any>[] = [
  bufferProbe,
  closeReason,
  cookieChange,
  ecnReport,
  fiHello,
  flowException,
  iHello,
  iiKeying,
  packetFragment,
  ping,
  pingReply,
  redirect,
  rHello,
  riKeying,
  sessionClose,
  sessionCloseAck,
];
const byType = new Map(codecs.map((codec) => [codec.type, codec]));
const ack = new Ack();

/** Every type that has a codec. */
export const chunkTypes: number[] = [
  ...byType.keys(),
  ChunkType.userData,
  ChunkType.nextUserData,
  ChunkType.rangeAck,
  ChunkType.bitmapAck,
];

/**
 * Reads the payload of a chunk and writes the whole chunk as the codec makes it.
 *
 * @param data the User Data chunk before it in the packet
 * @returns false for a type without codec
 * @throws {WireError} for a payload that breaks the format
 */
export function rewriteChunk(type: number, from: Reader, to: Writer, data = new UserData()) {
  const codec = byType.get(type);
  if (codec) writeChunk(to, codec, codec.read(from));
  else if (type === ChunkType.userData) {
    readUserData(from, data);
    writeUserData(to, data);
  } else if (type === ChunkType.nextUserData) {
    readNextUserData(from, data);
    writeNextUserData(to, data);
  } else if (type === ChunkType.rangeAck) {
    readRangeAck(from, ack);
    writeRangeAck(to, ack.flowId, ack.bufferBlocks, ack.cumulativeAck, ack.ranges);
  } else if (type === ChunkType.bitmapAck) {
    readBitmapAck(from, ack);
    writeBitmapAck(to, ack.flowId, ack.bufferBlocks, ack.cumulativeAck, ack.ranges);
  } else return false;
  return true;
}
