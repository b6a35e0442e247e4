// The file format of shared objects: SO-080.
import { AmfReader } from "../amf/amf_reader.ts";
import { Reader } from "../bytes/reader.ts";
import { fromUtf8, toUtf8 } from "../bytes/text.ts";
import { WireError } from "../bytes/wire_error.ts";
import { Writer } from "../bytes/writer.ts";
import type { SharedObject, SharedObjectLimits } from "./shared_object.ts";

/** The first bytes of a file: format and version. */
const MAGIC = toUtf8("CSO1");
/** Length of a file besides its slots, and of a slot besides its name and value, in bytes. */
const HEADER = 16, SLOT = 10;

/** Maximum length (bytes) of a file of an object with these limits. */
export const largestSharedObjectFile = ({ object, slots }: SharedObjectLimits): number =>
  HEADER + object + SLOT * slots;

/**
 * The bytes of a file: `"CSO1" | version f64 | count u32 | slots`, a slot being
 * `u16 length | name | version f64 | AMF value`.
 */
export function writeSharedObjectFile(object: SharedObject): Uint8Array<ArrayBuffer> {
  const to = new Writer(32 + object.bytes + 12 * object.size);
  to.bytes(MAGIC).f64(object.version).u32(object.size);
  for (const slot of object.slots()) {
    const name = toUtf8(slot);
    to.u16(name.length).bytes(name).f64(object.versionOf(slot)).bytes(object.get(slot)!);
  }
  return to.copy();
}

/**
 * Reads a file into an object.
 * @throws {WireError} if the file has another format, or is cut off; the object is unchanged
 */
export function readSharedObjectFile(bytes: Uint8Array, object: SharedObject): void {
  const from = new Reader(bytes);
  if (!from.bytes(MAGIC.length).every((byte, i) => byte === MAGIC[i])) {
    throw new WireError("Cannot read a shared object of another format");
  }
  const version = from.f64();
  const slots: [string, Uint8Array, number][] = [];
  for (let left = from.u32(); left > 0; left--) {
    const name = fromUtf8(from.bytes(from.u16()));
    const written = from.f64();
    const start = from.at;
    new AmfReader(from).skip();
    slots.push([name, bytes.subarray(start, from.at), written]);
  }
  if (from.left > 0) throw new WireError(`Cannot read ${from.left} more bytes of a shared object`);
  if (!Number.isSafeInteger(version) || version < 0) {
    throw new WireError(`Cannot use the version ${version} of a shared object`);
  }
  object.restore(version, slots);
}
