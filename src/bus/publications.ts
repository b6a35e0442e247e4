// Publications of one server that are played at all. NATS-401 to NATS-434.
import type { BusFrame } from "./frames.ts";
import { Incoming, type IncomingUser, isBefore } from "./incoming.ts";
import type { Claim, Join, Media, State } from "./messages.ts";
import { Outgoing, type OutgoingUser } from "./outgoing.ts";
import type { Post } from "./post.ts";

/** Time (ms) over which claims are repeated after the bus, or a part of it, is back. */
const CLAIMS_SPREAD = 2_000;

export interface PublicationsUser extends OutgoingUser, IncomingUser {
  /** Another server has published the name for longer: end the publication here. */
  onTaken(name: string, server: string): void;
}

/** All publications that cross between servers. A name may be both published and wanted here. */
export class Publications {
  readonly counters = { claimsLost: 0 };
  readonly #post: Post;
  readonly #user: PublicationsUser;
  readonly #epoch: (now: number) => number;
  readonly #owned = new Map<string, Outgoing>();
  readonly #wanted = new Set<string>();
  readonly #incoming = new Map<string, Incoming>();
  #lastId = 0;

  /** @param epoch milliseconds since 1970 of a time */
  constructor(post: Post, user: PublicationsUser, epoch: (now: number) => number) {
    this.#post = post;
    this.#user = user;
    this.#epoch = epoch;
  }

  /** Number of publications received from other servers, and of own ones sent to others. */
  get relays(): { incoming: number; outgoing: number } {
    let [incoming, outgoing] = [0, 0];
    for (const one of this.#incoming.values()) if (one.source !== undefined) incoming++;
    for (const one of this.#owned.values()) if (one.listeners > 0) outgoing++;
    return { incoming, outgoing };
  }

  /** A client here has begun to publish a name; if another server owns it, {@link PublicationsUser.onTaken} follows. */
  begun(name: string, now: number): void {
    const begunAt = Math.max(0, Math.round(this.#epoch(now)));
    const claimed = { name, id: ++this.#lastId, begunAt };
    this.#incoming.get(name)?.close(now);
    this.#incoming.delete(name);
    if (!this.#wanted.has(name)) this.#post.subscribe(this.#post.subjects.control(name));
    this.#owned.set(name, new Outgoing(this.#post, this.#user, claimed, now));
  }

  ended(name: string, now: number): void {
    const owned = this.#owned.get(name);
    if (!owned) return;
    this.#owned.delete(name);
    owned.end();
    if (this.#wanted.has(name)) this.#incoming.set(name, this.#newIncoming(name, now));
    else this.#post.unsubscribe(this.#post.subjects.control(name));
  }

  /** A frame of a publication here; sent if other servers have listeners. */
  frame(name: string, frame: BusFrame, now: number): void {
    this.#owned.get(name)?.frame(frame, now);
  }

  /** The first listener of a name has come here, or the last one has left. */
  wanted(name: string, isWanted: boolean, now: number): void {
    if (isWanted === this.#wanted.has(name)) return;
    const isOwned = this.#owned.has(name);
    if (isWanted) {
      this.#wanted.add(name);
      if (isOwned) return;
      this.#post.subscribe(this.#post.subjects.control(name));
      this.#incoming.set(name, this.#newIncoming(name, now));
    } else {
      this.#wanted.delete(name);
      if (isOwned) return;
      this.#incoming.get(name)?.close(now);
      this.#incoming.delete(name);
      this.#post.unsubscribe(this.#post.subjects.control(name));
    }
  }

  connected(now: number): void {
    this.claimAgain(now);
    for (const incoming of this.#incoming.values()) incoming.connected(now);
  }

  /** Repeats all claims: other servers may have published the same names without receiving them. NATS-433. */
  claimAgain(now: number): void {
    for (const owned of this.#owned.values()) owned.claimAgain(now, CLAIMS_SPREAD);
  }

  onClaim(sender: string, claim: Claim, now: number): void {
    const { name } = claim;
    const owned = this.#owned.get(name);
    if (!owned) return this.#incoming.get(name)?.onClaim(sender, claim, now);
    const own = { ...owned.claimed, server: this.#post.self };
    if (isBefore(own, { ...claim, server: sender })) return owned.answer(sender);
    this.counters.claimsLost++;
    this.#user.onTaken(name, sender);
  }

  onEnd(sender: string, { name, id }: Claim, now: number): void {
    this.#incoming.get(name)?.onEnd(sender, id, now);
  }

  onJoin(sender: string, { name, from, id, request }: Join, now: number): void {
    const owned = this.#owned.get(name);
    if (!owned) return;
    const isFresh = from !== this.#post.self || id !== owned.claimed.id;
    owned.join(sender, request, isFresh, now);
  }

  onLeave(sender: string, { name, from }: Join): void {
    if (from === this.#post.self) this.#owned.get(name)?.leave(sender);
  }

  onState(sender: string, message: State, now: number): void {
    this.#incoming.get(message.name)?.onState(sender, message, now);
  }

  onMedia(sender: string, message: Media): void {
    this.#incoming.get(message.name)?.onMedia(sender, message);
  }

  onServerGone(server: string, now: number): void {
    for (const incoming of this.#incoming.values()) incoming.onServerGone(server, now);
    for (const owned of this.#owned.values()) owned.leave(server);
  }

  get deadline(): number {
    let deadline = Infinity;
    for (const one of this.#owned.values()) deadline = Math.min(deadline, one.deadline);
    for (const one of this.#incoming.values()) deadline = Math.min(deadline, one.deadline);
    return deadline;
  }

  flush(now: number): void {
    for (const one of this.#owned.values()) one.flush(now);
    for (const one of this.#incoming.values()) one.flush(now);
  }

  #newIncoming(name: string, now: number): Incoming {
    return new Incoming(this.#post, this.#user, name, now);
  }
}
