// Messages, common to RTMFP, RTMP and RTWebSocket: RFC 7425 §5.1.2, rtmfp-wire §3.7 and §6.1.
import { AmfReader } from "../../amf/mod.ts";
import { Reader } from "../../bytes/reader.ts";
import { toUtf8 } from "../../bytes/text.ts";
import { Writer } from "../../bytes/writer.ts";

export const MessageType = {
  userControl: 0x04,
  audio: 0x08,
  video: 0x09,
  /** Data after a format byte; see {@link valuesOf}. */
  dataAmf3: 0x0f,
  /** Events of a shared object after a format byte. SO-002. */
  sharedObjectAmf3: 0x10,
  /** A command after a format byte. */
  commandAmf3: 0x11,
  data: 0x12,
  sharedObject: 0x13,
  command: 0x14,
} as const;

/**
 * The events of user control messages that this server sends or acts on; all have the same form, see
 * {@link readUserControl}. The table of rtmfp-wire §3.7 also has the others, which are ignored.
 */
export const UserControl = {
  streamBegin: 0,
  streamEof: 1,
  setBufferLength: 3,
  streamIsRecorded: 4,
  /** RTMP only, answered by its link. RTMP-214. */
  pingRequest: 6,
  pingResponse: 7,
  flowSync: 34,
  setKeepAlive: 41,
} as const;

/** Stream ids from here on are streams between peers, without the server. */
export const FIRST_PEER_STREAM = 2_000_000;

/** Bytes before the payload in a flow: `type u8 | timestamp u32`. */
export const HEADER_LENGTH = 5;

const AMF0_STRING = 0x02;
const AMF0_LONG_STRING = 0x0c;
const AMF0_NUMBER = 0x00;
/** AMF0 null. */
const NULL = Uint8Array.of(0x05);

export interface Message {
  readonly type: number;
  /** Milliseconds modulo 2^32. */
  readonly timestamp: number;
  readonly payload: Uint8Array;
  /** The payload after free bytes for the header of a flow, if it was created so, to avoid a copy. */
  readonly framed?: Uint8Array<ArrayBuffer>;
}

/**
 * Reads a message of a flow (RTMFP, RTWebSocket): `type u8 | timestamp u32 | payload`.
 *
 * @returns undefined if the message is shorter than its header: ignore it. The payload is a view
 */
export function readMessage(message: Uint8Array): Message | undefined {
  if (message.length < HEADER_LENGTH) return undefined;
  const from = new Reader(message);
  return { type: from.u8(), timestamp: from.u32(), payload: from.rest() };
}

/** Writes a message for a flow; see {@link readMessage}. */
export function writeMessage(
  type: number,
  timestamp: number,
  payload: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(HEADER_LENGTH + payload.length);
  setHeader(message, type, timestamp);
  message.set(payload, HEADER_LENGTH);
  return message;
}

/** A message as it goes into a flow; see {@link readMessage}. */
export function flowMessage(
  { type, timestamp, payload, framed }: Message,
): Uint8Array<ArrayBuffer> {
  if (!framed) return writeMessage(type, timestamp, payload);
  setHeader(framed, type, timestamp);
  return framed;
}

function setHeader(message: Uint8Array, type: number, timestamp: number): void {
  message[0] = type;
  message[1] = timestamp >>> 24;
  message[2] = timestamp >>> 16;
  message[3] = timestamp >>> 8;
  message[4] = timestamp;
}

/**
 * The values of a command or data message. Types 0x11 and 0x0f have a format byte before them,
 * which is 0. AMF-005.
 *
 * @returns undefined for other types and formats: ignore the message
 */
export function valuesOf({ type, payload }: Message): AmfReader | undefined {
  if (type === MessageType.command || type === MessageType.data) return new AmfReader(payload);
  if (type !== MessageType.commandAmf3 && type !== MessageType.dataAmf3) return undefined;
  if (payload.length === 0 || payload[0] !== 0) return undefined;
  return new AmfReader(new Reader(payload, 1));
}

/** A user control message: `event u16 | arguments u32…`. */
interface UserControlEvent {
  readonly event: number;
  readonly values: readonly number[];
}

/**
 * Reads the payload of a user control message; ignores 1 to 3 bytes after the last whole u32.
 *
 * @throws {WireError} if the event itself is cut off
 */
export function readUserControl(payload: Uint8Array): UserControlEvent {
  const from = new Reader(payload);
  const event = from.u16();
  const values: number[] = [];
  while (from.left >= 4) values.push(from.u32());
  return { event, values };
}

/** Writes a user control message of any event; see {@link readUserControl}. */
export function userControlMessage(event: number, ...values: number[]): Message {
  const to = new Writer(2 + 4 * values.length).u16(event);
  for (const value of values) to.u32(value);
  return { type: MessageType.userControl, timestamp: 0, payload: to.copy() };
}

/**
 * A command without a command object, of type 0x14.
 *
 * @param name text, or its UTF-8 bytes
 * @param transaction 0 requests no answer
 * @param values the AMF of the arguments
 * @param object the AMF of the command object
 */
export function commandMessage(
  name: string | Uint8Array,
  transaction: number,
  values: Uint8Array,
  object = NULL,
): Message {
  const text = typeof name === "string" ? NAMES.get(name) ?? toUtf8(name) : name;
  const before = text.length <= 0xffff ? 3 : 5;
  const framed = new Uint8Array(
    HEADER_LENGTH + before + text.length + 9 + object.length + values.length,
  );
  const to = Writer.over(framed, HEADER_LENGTH);
  writeString(to, text).u8(AMF0_NUMBER).f64(transaction).bytes(object).bytes(values);
  const payload = framed.subarray(HEADER_LENGTH);
  return { type: MessageType.command, timestamp: 0, payload, framed };
}

/** The commands that servers send most. */
const NAMES = new Map(["_result", "_error", "onStatus"].map((name) => [name, toUtf8(name)]));

/**
 * The payload of a data message, the same for type 0x12 and, after the format byte, for 0x0f.
 *
 * @param values the AMF of the arguments
 */
export function dataPayload(
  name: string | Uint8Array,
  values: Uint8Array,
  formatByte = false,
): Uint8Array<ArrayBuffer> {
  const text = typeof name === "string" ? toUtf8(name) : name;
  const to = new Writer(1 + 5 + text.length + values.length);
  if (formatByte) to.u8(0);
  return writeString(to, text).bytes(values).copy();
}

function writeString(to: Writer, text: Uint8Array): Writer {
  if (text.length <= 0xffff) to.u8(AMF0_STRING).u16(text.length);
  else to.u8(AMF0_LONG_STRING).u32(text.length);
  return to.bytes(text);
}
