import type { Recorded, Recordings } from "../media/recordings.ts";

/** Requests that may wait before {@link RecordingRequests.full}. */
const MAX_WAITING = 64;

interface RecordingRequest {
  readonly path: string;
  readonly name: string;
  readonly done: (recorded: Recorded | undefined) => void;
}

/**
 * The recordings that a client asks for. They are opened one after the other, so that a client that asks
 * for thousands waits for itself, and others only for one of its files.
 */
export class RecordingRequests {
  readonly #recordings: Recordings;
  readonly #waiting = new Set<RecordingRequest>();
  #opening = false;

  constructor(recordings: Recordings) {
    this.#recordings = recordings;
  }

  /** Requests that have not begun. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** So many requests wait that those that can be refused are. */
  get full(): boolean {
    return this.#waiting.size >= MAX_WAITING;
  }

  /**
   * Opens a recording, as {@link Recordings.open} does.
   * @returns withdraws the request; nothing happens if it has begun
   */
  open(
    path: string,
    name: string,
    done: (recorded: Recorded | undefined) => void,
  ): () => void {
    const request = { path, name, done };
    this.#waiting.add(request);
    this.#next();
    return () => void this.#waiting.delete(request);
  }

  /** The client is gone. */
  end(): void {
    this.#waiting.clear();
  }

  #next(): void {
    if (this.#opening) return;
    const [request] = this.#waiting;
    if (!request) return;
    this.#waiting.delete(request);
    this.#opening = true;
    this.#recordings.open(request.path, request.name, (recorded) => {
      this.#opening = false;
      this.#next();
      request.done(recorded);
    });
  }
}
