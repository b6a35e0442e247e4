import vectors from "../vectors/amf.json" with { type: "json" };
import { fromHex } from "../../src/bytes/hex.ts";
import { WireError } from "../../src/bytes/wire_error.ts";
import {
  AmfDictionary,
  AmfReader,
  type AmfValue,
  AmfWriter,
  AmfXml,
  type Externalizable,
  type ExternalizableReaders,
} from "../../src/amf/mod.ts";

export { vectors };

/** The class ArrayCollection of every Flex application: an externalizable object with an array. */
export class Collection implements Externalizable {
  readonly externalizable = "flex.messaging.io.ArrayCollection";
  constructor(readonly source: AmfValue) {}
  writeExternal(writer: AmfWriter): void {
    writer.writeValue(this.source);
  }
}

export const externalizable: ExternalizableReaders = new Map([
  [
    "flex.messaging.io.ArrayCollection",
    (reader: AmfReader) => new Collection(reader.readAmf3Value()),
  ],
]);

/** All values of a message. */
export function decode(message: Uint8Array | string): AmfValue[] {
  const bytes = typeof message === "string" ? fromHex(message) : message;
  const reader = new AmfReader(bytes, { externalizable });
  const values: AmfValue[] = [];
  while (!reader.done) values.push(reader.readValue());
  return values;
}

/** An object without prototype, as decoded objects are. */
export const plain = (members: Record<string, AmfValue>): Record<string, AmfValue> =>
  Object.assign(Object.create(null), members);

/** Messages with every form of value, by name. */
export const messages: Record<string, string> = {
  ...Object.fromEntries(vectors.amf0.map(({ name, hex }) => [`amf0 ${name}`, hex])),
  ...Object.fromEntries(vectors.lua.map(({ id, hex }) => [id, hex])),
  ...Object.fromEntries(
    vectors.tcMessages.filter(({ hex }) => /^(14|12|0f|11)/.test(hex)).map(({ name, hex }) => [
      name,
      hex.slice(/^(0f|11)/.test(hex) ? 12 : 10),
    ]),
  ),
};

/** Runs `read`; returns true for a value, false for a WireError. Other errors propagate. */
export function survives(read: () => void): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (error instanceof WireError) return false;
    throw error;
  }
}

export { AmfDictionary, AmfXml };
