import { audioRole, type Role, videoRole } from "../flv/codec.ts";

export type FrameKind = "audio" | "video" | "data";

/**
 * One audio, video or data message on its way from a publisher to all listeners. It owns its
 * bytes, which nobody changes any more.
 */
export class Frame {
  readonly role: Role;
  #forms: EncodedForm | undefined;

  /**
   * @param time milliseconds modulo 2^32, as the publisher counts them
   * @param payload the body of an FLV tag; for data the AMF of the values after the name
   * @param name of a data message
   */
  constructor(
    readonly kind: FrameKind,
    readonly time: number,
    readonly payload: Uint8Array,
    readonly name = "",
  ) {
    this.role = kind === "video"
      ? videoRole(payload)
      : kind === "audio"
      ? audioRole(payload)
      : "other";
  }

  /**
   * What a door made of this frame for one listener, and may give to all others of that door.
   *
   * @param door any object that stands for the door's way of encoding
   * @param time that stands in the bytes, in milliseconds
   */
  form(door: object, time: number): Uint8Array | undefined {
    for (let form = this.#forms; form; form = form.next) {
      if (form.door === door) return form.time === time ? form.bytes : undefined;
    }
    return undefined;
  }

  /** Keeps the latest that a door made of this frame; see {@link form}. */
  keepForm(door: object, time: number, bytes: Uint8Array): void {
    for (let form = this.#forms; form; form = form.next) {
      if (form.door !== door) continue;
      form.time = time;
      form.bytes = bytes;
      return;
    }
    this.#forms = { door, time, bytes, next: this.#forms };
  }
}

interface EncodedForm {
  readonly door: object;
  time: number;
  bytes: Uint8Array;
  readonly next: EncodedForm | undefined;
}
