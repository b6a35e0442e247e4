import { StartError } from "./start_error.ts";

/** Certificate chain and private key in PEM form. */
export interface PemCertificate {
  readonly cert: string;
  readonly key: string;
}

/**
 * Reads the files that a section names by `certificate` and `key`.
 *
 * @returns undefined if it names neither
 * @throws {StartError} if it names only one, or a file cannot be read
 */
export async function readPemCertificate(
  section: string,
  certificate: string,
  key: string,
): Promise<PemCertificate | undefined> {
  if (certificate === "" && key === "") return undefined;
  if (certificate === "" || key === "") {
    throw new StartError(`[${section}] certificate and key: set both or neither`);
  }
  const read = async (name: string, path: string) => {
    try {
      return await Deno.readTextFile(path);
    } catch (error) {
      const why = (error as Error).message;
      throw new StartError(`[${section}] ${name} = ${path}: cannot be read: ${why}`);
    }
  };
  return { cert: await read("certificate", certificate), key: await read("key", key) };
}
