import { isLoopback, sourceKey } from "../common/ip.ts";
import type { Hub } from "../media/hub.ts";
import type { Hmac } from "./digest.ts";
import type { CloseReason } from "./rtmp_error.ts";
import { type Accepted, RtmpSession, type Wire } from "./rtmp_session.ts";

interface RtmpServerOptions {
  readonly hmac: Hmac;
  random(length: number): Uint8Array;
  readonly limits: RtmpLimits;
}

/** Maximum number of connections; Infinity: no limit. RTMP-904. */
export interface RtmpLimits {
  readonly connections: number;
  readonly connectionsOfAddress: number;
  /** Maximum number of connections that have not sent `connect`. */
  readonly unconnected: number;
  readonly unconnectedOfAddress: number;
}

/** Counters of connections since the start. */
interface RtmpCounters {
  accepted: number;
  /** Number of connections that failed, by reason. */
  readonly closed: Partial<Record<CloseReason, number>>;
}

interface Traffic {
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** Time (ms) between calls of {@link RtmpServer.manage} after which the whole server counts as busy. */
const MAX_MANAGE_INTERVAL = 2_000;
/** Number of connections of one source. */
interface Share {
  all: number;
  unconnected: number;
}

/** The door for RTMP: the sessions of all its connections, and their limits. */
export class RtmpServer {
  readonly counters: RtmpCounters = { accepted: 0, closed: {} };
  readonly #sessions = new Set<RtmpSession>();
  /** Sessions that have not sent `connect`, oldest first. */
  readonly #unconnected = new Set<RtmpSession>();
  readonly #shares = new Map<string, Share>();
  #managedAt = -Infinity;
  /** Traffic of ended connections. */
  #past: Traffic = { bytesIn: 0, bytesOut: 0 };

  constructor(readonly hub: Hub, readonly options: RtmpServerOptions) {}

  /** Open sessions, connected or not. */
  get size(): number {
    return this.#sessions.size;
  }

  get unconnected(): number {
    return this.#unconnected.size;
  }

  sessions(): Iterable<RtmpSession> {
    return this.#sessions;
  }

  /** Bytes of all connections since the start. */
  traffic(): Traffic {
    let traffic = this.#past;
    for (const session of this.#sessions) traffic = withLink(traffic, session);
    return traffic;
  }

  /**
   * Takes a connection.
   * @returns undefined if the limit is reached: the caller must close the connection
   */
  accept(wire: Wire, accepted: Accepted): RtmpSession | undefined {
    const { hub, options: { limits } } = this;
    if (hub.blacklist.has(accepted.hostname)) return this.#refuse("blacklisted");
    const source = sourceOf(accepted.hostname);
    const share = this.#shares.get(source ?? "") ?? { all: 0, unconnected: 0 };
    if (
      this.#sessions.size >= limits.connections ||
      source !== undefined && (share.all >= limits.connectionsOfAddress ||
          share.unconnected >= limits.unconnectedOfAddress)
    ) return this.#refuse("too many connections");
    if (this.#unconnected.size >= limits.unconnected) this.#endOldest();
    this.counters.accepted++;
    this.#shares.set(source ?? "", share);
    share.all++;
    share.unconnected++;
    const session = new RtmpSession(wire, this, accepted);
    this.#sessions.add(session);
    this.#unconnected.add(session);
    return session;
  }

  // Calls from sessions

  onConnected(session: RtmpSession): void {
    if (!this.#unconnected.delete(session)) return;
    const share = this.#shares.get(sourceOf(session.hostname) ?? "");
    if (share) share.unconnected--;
  }

  onEnded(session: RtmpSession, reason: CloseReason | undefined, text: string): void {
    this.onConnected(session);
    const source = sourceOf(session.hostname) ?? "";
    const share = this.#shares.get(source);
    if (share && --share.all === 0) this.#shares.delete(source);
    this.#count(reason);
    if (reason) this.hub.log("debug", `RTMP connection of ${session.address} ends: ${text}`);
  }

  onOver(session: RtmpSession): void {
    if (this.#sessions.delete(session)) this.#past = withLink(this.#past, session);
  }

  /** Called several times a second. */
  manage(): void {
    const { now } = this.hub;
    const heldUp = now - this.#managedAt > MAX_MANAGE_INTERVAL; // no input was processed meanwhile
    this.#managedAt = now;
    if (heldUp) return;
    for (const session of [...this.#sessions]) session.manage();
  }

  /** The server stops: asks clients that support it to reconnect. RTMP-830. */
  close(): void {
    for (const session of [...this.#sessions]) session.leave();
  }

  /** Ends the session that has been without `connect` for longest. */
  #endOldest(): void {
    const [oldest] = this.#unconnected;
    oldest?.end("too many connections", "the server made room for new connections", true);
  }

  #refuse(reason: CloseReason): undefined {
    this.#count(reason);
    return undefined;
  }

  #count(reason: CloseReason | undefined): void {
    if (!reason) return;
    const { closed } = this.counters;
    closed[reason] = (closed[reason] ?? 0) + 1;
  }
}

const withLink = ({ bytesIn, bytesOut }: Traffic, { link }: RtmpSession): Traffic => ({
  bytesIn: bytesIn + link.bytesReceived,
  bytesOut: bytesOut + link.bytesHandedOut,
});

/** The source of an address; undefined for this machine, which may be a proxy. */
function sourceOf(hostname: string): string | undefined {
  return isLoopback(hostname) ? undefined : sourceKey(hostname);
}
