import type { Client } from "../../media/client.ts";
import type { Listener } from "../../media/listener.ts";
import type { Publication } from "../../media/publication.ts";
import type { Api } from "./api.ts";
import { client as clientBinding } from "./client.ts";
import type { Events } from "./events.ts";
import { listener as listenerBinding } from "./listener.ts";
import { publication as publicationBinding } from "./publication.ts";
import type { Request } from "./refusals.ts";

/** The events of clients that publish and play. API-642 to API-647. */
export class ScriptStreamEvents {
  readonly #api: Api;
  readonly #events: Events;

  constructor(api: Api, events: Events) {
    this.#api = api;
    this.#events = events;
  }

  publish(client: Client, publication: Publication): "replace" | void {
    const request: Request = { client, step: "publish", name: publication.name };
    return this.#events.permission("onPublish", request, () => {
      this.#push(client);
      this.#api.objects.of(publicationBinding, publication).push(this.#api.lua);
    });
  }

  record(client: Client, publication: Publication, name: string): void {
    this.#events.permission("onRecord", { client, step: "record", name }, () => {
      this.#push(client);
      this.#api.objects.of(publicationBinding, publication).push(this.#api.lua);
      this.#api.lua.pushText(name);
    });
  }

  unpublish(client: Client, publication: Publication): void {
    this.#events.run("onUnpublish", 0, () => {
      this.#push(client);
      this.#api.objects.of(publicationBinding, publication).push(this.#api.lua);
    });
  }

  subscribe(client: Client, listener: Listener): void {
    const request: Request = { client, step: "play", name: listener.publication.name };
    try {
      this.#events.permission("onSubscribe", request, () => {
        this.#push(client);
        this.#api.objects.of(listenerBinding, listener).push(this.#api.lua);
      });
    } catch (error) {
      this.#api.objects.release(listener);
      throw error;
    }
  }

  unsubscribe(client: Client, listener: Listener): void {
    this.#events.run("onUnsubscribe", 0, () => {
      this.#push(client);
      this.#api.objects.of(listenerBinding, listener).push(this.#api.lua);
    });
    this.#api.objects.release(listener);
  }

  /** Runs an event with a packet and ignores its results. API-645 */
  packet(
    name: string,
    client: Client,
    publication: Publication,
    second: number | string,
    packet: Uint8Array,
  ): void {
    this.#events.run(name, Infinity, () => {
      const { lua } = this.#api;
      this.#push(client);
      this.#api.objects.of(publicationBinding, publication).push(lua);
      if (typeof second === "number") lua.pushNumber(second);
      else lua.pushText(second);
      lua.pushBytes(packet);
    });
  }

  #push(client: Client): void {
    this.#api.objects.of(clientBinding, client).push(this.#api.lua);
  }
}
