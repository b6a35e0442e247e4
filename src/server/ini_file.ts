import { systemReason } from "./folders.ts";
import { StartError } from "./start_error.ts";

/**
 * Reads the configuration file as UTF-8; invalid bytes become U+FFFD.
 *
 * @param needed whether the file must exist
 * @returns undefined if there is no file: CFG-001
 * @throws {StartError} if the file cannot be read, or contains zero bytes, as UTF-16 does
 */
export function readIni(path: string, needed: boolean): string | undefined {
  let bytes: Uint8Array;
  try {
    bytes = Deno.readFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound && !needed) return undefined;
    throw new StartError(`${path} cannot be read: ${systemReason(error)}`);
  }
  if (bytes.includes(0)) {
    throw new StartError(`${path}:1: the file is UTF-16 or not text: save it as UTF-8`);
  }
  return new TextDecoder().decode(bytes);
}
