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

/** Of the class ArrayCollection, which every Flex application has: an array inside. */
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

/** An object as decoded ones are: without prototype. */
export const plain = (members: Record<string, AmfValue>): Record<string, AmfValue> =>
  Object.assign(Object.create(null), members);

/** Messages that hold every form there is, by name. */
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

/** Runs `read`; true if it gave a value, false if it threw a WireError. All else passes. */
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
