import { fromUtf8 } from "../bytes/text.ts";
import { WireError } from "../bytes/wire_error.ts";
import { Writer } from "../bytes/writer.ts";
import { Amf0, Amf3 } from "./markers.ts";
import type { AmfSink, VectorKind } from "./sink.ts";
import { StringTable } from "./string_table.ts";
import { MAX_INTEGER, MIN_INTEGER, writeU29 } from "./u29.ts";
import { writeAmfValue } from "./value_source.ts";
import type { AmfValue } from "./values.ts";

/**
 * The form of a value that stands alone or in AMF0; values inside an AMF3 value are always AMF3.
 *
 * - "amf3", for arguments and results: AMF3 behind marker 0x11, but for null, undefined, booleans
 *   and numbers that do not fit a 29-bit integer. (AMF-010…022, `toAMF`)
 * - "mixed": AMF0 for numbers, strings, dates and objects, AMF3 for the rest. (`toAMF0`)
 * - "amf0", for commands and for clients that asked for AMF0: only AMF0. A byte array becomes a
 *   string; a dictionary or an externalizable object cannot be written.
 */
export type AmfForm = "amf3" | "mixed" | "amf0";

export interface AmfWriterOptions {
  form?: AmfForm;
  /** Maximum depth of nested containers; 256 by default. */
  depth?: number;
  /** Maximum length of the message in bytes; 64 MiB by default. */
  length?: number;
}

/**
 * Writes the values of one message, and is the sink that encodes.
 *
 * In AMF3 an object is always written with its class name and dynamic members. A container given a second time is written in full again unless the caller tries {@link reference}
 * first; callers whose values may contain themselves must.
 *
 * Throws {@link WireError} on values nested too deep, messages too long and names too long for the
 * format. Clear the writer after that.
 *
 * @see AMF0 specification §2, AMF3 specification §3
 */
export class AmfWriter implements AmfSink {
  /** The output, for bytes between values and for externalizable objects. */
  readonly raw = new Writer(256);
  /** Form of the next value; may change between values. */
  form: AmfForm;
  readonly #depthLimit: number;
  readonly #lengthLimit: number;
  #strings: StringTable | undefined;
  #depth = 0;
  #depth3 = 0; // of the containers in AMF3, which are the innermost ones
  #vector: VectorKind = "object"; // the kind of the open Vector; "object" outside of one
  #count0 = 0; // of the AMF0 objects by now
  #count3 = 0;
  #open0: Open[] = [];
  #written3: Map<unknown, number> | undefined; // id → 64 × index + 2 × marker + 1 if AMF0 has no form

  constructor(options: AmfWriterOptions = {}) {
    this.form = options.form ?? "amf3";
    this.#depthLimit = options.depth ?? 256;
    this.#lengthLimit = options.length ?? 0x4000000;
  }

  /** Starts another message, in the same memory. */
  clear(): this {
    this.raw.clear();
    this.#strings?.clear();
    this.#depth =
      this.#depth3 =
      this.#count0 =
      this.#count3 =
      this.#open0.length =
        0;
    this.#vector = "object";
    this.#written3?.clear();
    return this;
  }

  /** The message so far, as a copy of the caller's own. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.raw.copy();
  }

  /** The message so far: a view, good until the next write. */
  view(): Uint8Array {
    return this.raw.view();
  }

  /** Writes a JavaScript value. */
  writeValue(value: AmfValue): this {
    writeAmfValue(this, value);
    return this;
  }

  /** How many bytes the message may still grow by. */
  get room(): number {
    return this.#lengthLimit - this.raw.at;
  }

  /** Whether the next value becomes part of an AMF3 value. */
  get inAmf3(): boolean {
    return this.#depth3 > 0;
  }

  null(): void {
    this.raw.u8(this.#depth3 > 0 ? Amf3.null : Amf0.null);
  }

  undefined(): void {
    this.raw.u8(this.#depth3 > 0 ? Amf3.undefined : Amf0.undefined);
  }

  unsupported(): void {
    this.raw.u8(this.#depth3 > 0 ? Amf3.undefined : Amf0.unsupported);
  }

  boolean(value: boolean): void {
    if (this.#depth3 > 0) this.raw.u8(value ? Amf3.true : Amf3.false);
    else this.raw.u8(Amf0.boolean).u8(value ? 1 : 0);
  }

  integer(value: number): void {
    this.number(value);
  }

  number(value: number): void {
    const to = this.raw;
    if (this.#vector !== "object") {
      if (this.#vector === "double") to.f64(value);
      else to.u32(value);
      return;
    }
    const amf3 = this.#depth3 > 0;
    if (amf3 || this.form === "amf3") {
      const integer = value >= MIN_INTEGER && value <= MAX_INTEGER && Number.isInteger(value) &&
        !Object.is(value, -0);
      if (integer) {
        if (!amf3) to.u8(Amf0.amf3);
        to.u8(Amf3.integer);
        writeU29(to, value);
        return;
      }
    }
    to.u8(amf3 ? Amf3.double : Amf0.number).f64(value);
  }

  string(bytes: Uint8Array, start: number, end: number): void {
    if (this.#depth3 > 0) this.raw.u8(Amf3.string);
    else if (this.form === "amf3") this.raw.u8(Amf0.amf3).u8(Amf3.string);
    else return this.#text0(bytes, start, end);
    this.#string3(bytes, start, end);
  }

  xml(bytes: Uint8Array, start: number, end: number, document: boolean, id: unknown): void {
    if (this.#start(document ? Amf0.xmlDocument : undefined)) {
      this.#marker3(document ? Amf3.xmlDocument : Amf3.xml, id, !document);
      writeU29(this.raw, this.#flag(end - start));
    } else this.raw.u8(Amf0.xmlDocument).u32(end - start);
    this.#bytes(bytes, start, end);
  }

  date(milliseconds: number, id: unknown): void {
    if (this.#start(Amf0.date)) {
      this.#marker3(Amf3.date, id, false);
      this.raw.u8(1).f64(milliseconds);
    } else this.raw.u8(Amf0.date).f64(milliseconds).u16(0);
  }

  byteArray(bytes: Uint8Array, start: number, end: number, id: unknown): void {
    if (!this.#start(undefined)) return this.#text0(bytes, start, end);
    this.#marker3(Amf3.byteArray, id, true);
    writeU29(this.raw, this.#flag(end - start));
    this.#bytes(bytes, start, end);
  }

  beginObject(bytes: Uint8Array, start: number, end: number, id: unknown): void {
    if (this.#start(Amf0.object)) {
      this.#begin3(Amf3.object, id, false);
      this.raw.u8(0x0b); // new traits, of a dynamic class without sealed members
      this.#string3(bytes, start, end);
    } else if (end > start) {
      this.#begin0(Amf0.typedObject, id);
      this.#string0(bytes, start, end);
    } else this.#begin0(Amf0.object, id);
  }

  key(bytes: Uint8Array, start: number, end: number): void {
    if (this.#depth3 === 0) {
      this.#string0(bytes, start, end);
      this.#open0[this.#open0.length - 1]!.members++;
      return;
    }
    // An empty name would end the object.
    if (end === start) throw new WireError("Cannot write a member without a name in AMF3");
    this.#string3(bytes, start, end);
  }

  member(): void {}

  endObject(): void {
    if (this.#depth3 > 0) {
      this.raw.u8(0x01); // a member without a name
      this.#end3();
    } else {
      this.raw.u24(Amf0.objectEnd);
      this.#end0();
    }
  }

  /** In the "amf0" form an array that is mixed has its elements as members, so `length` must be 0. */
  beginArray(length: number, mixed: boolean, id: unknown): void {
    if (this.#start(undefined)) {
      this.#begin3(Amf3.array, id, true);
      writeU29(this.raw, this.#flag(length));
    } else if (mixed) {
      if (length > 0) throw new WireError("Cannot write an array with both names and elements");
      this.#begin0(Amf0.ecmaArray, id).countAt = this.raw.at;
      this.raw.u32(0);
    } else {
      this.#begin0(Amf0.strictArray, id);
      this.raw.u32(length);
    }
  }

  dense(): void {
    if (this.#depth3 > 0) this.raw.u8(0x01);
  }

  element(): void {}

  endArray(): void {
    if (this.#depth3 > 0) return this.#end3();
    const { countAt, members } = this.#end0();
    if (countAt === 0) return;
    this.raw.u24(Amf0.objectEnd);
    const end = this.raw.at;
    this.raw.at = countAt;
    this.raw.u32(members);
    this.raw.at = end;
  }

  beginVector(
    kind: VectorKind,
    length: number,
    fixed: boolean,
    bytes: Uint8Array,
    start: number,
    end: number,
    id: unknown,
  ): void {
    if (!this.#start(undefined)) {
      this.#begin0(Amf0.strictArray, id);
      this.raw.u32(length);
      return;
    }
    this.#begin3(VECTOR_MARKERS[kind], id, true);
    writeU29(this.raw, this.#flag(length));
    this.raw.u8(fixed ? 1 : 0);
    if (kind === "object") this.#string3(bytes, start, end);
    this.#vector = kind;
  }

  endVector(): void {
    this.#vector = "object"; // also of a Vector around it: those of numbers contain none
    if (this.#depth3 > 0) this.#end3();
    else this.#end0();
  }

  beginDictionary(length: number, weak: boolean, id: unknown): void {
    if (!this.#start(undefined)) throw new WireError("Cannot write a dictionary in AMF0");
    this.#begin3(Amf3.dictionary, id, true);
    writeU29(this.raw, this.#flag(length));
    this.raw.u8(weak ? 1 : 0);
  }

  pair(): void {}

  endDictionary(): void {
    this.#end3();
  }

  /** Begins an object that writes itself: into `raw` and with the methods of this sink, in AMF3. */
  beginExternalizable(bytes: Uint8Array, start: number, end: number, id: unknown): void {
    if (!this.#start(undefined)) throw new WireError("Cannot write an externalizable in AMF0");
    this.#begin3(Amf3.object, id, true);
    this.raw.u8(0x07); // new traits, of a class that writes itself
    this.#string3(bytes, start, end);
  }

  endExternalizable(): void {
    this.#end3();
  }

  /** Always throws: only its class can read an externalizable object. Use a sink of your own for it. */
  externalizable(bytes: Uint8Array, start: number, end: number): void {
    const type = fromUtf8(bytes.subarray(start, end));
    throw new WireError(`Cannot pass on an externalizable object: ${type}`);
  }

  /**
   * Writes a reference to the container that was begun with this id, if the format permits one here:
   * AMF3 refers to any AMF3 container, AMF0 to containers that have not ended.
   *
   * @returns false, and writes nothing, if it does not
   */
  reference(id: unknown): boolean {
    const to = this.raw;
    const written = this.form === "amf0" ? undefined : this.#written3?.get(id);
    const amf3 = this.#depth3 > 0;
    if (written !== undefined && (amf3 || this.form === "amf3" || (written & 1) === 1)) {
      if (!amf3) to.u8(Amf0.amf3);
      to.u8((written % 64) >>> 1);
      writeU29(to, Math.floor(written / 64) << 1);
      return true;
    }
    if (amf3) return false;
    for (const open of this.#open0) {
      if (open.id !== id) continue;
      if (open.index > 0xffff) throw new WireError(`Cannot refer to object ${open.index} in AMF0`);
      to.u8(Amf0.reference).u16(open.index);
      return true;
    }
    return false;
  }

  // AMF0

  #begin0(marker: number, id: unknown): Open {
    this.raw.u8(marker);
    this.#enter();
    const open = { id, index: this.#count0++, members: 0, countAt: 0 };
    this.#open0.push(open);
    return open;
  }

  #end0(): Open {
    this.#depth--;
    return this.#open0.pop()!;
  }

  #text0(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (length <= 0xffff) this.raw.u8(Amf0.string).u16(length);
    else this.raw.u8(Amf0.longString).u32(length);
    this.#bytes(bytes, start, end);
  }

  #string0(bytes: Uint8Array, start: number, end: number): void {
    if (end - start > 0xffff) throw new WireError("Cannot write a name above 65535 bytes in AMF0");
    this.raw.u16(end - start);
    this.#bytes(bytes, start, end);
  }

  // AMF3

  /** Whether the next value is in AMF3; writes marker 0x11 before it if needed. `marker`: its AMF0 marker, if any. */
  #start(marker: number | undefined): boolean {
    if (this.#depth3 > 0) return true;
    if (this.form === "amf0" || (this.form === "mixed" && marker !== undefined)) return false;
    this.raw.u8(Amf0.amf3);
    return true;
  }

  #marker3(marker: number, id: unknown, only: boolean): void {
    this.raw.u8(marker);
    const index = this.#count3++;
    if (id === undefined) return;
    (this.#written3 ??= new Map()).set(id, 64 * index + 2 * marker + (only ? 1 : 0));
  }

  #begin3(marker: number, id: unknown, only: boolean): void {
    this.#marker3(marker, id, only);
    this.#enter();
    this.#depth3++;
  }

  #end3(): void {
    this.#depth--;
    this.#depth3--;
  }

  #string3(bytes: Uint8Array, start: number, end: number): void {
    const to = this.raw;
    const length = end - start;
    if (length === 0) {
      to.u8(0x01);
      return;
    }
    const strings = this.#strings ??= new StringTable();
    const index = strings.find(to.buffer, bytes, start, end);
    if (index >= 0) return writeU29(to, index << 1);
    writeU29(to, this.#flag(length));
    strings.add(to.at, length);
    this.#bytes(bytes, start, end);
  }

  /** The head of an inline item: `value` of 28 bits, then the flag 1. */
  #flag(value: number): number {
    if (value > MAX_INTEGER) throw new WireError(`Cannot write a length of ${value} in AMF3`);
    return (value << 1) | 1;
  }

  #bytes(bytes: Uint8Array, start: number, end: number): void {
    const to = this.raw;
    if (end - start > this.room) this.#tooLong();
    to.part(bytes, start, end);
  }

  #enter(): void {
    if (++this.#depth > this.#depthLimit) {
      throw new WireError(`Cannot write values more than ${this.#depthLimit} deep`);
    }
    if (this.room < 0) this.#tooLong();
  }

  #tooLong(): never {
    throw new WireError(`Cannot write a message of more than ${this.#lengthLimit} bytes`);
  }
}

/** An AMF0 container that has not ended. */
interface Open {
  readonly id: unknown;
  readonly index: number;
  /** Number of members so far. */
  members: number;
  /** Offset of the member count in the message; 0 if it has none. */
  countAt: number;
}

const VECTOR_MARKERS = {
  int: Amf3.vectorInt,
  uint: Amf3.vectorUint,
  double: Amf3.vectorDouble,
  object: Amf3.vectorObject,
} as const;
