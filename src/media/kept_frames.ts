import type { Frame } from "./frame.ts";

/** Data frames kept for later listeners, by name, bounded in number and bytes. */
export class KeptFrames {
  readonly #most: number;
  readonly #mostBytes: number;
  readonly #frames = new Map<string, Frame>();
  #bytes = 0;

  constructor(most: number, mostBytes: number) {
    this.#most = most;
    this.#mostBytes = mostBytes;
  }

  get size(): number {
    return this.#frames.size;
  }

  /** Bytes of their payloads. */
  get bytes(): number {
    return this.#bytes;
  }

  has(name: string): boolean {
    return this.#frames.has(name);
  }

  values(): Iterable<Frame> {
    return this.#frames.values();
  }

  /**
   * Keeps a frame, replacing the one of that name, if there is room.
   *
   * @param room number of bytes by which all of them may grow
   */
  keep(name: string, frame: Frame, room: number): void {
    const before = this.#frames.get(name);
    if (!before && this.#frames.size >= this.#most) return;
    const grown = frame.payload.length - (before?.payload.length ?? 0);
    if (grown > room || this.#bytes + grown > this.#mostBytes) return;
    this.#frames.set(name, frame);
    this.#bytes += grown;
  }

  delete(name: string): void {
    const frame = this.#frames.get(name);
    if (!frame) return;
    this.#frames.delete(name);
    this.#bytes -= frame.payload.length;
  }

  clear(): void {
    this.#frames.clear();
    this.#bytes = 0;
  }
}
