import type { Listener } from "../media/listener.ts";
import type { Channel, ChannelHandler } from "./channel.ts";

/** When so many frames are done with the others move up; room for more is not kept. */
const DONE = 64;

/**
 * Finds out when the frames written to a channel have reached the client, for the quality of service
 * of a listener. API-441.
 */
export class DeliveryMeter implements ChannelHandler {
  /** Of the frames written which message of the channel each is, and its media time in milliseconds. */
  readonly #numbers: number[] = [];
  readonly #times: number[] = [];
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
  ) {}

  /** A frame was written to the channel just now. */
  wrote(time: number): void {
    if (this.channel.closed) return;
    this.#numbers[this.#end] = this.channel.lastMessage;
    this.#times[this.#end++] = time;
  }

  /** The last messages, so many, were given up before anything of them was sent. */
  abandoned(messages: number): void {
    this.#end = Math.max(this.#first, this.#end - messages);
  }

  /**
   * Something was acknowledged. Of the frames that this tells of, only for the last is it about
   * the moment when it arrived: clients acknowledge every other packet.
   */
  onAcknowledged(): void {
    const { channel } = this;
    const pending = channel.firstPending;
    const numbers = this.#numbers;
    const before = this.#first;
    let first = before;
    while (first < this.#end && numbers[first] < pending) first++;
    if (first === before) return;
    this.#first = first;
    const time = this.#times[first - 1];
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
    }
    this.#first = 0;
    if (this.#numbers.length > DONE) this.#numbers.length = this.#times.length = this.#end;
  }
}
