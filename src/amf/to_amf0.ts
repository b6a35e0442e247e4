import { WireError } from "../bytes/wire_error.ts";
import { AmfReader } from "./amf_reader.ts";
import { AmfWriter } from "./amf_writer.ts";

/** Marker before an AMF3 value. A byte 0x11 elsewhere only costs a needless conversion. */
export const AMF3_SWITCH = 0x11;

/**
 * Converts values in AMF0 or AMF3 to AMF0 alone.
 * @returns undefined if AMF0 cannot express them, or they are malformed
 */
export function toAmf0(values: Uint8Array): Uint8Array | undefined {
  if (!values.includes(AMF3_SWITCH)) return values;
  try {
    const reader = new AmfReader(values);
    const writer = new AmfWriter({ form: "amf0" });
    while (!reader.done) reader.read(writer);
    return writer.bytes();
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
