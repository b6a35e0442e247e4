import { addressText } from "../common/address.ts";
import type { Config } from "../config/settings.ts";
import type { Log } from "../log/log.ts";
import { Monitor, type MonitorOptions } from "../monitor/handler.ts";
import type { MonitorSource } from "../monitor/snapshot.ts";
import { type HttpServer, serveHttp } from "../net/http.ts";

/**
 * Serves the monitor page, metrics and health.
 *
 * @param server health of the server, and restart of its applications
 * @throws {Error} if the port cannot be opened
 */
export async function serveMonitor(
  source: MonitorSource,
  config: () => Config,
  log: Log,
  server: Pick<MonitorOptions, "healthy" | "restart">,
): Promise<HttpServer> {
  const monitor = new Monitor({
    source,
    get token() {
      return config()["http.token"];
    },
    get hosts() {
      return config()["http.hosts"];
    },
    ...server,
  });
  const hostname = config()["http.address"];
  const http = await serveHttp(
    { hostname, port: config()["http.port"] },
    (request) => monitor.handle(request),
  );
  log.note(`The status page is at http://${addressText({ hostname, port: http.port })}/`);
  return http;
}
