// Script tags: an AMF0 string, the name, and values. FLV E.4.4.
import { Reader } from "../bytes/reader.ts";
import { fromUtf8 } from "../bytes/text.ts";

const STRING = 0x02;

interface ScriptData {
  readonly name: string;
  /** AMF0 of the values after the name: a view. */
  readonly values: Uint8Array;
}

/** @returns undefined for tags that do not begin with a name */
export function readScriptData(data: Uint8Array): ScriptData | undefined {
  if (data.length < 3 || data[0] !== STRING) return undefined;
  const from = new Reader(data, 1);
  const length = from.u16();
  if (length > from.left) return undefined;
  return { name: fromUtf8(from.bytes(length)), values: from.rest() };
}

/** The values of `onMetaData`; undefined for other tags. */
export function metadataOf(data: Uint8Array): Uint8Array | undefined {
  const script = readScriptData(data);
  return script?.name === "onMetaData" ? script.values : undefined;
}
