/** What an endpoint allows. Times in milliseconds, lengths in bytes. */
export interface Limits {
  /** The largest datagram sent in a session. */
  readonly datagram: number;
  /** After so long without a packet the far end is asked for one. */
  readonly keepAlive: number;
  /** After so long without a packet the session is over. */
  readonly silence: number;
  /** The session ends after this time without an acknowledgement of data in flight, in ms. */
  readonly unacknowledged: number;
  /** After so long without any flow the session is closed. */
  readonly idle: number;
  /** How many flows the far end of a session may have open; further ones are rejected. */
  readonly flows: number;
  /** One message from the far end. */
  readonly message: number;
  /** Bytes that the far end can make a session hold: incomplete messages, gaps, flows. */
  readonly memory: number;
  /** The same of all sessions together: for more, those go at whose addresses most is held. */
  readonly memoryOfAll: number;
  /** How many flows of this end the far end can make it have open or closing. */
  readonly ownFlows: number;
  /** How much the far end can make it have waiting to be sent; see `Session.queuedBytes`. */
  readonly queued: number;
  /** How long the handshake of an initiator may take. */
  readonly opening: number;
  /**
   * Maximum number of sessions. A session whose far end was not heard yet, or that only lingers, gives
   * its place to a new one.
   */
  readonly sessions: number;
  /** How many of them one address (IPv6: one /64) may open and have; but any at loopback. */
  readonly sessionsOfAddress: number;
  /** How many answered handshakes may wait for the first packet of their session. */
  readonly halfOpen: number;
  /** How many handshakes may wait for their secret. */
  readonly agreements: number;
  /** Answers to packets without session for each source, a second. */
  readonly answers: number;
  /** For each source, bytes of those answers for each byte received. */
  readonly amplification: number;
  /** How many others each session is told of that look for it, a second. */
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
