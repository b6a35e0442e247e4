import type { Client } from "./client.ts";
import { Frame } from "./frame.ts";
import type { Publication, Reception } from "./publication.ts";

/**
 * A client's stream while it publishes, or another source: frames go to the listeners first, then to the
 * client's application. API-645. Ignores frames once it has ended.
 */
export class Publisher {
  /** False once the hub has ended it. */
  active = true;
  #started = false;

  /** @param client undefined: the server itself publishes, without events for applications */
  constructor(readonly client: Client | undefined, readonly publication: Publication) {}

  /** Tells the listeners, after the door has told the publisher. API-712. */
  start(): void {
    if (this.#started || !this.active) return;
    this.#started = true;
    for (const listener of this.publication.listeners.values()) listener.published();
  }

  /** @param frame the publication owns it from now on */
  audio(frame: Frame, reception: Reception): void {
    if (!this.active) return;
    const { client, publication } = this;
    publication.audio(frame, reception);
    client?.application.audio(client, publication, frame.time, frame.payload);
  }

  /** Frames dropped before a key frame cause no event of the application. */
  video(frame: Frame, reception: Reception): void {
    if (!this.active) return;
    const { client, publication } = this;
    if (!publication.video(frame, reception)) return;
    client?.application.video(client, publication, frame.time, frame.payload);
  }

  data(frame: Frame): void {
    if (!this.active) return;
    const { client, publication } = this;
    publication.data(frame);
    client?.application.data(client, publication, frame.name, frame.payload);
  }

  /**
   * `@setDataFrame` sends data and keeps it for later listeners.
   * @param values AMF of the values after the name
   * @param time milliseconds
   */
  setDataFrame(name: string, values: Uint8Array, time = 0): void {
    if (!this.active) return;
    const frame = new Frame("data", time, values, name);
    this.publication.remember(frame);
    this.data(frame);
  }

  /** `@clearDataFrame` removes data kept by `@setDataFrame`. */
  clearDataFrame(name: string): void {
    if (this.active) this.publication.metadata.delete(name);
  }
}
