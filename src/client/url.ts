// URLs of RTMFP: rtmfp://host[:port]/app[/instance][?query]. RFC 7425 §6.
import { percentDecoded } from "../bytes/percent.ts";
import { hostText } from "../common/address.ts";

const DEFAULT_PORT = 1935;

export interface RtmfpUrl {
  /** The text that connect sends as tcUrl and the handshake as ancillary data. */
  readonly href: string;
  /** A name or an IP address, IPv6 without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** The path without its first slash, "" for the root application. */
  readonly app: string;
  /** Text after the question mark; "" if there is none. */
  readonly query: string;
}

/** A URL cannot be used; the message says why. */
export class UrlError extends Error {
  override name = "UrlError";
}

/**
 * Reads a URL.
 *
 * @throws {UrlError} if it is not rtmfp, has no host, or has an invalid port
 */
export function parseRtmfpUrl(text: string): RtmfpUrl {
  const [, host, portText, path = "", query = ""] =
    /^rtmfp:\/\/(\[[0-9a-fA-F:.]+\]|[^/:?#[\]@\s]+)(?::(\d*))?(\/[^?#]*)?(?:\?([^#]*))?$/i
      .exec(text) ?? [];
  if (host === undefined) {
    throw new UrlError(
      /^rtmps?:/i.test(text)
        ? `Cannot use ${text}: this command speaks only rtmfp://`
        : /^[a-z]+:/i.test(text) && !/^rtmfp:/i.test(text)
        ? `Cannot use ${text}: only rtmfp://, rtmp:// and rtmps:// are supported`
        : `Cannot read "${text}" as rtmfp://host[:port]/application`,
    );
  }
  const port = portText ? Number(portText) : DEFAULT_PORT;
  if (port < 1 || port > 65535) {
    throw new UrlError(`Invalid port ${portText} in ${text} (1 to 65535)`);
  }
  return {
    href: text,
    hostname: host.replace(/^\[|\]$/g, ""),
    port,
    app: path.replace(/^\/+/, ""),
    query,
  };
}

/**
 * Splits a URL whose last path segment names a stream.
 *
 * @param name the stream's name, if given separately: then the whole path is the application's
 * @throws {UrlError} if the URL has no name
 */
export function parseStreamUrl(text: string, name?: string): { url: RtmfpUrl; name: string } {
  const url = parseRtmfpUrl(text);
  if (name !== undefined) {
    if (name === "") throw new UrlError("Cannot use an empty stream name");
    return { url, name };
  }
  const slash = url.app.lastIndexOf("/");
  const last = url.app.slice(slash + 1);
  if (last === "") {
    throw new UrlError(
      `Cannot find a stream name in ${text}: end it with /name, or use --name NAME`,
    );
  }
  const app = slash < 0 ? "" : url.app.slice(0, slash);
  const host = hostText(url.hostname);
  const port = url.port === DEFAULT_PORT ? "" : `:${url.port}`;
  const query = url.query === "" ? "" : `?${url.query}`;
  return {
    url: parseRtmfpUrl(`rtmfp://${host}${port}/${app}${query}`),
    name: percentDecoded(last) ?? last, // an invalid escape is taken literally
  };
}
