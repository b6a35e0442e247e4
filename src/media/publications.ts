import { Publication, type PublicationEvents } from "./publication.ts";

/** The names that somebody publishes or waits for, each with its publication. */
export class Publications extends Map<string, Publication> {
  readonly #events: PublicationEvents;
  /** The publication of a listener whose application is being asked. */
  #wanted: Publication | undefined;

  constructor(events: PublicationEvents) {
    super();
    this.#events = events;
  }

  /** The publication of a name, made if need be. */
  open(name: string): Publication {
    let publication = this.get(name);
    if (!publication) {
      publication = new Publication(name, this.#events);
      this.set(name, publication);
    }
    return publication;
  }

  /** Keeps a publication during an action, although its publisher may end meanwhile. */
  keep(publication: Publication, action: () => void): void {
    this.#wanted = publication;
    try {
      action();
    } finally {
      this.#wanted = undefined;
    }
  }

  /** Forgets a publication without publisher and listeners. */
  release(publication: Publication): void {
    if (publication.publishing || publication.listeners.size > 0) return;
    if (publication === this.#wanted) return;
    publication.active = false;
    if (this.get(publication.name) === publication) this.delete(publication.name);
  }
}
