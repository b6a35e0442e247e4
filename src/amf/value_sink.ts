import { WireError } from "../bytes/wire_error.ts";
import type { AmfReader } from "./amf_reader.ts";
import type { AmfSink, VectorKind } from "./sink.ts";
import { readText } from "./text.ts";
import {
  AmfDictionary,
  type AmfObject,
  type AmfValue,
  AmfVector,
  AmfXml,
  MixedArray,
  TypedObject,
} from "./values.ts";

/** How to read externalizable objects, by the name of their class: each reads with `readAmf3Value` and `raw`. */
export type ExternalizableReaders = ReadonlyMap<string, (reader: AmfReader) => AmfValue>;

type Container = AmfObject | TypedObject | MixedArray | AmfVector | AmfDictionary | AmfValue[];

/** Minimum length in bytes of repeated text that is remembered; decoding shorter text again is cheaper. */
const MIN_REMEMBERED_LENGTH = 32;

/** Makes JavaScript values. */
export class ValueSink implements AmfSink {
  /** How many members and pairs may still come. */
  names = Infinity;
  readonly #externalizable: ExternalizableReaders | undefined;
  readonly #stack: AmfValue[] = [];
  readonly #keys: string[] = [];
  readonly #byId = new Map<number, AmfValue>();
  #texts: Map<number, string> | undefined; // repeated ones, by the offset of their first byte

  constructor(externalizable?: ExternalizableReaders) {
    this.#externalizable = externalizable;
  }

  /** Takes the last value. */
  pop(): AmfValue {
    return this.#stack.pop();
  }

  null(): void {
    this.#stack.push(null);
  }

  undefined(): void {
    this.#stack.push(undefined);
  }

  unsupported(): void {
    this.#stack.push(undefined);
  }

  boolean(value: boolean): void {
    this.#stack.push(value);
  }

  number(value: number): void {
    this.#stack.push(value);
  }

  integer(value: number): void {
    this.#stack.push(value);
  }

  string(bytes: Uint8Array, start: number, end: number, repeated: boolean): void {
    this.#stack.push(this.#text(bytes, start, end, repeated));
  }

  xml(bytes: Uint8Array, start: number, end: number, document: boolean, id: number): void {
    this.#push(new AmfXml(readText(bytes, start, end), document), id);
  }

  date(milliseconds: number, id: number): void {
    this.#push(new Date(milliseconds), id);
  }

  byteArray(bytes: Uint8Array, start: number, end: number, id: number): void {
    this.#push(bytes.slice(start, end), id);
  }

  beginObject(bytes: Uint8Array, start: number, end: number, id: number): void {
    const members: AmfObject = Object.create(null);
    this.#push(
      end > start ? new TypedObject(this.#text(bytes, start, end, true), members) : members,
      id,
    );
  }

  key(bytes: Uint8Array, start: number, end: number, repeated: boolean): void {
    this.#countName();
    this.#keys.push(this.#text(bytes, start, end, repeated));
  }

  member(): void {
    const value = this.#stack.pop();
    const container = this.#top;
    const members = container instanceof TypedObject
      ? container.members
      : container instanceof MixedArray
      ? container.named
      : container as AmfObject;
    members[this.#keys.pop()!] = value;
  }

  endObject(): void {}

  beginArray(_length: number, mixed: boolean, id: number): void {
    this.#push(mixed ? new MixedArray(Object.create(null)) : [], id);
  }

  dense(): void {}

  element(): void {
    const value = this.#stack.pop();
    const container = this.#top;
    if (container instanceof MixedArray) container.dense.push(value);
    else if (container instanceof AmfVector) container.elements.push(value);
    else (container as AmfValue[]).push(value);
  }

  endArray(): void {}

  beginVector(
    kind: VectorKind,
    _length: number,
    fixed: boolean,
    bytes: Uint8Array,
    start: number,
    end: number,
    id: number,
  ): void {
    this.#push(new AmfVector(kind, [], fixed, this.#text(bytes, start, end, true)), id);
  }

  endVector(): void {}

  beginDictionary(_length: number, weak: boolean, id: number): void {
    this.#push(new AmfDictionary([], weak), id);
  }

  pair(): void {
    this.#countName();
    const value = this.#stack.pop();
    const key = this.#stack.pop();
    (this.#top as AmfDictionary).set(key, value);
  }

  endDictionary(): void {}

  externalizable(
    bytes: Uint8Array,
    start: number,
    end: number,
    reader: AmfReader,
    id: number,
  ): void {
    const type = this.#text(bytes, start, end, true);
    const read = this.#externalizable?.get(type);
    if (read === undefined) throw new WireError(`Cannot read an externalizable object: ${type}`);
    this.#push(read(reader), id);
  }

  reference(id: number): void {
    const value = this.#byId.get(id);
    if (value === undefined) throw new WireError(`Cannot refer to object ${id} from here`);
    this.#stack.push(value);
  }

  #countName(): void {
    if (--this.names < 0) throw new WireError("Cannot read a value with too many members");
  }

  get #top(): Container {
    return this.#stack[this.#stack.length - 1] as Container;
  }

  #push(value: AmfValue, id: number): void {
    this.#byId.set(id, value);
    this.#stack.push(value);
  }

  #text(bytes: Uint8Array, start: number, end: number, repeated: boolean): string {
    if (!repeated || end - start < MIN_REMEMBERED_LENGTH) return readText(bytes, start, end);
    const texts = this.#texts ??= new Map();
    let known = texts.get(start);
    if (known === undefined) texts.set(start, known = readText(bytes, start, end));
    return known;
  }
}
