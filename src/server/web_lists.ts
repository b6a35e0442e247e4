import type { Hub } from "../media/hub.ts";
import type { Listener } from "../media/listener.ts";
import { segmentsOf } from "../web/request.ts";
import type { WebRecordings } from "./web_recordings.ts";
import { jsonResponse, textResponse } from "./web_responses.ts";

const listsAreOff = () =>
  textResponse(404, "CumulusServer.ini does not have list = on below [web]");

/** How many clients watch: the server listens to what it records or sends elsewhere, too. */
function viewersOf(listeners: Iterable<Pick<Listener, "client">>): number {
  let viewers = 0;
  for (const { client } of listeners) if (client) viewers++;
  return viewers;
}

/** The lists that pages of the web door show. */
export class WebLists {
  readonly #hub: Hub;
  readonly #recordings: WebRecordings;
  readonly #listed: () => boolean;

  /** @param listed whether there are lists */
  constructor(hub: Hub, recordings: WebRecordings, listed: () => boolean) {
    this.#hub = hub;
    this.#recordings = recordings;
    this.#listed = listed;
  }

  /** The recordings of an application, as its page shows them. */
  async recordings(path: string): Promise<Response> {
    if (!this.#listed()) return listsAreOff();
    const segments = path === "" ? [] : segmentsOf(path);
    const files = segments &&
      await this.#recordings.list(segments.map((segment) => `/${segment}`).join(""));
    if (!files) return textResponse(404, "Application not found");
    return jsonResponse(files);
  }

  /** The streams on air, as the list shows them. */
  streams(): Response {
    if (!this.#listed()) return listsAreOff();
    const streams = [...this.#hub.published()].map((publication) => {
      const { name, publisher, listeners } = publication;
      const path = typeof publisher === "object" ? publisher.path : "";
      return { path, name, viewers: viewersOf(listeners.values()) };
    });
    return jsonResponse(streams.slice(0, 1000));
  }
}
