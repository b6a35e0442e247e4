// The `onMetaData` of recordings: an ECMA array that begins with duration and filesize, which the writer
// overwrites in place when the recording ends. VOD-105, VOD-210.
import { type AmfObject, AmfReader, type AmfValue, encodeAmf0, MixedArray } from "../amf/mod.ts";
import { toAmf0 } from "../amf/to_amf0.ts";
import { toUtf8 } from "../bytes/text.ts";
import { WireError } from "../bytes/wire_error.ts";
import { Writer } from "../bytes/writer.ts";

const NAME = toUtf8("onMetaData");
const AMF0 = { number: 0, string: 2, array: 8 } as const;
/** Offsets of the numbers in the values: after marker and count, and key and marker of each. */
const DURATION = 1 + 4 + 2 + 8 + 1;
const FILESIZE = DURATION + 8 + 2 + 8 + 1;
/** Bytes of the name before the values. */
const NAME_BYTES = 3 + NAME.length;
/** Members of the publisher's metadata that the recorder computes itself, or that are wrong for a file. */
const OWN = new Set(["duration", "filesize", "keyframes", "lasttimestamp", "canSeekToEnd"]);

/** Offsets of duration (s) and filesize (bytes), both f64, in the result of {@link metadataData}. */
export const PATCH = { duration: NAME_BYTES + DURATION, filesize: NAME_BYTES + FILESIZE } as const;

/**
 * The data of the first script tag of a recording.
 *
 * @param published the AMF of the values of the publisher's `onMetaData`
 */
export function metadataData(published: Uint8Array | undefined): Uint8Array<ArrayBuffer> {
  const members: AmfObject = {};
  for (const [name, value] of Object.entries(metadataMembers(published))) {
    if (!OWN.has(name)) members[name] = value;
  }
  const object = encodeAmf0(members);
  const to = new Writer(NAME_BYTES + FILESIZE + 8 + object.length);
  to.u8(AMF0.string).u16(NAME.length).bytes(NAME);
  to.u8(AMF0.array).u32(2 + Object.keys(members).length);
  for (const key of ["duration", "filesize"]) to.u16(8).bytes(toUtf8(key)).u8(AMF0.number).f64(0);
  return to.bytes(object.subarray(1)).copy(); // its marker is left out
}

/** Whether the values of an `onMetaData` are laid out like those of {@link metadataData}. */
export function canPatch(values: Uint8Array): boolean {
  const own = metadataData(undefined).subarray(NAME_BYTES);
  const isFixed = (at: number) =>
    at === 0 || (at > 4 && at < DURATION) ||
    (at >= DURATION + 8 && at < FILESIZE);
  return values.length >= own.length &&
    own.every((byte, at) => !isFixed(at) || values[at] === byte);
}

/** The data of a script tag; undefined if AMF0 cannot represent its values. VOD-206. */
export function scriptData(name: string, values: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  const inAmf0 = toAmf0(values);
  const text = toUtf8(name);
  if (!inAmf0 || text.length > 0xffff) return undefined;
  const to = new Writer(3 + text.length + inAmf0.length);
  return to.u8(AMF0.string).u16(text.length).bytes(text).bytes(inAmf0).copy();
}

/** The members of an `onMetaData`; empty if they cannot be read, or if AMF0 cannot represent them. */
export function metadataMembers(values: Uint8Array | undefined): AmfObject {
  if (!values || values.length === 0) return {};
  let value: AmfValue;
  try {
    value = new AmfReader(values).readValue();
    encodeAmf0(value);
  } catch (error) {
    if (error instanceof WireError) return {};
    throw error;
  }
  if (value instanceof MixedArray) return value.named;
  const isObject = typeof value === "object" && value !== null &&
    Object.getPrototypeOf(value) === null;
  return isObject ? value as AmfObject : {};
}
