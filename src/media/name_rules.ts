import type { Client } from "./client.ts";
import type { PublisherOutput } from "./connection.ts";
import type { Publication } from "./publication.ts";
import type { Publisher } from "./publisher.ts";
import { Refused } from "./refused.ts";

export interface NameOptions {
  /** A publisher loses its name after this time without a byte, in ms; 0: never. */
  readonly publisherTimeout: number;
  /**
   * Clients that may take over a published name: none, the same client in a new session, or also a client
   * of the same address if the publisher has been silent for 2 s.
   */
  readonly takeOver: "off" | "client" | "address";
}

/** The part of the hub that {@link NameRules} uses. */
interface NameHost {
  readonly now: number;
  log(level: "note", text: string): void;
  unpublish(publisher: Publisher): void;
}

/** Minimum silence (ms) of a publisher before another client of its address may take over. */
const MIN_SILENCE = 2000;
/** Ticks come every 2 s; after a longer pause (ms) than this the server was blocked and has read no input. */
const MAX_TICK_INTERVAL = 6000;
/** Decides when a publishing client loses its name. */
export class NameRules {
  readonly #options: () => NameOptions;
  readonly #host: NameHost;
  #lastTick = -Infinity;
  /** Ended publishers that are silent, and so get the status later: writing to them now would end their sessions. */
  #untold: Ended[] = [];

  constructor(options: () => NameOptions, host: NameHost) {
    this.#options = options;
    this.#host = host;
  }

  /**
   * Ends the present publisher if another client may publish in its place.
   * @returns the ground; "asked": the client's application has answered "replace"
   */
  give(publication: Publication, client: Client): "by rule" | "asked" | undefined {
    const { publisher, name } = publication;
    if (typeof publisher !== "object") return undefined;
    const byRule = this.#mayTakeOver(publisher, client);
    if (!byRule && !letsReplace(publication, client)) return undefined;
    const before = streamOf(publisher, publication);
    if (before) {
      this.#host.log(
        "note",
        `${name} moves from publisher ${publisher.address} to ${client.address}`,
      );
      this.#end(before, `${name} is published by another client now`);
    }
    return byRule ? "by rule" : "asked";
  }

  /** Every 2 s: pings the clients of silent publishers, and ends publishers whose client did not answer. */
  manage(publications: Iterable<Publication>): void {
    const { now } = this.#host;
    const heldUp = now - this.#lastTick > MAX_TICK_INTERVAL; // silence is then the server's fault
    this.#lastTick = now;
    for (const publication of [...publications]) {
      const { publisher: client, name } = publication;
      if (typeof client !== "object") continue;
      const { connection } = client;
      const timeout = connection.publisherTimeout ?? this.#options().publisherTimeout;
      const silence = connection.elapsedFromReception;
      if (timeout === 0 || silence < timeout / 2) continue;
      if (silence < timeout || heldUp) {
        connection.probe();
        continue;
      }
      const publisher = streamOf(client, publication);
      if (!publisher) continue;
      this.#host.log("note", `${name} is free again: no packet from publisher ${client.address}`);
      const text = `${name} is now unpublished: no data for too long`;
      this.#untold.push({ client, output: publication.output, text, silence });
      this.#host.unpublish(publisher);
    }
    this.#untold = this.#untold.filter((ended) => !isDone(ended));
  }

  #mayTakeOver(publisher: Client, client: Client): boolean {
    const { takeOver } = this.#options();
    if (takeOver === "off" || publisher === client) return false;
    if (publisher.id === client.id) return true;
    return takeOver === "address" &&
      publisher.connection.hostname === client.connection.hostname &&
      publisher.elapsedFromReception >= MIN_SILENCE;
  }

  /** Ends a publisher that does not expect it, and tells its client. */
  #end(publisher: Publisher, text: string): void {
    const { output } = publisher.publication;
    this.#host.unpublish(publisher);
    tell(output, text);
  }
}

interface Ended {
  readonly client: Client;
  readonly output: PublisherOutput | undefined;
  readonly text: string;
  /** Its silence at that time, in milliseconds. */
  readonly silence: number;
}

/** Sends the status to a client that has sent a packet again. @returns false while it is silent */
function isDone({ client, output, text, silence }: Ended): boolean {
  if (client.state !== "connected") return true;
  if (client.elapsedFromReception >= silence) return false;
  const isBusy = client.publishers.some(({ publication }) => publication.output === output);
  if (!isBusy) tell(output, text);
  return true;
}

function tell(output: PublisherOutput | undefined, text: string): void {
  output?.status("Unpublish.Success", text);
  output?.close();
}

const streamOf = (client: Client, publication: Publication): Publisher | undefined =>
  client.publishers.find((one) => one.publication === publication);

/** Asks the application of a client that requests a taken name. */
function letsReplace(publication: Publication, client: Client): boolean {
  const { application } = client;
  if (!application.mayReplace) return false;
  try {
    return application.publish(client, publication) === "replace" && client.state === "connected";
  } catch (error) {
    if (error instanceof Refused) return false; // its answer does not matter: the name stays taken
    throw error;
  }
}
