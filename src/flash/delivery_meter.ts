import type { Listener } from "../media/listener.ts";
import type { OutFlow } from "./transport.ts";

interface Written {
  /** Which message of the flow this is. */
  readonly number: number;
  /** Media time in milliseconds. */
  readonly time: number;
}

/** Memory is given back when so many entries are done with. */
const DONE = 64;

/**
 * Finds out when the frames written to a flow have reached the client, for the quality of service
 * of a listener. API-441.
 */
export class DeliveryMeter {
  #written: Written[] = [];
  /** Index of the first frame of which nothing is known. */
  #first = 0;
  #sentFragments = 0;
  #lostFragments = 0;
  #ackedBytes = 0;

  constructor(
    readonly kind: "audio" | "video",
    readonly flow: OutFlow,
    readonly listener: Listener,
  ) {}

  /** A frame was written to the flow just now. */
  wrote(time: number): void {
    if (!this.flow.closed) this.#written.push({ number: this.flow.lastMessage, time });
  }

  /** The last messages, so many, were given up before anything of them was sent. */
  abandoned(messages: number): void {
    this.#written.length = Math.max(this.#first, this.#written.length - messages);
  }

  /**
   * Something was acknowledged. Of the frames that this tells of, only for the last is it about
   * the moment when it arrived: clients acknowledge every other packet.
   */
  settle(ping: number): void {
    const { flow } = this;
    const pending = flow.firstPending;
    const written = this.#written;
    const before = this.#first;
    while (this.#first < written.length && written[this.#first].number < pending) this.#first++;
    if (this.#first === before) return;
    const { time } = written[this.#first - 1];
    const lost = flow.lostFragments - this.#lostFragments;
    const received = Math.max(0, flow.sentFragments - this.#sentFragments - lost);
    const bytes = flow.ackedBytes - this.#ackedBytes;
    this.#lostFragments += lost;
    this.#sentFragments += lost + received;
    this.#ackedBytes += bytes;
    this.listener.delivered(this.kind, { time, bytes, received, lost, ping });
    if (this.#first >= DONE && this.#first * 2 >= written.length) {
      written.splice(0, this.#first);
      this.#first = 0;
    }
  }
}
