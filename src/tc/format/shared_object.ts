// The shared object message, message types 16 and 19: RTMP 1.0 §7.1.3, SO-001 to SO-024.

import { AmfReader } from "../../amf/mod.ts";
import { Reader } from "../../bytes/reader.ts";
import { fromUtf8, toUtf8 } from "../../bytes/text.ts";
import { WireError } from "../../bytes/wire_error.ts";
import { Writer } from "../../bytes/writer.ts";

/** Event types. SO-010 to SO-020. */
const SharedObjectEventType = {
  use: 1,
  release: 2,
  requestChange: 3,
  change: 4,
  success: 5,
  sendMessage: 6,
  status: 7,
  clear: 8,
  remove: 9,
  requestRemove: 10,
  useSuccess: 11,
} as const;

/**
 * One event of a shared object message.
 *
 * - `slot`: a name of up to 65,535 bytes, without a marker. SO-021.
 * - `value`: the AMF of one value; `values`: the AMF of a handler's name and its arguments. Both are
 *   views of the message when read.
 */
export type SharedObjectEvent =
  | { readonly type: "use" | "release" | "clear" | "useSuccess" }
  | { readonly type: "requestChange" | "change"; readonly slot: string; readonly value: Uint8Array }
  | { readonly type: "success" | "remove" | "requestRemove"; readonly slot: string }
  | { readonly type: "sendMessage"; readonly values: Uint8Array }
  | { readonly type: "status"; readonly code: string; readonly level: string };

/** A message without its header and, in type 16, without the format byte before it. SO-001, SO-002. */
export interface SharedObjectMessage {
  readonly name: string;
  /** The version of the object that the sender knows. */
  readonly version: number;
  /** Persistent and temporary objects of one name are two objects. SO-038. */
  readonly persistent: boolean;
  readonly events: readonly SharedObjectEvent[];
}

/** Flag of a persistent object. SO-003. */
const PERSISTENT = 2;
const TYPE_NAMES = new Map<number, keyof typeof SharedObjectEventType>(
  Object.entries(SharedObjectEventType).map(([name, type]) => [
    type,
    name as keyof typeof SharedObjectEventType,
  ]),
);

/**
 * Reads a message. Ignores events of unknown types (SO-024).
 *
 * @param payload after the message's header
 * @param amf3 whether the message is of type 16, which has a format byte (0) first
 * @param maxEvents maximum number of events
 * @throws {WireError} if the message is cut off, has another format or more events
 */
export function readSharedObject(
  payload: Uint8Array,
  amf3: boolean,
  maxEvents: number,
): SharedObjectMessage {
  const from = new Reader(payload);
  if (amf3 && from.u8() !== 0) throw new WireError("Cannot read a shared object of another format");
  const name = fromUtf8(from.bytes(from.u16()));
  const version = from.u32();
  const persistent = (from.u32() & PERSISTENT) !== 0;
  from.skip(4);
  const events: SharedObjectEvent[] = [];
  while (from.left > 0) {
    const type = TYPE_NAMES.get(from.u8());
    const body = from.bytes(from.u32());
    if (type === undefined) continue;
    readEvent(type, new Reader(body), events);
    if (events.length > maxEvents) {
      throw new WireError(`Cannot read more than ${maxEvents} events of a shared object`);
    }
  }
  return { name, version, persistent, events };
}

/** Writes a message; see {@link readSharedObject}. */
export function writeSharedObject(
  message: SharedObjectMessage,
  amf3: boolean,
): Uint8Array<ArrayBuffer> {
  const to = new Writer(128);
  writeSharedObjectHeader(to, message, amf3);
  for (const event of message.events) writeSharedObjectEvent(to, event);
  return to.copy();
}

/** Writes the part of a message before its events. SO-001, SO-002. */
export function writeSharedObjectHeader(
  to: Writer,
  { name, version, persistent }: Omit<SharedObjectMessage, "events">,
  amf3: boolean,
): void {
  if (amf3) to.u8(0);
  writeName(to, name).u32(version).u32(persistent ? PERSISTENT : 0).u32(0);
}

/** Writes an event: its type, its length, its data. SO-004. */
export function writeSharedObjectEvent(to: Writer, event: SharedObjectEvent): void {
  to.u8(SharedObjectEventType[event.type]).u32(0);
  const start = to.at;
  writeData(to, event);
  to.u32At(start - 4, to.at - start);
}

/** Reads an event, which may set several slots. SO-013. */
function readEvent(
  type: SharedObjectEvent["type"],
  from: Reader,
  events: SharedObjectEvent[],
): void {
  switch (type) {
    case "requestChange":
    case "change":
      do {
        const slot = readName(from);
        const start = from.at;
        new AmfReader(from).skip(); // each value has reference tables of its own: SO-022
        events.push({ type, slot, value: from.input.subarray(start, from.at) });
      } while (from.left > 0);
      return;
    case "success":
    case "remove":
    case "requestRemove":
      events.push({ type, slot: readName(from) });
      return;
    case "sendMessage":
      events.push({ type, values: from.rest() });
      return;
    case "status":
      events.push({ type, code: readName(from), level: readName(from) });
      return;
    default:
      events.push({ type });
  }
}

function writeData(to: Writer, event: SharedObjectEvent): void {
  switch (event.type) {
    case "requestChange":
    case "change":
      writeName(to, event.slot).bytes(event.value);
      return;
    case "success":
    case "remove":
    case "requestRemove":
      writeName(to, event.slot);
      return;
    case "sendMessage":
      to.bytes(event.values);
      return;
    case "status":
      writeName(writeName(to, event.code), event.level);
      return;
  }
}

const readName = (from: Reader): string => fromUtf8(from.bytes(from.u16()));

function writeName(to: Writer, name: string): Writer {
  const bytes = toUtf8(name);
  if (bytes.length > 0xffff) throw new WireError(`Cannot write a name of ${bytes.length} bytes`);
  return to.u16(bytes.length).bytes(bytes);
}
