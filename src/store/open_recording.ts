import type { Listener } from "../media/listener.ts";
import type { PlayRange, Recorded, RecordedOutput, RecordedPlay } from "../media/recordings.ts";
import type { FlvIndex } from "./flv_index.ts";
import { FilePlayer } from "./file_player.ts";
import { ServedFile } from "./served_file.ts";
import type { StoredFile } from "./stored_file.ts";
import type { IndexedFile } from "./indexes.ts";
import type { Store } from "./store.ts";

/** A recording that was opened for one player. */
export class OpenRecording implements Recorded {
  #file: StoredFile | undefined;
  #closed = false;

  /** @param place application and file, for opening it again after {@link rest} */
  constructor(
    readonly store: Store,
    readonly place: { readonly path: string; readonly file: string },
    file: StoredFile,
    readonly indexed: IndexedFile,
  ) {
    this.#file = file;
  }

  get index(): FlvIndex {
    return this.indexed.index;
  }

  /** Whether it is still being recorded: players get later frames, too. VOD-208. */
  get growing(): boolean {
    return this.indexed.growing;
  }

  get duration(): number {
    return this.index.duration;
  }

  get metadata(): Uint8Array | undefined {
    return this.index.metadata;
  }

  get file(): ServedFile {
    return new ServedFile(this);
  }

  play(listener: Listener, output: RecordedOutput, range: PlayRange): RecordedPlay {
    const player = new FilePlayer(listener, output, range, this, this.store);
    this.store.add(player);
    return player;
  }

  /** Reads a block; opens the file again after {@link rest}. */
  read(position: number, length: number, done: (bytes: Uint8Array | undefined) => void): void {
    if (this.#file) return this.#file.read(position, length, done);
    this.store.disk.open(this.place.path, this.place.file, (file) => {
      if (!file || this.#closed || this.#file) {
        file?.close();
        if (!file) done(undefined);
        return;
      }
      this.#file = file;
      file.read(position, length, done);
    });
  }

  /** Closes the file until the next {@link read}. VOD-072. */
  rest(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  close(): void {
    if (!this.#closed) this.store.released(this.place);
    this.#closed = true;
    this.rest();
  }
}
