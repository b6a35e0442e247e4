// The log lines after the start, with the URLs for clients and browsers.
import { addressText } from "../common/address.ts";
import type { Config } from "../config/settings.ts";

/** Maximum number of applications whose pages are listed. */
const MAX_PAGES = 4;

/**
 * @param udpPort the open UDP port of RTMFP
 * @param pages paths of applications with pages of their own, such as `chat`
 * @returns lines with URLs of every door that the configuration opens
 */
export function entrances(config: Config, udpPort: number, pages: readonly string[]): string[] {
  const lines = [`Flash and AIR connect to ${url("rtmfp", config["rtmfp.address"], udpPort)}`];
  const rtmp = config["rtmp.port"] > 0
    ? url("rtmp", config["rtmp.address"], config["rtmp.port"])
    : config["rtmp.tlsPort"] > 0
    ? url("rtmps", config["rtmp.address"], config["rtmp.tlsPort"])
    : undefined;
  if (rtmp) lines.push(`OBS and ffmpeg publish to ${rtmp}live/NAME`);
  if (config["web.port"] > 0) {
    const secure = config["web.certificate"] !== "" && config["web.key"] !== "";
    const web = url(secure ? "https" : "http", config["web.address"], config["web.port"]);
    lines.push(`Browsers play it at ${web}live/NAME`);
    const named = pages.slice(0, MAX_PAGES).map((path) => `${web}${path}/`);
    if (pages.length > MAX_PAGES) named.push("…");
    if (named.length > 0) lines.push(`Pages of applications: ${named.join(" ")}`);
  }
  if (config["http.port"] > 0) {
    lines.push(
      `The status page is at ${url("http", config["http.address"], config["http.port"])}`,
    );
  }
  return lines;
}

const DEFAULT_PORTS: Record<string, number> = {
  rtmfp: 1935,
  rtmp: 1935,
  rtmps: 443,
  http: 80,
  https: 443,
};

/** `scheme://host[:port]/`; a wildcard address becomes `localhost`. */
function url(scheme: string, address: string, port: number): string {
  const hostname = /^(|::|0\.0\.0\.0)$/.test(address) ? "localhost" : address;
  const host = addressText({ hostname, port });
  return `${scheme}://${
    port === DEFAULT_PORTS[scheme] ? host.slice(0, host.lastIndexOf(":")) : host
  }/`;
}

/** Names of the applications directly under `www` that have an index page, in order. */
export function pagesIn(www: string): string[] {
  try {
    return [...Deno.readDirSync(www)].map(({ name }) => name)
      .filter((name) => isFile(`${www}/${name}/web/index.html`)).sort();
  } catch {
    return [];
  }
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
