// Plans and counts of visitors of all doors.
import type { AmfValue } from "../../src/amf/mod.ts";
import { sleep } from "../../src/common/wait.ts";

/** The doors of the server. */
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
  /** Unique among the visits. */
  readonly number: number;
  /** Milliseconds to stay. */
  readonly stay: number;
  /** Leaves without closing. */
  readonly vanishes: boolean;
  /** A stream to publish, or one to play; without both the visitor only calls. */
  readonly publishes?: string;
  readonly plays?: string;
  /** A shared object to change. */
  readonly object: string;
}

/** Sums over all visitors. */
export interface Counts {
  visits: number;
  failed: number;
  calls: number;
  frames: number;
  /** Messages of media, or chunks of bytes, that the visitors received. */
  received: number;
}

export interface Visit {
  readonly doors: Doors;
  readonly plan: Plan;
  readonly counts: Counts;
}

/** A visit by one door: arrives, follows the plan, and leaves. @throws {Error} if the server refuses it */
export type Visitor = (visit: Visit) => Promise<void>;

/** Milliseconds between two frames, and bytes of a frame. Every 20th is a key frame. */
const FRAME_INTERVAL = 100;
const FRAME = 600;

/** Sends frames for the stay of a visit. */
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

/** @returns an argument for echo: nested, and different for each number */
export const parcel = (number: number): AmfValue => ({
  number,
  text: `parcel ${number}`,
  list: Array.from({ length: 20 }, (_, i) => i * number),
});
