import type { Client } from "./client.ts";
import { minus, plus } from "./few.ts";
import { Frame } from "./frame.ts";
import { Listener, type ListenerOptions, type ListenerOutput } from "./listener.ts";
import { Publication, type PublicationEvents } from "./publication.ts";
import type { Publications } from "./publications.ts";
import { Refused } from "./refused.ts";
import type { HubWatcher } from "./watcher.ts";

/** The part of the hub that subscriptions use. */
interface SubscriptionsHost extends PublicationEvents {
  readonly publications: Publications;
  readonly watcher: HubWatcher | undefined;
  newStreamId(): number;
}

/** Adds listeners to publications, and removes them; a client's application is asked first. */
export class Subscriptions {
  readonly #hub: SubscriptionsHost;
  readonly #publications: Publications;
  readonly #sendQueue: number;

  /** @param sendQueue maximum number of bytes that wait for a listener */
  constructor(hub: SubscriptionsHost, sendQueue: number) {
    this.#hub = hub;
    this.#publications = hub.publications;
    this.#sendQueue = sendQueue;
  }

  /**
   * Adds a listener of the server itself: a recording, or another server. Applications get no events, but
   * scripts find it in `publication.listeners`. The caller then calls {@link Listener.start}, and finally
   * {@link unsubscribe}.
   */
  attach(name: string, output: ListenerOutput, options?: ListenerOptions): Listener {
    const publication = this.#publications.open(name);
    const listener = this.#listener(
      this.#hub.newStreamId(),
      undefined,
      publication,
      output,
      options,
    );
    publication.listeners.set(listener.id, listener);
    this.#hub.watcher?.onListeners(publication);
    return listener;
  }

  /**
   * A client's stream plays a name, which may have no publisher yet. The door then answers the client and
   * calls {@link Listener.start}.
   *
   * @throws {Refused} API-715
   */
  subscribe(
    client: Client,
    name: string,
    id: number,
    output: ListenerOutput,
    options?: ListenerOptions,
  ): Listener {
    return this.#subscribe(client, this.#publications.open(name), id, output, options);
  }

  /**
   * A client's stream plays a recording, which has no publisher and is in no list. The caller then calls
   * {@link Listener.start}, and sends the frames itself. VOD-081.
   *
   * @param metadata the AMF0 of the values of its `onMetaData`
   * @throws {Refused} API-715
   */
  subscribeRecorded(
    client: Client,
    name: string,
    id: number,
    output: ListenerOutput,
    metadata: Uint8Array | undefined,
    options?: ListenerOptions,
  ): Listener {
    const publication = new Publication(name, this.#hub, true);
    if (metadata) publication.remember(new Frame("data", 0, metadata, "onMetaData"));
    return this.#subscribe(client, publication, id, output, options);
  }

  /** Ends a listener. API-647. */
  unsubscribe(listener: Listener): void {
    if (!listener.active) return;
    listener.active = false;
    const { client, publication } = listener;
    try {
      client?.application.unsubscribe(client, listener);
    } finally {
      publication.listeners.delete(listener.id);
      if (client) client.listeners = minus(client.listeners, listener);
      this.#hub.watcher?.onListeners(publication);
      this.#publications.release(publication);
    }
  }

  #subscribe(
    client: Client,
    publication: Publication,
    id: number,
    output: ListenerOutput,
    options: ListenerOptions | undefined,
  ): Listener {
    const listener = this.#listener(id, client, publication, output, options);
    try {
      // Its publisher may end while the script is asked.
      this.#publications.keep(publication, () => client.application.subscribe(client, listener));
      if (client.state !== "connected") throw new Refused();
    } catch (error) {
      listener.active = false;
      this.#publications.release(publication);
      throw error;
    }
    publication.listeners.set(id, listener);
    client.listeners = plus(client.listeners, listener);
    this.#hub.watcher?.onListeners(publication);
    return listener;
  }

  #listener(
    id: number,
    client: Client | undefined,
    publication: Publication,
    output: ListenerOutput,
    options: ListenerOptions | undefined,
  ): Listener {
    const limit = options?.queueLimit ?? this.#sendQueue;
    return new Listener(id, client, publication, output, limit, this.#hub, options);
  }
}
