// Parses requests to the web door: names and paths of untrusted URLs.
import { percentDecoded } from "../bytes/percent.ts";

/** Characters of a URL that is read. WEB-705. */
const LONGEST_URL = 8_192;

/** A stream that is asked for: `/application/path/name.flv`. WEB-001. */
export interface StreamRequest {
  /** The application: `""` for the root, else `/a`, `/a/b`. */
  readonly path: string;
  readonly name: string;
}

/**
 * The segments of a path, decoded.
 *
 * @returns undefined for a path that no application and no file can have: too long, not UTF-8, with
 *   an empty segment, `.` or `..`, a slash, a backslash or a control character inside a segment
 */
export function segmentsOf(pathname: string): string[] | undefined {
  if (pathname.length > LONGEST_URL || !pathname.startsWith("/")) return undefined;
  const segments: string[] = [];
  for (const part of pathname.slice(1).split("/")) {
    const segment = percentDecoded(part);
    if (segment === undefined || segment === "" || segment === "." || segment === "..") {
      return undefined;
    }
    // deno-lint-ignore no-control-regex
    if (/[\x00-\x1f\x7f/\\]/.test(segment)) return undefined;
    segments.push(segment);
  }
  return segments;
}

/** @param suffix of the last segment, such as `.flv`; `""` for none */
export function streamOf(segments: readonly string[], suffix: string): StreamRequest | undefined {
  const last = segments.at(-1);
  if (!last?.endsWith(suffix) || last.length === suffix.length) return undefined;
  const path = segments.slice(0, -1).map((segment) => `/${segment}`).join("");
  return { path, name: last.slice(0, last.length - suffix.length) };
}
