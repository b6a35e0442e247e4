// Files of applications' pages: only those in the folder `web` of each.
import { isAbsent } from "./absent.ts";
import { fileTurns } from "./file_turns.ts";
import { realFile } from "./real_file.ts";

interface StaticFile {
  readonly type: string;
  readonly etag: string;
  readonly size: number;
  /** Its content; cancel the stream if it is not read. */
  open(): Promise<ReadableStream<Uint8Array>>;
}

const TYPES: Record<string, string> = {
  avif: "image/avif",
  css: "text/css; charset=utf-8",
  flv: "video/x-flv",
  gif: "image/gif",
  html: "text/html; charset=utf-8",
  ico: "image/x-icon",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  js: "text/javascript; charset=utf-8",
  json: "application/json",
  map: "application/json",
  mjs: "text/javascript; charset=utf-8",
  mp3: "audio/mpeg",
  mp4: "video/mp4",
  ogg: "audio/ogg",
  png: "image/png",
  svg: "image/svg+xml",
  swf: "application/x-shockwave-flash",
  txt: "text/plain; charset=utf-8",
  wasm: "application/wasm",
  wav: "audio/wav",
  webp: "image/webp",
  woff2: "font/woff2",
  xml: "application/xml",
};
const FOLDER = "web";
const INDEX = "index.html";

/** The public files of the applications under a folder: `www/chat/web/a.js` is `/chat/a.js`. */
export class StaticFiles {
  readonly #root: string;

  /** @param root the folder of the applications */
  constructor(root: string) {
    this.#root = root.replace(/[/\\]$/, "");
  }

  /**
   * The file of a path, from the application with the longest path that has it.
   *
   * @param segments decoded, without `.`, `..`, slashes and control characters; a path that ends with
   *   a slash has no last segment
   */
  async find(segments: readonly string[], isFolder: boolean): Promise<StaticFile | undefined> {
    if (segments.some((segment) => segment.startsWith("."))) return undefined;
    for (let depth = segments.length; depth >= 0; depth--) {
      const folder = [this.#root, ...segments.slice(0, depth), FOLDER].join("/");
      const rest = segments.slice(depth);
      if (rest.length === 0 && !isFolder) continue; // "/chat" must be "/chat/": relative links would break
      const path = isFolder ? [...rest, INDEX] : rest;
      const file = await fileTurns.run(() => this.#file(folder, path));
      if (file) return file;
    }
    return undefined;
  }

  /** Whether a path is a page once a slash is added. */
  async isPage(segments: readonly string[]): Promise<boolean> {
    return await this.find(segments, true) !== undefined;
  }

  async #file(folder: string, path: readonly string[]): Promise<StaticFile | undefined> {
    const name = path.at(-1)!;
    try {
      const real = await realFile(folder, path.join("/"));
      if (real === undefined) return undefined;
      const { size, mtime } = await Deno.stat(real);
      return {
        type: TYPES[name.split(".").at(-1)!.toLowerCase()] ?? "application/octet-stream",
        etag: `"${size.toString(16)}-${(mtime?.getTime() ?? 0).toString(16)}"`,
        size,
        open: async () => (await Deno.open(real, { read: true })).readable,
      };
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }
}
