import { type AmfObject, AmfReader, AmfWriter, MAX_NAMES, MixedArray } from "../amf/mod.ts";
import { WireError } from "../bytes/wire_error.ts";
import type { Frame } from "../media/frame.ts";

/** Members of `onMetaData` that apply to files, not to live streams. WEB-016. */
const OF_FILES = ["duration", "filesize", "keyframes"];

/**
 * The body of the script tag of a data message, all in AMF0. WEB-014, WEB-015.
 *
 * @returns undefined if AMF0 cannot represent its values
 */
export function scriptTagBody({ name, payload }: Frame): Uint8Array | undefined {
  const to = new AmfWriter({ form: "amf0" });
  try {
    to.writeValue(name);
    const values = new AmfReader(payload);
    if (name === "onMetaData" && !values.done) {
      to.writeValue(liveMetadata(values.readValue(MAX_NAMES)));
    }
    while (!values.done) values.read(to);
    return to.bytes();
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

function liveMetadata(value: unknown): AmfObject | MixedArray {
  const members = value instanceof MixedArray ? value.named : value;
  const kept: AmfObject = {};
  if (typeof members === "object" && members !== null) {
    for (const [name, member] of Object.entries(members)) {
      if (!OF_FILES.includes(name)) kept[name] = member;
    }
  }
  return new MixedArray(kept);
}
