import { equalBytes } from "../bytes/equal.ts";
import { WireError } from "../bytes/wire_error.ts";
import { readDataMessage } from "../tc/format/data.ts";
import { type Message, MessageType } from "../tc/format/messages.ts";

/** `@setDataFrame` as data messages begin with it: AMF0 string of 13 bytes. */
const NAME = "@setDataFrame";
/** Bytes of metadata that is kept. */
const MAX_KEPT = 64 << 10;

/**
 * `@setDataFrame` as encoders send it: some before they publish, some again and again. The last one
 * before publishing is kept for it, one like the last is dropped. RTMP-508, RTMP-510.
 */
export class EarlyMetadata {
  #kept: Message | undefined;
  #last: Uint8Array | undefined;

  isMetadata(message: Message): boolean {
    if (message.type !== MessageType.data && message.type !== MessageType.dataAmf3) return false;
    try {
      return readDataMessage(message)?.name === NAME;
    } catch (error) {
      if (error instanceof WireError) return false;
      throw error;
    }
  }

  /** Keeps metadata for a stream to come. */
  keep(message: Message): void {
    if (message.payload.length <= MAX_KEPT) this.#kept = message;
  }

  /** Removes and returns the kept message. */
  take(): Message | undefined {
    const kept = this.#kept;
    this.#kept = undefined;
    return kept;
  }

  /** Whether the same metadata came last. */
  isRepeated({ payload }: Message): boolean {
    const last = this.#last;
    const same = last !== undefined && equalBytes(last, payload);
    if (!same && payload.length <= MAX_KEPT) this.#last = payload;
    return same;
  }
}
