// Parses requests to the web door: names and paths of untrusted URLs.
import { percentDecoded } from "../bytes/percent.ts";

/** Maximum characters of a path. WEB-705. */
const MAX_PATH = 8_192;

/** A requested stream: `/application/path/name.flv`. WEB-001. */
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
  if (pathname.length > MAX_PATH || !pathname.startsWith("/")) return undefined;
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

/**
 * The stream that the segments of a path name.
 *
 * @param suffix end of the last segment, such as `.flv`, or `""`
 * @returns undefined if the last segment does not end in it, or has nothing before it
 */
export function streamOf(segments: readonly string[], suffix: string): StreamRequest | undefined {
  const last = segments.at(-1);
  if (!last?.endsWith(suffix) || last.length === suffix.length) return undefined;
  const path = segments.slice(0, -1).map((segment) => `/${segment}`).join("");
  return { path, name: last.slice(0, last.length - suffix.length) };
}
