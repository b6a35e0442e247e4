// HTTP servers, with limits on connections and time-outs.
import type { Address } from "../common/address.ts";
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { Readable } from "node:stream";
import { unmapped } from "../common/ip.ts";
import { directBytes } from "./direct_socket.ts";
import type { DirectWriterSource } from "./native_stream.ts";
import { boundSendBuffers } from "./send_buffers.ts";
import { stream, StreamedResponse } from "./streamed_response.ts";

export interface HttpOptions {
  /** An IP address of this machine; `""` for all. */
  readonly hostname: string;
  readonly port: number;
  /** Certificate chain and private key in PEM form: the server speaks HTTPS. */
  readonly tls?: HttpCertificate;
  /**
   * Maximum number of connections; 256 by default. A further one closes the oldest without a request, or is closed
   * itself if all have one.
   */
  readonly maxConnections?: number;
  /** Size (bytes) of the system's send buffer per client, where it can be set. */
  readonly sendBuffer?: number;
  /** Direct writers for live bodies, and for WebSockets that carry them, to clients without TLS. */
  readonly writers?: DirectWriterSource;
}

interface HttpCertificate {
  readonly cert: string;
  readonly key: string;
}

export interface HttpServer {
  readonly port: number;
  /** IP address that it listens on. */
  readonly hostname: string;
  /** Number of open connections. */
  readonly connections: number;
  /** Number of accepted connections, and bytes on all of them, since the start. */
  readonly accepted: number;
  readonly traffic: { readonly bytesIn: number; readonly bytesOut: number };
  /** Sets the certificate of new connections. */
  renew(certificate: HttpCertificate): void;
  /** Stops accepting, and ends the connections without a request. */
  close(): Promise<void>;
}

type Answer = Response | StreamedResponse;
/** Answers a request; a throw is answered with 500. */
export type HttpHandler = (request: Request, peer: Address) => Answer | Promise<Answer>;
/** Takes a request to upgrade, and its connection. */
type UpgradeHandler = (
  request: Request,
  peer: Address,
  message: IncomingMessage,
  socket: Socket,
  head: Uint8Array,
) => Promise<Response | undefined>;

const MAX_CONNECTIONS = 256;
/** Maximum number of connections that have not sent the headers of a request; one more closes the oldest. */
const MAX_UNFINISHED = 64;
/** Time (ms) for which each of them stays open, independent of their number. */
const MIN_UNFINISHED_TIME = 1_000;
/** Milliseconds to the end of the headers, of the body, and to the next request. */
const HEADERS_TIMEOUT = 10_000;
const REQUEST_TIMEOUT = 30_000;
const KEEP_ALIVE_TIMEOUT = 5_000;
/** Interval (ms) of checking these time-outs. */
const CHECK_INTERVAL = 1_000;
/** Maximum length of the headers in bytes. */
const MAX_HEADERS = 16_384;
const BODILESS = new Set(["GET", "HEAD"]);

/**
 * Serves HTTP or HTTPS until it is closed.
 *
 * @param onUpgrade takes requests to upgrade; without it they are answered as any other
 * @throws {Error} if listening on the port fails, or certificate and key are invalid
 */
export async function serveHttp(
  { hostname, port, tls, maxConnections = MAX_CONNECTIONS, sendBuffer, writers }: HttpOptions,
  handle: HttpHandler,
  onUpgrade?: UpgradeHandler,
): Promise<HttpServer> {
  const options = {
    headersTimeout: HEADERS_TIMEOUT,
    requestTimeout: REQUEST_TIMEOUT,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT,
    connectionsCheckingInterval: CHECK_INTERVAL,
    maxHeaderSize: MAX_HEADERS,
  };
  const listener = (message: IncomingMessage, response: ServerResponse) =>
    void answer(message, response, handle, tls ? undefined : writers);
  const server: Server | TlsServer = tls
    ? createTlsServer({ ...options, cert: tls.cert, key: tls.key }, listener)
    : createServer(options, listener);
  boundConnections(server, maxConnections);
  if (onUpgrade) {
    server.on("upgrade", (message: IncomingMessage, socket: Socket, head: Uint8Array) => {
      void upgrade(message, socket, head, onUpgrade);
    });
  }
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: hostname || "::", port }, () => {
      server.off("error", reject);
      server.on("error", () => {}); // such as too many open files: the next accept may succeed
      resolve();
    });
  });
  const address = server.address() as AddressInfo;
  if (sendBuffer) boundSendBuffers({ hostname: address.address, port: address.port }, sendBuffer);
  const census = new ConnectionCensus(server);
  return {
    port: address.port,
    hostname: address.address,
    get connections() {
      return census.open;
    },
    get accepted() {
      return census.accepted;
    },
    get traffic() {
      return census.traffic;
    },
    renew: ({ cert, key }) => (server as TlsServer).setSecureContext?.({ cert, key }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
}

/** Counts connections and their bytes. */
class ConnectionCensus {
  accepted = 0;
  readonly #sockets = new Set<Socket>();
  #past = { bytesIn: 0, bytesOut: 0 };

  constructor(server: Server | TlsServer) {
    server.on("connection", (socket: Socket) => {
      this.accepted++;
      this.#sockets.add(socket);
      socket.once("close", () => {
        this.#sockets.delete(socket);
        this.#past = withSocket(this.#past, socket);
      });
    });
  }

  get open(): number {
    return this.#sockets.size;
  }

  get traffic(): { bytesIn: number; bytesOut: number } {
    let traffic = this.#past;
    for (const socket of this.#sockets) traffic = withSocket(traffic, socket);
    return traffic;
  }
}

const withSocket = (
  { bytesIn, bytesOut }: { bytesIn: number; bytesOut: number },
  socket: Socket,
) => ({
  bytesIn: bytesIn + (socket.bytesRead ?? 0),
  bytesOut: bytesOut + (socket.bytesWritten ?? 0) + directBytes(socket),
});

async function answer(
  message: IncomingMessage,
  response: ServerResponse,
  handle: HttpHandler,
  writers: DirectWriterSource | undefined,
): Promise<void> {
  const request = requestOf(message);
  if (!request) return fail(response, 400, "The request has no valid address");
  try {
    const answer = await handle(request, peerOf(message));
    if (answer instanceof StreamedResponse) stream(answer, response, writers);
    else await send(answer, response, request.method === "HEAD");
  } catch {
    fail(response, 500, "Internal server error");
  }
}

async function upgrade(
  message: IncomingMessage,
  socket: Socket,
  head: Uint8Array,
  onUpgrade: UpgradeHandler,
): Promise<void> {
  socket.on("error", () => socket.destroy());
  const request = requestOf(message);
  const response = request
    ? await onUpgrade(request, peerOf(message), message, socket, head).catch(() => undefined)
    : new Response("The request has no valid address\n", { status: 400 });
  if (!response) return;
  const body = new Uint8Array(await response.arrayBuffer());
  const lines = [`HTTP/1.1 ${response.status} ${STATUS_CODES[response.status] ?? ""}`];
  for (const [name, value] of response.headers) lines.push(`${name}: ${value}`);
  lines.push("connection: close", `content-length: ${body.length}`, "", "");
  socket.write(lines.join("\r\n"));
  socket.end(body);
}

/** @returns undefined if its address or a header cannot be read */
function requestOf(message: IncomingMessage): Request | undefined {
  const { method = "GET", url = "/", headers } = message;
  const scheme = "encrypted" in message.socket ? "https" : "http";
  try {
    // An absolute URL in the first line would override the header Host: only paths are used.
    const target = new URL(
      `${scheme}://${headers.host ?? "localhost"}${url.startsWith("/") ? url : "/"}`,
    );
    const all = new Headers();
    for (let i = 0; i < message.rawHeaders.length; i += 2) {
      all.append(message.rawHeaders[i]!, message.rawHeaders[i + 1]!);
    }
    const body = BODILESS.has(method) ? null : Readable.toWeb(message) as ReadableStream;
    return new Request(target, { method, headers: all, body });
  } catch {
    return undefined;
  }
}

function peerOf({ socket }: IncomingMessage): Address {
  return { hostname: unmapped(socket.remoteAddress ?? ""), port: socket.remotePort ?? 0 };
}

/** Sends a response; a live body as fast as the far end takes it. */
async function send(from: Response, to: ServerResponse, isHead: boolean): Promise<void> {
  to.writeHead(from.status, [...from.headers].flat());
  if (isHead || !from.body) {
    await from.body?.cancel();
    to.end();
    return;
  }
  to.flushHeaders();
  const reader = from.body.getReader();
  let gone = false;
  const leave = () => {
    gone = true;
    reader.cancel().catch(() => {});
  };
  to.once("close", leave);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || gone) break;
      if (!to.write(value)) await drained(to);
    }
    to.off("close", leave);
    to.end();
  } catch {
    to.destroy(); // the body failed: ends the response incomplete
  }
}

const drained = (to: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      to.off("drain", done);
      to.off("close", done);
      resolve();
    };
    to.once("drain", done);
    to.once("close", done);
  });

function fail(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" });
  response.end(`${text}\n`);
}

/**
 * Closes connections without a request: the oldest at the limit, and some time after a burst all but the
 * newest {@link MAX_UNFINISHED}. A client that sends its request at once always gets a connection.
 */
function boundConnections(server: Server | TlsServer, most: number): void {
  // By remote address: the socket of a request need not be the object of the event "connection".
  const unfinished = new Map<string, { socket: Socket; since: number }>();
  let open = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const endOldest = () => {
    const [oldest] = unfinished;
    if (!oldest) return;
    const [key, { socket }] = oldest;
    unfinished.delete(key);
    socket.destroy();
  };
  const thin = () => {
    timer = undefined;
    for (const { since } of unfinished.values()) {
      if (unfinished.size <= MAX_UNFINISHED) return;
      const wait = since + MIN_UNFINISHED_TIME - performance.now();
      if (wait > 0) { // many connected at the same time
        timer = setTimeout(thin, wait);
        return;
      }
      endOldest();
    }
  };
  server.on("connection", (socket: Socket) => {
    const key = farEnd(socket);
    open++;
    socket.once("close", () => {
      open--;
      unfinished.delete(key);
    });
    if (open > most) {
      if (unfinished.size > 0) endOldest();
      else {
        server.closeIdleConnections();
        socket.destroy();
        return;
      }
    }
    unfinished.set(key, { socket, since: performance.now() });
    if (unfinished.size > MAX_UNFINISHED && timer === undefined) thin();
  });
  server.on("close", () => clearTimeout(timer));
  const begun = ({ socket }: IncomingMessage) => unfinished.delete(farEnd(socket));
  server.on("request", begun);
  server.on("upgrade", begun);
}

const farEnd = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;
