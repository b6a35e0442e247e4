// URLs of streams at other servers: rtmp://host[:port]/app[/instance]/name[?query]. RTMP-304.

const RTMP_PORT = 1935;
const RTMPS_PORT = 443;

/** An application at a server that speaks RTMP. */
export interface RtmpTarget {
  readonly protocol: "rtmp" | "rtmps";
  /** A name or an IP address, IPv6 without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** The path without its first slash and the stream's name; may have a query. */
  readonly app: string;
  /** `tcUrl` of `connect`: `protocol://host[:port]/app`. */
  readonly tcUrl: string;
}

export interface RtmpStreamUrl extends RtmpTarget {
  /** The stream's name with its query, as encoders send it: often a secret. */
  readonly name: string;
  /** The URL without the name, for logs and statistics. */
  readonly shown: string;
}

/**
 * Reads the URL of an application.
 *
 * @throws {RangeError} with the reason, without the text, which may hold secrets
 */
export function parseRtmpTarget(text: string): RtmpTarget {
  const [, scheme, host, digits, path = ""] =
    /^(rtmps?):\/\/(\[[\da-fA-F:.]+\]|[^/:?#[\]@\s]+)(?::(\d{1,5}))?(?:\/([^#\s]*))?$/i
      .exec(text) ?? [];
  if (scheme === undefined || host === undefined) throw new RangeError(problemOf(text));
  const protocol = scheme.toLowerCase() as "rtmp" | "rtmps";
  const port = digits === undefined ? protocol === "rtmp" ? RTMP_PORT : RTMPS_PORT : Number(digits);
  if (port < 1 || port > 65_535) throw new RangeError("invalid port (1 to 65535)");
  const app = path.replace(/^\/+/, "");
  const place = digits === undefined ? host : `${host}:${digits}`;
  const hostname = host.replace(/^\[|\]$/g, "");
  return { protocol, hostname, port, app, tcUrl: `${protocol}://${place}/${app}` };
}

/**
 * Reads the URL of a stream: the last segment of the path with its query is its name.
 *
 * @throws {RangeError} as {@link parseRtmpTarget}
 */
export function parseRtmpStreamUrl(text: string): RtmpStreamUrl {
  const { app: path } = parseRtmpTarget(text);
  const [, app, name] = /^([^?]*[^/?])\/+([^/?]+(?:\?.*)?)$/.exec(path) ?? [];
  if (name === undefined) throw new RangeError("it does not end with an application and a stream");
  const target = parseRtmpTarget(`${text.slice(0, text.length - path.length)}${app}`);
  return { ...target, name, shown: `${target.tcUrl}/…` };
}

function problemOf(text: string): string {
  if (/^rtmps?:\/\/[^/]*@/i.test(text)) return "user and password are not supported";
  return "it is not rtmp://host[:port]/app/name, or rtmps://…";
}
