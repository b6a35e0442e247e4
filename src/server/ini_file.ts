import { StartError } from "./start_error.ts";

/**
 * Reads the configuration file; without one there are the defaults: CFG-001.
 *
 * @throws {StartError} if the file must be there, and cannot be read
 */
export function readIni(path: string, needed: boolean): { text: string; warning?: string } {
  try {
    return { text: Deno.readTextFileSync(path) };
  } catch (error) {
    if (needed) {
      throw new StartError(`--ini=${path}: it cannot be read: ${(error as Error).message}`);
    }
    if (error instanceof Deno.errors.NotFound) return { text: "" };
    return { text: "", warning: `${path} cannot be read: ${(error as Error).message}` };
  }
}
