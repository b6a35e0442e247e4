/** A value has no form in JSON, or a text is not JSON: scripts get the message. */
export class JsonError extends Error {
  override name = "JsonError";
}

/** Bytes of a text in JSON, and how deep tables stand in each other. */
export const MAX_LENGTH = 16 << 20, MAX_DEPTH = 128;

/** Values between two looks at the clock. */
export const VALUES_PER_LOOK = 256;

/** In the metatable of an empty table: `object` if it is one in JSON, and no array. */
export const JSON_TYPE = "__jsontype";
