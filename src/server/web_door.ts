// The web door: pages, streams and WebSockets for browsers.
import { addressText } from "../common/address.ts";
import { waitAtMost } from "../common/wait.ts";
import type { Recorded } from "../media/recordings.ts";
import type { DoorRow } from "../monitor/snapshot.ts";
import { openDirectWriters } from "../net/native_stream.ts";
import type { StreamedResponse } from "../net/streamed_response.ts";
import {
  serveWeb,
  upgradeToWebSocket,
  type WebPeer,
  type WebServer,
  type WebSocketConnection,
} from "../net/web_server.ts";
import { tcpError } from "../net/tcp.ts";
import { WebSocketStream } from "../net/web_socket_stream.ts";
import { NotViewable } from "../web/flv_viewer.ts";
import { files } from "../web/pages.ts";
import { segmentsOf, streamOf, type StreamRequest } from "../web/request.ts";
import { type PemCertificate, readPemCertificate } from "./certificate.ts";
import { type DoorHost, type OpenDoor, sendBufferOf } from "./doors.ts";
import { RemotingSessions } from "./remoting_sessions.ts";
import { RtmpSessions } from "./rtmp_sessions.ts";
import { RtwsSockets } from "./rtws_sockets.ts";
import { StartError } from "./start_error.ts";
import { TcpGate } from "./tcp_gate.ts";
import { WebLists } from "./web_lists.ts";
import { WebOrigins } from "./web_origins.ts";
import { WebPages } from "./web_pages.ts";
import { WebPlaces } from "./web_places.ts";
import { WebRecordings } from "./web_recordings.ts";
import { pageResponse, textResponse } from "./web_responses.ts";
import { WebViewers } from "./web_viewers.ts";

/** Maximum ms for requests to end when the server stops. */
const STOP_TIMEOUT = 500;
/** Maximum number of connections above the limit of viewers. */
const MORE_CONNECTIONS = 256;
/** Path of the lists of recordings, before the path of an application. */
const RECORDINGS = "/-/recordings";
const READING = new Set(["GET", "HEAD"]);

/** @throws {StartError} if the port cannot be opened, or the certificate is invalid */
export async function openWebDoor(host: DoorHost): Promise<OpenDoor> {
  const config = host.config();
  const tls = await readPemCertificate("web", config["web.certificate"], config["web.key"]);
  const door = new WebDoor(host);
  try {
    await door.listen({
      hostname: config["web.address"],
      port: config["web.port"],
      tls,
      sendBuffer: sendBufferOf(config),
      writers: config["rtmfp.native"] === "off" ? undefined : openDirectWriters(),
    });
  } catch (error) {
    throw new StartError(
      `[web] address = ${config["web.address"]}, port = ${config["web.port"]}: ` +
        `cannot be opened: ${tcpError(error)}`,
    );
  }
  const { hostname, port } = door.address;
  const scheme = tls ? "HTTPS" : "HTTP";
  host.log.note(`${scheme} server starts on TCP port ${port} (${addressText({ hostname, port })})`);
  return door;
}

type Answer = Response | StreamedResponse;

class WebDoor implements OpenDoor {
  readonly #host: DoorHost;
  readonly #origins: WebOrigins;
  readonly #places: WebPlaces;
  readonly #rtws: RtwsSockets;
  readonly #rtmp: RtmpSessions;
  readonly #viewers: WebViewers;
  readonly #recordings: WebRecordings;
  readonly #remoting: RemotingSessions;
  readonly #gate: TcpGate;
  readonly #pages: WebPages;
  readonly #lists: WebLists;
  #server: WebServer | undefined;
  #certificate: PemCertificate | undefined;

  constructor(host: DoorHost) {
    this.#host = host;
    this.#origins = new WebOrigins(() => host.config()["web.origins"]);
    this.#places = new WebPlaces(() => host.config());
    this.#rtws = new RtwsSockets(host);
    this.#rtmp = new RtmpSessions(host);
    this.#viewers = new WebViewers(host);
    this.#recordings = new WebRecordings(host);
    this.#remoting = new RemotingSessions(host);
    this.#gate = new TcpGate(host);
    const listed = () => host.config()["web.list"] === "on";
    this.#pages = new WebPages(host.www, listed);
    this.#lists = new WebLists(host.hub, this.#recordings, listed);
  }

  async listen(options: Parameters<typeof serveWeb>[0]): Promise<void> {
    this.#certificate = options.tls;
    // More than viewers and WebSockets: some connections load pages.
    const maxConnections = this.#host.config()["web.viewers"] + MORE_CONNECTIONS;
    this.#server = await serveWeb(
      { ...options, maxConnections },
      (request, peer) => this.#handle(request, peer),
    );
  }

  /** Reloads the certificate, which may be new in the same or other files. */
  reload(): void {
    if (!this.#certificate) return;
    const config = this.#host.config();
    readPemCertificate("web", config["web.certificate"], config["web.key"])
      .then((certificate) => certificate && this.#server?.renew(certificate))
      .catch((error) => this.#host.log.error(`Keeping the old certificate: ${error.message}`));
  }

  get address(): { hostname: string; port: number } {
    return this.#server!;
  }

  row(): DoorRow {
    const { connections, accepted, traffic } = this.#server!;
    return {
      name: "web",
      sessions: connections,
      unconnected: Math.max(0, connections - this.#places.size),
      limit: this.#host.config()["web.viewers"] + MORE_CONNECTIONS,
      accepted,
      closed: this.#rtmp.row("web").closed,
      ...traffic,
    };
  }

  flush(now: number): void {
    this.#rtws.flush(now);
    this.#rtmp.flush(now);
    this.#viewers.flush(now);
  }

  get deadline(): number {
    return Math.min(this.#rtws.deadline, this.#rtmp.deadline, this.#viewers.deadline);
  }

  async stop(): Promise<void> {
    this.#rtws.close();
    this.#rtmp.close();
    this.#viewers.close();
    this.#recordings.close();
    this.#remoting.close();
    this.#gate.close();
    if (this.#server) await waitAtMost(this.#server.close(), STOP_TIMEOUT);
  }

  async #handle(request: Request, peer: WebPeer): Promise<Answer> {
    try {
      return await this.#answer(request, new URL(request.url), peer);
    } catch (error) {
      if (error instanceof NotViewable) return textResponse(error.status, error.message);
      this.#host.log.bug(`Cannot answer ${peer.hostname}`, error);
      return textResponse(500, "Internal server error: see its log");
    }
  }

  async #answer(request: Request, url: URL, peer: WebPeer): Promise<Answer> {
    if (this.#host.hub.blacklist.has(peer.hostname)) {
      return textResponse(403, "Your address is blocked");
    }
    const { pathname } = url;
    if (pathname === "/rtws") return this.#openRtws(request, peer);
    if (pathname === "/rtmp") return this.#openRtmp(request, peer);
    if (pathname.startsWith("/tcp/")) return this.#openGate(request, pathname, peer);
    if (isRemoting(request)) return await this.#remote(request, url, peer);
    if (request.method === "OPTIONS") return this.#origins.preflight(request, url);
    if (!READING.has(request.method)) {
      return textResponse(405, "Only GET and HEAD; POST for Flash remoting", {
        allow: "GET, HEAD, OPTIONS",
      });
    }
    const own = files.get(pathname);
    if (own) return pageResponse(request, own);
    if (pathname === "/-/streams") return this.#lists.streams();
    if (pathname.startsWith(RECORDINGS)) {
      return await this.#lists.recordings(pathname.slice(RECORDINGS.length));
    }
    const isFolder = pathname.endsWith("/");
    const segments = pathname === "/"
      ? []
      : segmentsOf(isFolder ? pathname.slice(0, -1) : pathname);
    if (!segments) return textResponse(404, "Page not found");
    const stream = isFolder ? undefined : streamOf(segments, ".flv");
    if (stream) return await this.#view(request, url, stream, peer);
    // Some programs use the application's address for the WebSocket.
    if (isUpgrade(request)) return this.#openRtws(request, peer);
    return await this.#pages.answer(request, segments, isFolder);
  }

  /** Answers with the live stream, else the recording of that name; `?recorded`: only the recording. */
  async #view(
    request: Request,
    url: URL,
    stream: StreamRequest,
    peer: WebPeer,
  ): Promise<Answer> {
    const refused = this.#refuses(request, peer);
    if (refused) return refused;
    const isSocket = isUpgrade(request);
    const wantsFile = url.searchParams.has("recorded");
    const isLive = () => this.#host.hub.publications.get(stream.name)?.publishing ?? false;
    if (!isSocket && (wantsFile || !isLive())) {
      const recorded = await this.#recordings.find(stream);
      if (recorded) return this.#file(request, url, stream, peer, recorded);
      if (wantsFile) return textResponse(404, `Recording ${stream.name} not found`);
    }
    const release = isLive() ? undefined : await this.#host.seek?.(stream.name);
    try {
      return this.#viewLive(request, url, stream, peer);
    } finally {
      release?.();
    }
  }

  #viewLive(
    request: Request,
    url: URL,
    stream: StreamRequest,
    peer: WebPeer,
  ): Answer {
    if (request.method === "HEAD") {
      this.#viewers.ask(request, stream, peer);
      return new Response(null, { headers: this.#origins.streamHeaders(request, url) });
    }
    const leave = this.#places.take(peer);
    try {
      if (isUpgrade(request)) {
        const make = () => upgradeToWebSocket(request);
        const upgraded = this.#viewers.openSocket(request, stream, peer, leave, make);
        return upgraded?.response ??
          textResponse(426, "This address serves only WebSockets", { upgrade: "websocket" });
      }
      const headers = this.#origins.streamHeaders(request, url);
      return this.#viewers.openBody(request, stream, peer, headers, leave);
    } catch (error) {
      leave();
      throw error;
    }
  }

  #file(
    request: Request,
    url: URL,
    stream: StreamRequest,
    peer: WebPeer,
    recorded: Recorded,
  ): Answer {
    const leave = this.#places.take(peer);
    try {
      const headers = this.#origins.streamHeaders(request, url);
      return this.#recordings.answer(request, stream, peer, recorded, headers, leave);
    } catch (error) {
      leave();
      throw error;
    }
  }

  #openRtws(request: Request, peer: WebPeer): Response {
    return this.#upgrade(request, peer, (socket, leave) => this.#rtws.open(socket, peer, leave));
  }

  /** Opens a WebSocket with RTMP inside. WEB-408. */
  #openRtmp(request: Request, peer: WebPeer): Response {
    return this.#upgrade(request, peer, (socket, leave) => {
      this.#rtmp.accept(new WebSocketStream(socket, peer, leave), "rtmp");
    });
  }

  #openGate(request: Request, pathname: string, peer: WebPeer): Response {
    const refused = this.#refuses(request, peer);
    if (refused) return refused;
    const port = this.#gate.portOf(pathname);
    if (typeof port === "string") return textResponse(404, port);
    return this.#upgrade(
      request,
      peer,
      (socket, leave) => this.#gate.open(socket, port, leave),
    );
  }

  /** Opens a WebSocket. @param open receives the socket, and a function that frees its place */
  #upgrade(
    request: Request,
    peer: WebPeer,
    open: (socket: WebSocketConnection, leave: () => void) => void,
  ): Response {
    const refused = this.#refuses(request, peer);
    if (refused) return refused;
    const upgraded = upgradeToWebSocket(request);
    if (!upgraded) return textResponse(426, "Open a WebSocket here", { upgrade: "websocket" });
    open(upgraded.socket, this.#places.take(peer));
    return upgraded.response;
  }

  /** Answers a packet of Flash remoting: a POST to the address of an application. WEB-603. */
  async #remote(request: Request, url: URL, peer: WebPeer): Promise<Response> {
    const { pathname } = url;
    const end = pathname.endsWith("/") ? -1 : undefined;
    const segments = pathname === "/" ? [] : segmentsOf(pathname.slice(0, end));
    if (!segments) return textResponse(404, "Application not found");
    const path = segments.map((segment) => `/${segment}`).join("");
    const place = () => this.#places.full(peer) ?? this.#places.take(peer);
    const refused = this.#origins.refusal(request);
    if (refused) return refused;
    const { status, body, cookie } = await this.#remoting.answer(request, path, peer, place);
    if (typeof body === "string") {
      return textResponse(status, body, this.#origins.headers(request, url));
    }
    return new Response(body, {
      headers: {
        "content-type": "application/x-amf",
        "cache-control": "no-store",
        ...this.#origins.headers(request, url),
        ...cookie && { "set-cookie": cookie },
      },
    });
  }

  /** The answer that refuses a WebSocket or viewer; undefined if the request is allowed. */
  #refuses(request: Request, peer: WebPeer): Response | undefined {
    const refused = this.#origins.refusal(request);
    if (refused) return refused;
    const full = this.#places.full(peer);
    return full ? textResponse(503, full, { "retry-after": "5" }) : undefined;
  }
}

const isUpgrade = (request: Request): boolean =>
  request.headers.get("upgrade")?.toLowerCase() === "websocket";

/** Whether a request is a packet of Flash remoting. */
function isRemoting(request: Request): boolean {
  const type = request.headers.get("content-type") ?? "";
  return request.method === "POST" && /^application\/x-amf\b/i.test(type);
}
