import { addressText } from "../common/address.ts";
import type { Config } from "../config/settings.ts";
import type { Log } from "../log/log.ts";
import { Monitor } from "../monitor/handler.ts";
import type { Source } from "../monitor/snapshot.ts";
import { type HttpServer, serveHttp } from "../net/http.ts";

/**
 * Serves the page of numbers, metrics and health.
 *
 * @param healthy whether the server serves
 * @throws {Error} if the port cannot be had
 */
export async function serveMonitor(
  source: Source,
  config: () => Config,
  log: Log,
  healthy: () => boolean,
): Promise<HttpServer> {
  const monitor = new Monitor({
    source,
    get token() {
      return config()["http.token"];
    },
    get hosts() {
      return config()["http.hosts"];
    },
    healthy,
  });
  const hostname = config()["http.address"];
  const server = await serveHttp(
    { hostname, port: config()["http.port"] },
    (request) => monitor.handle(request),
  );
  log.note(`Numbers are shown at http://${addressText({ hostname, port: server.port })}/`);
  return server;
}
