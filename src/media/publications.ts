import { Publication, type PublicationEvents } from "./publication.ts";

/** The publications with a publisher or listeners, by name. */
export class Publications extends Map<string, Publication> {
  readonly #events: PublicationEvents;
  /** The publication of a listener whose application is being asked. */
  #wanted: Publication | undefined;

  constructor(events: PublicationEvents) {
    super();
    this.#events = events;
  }

  /** The publication of a name, created if necessary. */
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

  /** Removes a publication without publisher and listeners. */
  release(publication: Publication): void {
    if (publication.publishing || publication.listeners.size > 0) return;
    if (publication === this.#wanted) return;
    publication.active = false;
    if (this.get(publication.name) === publication) this.delete(publication.name);
  }
}
