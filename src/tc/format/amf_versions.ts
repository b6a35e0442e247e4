// The AMF version of messages for a client: one that requested AMF0 cannot read the marker that switches
// to AMF3. RTMP-416, RTMP-417.
import { AMF3_SWITCH } from "../../amf/to_amf0.ts";
import { type Message, MessageType } from "./messages.ts";

/** Gives a command or data that may contain AMF3 the message type of AMF3. */
export function markAmf3({ type, timestamp, payload }: Message): Message {
  const isData = type === MessageType.data;
  if (!isData && type !== MessageType.command) return { type, timestamp, payload };
  if (!payload.includes(AMF3_SWITCH)) return { type, timestamp, payload };
  const behindFormat = new Uint8Array(1 + payload.length);
  behindFormat.set(payload, 1);
  const marked = isData ? MessageType.dataAmf3 : MessageType.commandAmf3;
  return { type: marked, timestamp, payload: behindFormat };
}
