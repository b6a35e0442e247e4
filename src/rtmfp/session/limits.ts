/** Limits of an endpoint. Times in milliseconds, lengths in bytes. */
export interface Limits {
  /** Maximum length of a datagram sent in a session. */
  readonly datagram: number;
  /** Time without a packet after which the far end is pinged. */
  readonly keepAlive: number;
  /** Time without a packet after which the session ends. */
  readonly silence: number;
  /** Time without an acknowledgement of data in flight after which the session ends. */
  readonly unacknowledged: number;
  /** Time without any flow after which the session is closed. */
  readonly idle: number;
  /** Maximum number of open flows of the far end of a session; further ones are rejected. */
  readonly flows: number;
  /** Maximum length of a message from the far end. */
  readonly message: number;
  /** Maximum memory of a session for its far end: incomplete messages, gaps, flows. */
  readonly memory: number;
  /** The same for all sessions together; above it, sessions of the addresses that hold most are closed. */
  readonly memoryOfAll: number;
  /** Maximum number of open or closing flows of this end in a session. */
  readonly ownFlows: number;
  /** Maximum number of bytes that wait to be sent in a session; see `Session.queuedBytes`. */
  readonly queued: number;
  /** Maximum duration of the handshake of an initiator. */
  readonly opening: number;
  /**
   * Maximum number of sessions. A new session replaces one whose far end has sent nothing yet, or that
   * only lingers.
   */
  readonly sessions: number;
  /** Maximum number of them opened from one address (IPv6: one /64); unlimited for loopback. */
  readonly sessionsOfAddress: number;
  /** Maximum number of answered handshakes that wait for the first packet of their session. */
  readonly halfOpen: number;
  /** Maximum number of handshakes that wait for their secret. */
  readonly agreements: number;
  /** Answers to packets without session per source and second. */
  readonly answers: number;
  /** Bytes of those answers per byte received from a source. */
  readonly amplification: number;
  /** Introductions per session and second. */
  readonly introductions: number;
}

export const DEFAULT_LIMITS: Limits = {
  datagram: 1192,
  keepAlive: 30_000,
  silence: 120_000,
  unacknowledged: 60_000,
  idle: 300_000,
  flows: 64,
  message: 16 << 20,
  memory: 32 << 20,
  memoryOfAll: 512 << 20,
  ownFlows: 2048,
  queued: 128 << 20,
  opening: 95_000,
  sessions: 100_000,
  sessionsOfAddress: 10_000,
  halfOpen: 4096,
  agreements: 256,
  answers: 50,
  amplification: 3,
  introductions: 50,
};
