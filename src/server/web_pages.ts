import { StaticFiles } from "../net/static_files.ts";
import { list, player } from "../web/pages.ts";
import { PAGE_HEADERS, pageResponse, textResponse } from "./web_responses.ts";

/** Files of applications, and where there are none the pages that list and play streams. */
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

  /** A file of an application, or the page that plays or lists streams. */
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
      if (this.#listed()) return pageResponse(request, list, PAGE_HEADERS);
      return textResponse(
        404,
        "Streams are at /application/name; with [web] list = on this page lists them",
      );
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
    return pageResponse(request, player, PAGE_HEADERS);
  }
}
