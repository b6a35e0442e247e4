import { textResponse } from "./web_responses.ts";

/** Which pages of other origins may use the web door: `[web] origins`. WEB-203, WEB-702. */
export class WebOrigins {
  readonly #origins: () => readonly string[];

  /** @param origins in lower case; `*` allows all */
  constructor(origins: () => readonly string[]) {
    this.#origins = origins;
  }

  /** Answers what a browser asks before it sends a request of another origin. */
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

  /** WEB-203, WEB-702: pages of origins that are not allowed get no header, and read nothing. */
  headers(request: Request, url: URL): Record<string, string> {
    const origin = request.headers.get("origin");
    if (origin === null || !this.#allows(origin, url)) return {};
    const all = this.#origins().includes("*");
    return { "access-control-allow-origin": all ? "*" : origin, vary: "origin" };
  }

  /** The refusal of a page that may not use this server. */
  refusal(request: Request): Response | undefined {
    const origin = request.headers.get("origin");
    if (origin === null || this.#allows(origin, new URL(request.url))) return undefined;
    return textResponse(403, `[web] origins does not allow pages of ${origin.slice(0, 200)}`);
  }

  /** A page of the door itself may always; WEB-702. */
  #allows(origin: string, { host, protocol }: URL): boolean {
    const origins = this.#origins();
    const one = origin.toLowerCase();
    return origins.includes("*") || origins.includes(one) || one === `${protocol}//${host}`;
  }
}
