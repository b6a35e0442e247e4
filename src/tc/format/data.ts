import { AmfWriter, MAX_NAMES } from "../../amf/mod.ts";
import { fromUtf8 } from "../../bytes/text.ts";
import { type Message, MessageType, valuesOf } from "./messages.ts";

/** A data message, as of `NetStream.send`. */
export interface DataMessage {
  readonly name: string;
  /** The AMF of the values after the name: a copy. */
  readonly values: Uint8Array;
}

const AMF0_STRING = 0x02;

/**
 * Reads a data message, of type 0x0f or 0x12.
 *
 * Values after a name in AMF3 may refer to it, and so are encoded again.
 *
 * @returns undefined if it is another message, or has no name
 * @throws {WireError} if it cannot be read
 */
export function readDataMessage(message: Message): DataMessage | undefined {
  if (message.type !== MessageType.data && message.type !== MessageType.dataAmf3) return undefined;
  const values = valuesOf(message);
  if (!values || values.done) return undefined;
  const { raw } = values;
  if (raw.peek() === AMF0_STRING) {
    raw.skip(1);
    const name = fromUtf8(raw.bytes(raw.u16()));
    return { name, values: values.rest().slice() };
  }
  const name = values.readValue(MAX_NAMES);
  if (typeof name !== "string") return undefined;
  const writer = new AmfWriter({ form: "amf3" });
  while (!values.done) values.read(writer);
  return { name, values: writer.bytes() };
}
