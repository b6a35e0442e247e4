import { toUtf8 } from "../bytes/text.ts";
import type { AmfWriter } from "./amf_writer.ts";
import {
  AmfDictionary,
  type AmfObject,
  type AmfValue,
  AmfVector,
  AmfXml,
  type Externalizable,
  MixedArray,
  TypedObject,
} from "./values.ts";

const encoder = new TextEncoder();
const scratch = new Uint8Array(8192);
const NO_BYTES = new Uint8Array(0);

/**
 * Writes a JavaScript value. A member that has no name is left out, as AMF3 cannot have one.
 *
 * @throws {WireError} if it is too deep, too long or cannot be written in the writer's form
 */
export function writeAmfValue(to: AmfWriter, value: AmfValue): void {
  switch (typeof value) {
    case "number":
      return to.number(value);
    case "string":
      return text(to, value);
    case "boolean":
      return to.boolean(value);
    case "undefined":
      return to.undefined();
    default:
      if (value === null) return to.null();
      if (!to.reference(value)) container(to, value);
  }
}

function container(to: AmfWriter, value: object): void {
  if (Array.isArray(value)) array(to, undefined, value, value);
  else if (value instanceof Uint8Array) to.byteArray(value, 0, value.length, value);
  else if (value instanceof Date) to.date(value.getTime(), value);
  else if (value instanceof TypedObject) {
    const type = toUtf8(value.type);
    object(to, type, value.members, value);
  } else if (value instanceof MixedArray) array(to, value.named, value.dense, value);
  else if (value instanceof AmfVector) vector(to, value);
  else if (value instanceof AmfDictionary) dictionary(to, value);
  else if (value instanceof AmfXml) {
    const bytes = toUtf8(value.text);
    to.xml(bytes, 0, bytes.length, value.document, value);
  } else if (typeof (value as Externalizable).writeExternal === "function") {
    const object = value as Externalizable;
    const type = toUtf8(object.externalizable);
    to.beginExternalizable(type, 0, type.length, object);
    object.writeExternal(to);
    to.endExternalizable();
  } else object(to, NO_BYTES, value as AmfObject, value);
}

function object(to: AmfWriter, type: Uint8Array, members: AmfObject, id: object): void {
  to.beginObject(type, 0, type.length, id);
  named(to, members);
  to.endObject();
}

function named(to: AmfWriter, members: AmfObject): void {
  for (const name of Object.keys(members)) {
    if (name === "") continue;
    key(to, name);
    writeAmfValue(to, members[name]);
  }
}

function array(
  to: AmfWriter,
  members: AmfObject | undefined,
  elements: readonly AmfValue[],
  id: object,
): void {
  if (members !== undefined && to.form === "amf0") { // which has elements as members
    to.beginArray(0, true, id);
    named(to, members);
    named(to, Object.fromEntries(elements.entries()));
    to.endArray();
    return;
  }
  to.beginArray(elements.length, members !== undefined, id);
  if (members !== undefined) named(to, members);
  to.dense();
  for (let i = 0; i < elements.length; i++) writeAmfValue(to, elements[i]);
  to.endArray();
}

function vector(to: AmfWriter, value: AmfVector): void {
  const type = toUtf8(value.type);
  const { kind, elements, fixed } = value;
  to.beginVector(kind, elements.length, fixed, type, 0, type.length, value);
  for (const element of elements) {
    if (kind === "object") writeAmfValue(to, element);
    else to.number(Number(element));
  }
  to.endVector();
}

function dictionary(to: AmfWriter, value: AmfDictionary): void {
  to.beginDictionary(value.size, value.weak, value);
  for (const [key, item] of value) {
    writeAmfValue(to, key);
    writeAmfValue(to, item);
  }
  to.endDictionary();
}

function text(to: AmfWriter, text: string): void {
  const bytes = 3 * text.length <= scratch.length ? scratch : toUtf8(text);
  to.string(bytes, 0, bytes === scratch ? fill(text) : bytes.length);
}

function key(to: AmfWriter, name: string): void {
  const bytes = 3 * name.length <= scratch.length ? scratch : toUtf8(name);
  to.key(bytes, 0, bytes === scratch ? fill(name) : bytes.length);
}

/** Writes the UTF-8 of a short text into `scratch`. @returns its length in bytes */
function fill(text: string): number {
  if (text.length > 64) return encoder.encodeInto(text, scratch).written;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x80) return encoder.encodeInto(text, scratch).written;
    scratch[i] = unit;
  }
  return text.length;
}
