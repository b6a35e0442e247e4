import { audioRole, type Role, videoRole } from "../flv/codec.ts";

export type FrameKind = "audio" | "video" | "data";

/**
 * An audio, video or data message of a publisher for all listeners. It owns its bytes, which must not
 * change.
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
   * The encoded form of this frame that a door made for one listener and may send to its other listeners.
   *
   * @param door any object that identifies the door's encoding
   */
  form(door: object): EncodedForm | undefined {
    let form = this.#forms;
    while (form && form.door !== door) form = form.next;
    return form;
  }

  /**
   * Keeps the encoded form that a door made of this frame; see {@link form}.
   * @param time time in the bytes, in milliseconds
   */
  keepForm(door: object, time: number, bytes: Uint8Array): EncodedForm {
    return this.#forms = { door, time, bytes, next: this.#forms };
  }
}

/** The one encoding of a frame for all listeners of a door. */
export interface EncodedForm {
  readonly door: object;
  readonly time: number;
  readonly bytes: Uint8Array;
  readonly next: EncodedForm | undefined;
}
