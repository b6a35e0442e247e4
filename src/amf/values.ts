// AMF values as JavaScript has them.
import type { AmfWriter } from "./amf_writer.ts";
import type { VectorKind } from "./sink.ts";

/**
 * A value: a `Uint8Array` is a byte array, a plain object an object of no class (decoded ones have
 * no prototype, so that any member name is safe), an array one without named members, and a
 * {@link Map} with its weak flag, {@link AmfDictionary}, a dictionary.
 *
 * Text that is not UTF-8 reads with U+FFFD in place of the wrong bytes; read through a sink to keep
 * the bytes.
 */
export type AmfValue =
  | null
  | undefined
  | boolean
  | number
  | string
  | Date
  | Uint8Array
  | AmfValue[]
  | AmfObject
  | TypedObject
  | MixedArray
  | AmfVector
  | AmfDictionary
  | AmfXml
  | Externalizable;

/** An object of no class. */
export interface AmfObject {
  [name: string]: AmfValue;
}

/** An object of a class. */
export class TypedObject {
  constructor(readonly type: string, readonly members: AmfObject) {}
}

/** An array that was sent with named members, or in the AMF0 form that has only such. */
export class MixedArray {
  constructor(readonly named: AmfObject, readonly dense: AmfValue[] = []) {}
}

/** A Vector; `type` names the class of the elements of an "object" Vector. */
export class AmfVector {
  constructor(
    readonly kind: VectorKind,
    readonly elements: AmfValue[],
    readonly fixed = false,
    readonly type = "",
  ) {}
}

/** A Dictionary; `weak` says that its sender holds its keys weakly. */
export class AmfDictionary extends Map<AmfValue, AmfValue> {
  constructor(pairs: Iterable<readonly [AmfValue, AmfValue]> = [], readonly weak = false) {
    super(pairs);
  }
}

/** XML text, of the class XMLDocument (`document`) or XML. */
export class AmfXml {
  constructor(readonly text: string, readonly document: boolean) {}
}

/** An object that writes itself. */
export interface Externalizable {
  /** Name of its class. */
  readonly externalizable: string;
  /** Writes into `raw` or with the value methods, which write AMF3 here. */
  writeExternal(writer: AmfWriter): void;
}
