// What visitors of all doors have in common.
import type { AmfValue } from "../../src/amf/mod.ts";
import { sleep } from "../../src/common/wait.ts";

/** The doors of the server that is visited. */
export interface Doors {
  readonly rtmfp: string;
  readonly rtmp: string;
  /** Without scheme: `127.0.0.1:8080`. */
  readonly web: string;
  /** TCP port of `rtmp`. */
  readonly rtmpPort: number;
  readonly app: string;
}

/** The actions of a visitor between arriving and leaving. */
export interface Plan {
  /** No other visit has it. */
  readonly number: number;
  /** Milliseconds to stay. */
  readonly stay: number;
  /** Leaves without closing. */
  readonly vanishes: boolean;
  /** A stream to publish, or one to play; neither: it calls alone. */
  readonly publishes?: string;
  readonly plays?: string;
  /** A shared object to change. */
  readonly object: string;
}

/** What all visitors together have done. */
export interface Counts {
  visits: number;
  failed: number;
  calls: number;
  frames: number;
  /** Messages or bytes of media that came. */
  received: number;
}

export interface Visit {
  readonly doors: Doors;
  readonly plan: Plan;
  readonly counts: Counts;
}

/** A visit by one door: arrives, follows the plan, and leaves. @throws {Error} if the server refuses it */
export type Visitor = (visit: Visit) => Promise<void>;

/** Between two frames of a publisher, and bytes of one. Every 20th is a key frame. */
const FRAME_INTERVAL = 100;
const FRAME = 600;

/** Hands out frames until the stay is over. */
export async function sendFrames(
  { plan, counts }: Visit,
  send: (timestamp: number, frame: Uint8Array) => void,
): Promise<void> {
  const end = performance.now() + plan.stay;
  for (let i = 0; performance.now() < end; i++) {
    const frame = new Uint8Array(FRAME);
    frame.set([i % 20 === 0 ? 0x17 : 0x27, 1, 0, 0, 0]);
    send(i * FRAME_INTERVAL, frame);
    counts.frames++;
    await sleep(FRAME_INTERVAL);
  }
}

/** A value that a call sends and wants back: nested, and never the same twice. */
export const parcel = (number: number): AmfValue => ({
  number,
  text: `parcel ${number}`,
  list: Array.from({ length: 20 }, (_, i) => i * number),
});
