import { equalBytes } from "../bytes/equal.ts";
import { WireError } from "../bytes/wire_error.ts";
import { readDataMessage } from "../tc/format/data.ts";
import { type Message, MessageType } from "../tc/format/messages.ts";

/** Name of the data messages with metadata. */
const NAME = "@setDataFrame";
/** Maximum length of kept metadata in bytes. */
const MAX_KEPT = 64 << 10;

/**
 * Handles `@setDataFrame` of encoders that send it before they publish, or repeat it: keeps the last one
 * before publishing, and detects repetitions. RTMP-508, RTMP-510.
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

  /** Keeps metadata until a stream publishes. */
  keep(message: Message): void {
    if (message.payload.length <= MAX_KEPT) this.#kept = message;
  }

  /** Removes and returns the kept message. */
  take(): Message | undefined {
    const kept = this.#kept;
    this.#kept = undefined;
    return kept;
  }

  /** Whether metadata equal the previous ones. */
  isRepeated({ payload }: Message): boolean {
    const last = this.#last;
    const same = last !== undefined && equalBytes(last, payload);
    if (!same && payload.length <= MAX_KEPT) this.#last = payload;
    return same;
  }
}
