// The picture size of a publication.
import { type AmfObject, type AmfValue, decodeAmf, MixedArray } from "../amf/mod.ts";
import { type PictureSize, pictureSize } from "../flv/picture_size.ts";
import type { Frame } from "./frame.ts";
import type { Publication } from "./publication.ts";

/** Cache by codec header or metadata: large ones take long to parse. */
const sizes = new WeakMap<Frame, PictureSize | null>();

/** The picture size, from the decoder configuration or else from the metadata; null if unknown. */
export function pictureSizeOf(publication: Publication): PictureSize | null {
  for (const header of publication.headers("video")) {
    const size = remembered(header, () => pictureSize(header.payload));
    if (size) return size;
  }
  for (const frame of publication.metadata.values()) {
    if (frame.name !== "onMetaData") continue;
    return remembered(frame, () => sizeIn(frame.payload));
  }
  return null;
}

function remembered(frame: Frame, find: () => PictureSize | undefined): PictureSize | null {
  const known = sizes.get(frame);
  if (known !== undefined) return known;
  const found = find() ?? null;
  sizes.set(frame, found);
  return found;
}

/** Members `width` and `height` of the arguments of `onMetaData`. */
function sizeIn(metadata: Uint8Array): PictureSize | undefined {
  let values: AmfValue[];
  try {
    values = decodeAmf(metadata);
  } catch {
    return undefined;
  }
  for (const value of values) {
    const members = value instanceof MixedArray ? value.named : value;
    if (typeof members !== "object" || members === null) continue;
    const { width, height } = members as AmfObject;
    if (typeof width === "number" && typeof height === "number" && width > 0 && height > 0) {
      return { width: Math.round(width), height: Math.round(height) };
    }
  }
}
