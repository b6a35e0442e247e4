import { AmfReader } from "../amf/mod.ts";
import type { Client } from "../media/client.ts";
import type { Hub } from "../media/hub.ts";
import type { Listener, ListenerOutput } from "../media/listener.ts";
import type { Recorded } from "../media/recordings.ts";
import { MustWait, Refused, UnknownApplication } from "../media/refused.ts";
import { NotViewable, type Viewing } from "./flv_viewer.ts";
import { ViewerConnection } from "./viewer_connection.ts";

/** Output of the listener, to which no frames are sent: the viewer reads the file as bytes. */
const OUTPUT: ListenerOutput = {
  send: () => {},
  queuedBytes: 0,
  queuedDataBytes: 0,
  videoWaitsSince: Infinity,
  abandon: () => 0,
  sampleAccess: () => {},
  published: () => {},
  unpublished: () => {},
  overflowed: () => {},
};

/**
 * One request for a recording by HTTP: a client of its application, which may refuse it as any other
 * playback. VOD-082.
 */
export class FileViewer extends ViewerConnection {
  readonly #hub: Hub;
  readonly #recorded: Recorded;
  readonly #client: Client;
  readonly #listener: Listener;
  readonly #whenOver: () => void;
  #lastTaken: number;
  #over = false;

  /**
   * @param recorded closed with the viewer, or if the application refuses
   * @param whenOver called once, unless the application refuses
   * @throws {NotViewable} the application refuses
   */
  constructor(hub: Hub, viewing: Viewing, recorded: Recorded, whenOver: () => void) {
    super(viewing);
    this.#hub = hub;
    this.#recorded = recorded;
    this.#whenOver = whenOver;
    this.#lastTaken = hub.now;
    const { name, properties } = viewing;
    let client: Client | undefined;
    try {
      ({ client } = hub.connect(viewing, this, new AmfReader(new Uint8Array(0))));
      const { metadata } = recorded;
      const id = hub.newStreamId();
      const output = { ...OUTPUT, ended: () => this.#endSoon() };
      this.#listener = hub.subscriptions.subscribeRecorded(client, name, id, output, metadata, {
        properties,
      });
      this.#listener.start();
      this.#client = client;
    } catch (error) {
      recorded.close();
      if (client) hub.disconnect(client);
      if (error instanceof UnknownApplication) throw new NotViewable(404, error.message);
      if (error instanceof MustWait) throw new NotViewable(503, error.message);
      if (error instanceof Refused) throw new NotViewable(403, error.description || "Refused");
      throw error;
    }
  }

  get elapsedFromReception(): number {
    return Math.max(0, this.#hub.now - this.#lastTaken);
  }

  /** Called when the viewer has read bytes. */
  took(): void {
    this.#lastTaken = this.#hub.now;
  }

  /** Whether a script has ended the playback: then no more bytes are sent. */
  get ended(): boolean {
    return !this.#listener.active;
  }

  /** Called by a script, perhaps in an event of this viewer: the response ends before the next bytes. */
  #endSoon(): void {
    this.#hub.subscriptions.unsubscribe(this.#listener);
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#recorded.close();
    this.#hub.subscriptions.unsubscribe(this.#listener);
    this.#hub.disconnect(this.#client);
    this.#whenOver();
  }
}
