import { StaticFiles } from "../net/static_files.ts";
import { front, list, player, SAMPLES } from "../web/pages.ts";
import { PAGE_HEADERS, pageResponse, textResponse } from "./web_responses.ts";

/** Matches names that are not streams: browsers, scanners and pages ask for such files. */
const FILE = /^\.|\.(css|html?|ico|ini|js|json|lua|map|mjs|php|png|svg|swf|txt|wasm|xml)$/i;

/** Files of applications, else the web door's own pages. */
export class WebPages {
  readonly #files: StaticFiles;
  readonly #listed: () => boolean;

  /**
   * @param www the folder of the applications
   * @param listed whether the page at `/` lists streams
   */
  constructor(www: string, listed: () => boolean) {
    this.#files = new StaticFiles(www);
    this.#listed = listed;
  }

  /** Answers with a file of an application, or one of the door's own pages. */
  async answer(request: Request, segments: string[], isFolder: boolean): Promise<Response> {
    const file = await this.#files.find(segments, isFolder);
    if (file) {
      const headers = { "content-type": file.type, "cache-control": "no-cache", etag: file.etag };
      if (request.headers.get("if-none-match") === file.etag) {
        return new Response(null, { status: 304, headers });
      }
      const body = request.method === "HEAD" ? null : await file.open();
      return new Response(body, {
        headers: {
          ...headers,
          "content-length": String(file.size),
          "x-content-type-options": "nosniff",
        },
      });
    }
    if (segments.length === 0) {
      const page = this.#listed() ? list : front(await this.#samples());
      return pageResponse(request, page, PAGE_HEADERS);
    }
    if (isFolder) return textResponse(404, "Page not found");
    if (await this.#files.isPage(segments)) {
      return textResponse(
        308,
        "The page of this application is at this address with / at its end",
        {
          location: `${new URL(request.url).pathname}/`,
        },
      );
    }
    if (segments.some((segment) => FILE.test(segment))) return textResponse(404, "Page not found");
    return pageResponse(request, player, PAGE_HEADERS);
  }

  /** Names of the sample applications whose pages are installed. */
  async #samples(): Promise<string[]> {
    const found: string[] = [];
    for (const name of SAMPLES.keys()) if (await this.#files.isPage([name])) found.push(name);
    return found;
  }
}
