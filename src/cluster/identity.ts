// What a server says of itself when a link opens: CLU-062 to CLU-064.
import { Reader } from "../bytes/reader.ts";
import { fromUtf8, toUtf8 } from "../bytes/text.ts";
import { Writer } from "../bytes/writer.ts";
import { readVarint, writeVarint } from "./frame.ts";

export interface Identity {
  /** Where clients reach that server, or its RTMFP port on the address that the link comes from. */
  readonly reach: { readonly publicAddress: string } | { readonly port: number };
  /** Properties of the link, from the query of the initiator's `servers.targets` entry (CLU-012). */
  readonly properties: ReadonlyMap<string, string>;
}

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

export function readIdentity(payload: Uint8Array): Identity {
  const from = new Reader(payload);
  const reach = from.u8() === PORT ? { port: from.u16() } : { publicAddress: readText(from) };
  const properties = new Map<string, string>();
  while (from.left > 0) {
    const name = readText(from);
    properties.set(name, readText(from));
  }
  return { reach, properties };
}

/** The paths of running applications, the root's being empty (CLU-065). */
export function writePaths(paths: Iterable<string>): Uint8Array {
  const to = new Writer();
  for (const path of paths) writeText(to, path);
  return to.view();
}

export function readPaths(payload: Uint8Array): string[] {
  const from = new Reader(payload);
  const paths: string[] = [];
  while (from.left > 0) paths.push(readText(from));
  return paths;
}

function writeText(to: Writer, text: string): Writer {
  const bytes = toUtf8(text);
  return writeVarint(to, bytes.length).bytes(bytes);
}

function readText(from: Reader): string {
  return fromUtf8(from.bytes(readVarint(from)));
}
