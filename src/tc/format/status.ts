// Status of connections and streams: the info object of onStatus, _result, _error.
import type { AmfObject, AmfValue } from "../../amf/mod.ts";
import { MixedArray, TypedObject } from "../../amf/mod.ts";

export interface Status {
  /** "status", "error" or "warning". */
  readonly level: string;
  /** Such as "NetStream.Play.Start". */
  readonly code: string;
  readonly description: string;
  /** The whole info value. */
  readonly info: AmfValue;
}

/** Reads an info object; missing members are "". */
export function readStatus(info: AmfValue): Status {
  const members = membersOf(info);
  const text = (name: string) => typeof members[name] === "string" ? members[name] as string : "";
  return { level: text("level"), code: text("code"), description: text("description"), info };
}

function membersOf(value: AmfValue): AmfObject {
  if (value instanceof TypedObject) return value.members;
  if (value instanceof MixedArray) return value.named;
  const plain = typeof value === "object" && value !== null && !Array.isArray(value) &&
    !(value instanceof Date) && !(value instanceof Uint8Array);
  return plain ? value as AmfObject : {};
}
