// The HTTP port.

export interface HttpServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Serves until it is closed.
 *
 * @throws {Error} if the port cannot be had
 */
export function serveHttp(
  hostname: string,
  port: number,
  handle: (request: Request) => Promise<Response>,
): HttpServer {
  const server = Deno.serve({ hostname, port, onListen: () => {} }, handle);
  return {
    port: (server.addr as Deno.NetAddr).port,
    close: () => server.shutdown(),
  };
}
