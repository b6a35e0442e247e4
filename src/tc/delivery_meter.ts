import type { Listener } from "../media/listener.ts";
import type { Channel, ChannelHandler } from "./channel.ts";

/** Finished frames at the front of the list before it is compacted. */
const DONE = 64;

/**
 * Finds out when the frames written to a channel have reached the client, for the quality of service
 * of a listener. API-441.
 */
export class DeliveryMeter implements ChannelHandler {
  /** Of the frames written which message of the channel each is, and its media time in milliseconds. */
  readonly #numbers: number[] = [];
  readonly #times: number[] = [];
  /** When each was written, if the listener is unbuffered. */
  readonly #written: number[] | undefined;
  /** Called when something was acknowledged; not the moment to write. */
  whenDelivered: (() => void) | undefined;
  /** Numbers of the codec headers among them, which do not count as frames. */
  #headers: number[] = [];
  /** Nothing is known of the frames from `#first` up to `#end`. */
  #first = 0;
  #end = 0;
  #sentFragments = 0;
  #lostFragments = 0;
  #ackedBytes = 0;

  /** @param link tells the round trip in milliseconds */
  constructor(
    readonly kind: "audio" | "video",
    readonly channel: Channel,
    readonly listener: Listener,
    readonly link: { readonly ping: number },
  ) {
    if (listener.unbuffered) this.#written = [];
  }

  /** A frame was written to the channel just now. */
  wrote(time: number, isHeader: boolean): void {
    const { channel } = this;
    if (channel.closed) return;
    if (isHeader) {
      const { firstPending } = channel;
      this.#headers = this.#headers.filter((number) => number >= firstPending);
      this.#headers.push(channel.lastMessage);
    }
    if (this.#written) this.#written[this.#end] = this.listener.clock.now;
    this.#numbers[this.#end] = channel.lastMessage;
    this.#times[this.#end++] = time;
  }

  /** When the oldest frame that certainly was not begun to be sent was written; Infinity: none. */
  get waitsSince(): number {
    const waiting = this.channel.queuedMessages - 1; // the first may have been begun
    if (!this.#written || waiting <= 0) return Infinity;
    return this.#written[Math.max(this.#first, this.#end - waiting)] ?? Infinity;
  }

  /**
   * Gives up what waits and was not begun to be sent.
   * @returns `frames`: how many frames that were; `others`: messages that were none, nor headers
   */
  abandon(): { frames: number; others: number } {
    const { lastMessage } = this.channel;
    const messages = this.channel.abandonUnsent();
    const kept = lastMessage - messages;
    const end = this.#end;
    while (this.#end > this.#first && this.#numbers[this.#end - 1]! > kept) this.#end--;
    const headers = this.#headers.filter((number) => number > kept).length;
    if (headers > 0) this.#headers = this.#headers.filter((number) => number <= kept);
    const known = end - this.#end;
    return { frames: known - headers, others: messages - known };
  }

  /**
   * Something was acknowledged. Of the frames that this tells of, only for the last is it about
   * the moment when it arrived: clients acknowledge every other packet.
   */
  onAcknowledged(): void {
    this.whenDelivered?.();
    const { channel } = this;
    const pending = channel.firstPending;
    const numbers = this.#numbers;
    const before = this.#first;
    let first = before;
    while (first < this.#end && numbers[first]! < pending) first++;
    if (first === before) return;
    const time = this.#times[first - 1]!;
    this.#first = first;
    const lost = channel.lostFragments - this.#lostFragments;
    const received = Math.max(0, channel.sentFragments - this.#sentFragments - lost);
    const bytes = channel.ackedBytes - this.#ackedBytes;
    this.#lostFragments += lost;
    this.#sentFragments += lost + received;
    this.#ackedBytes += bytes;
    this.listener.delivered(this.kind, { time, bytes, received, lost, ping: this.link.ping });
    if (first === this.#end || first >= DONE) this.#moveUp();
  }

  /** Forgets the frames that are done with. */
  #moveUp(): void {
    this.#end -= this.#first;
    if (this.#end > 0) {
      this.#numbers.copyWithin(0, this.#first);
      this.#times.copyWithin(0, this.#first);
      this.#written?.copyWithin(0, this.#first);
    }
    this.#first = 0;
    if (this.#numbers.length <= DONE) return;
    this.#numbers.length = this.#times.length = this.#end;
    if (this.#written) this.#written.length = this.#end;
  }
}
