import { WireError } from "../bytes/wire_error.ts";
import type { AmfSink } from "./sink.ts";

const nothing = () => {};

/** Takes values and keeps nothing. What only its class can read cannot be passed over. */
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
