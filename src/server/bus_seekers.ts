// Waits for a publication of other servers, for doors that answer at once if there is none. NATS-418.
import type { Hub } from "../media/hub.ts";
import type { Listener, ListenerOutput } from "../media/listener.ts";

/** Time-out (ms) for the answer of a name's owner. */
const ANSWER_TIMEOUT = 300;
/** Minimum ms between two searches for an unknown name. */
const UNKNOWN_INTERVAL = 1_000;
const MAX_UNKNOWN = 10_000;
const MAX_SEEKERS = 256;

/** Listener that only waits for a publisher. */
class Probe implements ListenerOutput {
  readonly queuedBytes = 0;
  readonly queuedDataBytes = 0;
  readonly videoWaitsSince = Infinity;

  constructor(readonly published: () => void) {}

  send(): void {}
  abandon(): number {
    return 0;
  }
  sampleAccess(): void {}
  unpublished(): void {}
  overflowed(): void {}
}

interface SeekersHost {
  readonly hub: Hub;
  readonly now: () => number;
  readonly input: (what: string, action: () => void) => void;
}

/** Releases a name after the search. */
export type Release = () => void;
const NOTHING: Release = () => {};

export class BusSeekers {
  readonly #host: SeekersHost;
  /** Names that no server had, with the time (ms) of the next search at the earliest. */
  readonly #unknown = new Map<string, number>();
  #seekers = 0;

  constructor(host: SeekersHost) {
    this.#host = host;
  }

  /**
   * Waits until another server's publication is relayed here, or until the time-out.
   *
   * @returns a function that releases the relay: call it after adding a listener, or giving up
   */
  seek(name: string): Promise<Release> {
    const { hub, now, input } = this.#host;
    if (hub.publications.get(name)?.publishing) return Promise.resolve(NOTHING);
    this.#forget();
    if (this.#unknown.has(name) || this.#seekers >= MAX_SEEKERS) return Promise.resolve(NOTHING);
    this.#seekers++;
    return new Promise((resolve) => {
      const what = "Cannot look for a stream";
      let listener: Listener | undefined;
      let release = () => {
        release = NOTHING;
        this.#seekers--;
        if (listener) hub.subscriptions.unsubscribe(listener);
      };
      const timer = setTimeout(() => {
        input(what, () => release());
        if (this.#unknown.size < MAX_UNKNOWN) this.#unknown.set(name, now() + UNKNOWN_INTERVAL);
        resolve(NOTHING);
      }, ANSWER_TIMEOUT);
      input(what, () => {
        listener = hub.subscriptions.attach(
          name,
          new Probe(() => {
            clearTimeout(timer);
            resolve(() => input(what, () => release()));
          }),
        );
        listener.start();
      });
    });
  }

  /** Removes names whose time has come; they are in the order of their times. */
  #forget(): void {
    const now = this.#host.now();
    for (const [name, until] of this.#unknown) {
      if (now < until) return;
      this.#unknown.delete(name);
    }
  }
}
