import type { ListedRecording, Recorded } from "../media/recordings.ts";
import type { WebPeer } from "../net/web_server.ts";
import { FileViewer } from "../web/file_viewer.ts";
import { type ByteRange, readRange } from "../web/range.ts";
import type { StreamRequest } from "../web/request.ts";
import type { DoorHost } from "./doors.ts";
import { viewing } from "./web_viewers.ts";

/** Bytes of a block that is read ahead of a viewer. */
const BLOCK = 128 * 1024;

/** Recordings by HTTP, whole or in ranges. VOD-082. */
export class WebRecordings {
  readonly #host: DoorHost;
  readonly #viewers = new Set<FileViewer>();

  constructor(host: DoorHost) {
    this.#host = host;
  }

  /** Opens the recording of a name in the application that serves a path; undefined if there is none. */
  async find({ path, name }: StreamRequest): Promise<Recorded | undefined> {
    const { hub } = this.#host;
    const application = hub.applications.open(path);
    if (!application || !hub.recordings) return undefined;
    const { promise, resolve } = Promise.withResolvers<Recorded | undefined>();
    hub.recordings.open(application.path, name, resolve);
    return await promise;
  }

  /** Lists the recordings of the application that serves a path; undefined if no application does. */
  async list(path: string): Promise<readonly ListedRecording[] | undefined> {
    const { hub } = this.#host;
    const application = hub.applications.open(path);
    if (!application || !hub.recordings) return undefined;
    const { promise, resolve } = Promise.withResolvers<readonly ListedRecording[]>();
    hub.recordings.list(application.path, resolve);
    return await promise;
  }

  /**
   * Answers with a recording, and closes it at the end.
   *
   * @param leave called once at the end
   * @throws {NotViewable} the application refuses
   */
  answer(
    request: Request,
    stream: StreamRequest,
    peer: WebPeer,
    recorded: Recorded,
    headers: Record<string, string>,
    leave: () => void,
  ): Response {
    const { hub } = this.#host;
    const viewer = new FileViewer(
      hub,
      viewing(request, stream, peer, "http", this.#host),
      recorded,
      () => {
        this.#viewers.delete(viewer);
        leave();
      },
    );
    this.#viewers.add(viewer);
    const { file } = recorded;
    const etag = `"${file.size.toString(16)}-${file.modified.toString(16)}"`;
    const all = {
      ...headers,
      "accept-ranges": "bytes",
      "cache-control": "no-cache",
      etag,
    };
    const ifRange = request.headers.get("if-range");
    const range = ifRange === null || ifRange === etag
      ? readRange(request.headers.get("range"), file.size)
      : undefined;
    if (range === "none") {
      viewer.close();
      return new Response(null, {
        status: 416,
        headers: { ...all, "content-range": `bytes */${file.size}` },
      });
    }
    const { first, last } = range ?? { first: 0, last: file.size - 1 };
    const body = request.method === "HEAD" ? null : this.#body(viewer, recorded, { first, last });
    if (!body) viewer.close();
    return new Response(body, {
      status: range ? 206 : 200,
      headers: {
        ...all,
        "content-length": String(last - first + 1),
        ...range && { "content-range": `bytes ${first}-${last}/${file.size}` },
      },
    });
  }

  close(): void {
    for (const viewer of [...this.#viewers]) viewer.close();
  }

  #body(
    viewer: FileViewer,
    { file }: Recorded,
    { first, last }: ByteRange,
  ): ReadableStream<Uint8Array> {
    let at = first;
    const end = () => this.#host.input("Cannot end a viewer", () => viewer.close());
    return new ReadableStream<Uint8Array>({
      pull: (controller) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        file.read(at, Math.min(BLOCK, last + 1 - at), (bytes) => {
          viewer.took();
          if (viewer.ended || !bytes || bytes.length === 0) {
            const reason = viewer.ended
              ? "A script has ended the response"
              : "The recording cannot be read";
            viewer.close();
            controller.error(new Error(reason));
            return resolve();
          }
          at += bytes.length;
          controller.enqueue(bytes);
          if (at > last) {
            viewer.close();
            controller.close();
          }
          resolve();
        });
        return promise;
      },
      cancel: end,
    }, { highWaterMark: 0 });
  }
}
