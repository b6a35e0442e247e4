// Connects by the protocol of a URL.
import { percentDecoded } from "../bytes/percent.ts";
import { parseRtmpStreamUrl, parseRtmpTarget, type RtmpTarget } from "../rtmp/url.ts";
import { type ConnectOptions, NetConnection } from "./net_connection.ts";
import type { NetStream } from "./net_stream.ts";
import { RtmpConnection } from "./rtmp_connection.ts";
import type { RtmpStream } from "./rtmp_stream.ts";
import { parseRtmfpUrl, parseStreamUrl, type RtmfpUrl, UrlError } from "./url.ts";

export type AnyUrl = RtmfpUrl | RtmpTarget;
type AnyConnection = NetConnection | RtmpConnection;
export type AnyStream = NetStream | RtmpStream;

/** Connects to an application. @throws as `connect` of both kinds of connection */
export function connectTo(url: AnyUrl, options: ConnectOptions): Promise<AnyConnection> {
  if (isRtmp(url)) return RtmpConnection.connect(url, options);
  return NetConnection.connect(url, options);
}

export const isRtmp = (url: AnyUrl): url is RtmpTarget => "tcUrl" in url;

/** Reads the URL of an application. @throws {UrlError} */
export function parseAnyUrl(text: string): AnyUrl {
  return isRtmpText(text) ? asked(text, parseRtmpTarget) : parseRtmfpUrl(text);
}

/**
 * Reads a URL whose last path segment names a stream, unless `name` is given. The query belongs to the
 * name in RTMP, and to the application in RTMFP.
 *
 * @throws {UrlError}
 */
export function parseAnyStreamUrl(text: string, name?: string): { url: AnyUrl; name: string } {
  if (!isRtmpText(text)) return parseStreamUrl(text, name);
  if (name === "") throw new UrlError("Cannot use an empty stream name");
  if (name !== undefined) return { url: asked(text, parseRtmpTarget), name };
  const { name: last, ...url } = asked(text, parseRtmpStreamUrl);
  return { url, name: percentDecoded(last) ?? last };
}

const isRtmpText = (text: string): boolean => /^rtmps?:/i.test(text);

function asked<T>(text: string, parse: (text: string) => T): T {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UrlError(`Cannot use ${text}: ${error.message}`);
  }
}
