// Requests to the HTTP port: metrics, health, JSON and the page.
import { equalBytes } from "../bytes/equal.ts";
import { METRICS_TYPE, metricsOf } from "./metrics.ts";
import chart from "./page/chart.js" with { type: "text" };
import format from "./page/format.js" with { type: "text" };
import help from "./page/help.html" with { type: "text" };
import html from "./page/index.html" with { type: "text" };
import script from "./page/page.js" with { type: "text" };
import problems from "./page/problems.js" with { type: "text" };
import style from "./page/style.css" with { type: "text" };
import table from "./page/table.js" with { type: "text" };
import tables from "./page/tables.js" with { type: "text" };
import { selectRows } from "./rows.ts";
import type { MonitorSource } from "./snapshot.ts";

export interface MonitorOptions {
  readonly source: MonitorSource;
  /** Required on every request except `/health` and the page's own files; "" requires no token. */
  readonly token: string;
  /**
   * Allowed host names besides IP addresses and `localhost`. This refuses a page of another site that
   * points its name at this machine (DNS rebinding).
   */
  readonly hosts: readonly string[];
  /** Whether the server runs; otherwise `/health` answers 503. */
  readonly healthy: () => boolean;
  /** Restarts all applications; needs the token. */
  readonly restart: () => void;
}

const HTML = "text/html; charset=utf-8";
const SCRIPT = "text/javascript; charset=utf-8";

/** Files of the page, served without a token: type and text by path. */
const FILES: ReadonlyMap<string, readonly [type: string, text: string]> = new Map([
  ["/", [HTML, html]],
  ["/help", [HTML, help]],
  ["/style.css", ["text/css; charset=utf-8", style]],
  ["/page.js", [SCRIPT, script]],
  ["/problems.js", [SCRIPT, problems]],
  ["/chart.js", [SCRIPT, chart]],
  ["/format.js", [SCRIPT, format]],
  ["/table.js", [SCRIPT, table]],
  ["/tables.js", [SCRIPT, tables]],
]);

const SECURITY = {
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

export class Monitor {
  readonly #options: MonitorOptions;

  constructor(options: MonitorOptions) {
    this.#options = options;
  }

  /** Answers one request; never throws. */
  async handle(request: Request): Promise<Response> {
    try {
      return await this.#answer(request);
    } catch (error) {
      return text(500, `Cannot answer: ${(error as Error).message}`);
    }
  }

  async #answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    if (!this.#knowsHost(url.hostname)) {
      return text(421, "Use the IP address, localhost, or a name of [http] hosts");
    }
    if (url.pathname === "/api/reload") return await this.#reload(request);
    if (request.method !== "GET" && request.method !== "HEAD") {
      return text(405, "Only GET and HEAD", { allow: "GET, HEAD" });
    }
    const file = FILES.get(url.pathname);
    if (file) return text(200, file[1], { "content-type": file[0] });
    if (url.pathname === "/health") {
      return this.#options.healthy() ? text(200, "ok") : text(503, "stopping");
    }
    const refused = await this.#refuses(request);
    if (refused) return refused;
    if (url.pathname === "/metrics") {
      return text(200, metricsOf(this.#options.source), { "content-type": METRICS_TYPE });
    }
    const value = this.#value(url);
    return value === undefined
      ? text(
        404,
        "This port has /, /help, /health, /metrics, /api/status, /api/history, /api/clients, " +
          "/api/publications, /api/groups, /api/servers, /api/relays and /api/applications; POST /api/reload",
      )
      : json(value);
  }

  #value({ pathname, searchParams }: URL): unknown {
    const source = this.#options.source;
    const all = <T>(rows: T[]) => () => ({ total: rows.length, rows });
    switch (pathname) {
      case "/api/status":
        return { ...source.status(), ...source.totals() };
      case "/api/history":
        return source.history();
      case "/api/clients":
        return selectRows(source.clients.bind(source), searchParams);
      case "/api/publications":
        return selectRows(source.publications.bind(source), searchParams);
      case "/api/groups":
        return selectRows(source.groups.bind(source), searchParams);
      case "/api/servers":
        return selectRows(all(source.servers()), searchParams);
      case "/api/relays":
        return selectRows(source.relays.bind(source), searchParams);
      case "/api/applications":
        return selectRows(all(source.applications()), searchParams);
    }
  }

  /** Restarts all applications. Needs a token: otherwise any web page in a browser here could send the request. */
  async #reload(request: Request): Promise<Response> {
    if (request.method !== "POST") return text(405, "Only POST", { allow: "POST" });
    if (this.#options.token === "") return text(403, "Set [http] token first");
    const refused = await this.#refuses(request);
    if (refused) return refused;
    this.#options.restart();
    return json({ rows: this.#options.source.applications() });
  }

  #knowsHost(hostname: string): boolean {
    const host = hostname.replace(/^\[|\]$/g, "");
    return host === "localhost" || /^[\d.]+$/.test(host) || host.includes(":") ||
      this.#options.hosts.includes(host);
  }

  /** The answer to a request with a wrong token or none; undefined if the request is allowed. */
  async #refuses(request: Request): Promise<Response | undefined> {
    const { token } = this.#options;
    const given = /^Bearer (.+)$/i.exec(request.headers.get("authorization") ?? "")?.[1] ?? "";
    if (token === "" || await sameText(given, token)) return undefined;
    const why = given
      ? "Wrong token"
      : "Token required: send the header Authorization: Bearer TOKEN";
    return text(401, why, { "www-authenticate": "Bearer" });
  }
}

/** Compares two texts in constant time. */
async function sameText(a: string, b: string): Promise<boolean> {
  const digest = async (text: string) =>
    new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return equalBytes(await digest(a), await digest(b));
}

const json = (value: unknown): Response =>
  text(200, JSON.stringify(value), { "content-type": "application/json" });

function text(status: number, body: string, headers: Record<string, string> = {}): Response {
  return new Response(status < 400 ? body : `${body}\n`, { // a terminal shows the line by itself
    status,
    headers: { "content-type": "text/plain; charset=utf-8", ...SECURITY, ...headers },
  });
}
