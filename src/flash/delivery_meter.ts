import type { Listener } from "../media/listener.ts";
import type { OutFlow } from "./transport.ts";

interface Sent {
  /** Bytes written to the flow up to the end of this frame. */
  readonly end: number;
  readonly time: number;
  readonly bytes: number;
}

/**
 * Finds out which of the frames written to a flow have reached the client, for the quality of
 * service of a listener (API-441): those that neither wait in the flow nor are on the way.
 */
export class DeliveryMeter {
  #sent: Sent[] = [];
  #first = 0;
  #written = 0;
  #sentFragments = 0;
  #lostFragments = 0;

  constructor(
    readonly kind: "audio" | "video",
    readonly flow: OutFlow,
    readonly listener: Listener,
  ) {}

  /** A frame was written to the flow. */
  wrote(time: number, bytes: number): void {
    this.#written += bytes;
    this.#sent.push({ end: this.#written, time, bytes });
  }

  /** Messages that wait were given up: they will not arrive. */
  abandoned(messages: number): void {
    for (let i = 0; i < messages && this.#sent.length > this.#first; i++) {
      this.#written -= this.#sent.pop()!.bytes;
    }
  }

  /** Something was acknowledged, or given up. */
  settle(ping: number): void {
    const { flow } = this;
    const settled = this.#written - flow.queuedBytes - (flow.outstandingBytes ?? 0);
    while (this.#first < this.#sent.length && this.#sent[this.#first].end <= settled) {
      const { time, bytes } = this.#sent[this.#first++];
      // Sent fragments count each time: those lost in between were sent in vain.
      const lost = flow.lostFragments - this.#lostFragments;
      const received = Math.max(0, flow.sentFragments - this.#sentFragments - lost);
      this.#lostFragments += lost;
      this.#sentFragments += lost + received;
      this.listener.delivered(this.kind, { time, bytes, received, lost, ping });
    }
    if (this.#first > 64 && this.#first * 2 > this.#sent.length) {
      this.#sent.splice(0, this.#first);
      this.#first = 0;
    }
  }
}
