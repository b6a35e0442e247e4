import { concat } from "../bytes/concat.ts";
import { toHex } from "../bytes/hex.ts";
import { WireError } from "../bytes/wire_error.ts";
import { addressText } from "../common/address.ts";
import { turns } from "../net/turns.ts";
import { MustWait, Refused, UnknownApplication } from "../media/refused.ts";
import type { WebPeer } from "../net/web_server.ts";
import { readTarget } from "../tc/target.ts";
import { RemotingSession } from "../web/remoting.ts";
import type { DoorHost } from "./doors.ts";

const COOKIE = "cumulus";
/** Maximum bytes of one packet. */
const MAX_BODY = 1 << 20;

/** Maximum ms that a packet waits for a busy application, and ms between two attempts. */
const BUSY_TIMEOUT = 10_000;
const RETRY_INTERVAL = 50;

/** An answer to a POST. */
interface RemotingResponse {
  readonly status: number;
  /** A packet, or a text for the user. */
  readonly body: Uint8Array<ArrayBuffer> | string;
  /** The value of the header Set-Cookie. */
  readonly cookie?: string;
}

/** The answer while the application is busy. */
const BUSY: RemotingResponse = { status: 503, body: "The application is busy: try again" };

/** The session that the first attempt opened for a packet without a session's cookie. */
interface Caller {
  session?: RemotingSession;
  cookie?: string;
}

/** Sessions of Flash remoting, by a cookie, which lasts until a minute without a call. WEB-603. */
export class RemotingSessions {
  readonly #host: DoorHost;
  readonly #sessions = new Map<string, RemotingSession>();

  constructor(host: DoorHost) {
    this.#host = host;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /**
   * Answers a POST.
   *
   * @param path path of the application
   * @param place takes a place for a new client, and returns a function that frees it; or the reason of a refusal
   */
  async answer(
    request: Request,
    path: string,
    peer: WebPeer,
    place: () => (() => void) | string,
  ): Promise<RemotingResponse> {
    const packet = await readBody(request);
    if (!packet) return { status: 413, body: `A packet has at most ${MAX_BODY} bytes` };
    const until = this.#host.now() + BUSY_TIMEOUT;
    const caller: Caller = {};
    let response: RemotingResponse | undefined;
    do {
      if (response) await new Promise((resolve) => setTimeout(resolve, RETRY_INTERVAL));
      response = undefined;
      await turns.take(() =>
        this.#host.input("Cannot answer a remoting client", () => {
          response = this.#answer(request, path, peer, packet, place, caller);
        })
      );
    } while (response === BUSY && this.#host.now() < until);
    return response ?? { status: 500, body: "Internal server error: see its log" };
  }

  close(): void {
    for (const session of [...this.#sessions.values()]) session.close();
  }

  #answer(
    request: Request,
    path: string,
    peer: WebPeer,
    packet: Uint8Array,
    place: () => (() => void) | string,
    caller: Caller,
  ): RemotingResponse {
    const known = keyOf(request, path, peer);
    const session = caller.session ?? (known === undefined ? undefined : this.#sessions.get(known));
    try {
      if (!session) {
        const leave = place();
        if (typeof leave === "string") return { status: 503, body: leave };
        const id = toHex(this.#host.random(16));
        const key = `${id} ${path} ${peer.hostname}`;
        caller.session = this.#open(request, path, peer, key, leave);
        caller.cookie = `${COOKIE}=${id}; Path=${encodeURI(path) || "/"}; HttpOnly; SameSite=Lax`;
      }
      const body = (session ?? caller.session!).answer(packet);
      return { status: 200, body, cookie: caller.cookie };
    } catch (error) {
      if (error instanceof UnknownApplication) return { status: 404, body: error.message };
      if (error instanceof MustWait) return BUSY;
      if (error instanceof Refused) return { status: 403, body: error.description || "Refused" };
      if (error instanceof WireError) return { status: 400, body: error.message };
      throw error;
    }
  }

  #open(
    request: Request,
    path: string,
    peer: WebPeer,
    key: string,
    leave: () => void,
  ): RemotingSession {
    const { hub, random } = this.#host;
    const { search } = new URL(request.url);
    const header = (name: string) => (request.headers.get(name) ?? "").slice(0, 1024);
    try {
      const session = new RemotingSession(hub, {
        rawId: random(32),
        path,
        properties: readTarget(`/${search}`).properties,
        flashVersion: header("user-agent"),
        pageUrl: header("referer") || header("origin"),
        swfUrl: "",
        address: addressText(peer),
        hostname: peer.hostname,
      }, () => {
        this.#sessions.delete(key);
        leave();
      });
      this.#sessions.set(key, session);
      return session;
    } catch (error) {
      leave();
      throw error;
    }
  }
}

/** Key of a request's session: its cookie is valid only for one address and application. */
function keyOf(request: Request, path: string, peer: WebPeer): string | undefined {
  const cookies = (request.headers.get("cookie") ?? "").slice(0, 4096).split(/; */, 64);
  const own = cookies.find((one) => one.startsWith(`${COOKIE}=`));
  return own === undefined ? undefined : `${own.slice(COOKIE.length + 1)} ${path} ${peer.hostname}`;
}

/** @returns undefined if the body is longer than {@link MAX_BODY} */
async function readBody(request: Request): Promise<Uint8Array | undefined> {
  if (Number(request.headers.get("content-length") ?? 0) > MAX_BODY) return undefined;
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of request.body ?? []) {
    length += part.length;
    if (length > MAX_BODY) return undefined;
    parts.push(part);
  }
  return concat(parts);
}
