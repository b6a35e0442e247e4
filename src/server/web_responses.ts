// Responses of the web door: pages, JSON and lines of text.
import type { Page } from "../web/pages.ts";

/** Headers of pages that restrict their sources of scripts, styles and media. WEB-304. */
export const PAGE_HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
    "media-src blob:; worker-src blob:; base-uri 'none'; form-action 'none'",
  "referrer-policy": "same-origin",
  "x-content-type-options": "nosniff",
};

/** One of the door's own pages; 304 if the browser has it already. */
export function pageResponse(
  request: Request,
  page: Page,
  headers: Record<string, string> = {},
): Response {
  const all = {
    "content-type": page.type,
    "cache-control": "no-cache",
    etag: page.etag,
    "x-content-type-options": "nosniff",
    ...headers,
  };
  if (request.headers.get("if-none-match") === page.etag) {
    return new Response(null, { status: 304, headers: all });
  }
  return new Response(page.text, { headers: all });
}

/** A value as JSON. */
export const jsonResponse = (value: unknown): Response =>
  new Response(JSON.stringify(value), {
    headers: { "content-type": "application/json", "cache-control": "no-store" },
  });

/** A line of plain text. */
export function textResponse(
  status: number,
  body: string,
  headers: Record<string, string> = {},
): Response {
  return new Response(`${body}\n`, {
    status,
    headers: {
      "content-type": "text/plain; charset=utf-8",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      ...headers,
    },
  });
}
