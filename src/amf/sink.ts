import type { AmfReader } from "./amf_reader.ts";

/** Type of the elements of a Vector. */
export type VectorKind = "int" | "uint" | "double" | "object";

/**
 * Takes values one after another. {@link AmfReader} calls a sink with the values it decodes;
 * {@link AmfWriter} is a sink that encodes; a Lua stack is another.
 *
 * It works like a stack. A value is one call, or a `begin…` with its contents up
 * to its `end…`, and leaves one value on top; `member`, `element` and `pair` then take that value
 * off into the container below:
 *
 *     object      beginObject  (key value member)*  endObject
 *     array       beginArray   (key value member)*  dense  (value element)*  endArray
 *     vector      beginVector  (value element)*  endVector
 *     dictionary  beginDictionary  (value value pair)*  endDictionary
 *
 * Text and bytes are `bytes` from `start` up to `end`, a view that the sink has to copy. Text is
 * UTF-8 by the specifications, but clients may send any bytes.
 *
 * An `id` names a value that can be referred to: {@link AmfReader} counts them from 0 in the order
 * of their begin, in AMF0 and AMF3 together, and `reference` names one that was begun before: in a
 * cycle, one that has not ended yet.
 */
export interface AmfSink {
  null(): void;
  undefined(): void;
  /** A value that its sender had no form for. AMF0 specification §2.15. */
  unsupported(): void;
  boolean(value: boolean): void;
  number(value: number): void;
  /** A number that is an integer of 29 bits, or of 32 bits in a Vector. */
  integer(value: number): void;
  /** `repeated`: `bytes` and `start` are those of an earlier string, which need not be decoded again. */
  string(bytes: Uint8Array, start: number, end: number, repeated: boolean): void;
  /** `document`: of the class XMLDocument, else of the class XML. */
  xml(bytes: Uint8Array, start: number, end: number, document: boolean, id: number): void;
  /** Milliseconds since 1970 UTC. */
  date(milliseconds: number, id: number): void;
  byteArray(bytes: Uint8Array, start: number, end: number, id: number): void;

  /** An object of the class named by these bytes, or of no class if there are none. */
  beginObject(bytes: Uint8Array, start: number, end: number, id: number): void;
  /** Name of the member that follows. */
  key(bytes: Uint8Array, start: number, end: number, repeated: boolean): void;
  member(): void;
  endObject(): void;

  /**
   * `length`: how many elements follow `dense`; the message is long enough for them to be there.
   * `mixed`: named members may come first.
   */
  beginArray(length: number, mixed: boolean, id: number): void;
  dense(): void;
  /** `index` counts from 0. */
  element(index: number): void;
  endArray(): void;

  /** The bytes name the class of the elements of an "object" Vector. `length` as in an array. */
  beginVector(
    kind: VectorKind,
    length: number,
    fixed: boolean,
    bytes: Uint8Array,
    start: number,
    end: number,
    id: number,
  ): void;
  endVector(): void;

  /** `length`: how many pairs follow. `weak`: its keys are held weakly. */
  beginDictionary(length: number, weak: boolean, id: number): void;
  pair(): void;
  endDictionary(): void;

  /**
   * An object with its own format. The sink must read all its bytes and no more from `reader`, with
   * its `raw` cursor and with `readAmf3`.
   */
  externalizable(
    bytes: Uint8Array,
    start: number,
    end: number,
    reader: AmfReader,
    id: number,
  ): void;

  reference(id: number): void;
}
