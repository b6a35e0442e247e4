// Messages that cost a receiver the most to read, log or keep.
import { encodeAmf0 } from "../../src/amf/mod.ts";
import { Amf0, Amf3 } from "../../src/amf/markers.ts";
import { concat } from "../../src/bytes/concat.ts";
import { toUtf8 } from "../../src/bytes/text.ts";
import { Writer } from "../../src/bytes/writer.ts";

/** An unsigned integer of 29 bits. AMF 3 §1.3.1. */
function u29(to: Writer, value: number): Writer {
  if (value >= 1 << 21) {
    to.u8(value >>> 22 | 0x80).u8(value >>> 15 & 0x7f | 0x80).u8(value >>> 8 & 0x7f | 0x80);
    return to.u8(value & 0xff);
  }
  if (value >= 1 << 14) to.u8(value >>> 14 | 0x80);
  if (value >= 1 << 7) to.u8(value >>> 7 & 0x7f | 0x80);
  return to.u8(value & 0x7f);
}

const amf3 = () => new Writer(1024).u8(Amf0.amf3);

/** An externalizable object of a class with a long name. */
export function externalizable(name: string): Uint8Array {
  const bytes = toUtf8(name);
  const to = amf3().u8(Amf3.object);
  u29(to, 7);
  return u29(to, bytes.length << 1 | 1).bytes(bytes).copy();
}

/** A Dictionary whose keys are doubles that differ only in the last bits of the fraction. */
export function collidingKeys(count: number): Uint8Array {
  const to = amf3().u8(Amf3.dictionary);
  u29(to, count << 1 | 1).u8(0);
  for (let i = 0; i < count; i++) to.u8(Amf3.double).f64(1 + i * 2 ** -52).u8(Amf3.true);
  return to.copy();
}

/** @returns payloads of `length` bytes with as many values as possible */
export const worstOf = (length: number): readonly Uint8Array[] => [
  // Nested arrays and objects.
  concat([Uint8Array.of(Amf0.amf3), nested(length, [Amf3.array, 3, 1])]),
  nested(length, [Amf0.strictArray, 0, 0, 0, 1]),
  nested(length, [Amf0.object, 0, 1, 97]),
  // Many small values in one array.
  filled(length, Amf3.array, [Amf3.undefined]),
  filled(length, Amf3.array, [Amf3.array, 1, 1]),
  filled(length, Amf3.array, [Amf3.object, 0x0b, 1, 1]),
  // References to one object.
  filled(length, Amf3.array, [Amf3.array, 0]),
  // Many values beside each other.
  new Uint8Array(length).fill(Amf0.null),
  new Uint8Array(length).fill(Amf0.amf3),
];

function nested(length: number, opening: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at + opening.length <= length; at += opening.length) bytes.set(opening, at);
  return bytes;
}

function filled(length: number, marker: number, part: readonly number[]): Uint8Array {
  const count = Math.floor((length - 16) / part.length);
  const to = amf3().u8(marker);
  u29(to, count << 1 | 1).u8(1);
  for (let i = 0; i < count; i++) for (const byte of part) to.u8(byte);
  return to.copy();
}

/** A packet of Flash remoting with many calls. */
export function remotingPacket(target: string, calls: number, values: Uint8Array): Uint8Array<
  ArrayBuffer
> {
  const to = new Writer(65_536).u16(0).u16(0).u16(calls);
  const body = new Writer(values.length + 8).u8(Amf0.strictArray).u32(1).bytes(values).copy();
  for (let i = 0; i < calls; i++) {
    for (const text of [target, `/${i}`]) to.u16(text.length).bytes(toUtf8(text));
    to.u32(body.length).bytes(body);
  }
  return to.copy();
}

export const NOTHING = encodeAmf0(null);
