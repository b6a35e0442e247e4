// Converts AMF values to JSON, and back. A value that JSON lacks is an object with one member whose
// name begins with a dollar sign; an object with such names itself is wrapped in {"$object": …}.
import {
  AmfDictionary,
  type AmfObject,
  type AmfValue,
  AmfVector,
  AmfXml,
  MixedArray,
  TypedObject,
} from "../../amf/mod.ts";

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** JSON that cannot be converted to an AMF value; the message says why. */
export class JsonError extends Error {
  override name = "JsonError";
}

/** The extensions of JSON, for --help. */
export const JSON_NOTES = `Values that JSON lacks, in arguments and results:
  {"$date": "2026-01-31T12:00:00.000Z"}      a date (also as milliseconds since 1970)
  {"$bytes": "AAECAw=="}                     a byte array, in base64
  {"$number": "NaN"}                         NaN, Infinity, -Infinity
  {"$type": "Cat", "name": "Tom"}            an object of a class
  {"$array": [1, 2], "name": "x"}            an array with named members
  {"$vector": [1, 2], "kind": "int"}         a Vector: int, uint, double or object
  {"$dictionary": [["key", 1], [2, "x"]]}    a Dictionary
  {"$xml": "<a/>"}, {"$xmlDocument": "<a/>"} XML
  {"$undefined": true}                       undefined (a result shows it as null)
  {"$object": {"$type": 1}}                  an object whose names begin with a dollar sign`;

/**
 * The AMF value of JSON: arrays, objects, strings, numbers, booleans and null unchanged.
 *
 * @throws {JsonError} if an extension of JSON is invalid
 */
export function fromJson(json: Json): AmfValue {
  if (typeof json !== "object" || json === null) return json;
  if (Array.isArray(json)) return json.map(fromJson);
  const special = Object.entries(json).find(([name]) => name.startsWith("$"));
  if (!special) return members(json);
  const [form, value] = special;
  switch (form) {
    case "$date":
      return dateOf(value);
    case "$bytes":
      return bytesOf(value);
    case "$number": {
      if (["NaN", "Infinity", "-Infinity", "-0"].includes(String(value))) return Number(value);
      throw wrong(form, "NaN, Infinity or -Infinity", value);
    }
    case "$undefined":
      return undefined;
    case "$xml":
    case "$xmlDocument":
      return new AmfXml(textOf(form, value), form === "$xmlDocument");
    case "$type":
      return new TypedObject(textOf(form, value), members(json, form));
    case "$array":
      return new MixedArray(members(json, form), arrayOf(form, value).map(fromJson));
    case "$vector":
      return vectorOf(value, json);
    case "$dictionary":
      return new AmfDictionary(
        arrayOf(form, value).map((pair) => {
          const [key, of, ...others] = Array.isArray(pair) ? pair : [];
          if (key === undefined || of === undefined || others.length > 0) {
            throw wrong(form, "pairs", pair);
          }
          return [fromJson(key), fromJson(of)] as const;
        }),
      );
    case "$object":
      if (typeof value !== "object" || value === null || Array.isArray(value)) {
        throw wrong(form, "an object", value);
      }
      return members(value);
    default:
      throw new JsonError(`Unknown form "${form}" in ${JSON.stringify(json)}`);
  }
}

/**
 * JSON of an AMF value; {@link fromJson} reads it back. A reference to a surrounding value becomes
 * `{"$cycle": n}`, n levels up.
 */
export function toJson(value: AmfValue, above: readonly AmfValue[] = []): Json {
  if (value === undefined || value === null) return null;
  if (typeof value === "number") {
    const plain = Number.isFinite(value) && !Object.is(value, -0);
    return plain ? value : { $number: Object.is(value, -0) ? "-0" : String(value) };
  }
  if (typeof value !== "object") return value;
  if (value instanceof Date) {
    const time = value.getTime();
    return { $date: Number.isNaN(time) ? "NaN" : value.toISOString() };
  }
  if (value instanceof Uint8Array) return { $bytes: base64(value) };
  if (value instanceof AmfXml) return { [value.document ? "$xmlDocument" : "$xml"]: value.text };
  const at = above.lastIndexOf(value);
  if (at >= 0) return { $cycle: above.length - at };
  const inside = [...above, value];
  const all = (values: AmfValue[]) => values.map((element) => toJson(element, inside));
  const named = (object: AmfObject): Record<string, Json> =>
    Object.fromEntries(Object.entries(object).map(([name, of]) => [name, toJson(of, inside)]));
  if (Array.isArray(value)) return all(value);
  if (value instanceof TypedObject) return { $type: value.type, ...named(value.members) };
  if (value instanceof MixedArray) return { $array: all(value.dense), ...named(value.named) };
  if (value instanceof AmfVector) {
    const json: Record<string, Json> = { $vector: all(value.elements), kind: value.kind };
    if (value.fixed) json.fixed = true;
    if (value.type) json.type = value.type;
    return json;
  }
  if (value instanceof AmfDictionary) {
    return { $dictionary: [...value].map((pair) => all(pair)) };
  }
  const object = named(value as AmfObject);
  return Object.keys(object).some((name) => name.startsWith("$")) ? { $object: object } : object;
}

function members(json: { [name: string]: Json }, form?: string): AmfObject {
  const object: AmfObject = Object.create(null); // "__proto__" is a name like any other
  for (const [name, value] of Object.entries(json)) {
    if (name !== form) object[name] = fromJson(value);
  }
  return object;
}

function dateOf(value: Json): Date {
  const date = new Date(value === "NaN" ? NaN : value as string | number);
  const known = value === "NaN" || ["string", "number"].includes(typeof value) &&
      !Number.isNaN(date.getTime());
  if (!known) throw wrong("$date", "a date or milliseconds", value);
  return date;
}

function bytesOf(value: Json): Uint8Array {
  try {
    return Uint8Array.from(atob(textOf("$bytes", value)), (char) => char.charCodeAt(0));
  } catch {
    throw wrong("$bytes", "base64", value);
  }
}

function vectorOf(
  value: Json,
  { kind = "object", fixed = false, type = "" }: { [name: string]: Json },
): AmfVector {
  const elements = arrayOf("$vector", value).map(fromJson);
  if (kind !== "int" && kind !== "uint" && kind !== "double" && kind !== "object") {
    throw wrong("$vector", "a kind of int, uint, double or object", kind);
  }
  if (kind !== "object" && elements.some((element) => typeof element !== "number")) {
    throw wrong("$vector", "numbers", value);
  }
  return new AmfVector(kind, elements, fixed === true, textOf("type", type));
}

function textOf(form: string, value: Json): string {
  if (typeof value !== "string") throw wrong(form, "text", value);
  return value;
}

function arrayOf(form: string, value: Json): Json[] {
  if (!Array.isArray(value)) throw wrong(form, "an array", value);
  return value;
}

function wrong(form: string, needed: string, value: Json): JsonError {
  return new JsonError(`"${form}" needs ${needed}, not ${JSON.stringify(value)}`);
}

function base64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
