// Splits audio, video and data into messages of limited length. NATS-411.
import { concat } from "../bytes/concat.ts";
import { Reader } from "../bytes/reader.ts";
import { fromUtf8, toUtf8 } from "../bytes/text.ts";
import { WireError } from "../bytes/wire_error.ts";
import { Writer } from "../bytes/writer.ts";

const KINDS = ["audio", "video", "data", "metadata"] as const;
/** MORE: the frame continues in the next fragment. CONTINUES: the fragment continues a frame. */
const MORE = 0x80;
const CONTINUES = 0x40;
const MAX_FRAME = 16 * 1024 * 1024;
/** Maximum number of parts of frames in one message; each takes some microseconds. */
const MAX_PARTS = 16_384;
/** Memory of a part of an incomplete frame besides its data, in bytes. */
const PART = 64;
/** Maximum length of a fragment's head without the name, in bytes. */
const HEAD = 1 + 4 + 5 + 5;

export interface BusFrame {
  /** `metadata` is data that is also sent to later listeners. */
  readonly kind: typeof KINDS[number];
  /** Milliseconds modulo 2^32. */
  readonly time: number;
  /** Name of data; "" for audio and video. */
  readonly name: string;
  /** The body of an FLV tag; for data, the AMF of the values after the name. */
  readonly payload: Uint8Array;
}

/**
 * Collects frames until they fill a message.
 * Shape of each: `more << 7 | continues << 6 | kind u8 | time u32 | VLU length | name | VLU length | bytes`.
 */
export class FrameBatch {
  readonly #limit: number;
  readonly #emit: (frames: Uint8Array) => void;
  readonly #to = new Writer(1024);
  #parts = 0;

  /**
   * @param limit maximum length of a batch in bytes
   * @param emit called with a batch that is full or flushed
   */
  constructor(limit: number, emit: (frames: Uint8Array) => void) {
    this.#limit = limit;
    this.#emit = emit;
  }

  get length(): number {
    return this.#to.at;
  }

  add({ kind, time, name, payload }: BusFrame): void {
    const nameBytes = toUtf8(name);
    const head = HEAD + nameBytes.length;
    const isFull = this.#parts >= MAX_PARTS || head + payload.length > this.#limit - this.#to.at;
    if (isFull) this.flush();
    const room = Math.max(1, this.#limit - head);
    let at = 0;
    do {
      const end = Math.min(payload.length, at + room);
      const more = end < payload.length;
      this.#parts++;
      this.#to.u8(KINDS.indexOf(kind) | (more ? MORE : 0) | (at > 0 ? CONTINUES : 0)).u32(time)
        .vlu(nameBytes.length).bytes(nameBytes).vlu(end - at).part(payload, at, end);
      if (more) this.flush();
      at = end;
    } while (at < payload.length);
  }

  flush(): void {
    if (this.#to.at === 0) return;
    const frames = this.#to.copy();
    this.#to.clear();
    this.#parts = 0;
    this.#emit(frames);
  }
}

/** Reassembles frames. */
export class FrameReader {
  #parts: Uint8Array[] = [];
  #length = 0;

  /**
   * The frames that a batch completes.
   * @throws {WireError} if the bytes break the format
   */
  read(batch: Uint8Array): BusFrame[] {
    const from = new Reader(batch);
    const frames: BusFrame[] = [];
    for (let parts = 0; from.left > 0; parts++) {
      if (parts >= MAX_PARTS) {
        throw new WireError(`Cannot read more than ${MAX_PARTS} parts of frames`);
      }
      const flags = from.u8();
      const kind = KINDS[flags & ~(MORE | CONTINUES)];
      if (!kind) throw new WireError(`Cannot read a frame with flags ${flags}`);
      const time = from.u32();
      const name = fromUtf8(from.bytes(from.vlu()));
      const part = from.bytes(from.vlu()).slice();
      const continues = (flags & CONTINUES) !== 0;
      if (continues !== this.#parts.length > 0) this.reset();
      if (continues && this.#parts.length === 0) continue; // its first fragment was lost
      this.#length += part.length + PART;
      if (this.#length > MAX_FRAME) throw new WireError(`Cannot read more than ${MAX_FRAME} bytes`);
      this.#parts.push(part);
      if (flags & MORE) continue;
      frames.push({ kind, time, name, payload: this.#join() });
    }
    return frames;
  }

  /** Drops the incomplete frame after a loss. */
  reset(): void {
    this.#parts = [];
    this.#length = 0;
  }

  #join(): Uint8Array {
    const frame = concat(this.#parts);
    this.reset();
    return frame;
  }
}
