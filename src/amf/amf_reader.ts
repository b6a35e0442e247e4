import { Reader } from "../bytes/reader.ts";
import { WireError } from "../bytes/wire_error.ts";
import { Amf0, Amf3 } from "./markers.ts";
import { skipSink } from "./skip_sink.ts";
import type { AmfSink, VectorKind } from "./sink.ts";
import { readU29, toSigned29 } from "./u29.ts";
import { type ExternalizableReaders, ValueSink } from "./value_sink.ts";
import type { AmfValue } from "./values.ts";

/** Limits of one message. */
export interface AmfLimits {
  /** Depth of nested containers. */
  depth: number;
  /** Number of values, including those in containers. */
  values: number;
}

export const AMF_LIMITS: Readonly<AmfLimits> = { depth: 256, values: 1_000_000 };

/**
 * Limit of members and pairs of a value, nested ones included, where a server makes JavaScript values of input: V8's
 * hash of numbers has no seed, so an attacker can choose keys that all collide.
 */
export const MAX_NAMES = 1_024;

/** The shape of AMF3 objects of one class. AMF3 specification §3.12. */
interface Traits {
  /** Where the name of the class stands in the message. */
  readonly start: number;
  readonly end: number;
  readonly externalizable: boolean;
  readonly dynamic: boolean;
  /** Names of the sealed members: start, end, start, end… */
  readonly names: readonly number[];
  used: boolean;
}

/** Minimum length of an element in bytes. */
const ELEMENT_BYTES: Record<VectorKind, number> = { int: 4, uint: 4, double: 8, object: 1 };

/**
 * Reads the values of one message. Each starts in AMF0, where marker 0x11 announces one AMF3
 * value. The tables that references point into are those of the message: they start empty and all
 * its values share them.
 *
 * A claimed length counts only as far as the message has bytes for it, so reading takes time and
 * memory in proportion to the message.
 *
 * Every read throws {@link WireError} on malformed bytes; the reader cannot be used after that.
 *
 * @see AMF0 specification §2, AMF3 specification §3
 */
export class AmfReader {
  /** The cursor over the message, for bytes between values. */
  readonly raw: Reader;
  readonly #input: Uint8Array;
  readonly #limits: AmfLimits;
  readonly #externalizable: ExternalizableReaders | undefined;
  #depth = 0;
  #values = 0;
  #ids = 0; // of the next container
  #objects0: number[] = []; // ids, by the index that an AMF0 reference has
  #objects3: number[] = []; // ids, by the index that an AMF3 reference has
  #strings: number[] = []; // start and end in the message, by twice the index
  #traits: Traits[] = [];
  #start = 0; // of the string that #string3 read last
  #end = 0;
  #sink: ValueSink | undefined;

  /** `externalizable` gives {@link readValue} the classes that read themselves, by name. */
  constructor(
    message: Uint8Array | Reader,
    options?: Partial<AmfLimits> & { externalizable?: ExternalizableReaders },
  ) {
    this.raw = message instanceof Reader ? message : new Reader(message);
    this.#input = this.raw.input;
    this.#limits = options === undefined ? AMF_LIMITS : { ...AMF_LIMITS, ...options };
    this.#externalizable = options?.externalizable;
  }

  /** Whether all bytes were read. */
  get done(): boolean {
    return this.raw.left === 0;
  }

  /** How many bytes are left. */
  get left(): number {
    return this.raw.left;
  }

  /** All bytes that are left, as a view. */
  rest(): Uint8Array {
    return this.raw.rest();
  }

  /**
   * The next value, as a JavaScript value.
   *
   * @param names limit of its members and pairs, nested ones included
   */
  readValue(names = Infinity): AmfValue {
    const sink = this.#sink ??= new ValueSink(this.#externalizable);
    sink.names = names;
    this.read(sink);
    return sink.pop();
  }

  /** The next value, which an externalizable object wrote in AMF3, as a JavaScript value. */
  readAmf3Value(): AmfValue {
    const sink = this.#sink ??= new ValueSink(this.#externalizable);
    this.readAmf3(sink);
    return sink.pop();
  }

  /** Passes over one value. */
  skip(): void {
    this.read(skipSink);
  }

  /** Reads one value into `sink`. */
  read(sink: AmfSink): void {
    const from = this.raw;
    const marker = from.u8();
    if (marker === Amf0.amf3) return this.readAmf3(sink);
    this.#count();
    switch (marker) {
      case Amf0.number:
        return sink.number(from.f64());
      case Amf0.boolean:
        return sink.boolean(from.u8() !== 0);
      case Amf0.string:
        return this.#string0(sink, from.u16());
      case Amf0.object:
        return this.#object0(sink, 0);
      case Amf0.null:
        return sink.null();
      case Amf0.undefined:
        return sink.undefined();
      case Amf0.reference:
        return sink.reference(this.#lookUp(this.#objects0, from.u16()));
      case Amf0.ecmaArray:
        return this.#ecmaArray0(sink);
      case Amf0.strictArray:
        return this.#strictArray0(sink);
      case Amf0.date: {
        const milliseconds = from.f64();
        from.skip(2); // the zone, which is reserved and means nothing
        return sink.date(milliseconds, this.#ids++);
      }
      case Amf0.longString:
        return this.#string0(sink, from.u32());
      case Amf0.unsupported:
        return sink.unsupported();
      case Amf0.xmlDocument: {
        const start = this.#pass(from.u32());
        return sink.xml(this.#input, start, from.at, true, this.#ids++);
      }
      case Amf0.typedObject:
        return this.#object0(sink, from.u16());
      default:
        throw new WireError(`Cannot read an AMF0 value of marker ${marker} at ${from.at - 1}`);
    }
  }

  /** Reads one AMF3 value without marker 0x11 before it, as in externalizable objects. */
  readAmf3(sink: AmfSink): void {
    this.#count();
    const from = this.raw;
    const marker = from.u8();
    switch (marker) {
      case Amf3.undefined:
        return sink.undefined();
      case Amf3.null:
        return sink.null();
      case Amf3.false:
        return sink.boolean(false);
      case Amf3.true:
        return sink.boolean(true);
      case Amf3.integer:
        return sink.integer(toSigned29(readU29(from)));
      case Amf3.double:
        return sink.number(from.f64());
      case Amf3.string: {
        const repeated = this.#string3();
        return sink.string(this.#input, this.#start, this.#end, repeated);
      }
      case Amf3.xmlDocument:
      case Amf3.xml: {
        const length = this.#flagged(sink);
        if (length < 0) return;
        const id = this.#newId3();
        const start = this.#pass(length);
        return sink.xml(this.#input, start, from.at, marker === Amf3.xmlDocument, id);
      }
      case Amf3.date:
        if (this.#flagged(sink) < 0) return;
        return sink.date(from.f64(), this.#newId3());
      case Amf3.array:
        return this.#array3(sink);
      case Amf3.object:
        return this.#object3(sink);
      case Amf3.byteArray: {
        const length = this.#flagged(sink);
        if (length < 0) return;
        const start = this.#pass(length);
        return sink.byteArray(this.#input, start, from.at, this.#newId3());
      }
      case Amf3.vectorInt:
        return this.#vector3(sink, "int");
      case Amf3.vectorUint:
        return this.#vector3(sink, "uint");
      case Amf3.vectorDouble:
        return this.#vector3(sink, "double");
      case Amf3.vectorObject:
        return this.#vector3(sink, "object");
      case Amf3.dictionary:
        return this.#dictionary3(sink);
      default:
        throw new WireError(`Cannot read an AMF3 value of marker ${marker} at ${from.at - 1}`);
    }
  }

  // AMF0

  #string0(sink: AmfSink, length: number): void {
    const start = this.#pass(length);
    sink.string(this.#input, start, this.raw.at, false);
  }

  #object0(sink: AmfSink, typeLength: number): void {
    const start = this.#pass(typeLength);
    this.#enter();
    const id = this.#ids++;
    this.#objects0.push(id);
    sink.beginObject(this.#input, start, this.raw.at, id);
    this.#members0(sink);
    sink.endObject();
    this.#depth--;
  }

  #ecmaArray0(sink: AmfSink): void {
    this.raw.skip(4); // the count: many senders write a wrong one; the end marker ends the array
    this.#enter();
    const id = this.#ids++;
    this.#objects0.push(id);
    sink.beginArray(0, true, id);
    this.#members0(sink);
    sink.dense();
    sink.endArray();
    this.#depth--;
  }

  #members0(sink: AmfSink): void {
    const from = this.raw;
    while (true) {
      const length = from.u16();
      if (length === 0 && from.peek() === Amf0.objectEnd) break;
      const start = this.#pass(length);
      sink.key(this.#input, start, from.at, false);
      this.read(sink);
      sink.member();
    }
    from.skip(1);
  }

  #strictArray0(sink: AmfSink): void {
    const length = this.raw.u32();
    this.#expect(length, 1);
    this.#enter();
    const id = this.#ids++;
    this.#objects0.push(id);
    sink.beginArray(length, false, id);
    sink.dense();
    for (let i = 0; i < length; i++) {
      this.read(sink);
      sink.element(i);
    }
    sink.endArray();
    this.#depth--;
  }

  // AMF3

  /** Reads a string without marker into `#start` and `#end`. @returns whether it was a reference */
  #string3(): boolean {
    const head = readU29(this.raw);
    const strings = this.#strings;
    if (head & 1) {
      const length = head >>> 1;
      this.#start = this.#pass(length);
      this.#end = this.raw.at;
      if (length > 0) strings.push(this.#start, this.#end); // the empty string is never sent by reference
      return false;
    }
    if (head >= strings.length) { // twice the index in either
      throw new WireError(`Cannot find string ${head >>> 1} of ${strings.length / 2}`);
    }
    this.#start = strings[head]!;
    this.#end = strings[head + 1]!;
    return true;
  }

  /**
   * Reads the integer that begins a container. Gives a reference to the sink.
   *
   * @returns its upper 28 bits; -1 if it is a reference
   */
  #flagged(sink: AmfSink): number {
    const head = readU29(this.raw);
    if (head & 1) return head >>> 1;
    sink.reference(this.#lookUp(this.#objects3, head >>> 1));
    return -1;
  }

  #array3(sink: AmfSink): void {
    const length = this.#flagged(sink);
    if (length < 0) return;
    this.#enter();
    const id = this.#newId3();
    let repeated = this.#string3();
    this.#expect(length, 1);
    sink.beginArray(length, this.#end > this.#start, id);
    while (this.#end > this.#start) {
      sink.key(this.#input, this.#start, this.#end, repeated);
      this.readAmf3(sink);
      sink.member();
      repeated = this.#string3();
    }
    sink.dense();
    for (let i = 0; i < length; i++) {
      this.readAmf3(sink);
      sink.element(i);
    }
    sink.endArray();
    this.#depth--;
  }

  #object3(sink: AmfSink): void {
    const head = this.#flagged(sink);
    if (head < 0) return;
    this.#enter();
    const id = this.#newId3();
    const traits = this.#traits3(head);
    if (traits.externalizable) {
      sink.externalizable(this.#input, traits.start, traits.end, this, id);
      this.#depth--;
      return;
    }
    sink.beginObject(this.#input, traits.start, traits.end, id);
    const names = traits.names;
    const used = traits.used;
    traits.used = true;
    for (let i = 0; i < names.length; i += 2) {
      sink.key(this.#input, names[i]!, names[i + 1]!, used);
      this.readAmf3(sink);
      sink.member();
    }
    if (traits.dynamic) {
      while (true) {
        const repeated = this.#string3();
        if (this.#end === this.#start) break;
        sink.key(this.#input, this.#start, this.#end, repeated);
        this.readAmf3(sink);
        sink.member();
      }
    }
    sink.endObject();
    this.#depth--;
  }

  /** @param head the bits behind the flag "not a reference"; the lowest one says whether traits follow */
  #traits3(head: number): Traits {
    if (!(head & 1)) {
      const traits = this.#traits[head >>> 1];
      if (traits === undefined) {
        throw new WireError(`Cannot find class ${head >>> 1} of ${this.#traits.length}`);
      }
      return traits;
    }
    const externalizable = (head & 2) !== 0;
    const dynamic = (head & 4) !== 0;
    const count = externalizable ? 0 : head >>> 3;
    let used = this.#string3();
    const start = this.#start;
    const end = this.#end;
    this.#expect(count, 2); // a name and a value each
    const names: number[] = [];
    for (let i = 0; i < count; i++) {
      used = this.#string3() || used;
      names.push(this.#start, this.#end);
    }
    const traits = { start, end, externalizable, dynamic, names, used };
    this.#traits.push(traits);
    return traits;
  }

  #vector3(sink: AmfSink, kind: VectorKind): void {
    const length = this.#flagged(sink);
    if (length < 0) return;
    const from = this.raw;
    this.#enter();
    const id = this.#newId3();
    const fixed = from.u8() !== 0;
    if (kind === "object") this.#string3();
    else this.#start = this.#end = from.at;
    this.#expect(length, ELEMENT_BYTES[kind]);
    if (kind !== "object") this.#count(length);
    sink.beginVector(kind, length, fixed, this.#input, this.#start, this.#end, id);
    for (let i = 0; i < length; i++) {
      if (kind === "int") sink.integer(from.i32());
      else if (kind === "uint") sink.integer(from.u32());
      else if (kind === "double") sink.number(from.f64());
      else this.readAmf3(sink);
      sink.element(i);
    }
    sink.endVector();
    this.#depth--;
  }

  #dictionary3(sink: AmfSink): void {
    const length = this.#flagged(sink);
    if (length < 0) return;
    this.#enter();
    const id = this.#newId3();
    const weak = this.raw.u8() !== 0;
    this.#expect(length, 2);
    sink.beginDictionary(length, weak, id);
    for (let i = 0; i < length; i++) {
      this.readAmf3(sink);
      this.readAmf3(sink);
      sink.pair();
    }
    sink.endDictionary();
    this.#depth--;
  }

  #newId3(): number {
    const id = this.#ids++;
    this.#objects3.push(id);
    return id;
  }

  // Bounds: a message costs time and memory in proportion to its length

  #lookUp(ids: readonly number[], index: number): number {
    if (index < ids.length) return ids[index]!;
    throw new WireError(`Cannot find object ${index} of ${ids.length}`);
  }

  /** Passes over `length` bytes. @returns the offset of the first */
  #pass(length: number): number {
    const start = this.raw.at;
    this.raw.skip(length);
    return start;
  }

  #expect(count: number, bytes: number): void {
    if (count * bytes > this.raw.left) {
      throw new WireError(`Cannot read ${count} values: ${this.raw.left} bytes left`);
    }
  }

  #enter(): void {
    if (++this.#depth > this.#limits.depth) {
      throw new WireError(`Cannot read values more than ${this.#limits.depth} deep`);
    }
  }

  #count(values = 1): void {
    this.#values += values;
    if (this.#values > this.#limits.values) {
      throw new WireError(`Cannot read more than ${this.#limits.values} values of a message`);
    }
  }
}
