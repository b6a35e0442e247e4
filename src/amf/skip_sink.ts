import { WireError } from "../bytes/wire_error.ts";
import type { AmfSink } from "./sink.ts";

const nothing = () => {};

/** Ignores values. Throws on an externalizable object, whose length only its class knows. */
export const skipSink: AmfSink = {
  null: nothing,
  undefined: nothing,
  unsupported: nothing,
  boolean: nothing,
  number: nothing,
  integer: nothing,
  string: nothing,
  xml: nothing,
  date: nothing,
  byteArray: nothing,
  beginObject: nothing,
  key: nothing,
  member: nothing,
  endObject: nothing,
  beginArray: nothing,
  dense: nothing,
  element: nothing,
  endArray: nothing,
  beginVector: nothing,
  endVector: nothing,
  beginDictionary: nothing,
  pair: nothing,
  endDictionary: nothing,
  externalizable: () => {
    throw new WireError("Cannot pass over an externalizable object");
  },
  reference: nothing,
};
