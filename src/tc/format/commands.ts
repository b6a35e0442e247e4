// Commands: RFC 7425 §5.3, rtmfp-wire §6.2 to §6.7, AMF-005 and AMF-006.
import {
  type AmfObject,
  type AmfReader,
  type AmfValue,
  AmfWriter,
  MAX_NAMES,
} from "../../amf/mod.ts";
import { WireError } from "../../bytes/wire_error.ts";
import { commandMessage, type Message, MessageType, valuesOf } from "./messages.ts";

/** A received command. */
export interface Command {
  readonly name: string;
  /** 0 if the sender requests no answer. */
  readonly transaction: number;
  /** The command object; null if there is none. */
  readonly object: AmfValue;
  /** The arguments, unread; valid until the call returns. */
  readonly values: AmfReader;
}

const AMF0 = { object: 0x03, null: 0x05, undefined: 0x06, mixedArray: 0x08, typedObject: 0x10 };
const AMF3_SWITCH = 0x11;
const AMF3_OBJECT = 0x0a;
const AMF3_NULL = 0x01;

/**
 * Reads a command. Some clients leave out a command object of null: a value that is neither object nor
 * null is the first argument.
 *
 * @returns undefined if the message is not a command
 * @throws {WireError} if the command is malformed
 */
export function readCommand(message: Message): Command | undefined {
  if (message.type !== MessageType.command && message.type !== MessageType.commandAmf3) {
    return undefined;
  }
  const values = valuesOf(message);
  if (!values) return undefined;
  const name = values.readValue(MAX_NAMES);
  if (typeof name !== "string") throw new WireError("Cannot read a command without a name");
  const transaction = values.done ? 0 : values.readValue(MAX_NAMES);
  if (typeof transaction !== "number") {
    throw new WireError(`Cannot read the transaction of ${name}`);
  }
  const object = isCommandObject(values) ? values.readValue(MAX_NAMES) : null;
  return { name, transaction, object, values };
}

function isCommandObject(values: AmfReader): boolean {
  if (values.done) return false;
  const { input, at } = values.raw;
  const marker = input[at];
  if (marker === AMF3_SWITCH) {
    const value = input[at + 1];
    return values.left > 1 && value !== undefined &&
      (value === AMF3_OBJECT || value <= AMF3_NULL);
  }
  return marker !== undefined && Object.values(AMF0).includes(marker);
}

/** Level of an info object. */
export type StatusLevel = "status" | "error";

/**
 * The AMF0 object that results and statuses of connections and streams carry. API-7xx.
 *
 * @param description left out if empty
 * @param members further members, encoded: `{u16 length, key, AMF0 value}*`
 */
export function infoObject(
  level: StatusLevel,
  code: string,
  description = "",
  members?: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const info: AmfObject = { level, code };
  if (description !== "") info.description = description;
  const writer = new AmfWriter({ form: "amf0" });
  writer.writeValue(info);
  if (!members || members.length === 0) return writer.bytes();
  const to = writer.raw;
  to.at -= OBJECT_END;
  return to.bytes(members).u24(0x000009).copy();
}

/** Length of the end of an AMF0 object, `00 00 09`, in bytes. */
const OBJECT_END = 3;

/** `onStatus` with an {@link infoObject}. */
export function statusMessage(
  level: StatusLevel,
  code: string,
  description?: string,
  members?: Uint8Array,
): Message {
  return commandMessage("onStatus", 0, infoObject(level, code, description, members));
}

/** Reads a value of a command as text, number or boolean; undefined for other types. */
export function readText(values: AmfReader): string | undefined {
  const value = values.done ? undefined : values.readValue(MAX_NAMES);
  return typeof value === "string" ? value : undefined;
}

export function readNumber(values: AmfReader): number | undefined {
  const value = values.done ? undefined : values.readValue(MAX_NAMES);
  return typeof value === "number" ? value : undefined;
}

export function readBoolean(values: AmfReader): boolean | undefined {
  const value = values.done ? undefined : values.readValue(MAX_NAMES);
  return typeof value === "boolean" ? value : undefined;
}
