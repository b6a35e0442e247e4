// Which AMF a client can read: one that asked for AMF0 knows nothing of the marker that switches to
// AMF3. RTMP-416, RTMP-417.
import { AmfReader, AmfWriter } from "../../amf/mod.ts";
import { WireError } from "../../bytes/wire_error.ts";
import { type Message, MessageType } from "./messages.ts";

/** Marker before an AMF3 value. As any other byte it does no harm here: it may only look like one. */
const AMF3_SWITCH = 0x11;

/**
 * Values in AMF0 alone, whatever form they came in.
 * @returns undefined if AMF0 has no form for them, or they cannot be read
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

/** For a client of AMF3: a command or data that may switch to it has the type that says so. */
export function markAmf3({ type, timestamp, payload }: Message): Message {
  const isData = type === MessageType.data;
  if (!isData && type !== MessageType.command) return { type, timestamp, payload };
  if (!payload.includes(AMF3_SWITCH)) return { type, timestamp, payload };
  const behindFormat = new Uint8Array(1 + payload.length);
  behindFormat.set(payload, 1);
  const marked = isData ? MessageType.dataAmf3 : MessageType.commandAmf3;
  return { type: marked, timestamp, payload: behindFormat };
}
