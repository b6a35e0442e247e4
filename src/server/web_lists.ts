import type { Hub } from "../media/hub.ts";
import type { Listener } from "../media/listener.ts";
import { segmentsOf } from "../web/request.ts";
import type { WebRecordings } from "./web_recordings.ts";
import { jsonResponse, textResponse } from "./web_responses.ts";

const listsAreOff = () =>
  textResponse(404, "CumulusServer.ini does not have list = on below [web]");

/** Number of listeners that are clients, not recordings or relays of the server. */
function viewersOf(listeners: Iterable<Pick<Listener, "client">>): number {
  let viewers = 0;
  for (const { client } of listeners) if (client) viewers++;
  return viewers;
}

/** The lists of streams and recordings, as JSON for the pages of the web door. */
export class WebLists {
  readonly #hub: Hub;
  readonly #recordings: WebRecordings;
  readonly #listed: () => boolean;

  /** @param listed whether the configuration allows lists */
  constructor(hub: Hub, recordings: WebRecordings, listed: () => boolean) {
    this.#hub = hub;
    this.#recordings = recordings;
    this.#listed = listed;
  }

  /** The recordings of an application. */
  async recordings(path: string): Promise<Response> {
    if (!this.#listed()) return listsAreOff();
    const segments = path === "" ? [] : segmentsOf(path);
    const files = segments &&
      await this.#recordings.list(segments.map((segment) => `/${segment}`).join(""));
    if (!files) return textResponse(404, "Application not found");
    return jsonResponse(files);
  }

  /** The live streams. */
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
