import { audioRole, type Role, videoRole } from "./codec.ts";

export type FrameKind = "audio" | "video" | "data";

/**
 * One audio, video or data message on its way from a publisher to all listeners. It owns its
 * bytes, which nobody changes any more.
 */
export class Frame {
  readonly role: Role;
  /**
   * Where a door keeps the message it made of this frame, so that it is serialised once for
   * all listeners. Belongs to {@link encodedTime}; media never reads it.
   */
  encoded: Uint8Array | undefined;
  /** The time that stands in {@link encoded}, in milliseconds. */
  encodedTime = 0;

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
}
