import { AmfReader } from "./amf_reader.ts";
import { type AmfForm, AmfWriter } from "./amf_writer.ts";
import type { AmfValue } from "./values.ts";

/**
 * The bytes of values as arguments and results have them: AMF3 behind marker 0x11, but for null,
 * booleans and numbers that do not fit a 29-bit integer.
 *
 * @throws {WireError} if a value is too deep or too long
 */
export const encodeAmf = (...values: AmfValue[]): Uint8Array<ArrayBuffer> => encode("amf3", values);

/**
 * The bytes of values in AMF0 alone, as commands have them.
 *
 * @throws {WireError} if a value is too deep, too long, a dictionary or externalizable
 */
export const encodeAmf0 = (...values: AmfValue[]): Uint8Array<ArrayBuffer> =>
  encode("amf0", values);

/** All values of a message. @throws {WireError} on other bytes */
export function decodeAmf(message: Uint8Array): AmfValue[] {
  const reader = new AmfReader(message);
  const values: AmfValue[] = [];
  while (!reader.done) values.push(reader.readValue());
  return values;
}

function encode(form: AmfForm, values: readonly AmfValue[]): Uint8Array<ArrayBuffer> {
  const writer = new AmfWriter({ form });
  for (const value of values) writer.writeValue(value);
  return writer.bytes();
}
