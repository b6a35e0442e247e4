// The web door: HTTP and WebSockets for browsers.
import { addressText } from "../rtmfp/wire/address.ts";
import { serveWeb, upgradeToWebSocket, type WebPeer, type WebServer } from "../net/web_server.ts";
import { tcpError } from "../net/tcp.ts";
import { readCertificate } from "./certificate.ts";
import type { DoorHost, OpenDoor } from "./doors.ts";
import { RtwsSockets } from "./rtws_sockets.ts";
import { StartError } from "./start_error.ts";
import { WebPlaces } from "./web_places.ts";

/** Milliseconds that requests have to end when the server stops. */
const STOP_WITHIN = 500;

/** @throws {StartError} if the port cannot be had, or the certificate cannot be used */
export async function openWebDoor(host: DoorHost): Promise<OpenDoor> {
  const config = host.config();
  const tls = await readCertificate("web", config["web.certificate"], config["web.key"]);
  const door = new WebDoor(host);
  try {
    door.listen({ hostname: config["web.address"], port: config["web.port"], tls });
  } catch (error) {
    throw new StartError(
      `[web] address = ${config["web.address"]}, port = ${config["web.port"]}: ` +
        `it cannot be opened: ${tcpError(error)}`,
    );
  }
  const { hostname, port } = door.address;
  const scheme = tls ? "HTTPS" : "HTTP";
  host.log.note(`${scheme} server starts on TCP port ${port} (${addressText({ hostname, port })})`);
  return door;
}

class WebDoor implements OpenDoor {
  readonly #host: DoorHost;
  readonly #places: WebPlaces;
  readonly #rtws: RtwsSockets;
  #server: WebServer | undefined;

  constructor(host: DoorHost) {
    this.#host = host;
    this.#places = new WebPlaces(() => host.config());
    this.#rtws = new RtwsSockets(host);
  }

  listen(options: Parameters<typeof serveWeb>[0]): void {
    this.#server = serveWeb(options, (request, peer) => this.#handle(request, peer));
  }

  get address(): { hostname: string; port: number } {
    return this.#server!;
  }

  flush(now: number): void {
    this.#rtws.flush(now);
  }

  get deadline(): number {
    return this.#rtws.deadline;
  }

  async stop(): Promise<void> {
    this.#rtws.close();
    const late = new Promise((resolve) => setTimeout(resolve, STOP_WITHIN));
    await Promise.race([this.#server?.close(), late]);
  }

  #handle(request: Request, peer: WebPeer): Response {
    try {
      return this.#answer(request, new URL(request.url), peer);
    } catch (error) {
      this.#host.log.bug(`Cannot answer ${peer.hostname}`, error);
      return text(500, "The server has a fault, which its log tells of");
    }
  }

  #answer(request: Request, url: URL, peer: WebPeer): Response {
    if (this.#host.hub.blacklist.has(peer.hostname)) return text(403, "Your address is blocked");
    if (url.pathname === "/rtws") return this.#openRtws(request, peer);
    return text(404, "There is nothing here");
  }

  #openRtws(request: Request, peer: WebPeer): Response {
    const refused = this.#refuses(request, peer);
    if (refused) return refused;
    const upgraded = upgradeToWebSocket(request);
    if (!upgraded) return text(426, "Open a WebSocket here", { upgrade: "websocket" });
    const leave = this.#places.take(peer);
    this.#rtws.open(upgraded.socket, peer, leave);
    return upgraded.response;
  }

  /** Whether a WebSocket or a viewer may not come in: the answer that says so. */
  #refuses(request: Request, peer: WebPeer): Response | undefined {
    const origin = request.headers.get("origin");
    if (origin !== null && !this.#allows(origin, new URL(request.url))) {
      return text(403, `Pages of ${origin.slice(0, 200)} may not use this server: [web] origins`);
    }
    const full = this.#places.full(peer);
    return full ? text(503, full, { "retry-after": "5" }) : undefined;
  }

  /** A page of the door itself may always; WEB-702. */
  #allows(origin: string, { host, protocol }: URL): boolean {
    const origins = this.#host.config()["web.origins"];
    const one = origin.toLowerCase();
    return origins.includes("*") || origins.includes(one) || one === `${protocol}//${host}`;
  }
}

function text(status: number, body: string, headers: Record<string, string> = {}): Response {
  return new Response(`${body}\n`, {
    status,
    headers: {
      "content-type": "text/plain; charset=utf-8",
      "cache-control": "no-store",
      ...headers,
    },
  });
}
