/** Reasons for the end of an RTMP connection, as counted. */
export type CloseReason =
  | "handshake"
  | "chunk"
  | "message length"
  | "chunk streams"
  | "partial messages"
  | "messages"
  | "handshake timeout"
  | "connect timeout"
  | "silent"
  | "not reading"
  | "refused"
  | "blacklisted"
  | "too many connections"
  | "internal error";

/** The far end breaks the protocol or a limit: its connection is closed, and the reason counted. */
export class RtmpError extends Error {
  override name = "RtmpError";

  constructor(readonly reason: CloseReason, message: string) {
    super(message);
  }
}
