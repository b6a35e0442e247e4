// Test vectors of the protocol, tests/vectors/rtmfp.json: made with independent code, in part from
// captured traffic, while the protocol's specification was written. Bytes are in hexadecimal.

const url = new URL("../vectors/rtmfp.json", import.meta.url);
// deno-lint-ignore no-explicit-any
const { vectors } = JSON.parse(Deno.readTextFileSync(url)) as { vectors: any[] };

/**
 * The vector with an id.
 *
 * @throws {Error} for an unknown id
 */
// deno-lint-ignore no-explicit-any
export function vector(id: string): any {
  const found = vectors.find((vector) => vector.id === id);
  if (!found) throw new Error(`Unknown vector "${id}"`);
  return found;
}
