// Commands and data as clients such as Flash Player write them. RFC 7425 §5.3, AMF-005.
import { type AmfValue, AmfWriter } from "../../amf/mod.ts";
import { Writer } from "../../bytes/writer.ts";
import { type Message, MessageType } from "./messages.ts";

/** AMF version of a connection's values: 3, the default of Flash, or only 0. */
export type ObjectEncoding = 0 | 3;

/**
 * The AMF of values. With encoding 3 plain values stay AMF0 and the others are AMF3.
 *
 * @throws {WireError} if a value is too deep, or AMF0 is required and lacks it
 */
export function encodeValues(encoding: ObjectEncoding, values: readonly AmfValue[]): Uint8Array {
  const writer = new AmfWriter({ form: "amf0" });
  for (const value of values) {
    const plain = typeof value !== "object" || value === null;
    writer.form = plain || encoding === 0 ? "amf0" : "amf3";
    writer.writeValue(value);
  }
  return writer.bytes();
}

/**
 * A command of a client, of type 0x14, or 0x11 with a format byte.
 *
 * @param transaction 0 requests no answer
 * @param values the AMF of the command object and the arguments
 */
export function callMessage(
  encoding: ObjectEncoding,
  name: string,
  transaction: number,
  values: Uint8Array,
): Message {
  const head = encodeValues(0, [name, transaction]);
  const to = new Writer(1 + head.length + values.length);
  if (encoding === 3) to.u8(0); // the format byte
  const type = encoding === 3 ? MessageType.commandAmf3 : MessageType.command;
  return { type, timestamp: 0, payload: to.bytes(head).bytes(values).view() };
}

/**
 * Data of a client, of type 0x12, or 0x0f with a format byte.
 *
 * @param values the AMF of the handler's name and the arguments
 */
export function sentData(
  encoding: ObjectEncoding,
  timestamp: number,
  values: Uint8Array,
): Message {
  if (encoding === 0) return { type: MessageType.data, timestamp, payload: values };
  const payload = new Writer(1 + values.length).u8(0).bytes(values).view();
  return { type: MessageType.dataAmf3, timestamp, payload };
}
