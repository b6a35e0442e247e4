/** A value has no form in JSON, or a text is not JSON: scripts get the message. */
export class JsonError extends Error {
  override name = "JsonError";
}

/** Maximum length of JSON, in bytes to read or UTF-16 code units to write, and maximum depth of nested tables. */
export const MAX_LENGTH = 16 << 20, MAX_DEPTH = 128;

/** Values between two looks at the clock. */
export const VALUES_PER_LOOK = 256;

/** Field of the metatable of an empty table: "object" if it is an object in JSON, not an array. */
export const JSON_TYPE = "__jsontype";
