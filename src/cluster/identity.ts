// A server's identity message at the start of a link: CLU-062 to CLU-064.
import { Reader } from "../bytes/reader.ts";
import { WireError } from "../bytes/wire_error.ts";
import { fromUtf8, toUtf8 } from "../bytes/text.ts";
import { Writer } from "../bytes/writer.ts";
import { readVarint, writeVarint } from "./frame.ts";

export interface Identity {
  /** Address of that server for clients, or its RTMFP port at the address of the link. */
  readonly reach: { readonly publicAddress: string } | { readonly port: number };
  /** Properties of the link, from the query of the initiator's `servers.targets` entry (CLU-012). */
  readonly properties: ReadonlyMap<string, string>;
}

/** Maximum number of properties of one link. */
export const MAX_PROPERTIES = 64;
/** Maximum number of paths in one frame. */
export const MAX_PATHS = 4_096;
/** Maximum length (bytes) of an address, of a property's name or value, and of a path. */
const MAX_TEXT = 4_096;

const PORT = 0;
const PUBLIC_ADDRESS = 1;

/** Shape: `00 | port u16` or `01 | text`, then pairs of texts, sorted by name. */
export function writeIdentity({ reach, properties }: Identity): Uint8Array {
  const to = new Writer();
  if ("port" in reach) to.u8(PORT).u16(reach.port);
  else writeText(to.u8(PUBLIC_ADDRESS), reach.publicAddress);
  for (const name of [...properties.keys()].sort()) {
    writeText(writeText(to, name), properties.get(name)!);
  }
  return to.view();
}

/** @throws {WireError} if it is malformed or exceeds a limit */
export function readIdentity(payload: Uint8Array): Identity {
  const from = new Reader(payload);
  const reach = from.u8() === PORT ? { port: from.u16() } : { publicAddress: readText(from) };
  const properties = new Map<string, string>();
  while (from.left > 0) {
    if (properties.size >= MAX_PROPERTIES) {
      throw new WireError(`Cannot take more than ${MAX_PROPERTIES} properties`);
    }
    const name = readText(from);
    properties.set(name, readText(from));
  }
  return { reach, properties };
}

/** The paths of running applications; that of the root is empty (CLU-065). */
export function writePaths(paths: Iterable<string>): Uint8Array {
  const to = new Writer();
  for (const path of paths) writeText(to, path);
  return to.view();
}

/** @throws {WireError} if it is malformed, or has more than {@link MAX_PATHS} */
export function readPaths(payload: Uint8Array): string[] {
  const from = new Reader(payload);
  const paths: string[] = [];
  while (from.left > 0) {
    if (paths.length >= MAX_PATHS) throw new WireError(`Cannot take more than ${MAX_PATHS} paths`);
    paths.push(readText(from));
  }
  return paths;
}

function writeText(to: Writer, text: string): Writer {
  const bytes = toUtf8(text);
  return writeVarint(to, bytes.length).bytes(bytes);
}

function readText(from: Reader): string {
  const length = readVarint(from);
  if (length > MAX_TEXT) throw new WireError(`Cannot take a text of ${length} bytes`);
  return fromUtf8(from.bytes(length));
}
