import type { Listener } from "../media/listener.ts";
import type { Channel, ChannelHandler } from "./channel.ts";

/** Number of finished frames at the front of the list before it is compacted. */
const DONE = 64;

/**
 * Measures when the frames written to a channel have reached the client, for the quality of service
 * of a listener. API-441.
 */
export class DeliveryMeter implements ChannelHandler {
  /** Number of each written frame among the messages of the channel, and its media time in milliseconds. */
  readonly #numbers: number[] = [];
  readonly #times: number[] = [];
  /** Time (ms) of writing of each, if the listener is unbuffered. */
  readonly #written: number[] | undefined;
  /** Called after an acknowledgement; must not write. */
  whenDelivered: (() => void) | undefined;
  /** Numbers of the codec headers, which do not count as frames. */
  #headers: number[] = [];
  /** Frames from `#first` up to `#end` are not acknowledged yet. */
  #first = 0;
  #end = 0;
  #sentFragments = 0;
  #lostFragments = 0;
  #ackedBytes = 0;

  /** @param link has the round trip in milliseconds */
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

  /** Time (ms) at which the oldest frame was written of which certainly nothing was sent; Infinity: none. */
  get waitsSince(): number {
    const waiting = this.channel.queuedMessages - 1; // the first may have been begun
    if (!this.#written || waiting <= 0) return Infinity;
    return this.#written[Math.max(this.#first, this.#end - waiting)] ?? Infinity;
  }

  /**
   * Drops the waiting messages of which nothing was sent.
   * @returns `frames`: the number of frames among them; `others`: of messages other than frames and headers
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
   * Evaluates an acknowledgement. Only for the last frame that it covers is its time close to the arrival:
   * clients acknowledge every other packet.
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

  /** Removes the acknowledged frames. */
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
