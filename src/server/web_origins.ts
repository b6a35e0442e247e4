import { textResponse } from "./web_responses.ts";

/** Decides which pages of other origins may use the web door: `[web] origins`. WEB-203, WEB-702. */
export class WebOrigins {
  readonly #origins: () => readonly string[];

  /** @param origins in lower case; `*` allows all */
  constructor(origins: () => readonly string[]) {
    this.#origins = origins;
  }

  /** Answers the request that a browser sends before one of another origin. */
  preflight(request: Request, url: URL): Response {
    return new Response(null, {
      status: 204,
      headers: {
        ...this.headers(request, url),
        "access-control-allow-methods": "GET, HEAD, POST",
        "access-control-allow-headers": "content-type, range, if-range",
        "access-control-max-age": "600",
      },
    });
  }

  /** Headers of a stream. */
  streamHeaders(request: Request, url: URL): Record<string, string> {
    return {
      "content-type": "video/x-flv",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
      ...this.headers(request, url),
    };
  }

  /** Headers that let a page of an allowed origin read the response. WEB-203, WEB-702 */
  headers(request: Request, url: URL): Record<string, string> {
    const origin = request.headers.get("origin");
    if (origin === null || !this.#allows(origin, url)) return {};
    const all = this.#origins().includes("*");
    return { "access-control-allow-origin": all ? "*" : origin, vary: "origin" };
  }

  /** The answer that refuses a page; undefined if its origin is allowed. */
  refusal(request: Request): Response | undefined {
    const origin = request.headers.get("origin");
    if (origin === null || this.#allows(origin, new URL(request.url))) return undefined;
    return textResponse(403, `[web] origins does not allow pages of ${origin.slice(0, 200)}`);
  }

  /** Whether an origin is allowed; the door's own pages always are. WEB-702 */
  #allows(origin: string, { host, protocol }: URL): boolean {
    const origins = this.#origins();
    const one = origin.toLowerCase();
    return origins.includes("*") || origins.includes(one) || one === `${protocol}//${host}`;
  }
}
