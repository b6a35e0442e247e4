// Parses the URL that a client connects to: rtmfp://host[:port]/app[/instance][?query]. RFC 7425 §6, API-021,
// API-022, API-220.
import { percentDecoded } from "../bytes/percent.ts";
import { ownText } from "../bytes/text.ts";

const DEFAULT_PORT = 1935;
export const NO_PROPERTIES: ReadonlyMap<string, string> = new Map();

/** The application that a client names, and the parameters for it. */
export interface Target {
  /** `""` for the root, else `/a`, `/a/b`; undefined if no application can have that path. */
  readonly path: string | undefined;
  /** The parameters after the question mark; the last of several of one name counts. */
  readonly properties: ReadonlyMap<string, string>;
  /** `host:port`; `""` if the text names no host. */
  readonly host: string;
}

/** Cache of recent targets: most clients of a server use one of a few. */
const known = new Map<string, Target>();
const MAX_KNOWN = 32;
/** Maximum length (characters) of a text in the cache. */
const MAX_CACHED_LENGTH = 256;
/** Maximum length of a path or query, in characters, and in parts. */
const MAX_LENGTH = 4_096;
const MAX_PARTS = 64;

/**
 * Reads a URL, or only a path, as some clients send it.
 */
export function readTarget(text: string): Target {
  let target = known.get(text);
  if (!target) {
    target = parse(text);
    if (known.size >= MAX_KNOWN) known.clear();
    if (text.length <= MAX_CACHED_LENGTH) known.set(text, target);
  }
  return target;
}

function parse(text: string): Target {
  const match = /^(?:[a-z]+:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?/i.exec(text.trim())!;
  const [, host = "", path = "", query = ""] = match;
  return {
    path: applicationPath(path),
    properties: readQuery(query),
    host: withPort(host.slice(0, MAX_LENGTH)),
  };
}

/**
 * The target of `connect`: of its `tcUrl` if that is a URL, otherwise of `app`. Either may have the
 * query.
 */
export function connectTarget(tcUrl: string, app: string): Target {
  const url = readTarget(tcUrl);
  if (url.host === "") return readTarget(app);
  if (url.properties.size > 0) return url;
  return { ...url, properties: readTarget(app).properties };
}

function applicationPath(text: string): string | undefined {
  let end = text.length;
  while (text[end - 1] === "/") end--; // `/\/+$/` takes the square of the length for many slashes
  const trimmed = text.slice(text.startsWith("/") ? 1 : 0, end);
  if (trimmed === "") return "";
  const segments = trimmed.split("/", MAX_PARTS + 1).map(unescaped);
  if (trimmed.length > MAX_LENGTH || segments.length > MAX_PARTS) return undefined;
  const valid = segments.every((segment) =>
    segment !== "" && segment !== "." && segment !== ".." && !/[/\\\0]/.test(segment)
  );
  return valid ? `/${segments.join("/")}` : undefined;
}

/** The first 64 parameters of the first 4,096 characters; the rest is ignored. */
function readQuery(text: string): ReadonlyMap<string, string> {
  if (text === "") return NO_PROPERTIES;
  const properties = new Map<string, string>();
  const own = ownText(text, MAX_LENGTH).replaceAll("+", " ");
  for (let from = 0, parts = 0; from < own.length && parts < MAX_PARTS;) {
    const next = own.indexOf("&", from);
    const end = next < 0 ? own.length : next;
    const part = own.slice(from, end);
    from = end + 1;
    if (part === "") continue;
    parts++;
    const at = part.indexOf("=");
    if (at < 0) properties.set(unescaped(part), "");
    else properties.set(unescaped(part.slice(0, at)), unescaped(part.slice(at + 1)));
  }
  return properties;
}

function withPort(host: string): string {
  const name = host.replace(/^.*@/, "");
  if (name === "" || /:\d+$/.test(name.replace(/^\[.*\]/, ""))) return name;
  return `${name.replace(/:$/, "")}:${DEFAULT_PORT}`;
}

/** Text with `%XX` decoded; unchanged if the result is not UTF-8. */
function unescaped(text: string): string {
  return percentDecoded(text) ?? text;
}

/** The name of a stream, and the parameters for scripts in it. */
export interface StreamName {
  readonly name: string;
  readonly properties: ReadonlyMap<string, string>;
}

/** Reads `name?key=value&…`. RTMP-310. */
export function readStreamName(text: string): StreamName {
  const at = text.indexOf("?");
  if (at < 0) return { name: text, properties: NO_PROPERTIES };
  return { name: ownText(text.slice(0, at)), properties: readQuery(text.slice(at + 1)) };
}
