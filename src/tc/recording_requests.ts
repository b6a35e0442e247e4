import type { Recorded, Recordings } from "../media/recordings.ts";

/** Number of waiting requests from which on {@link RecordingRequests.full} is set. */
const MAX_WAITING = 64;

interface RecordingRequest {
  readonly path: string;
  readonly name: string;
  readonly done: (recorded: Recorded | undefined) => void;
}

/**
 * The recordings that a client requests. They are opened one after the other, so that a client with
 * thousands of requests delays itself, and others by only one of its files.
 */
export class RecordingRequests {
  readonly #recordings: Recordings;
  readonly #waiting = new Set<RecordingRequest>();
  #opening = false;

  constructor(recordings: Recordings) {
    this.#recordings = recordings;
  }

  /** Number of requests that have not begun. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Whether to refuse further requests that can be refused. */
  get full(): boolean {
    return this.#waiting.size >= MAX_WAITING;
  }

  /**
   * Opens a recording, as {@link Recordings.open} does.
   * @returns a function that withdraws the request unless it has begun
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

  /** The client has left. */
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
