// Members of NetGroups at other servers. NATS-310, NATS-311.
import { fromHex, toHex } from "../bytes/hex.ts";
import { TokenBucket } from "../common/token_bucket.ts";
import { memberLeft, type Members, members } from "./messages.ts";
import { type Post, soonest } from "./post.ts";

/** Maximum number of members sent in one message. */
const MAX_SAMPLE = 13;
/** Maximum number of members at other servers kept per group; a further one replaces a random one. */
const MAX_FOREIGN = 32;
/** Average time (ms) between two messages with the members of a group. */
const REFRESH_INTERVAL = 30_000;
/** Maximum number of new members of a group at once, and per second: each is announced to clients. */
const MAX_NEW_MEMBERS = 256, MAX_NEW_MEMBERS_PER_SECOND = 20;
/**
 * Two servers of a NATS cluster that subscribe at the same time may miss each other's messages: the first
 * messages are repeated after this delay (ms) plus a random one up to the same length.
 */
const SECOND_TELLING = 300;
/** Time (ms) before servers that meet again send their groups: they must know each other first. */
const MEETING_TIME = 200;
/** Random time (ms) added to it. */
const TELLING_SPREAD = 1_000;

export interface RemoteGroupEvents {
  /** The members of a group among this server's clients. */
  localMembers(group: string): readonly Uint8Array[];
  localCount(group: string): number;
  onMember(group: string, peerId: Uint8Array): void;
  onMemberGone(group: string, peerId: Uint8Array): void;
}

/** A group with members among this server's clients. */
interface Joined {
  readonly rawId: Uint8Array;
  /** Members at other servers, by their hexadecimal id, with their servers. */
  readonly foreign: Map<string, Set<string>>;
  readonly allowance: TokenBucket;
  refreshAt: number;
}

/** Members of groups at other servers. Groups are named by the hexadecimal text of their ids. */
export class Groups {
  readonly #post: Post;
  readonly #events: RemoteGroupEvents;
  readonly #groups = new Map<string, Joined>();

  constructor(post: Post, events: RemoteGroupEvents) {
    this.#post = post;
    this.#events = events;
  }

  /** Number of known members at other servers, of all groups. */
  get foreign(): number {
    let sum = 0;
    for (const { foreign } of this.#groups.values()) sum += foreign.size;
    return sum;
  }

  /** A client of this server has joined a group. */
  joined(group: string, peerId: Uint8Array, now: number): void {
    const rawId = fromHex(group);
    const isFirst = !this.#groups.has(group);
    if (isFirst) {
      const refreshAt = now + SECOND_TELLING + this.#post.random(SECOND_TELLING);
      this.#groups.set(group, {
        rawId,
        foreign: new Map(),
        allowance: new TokenBucket(MAX_NEW_MEMBERS, MAX_NEW_MEMBERS_PER_SECOND),
        refreshAt,
      });
      this.#post.subscribe(this.#post.subjects.group(rawId));
    }
    this.#tell(rawId, [peerId], false, isFirst);
  }

  /** A client of this server has left a group. */
  left(group: string, peerId: Uint8Array): void {
    const joined = this.#groups.get(group);
    if (!joined) return;
    const subject = this.#post.subjects.group(joined.rawId);
    this.#post.send(subject, memberLeft, { group: joined.rawId, peer: peerId });
    if (this.#events.localCount(group) > 0) return;
    this.#groups.delete(group);
    this.#post.unsubscribe(subject);
    for (const peer of joined.foreign.keys()) this.#events.onMemberGone(group, fromHex(peer));
  }

  /** The bus, or a part of it, is connected again: sends all groups, spread over a second. */
  tellAgain(now: number): void {
    for (const joined of this.#groups.values()) {
      const at = now + MEETING_TIME + this.#post.random(TELLING_SPREAD);
      joined.refreshAt = soonest(joined.refreshAt, at, now);
    }
  }

  onMembers(sender: string, { group, peers, complete, asks }: Members, now: number): void {
    const id = toHex(group);
    const joined = this.#groups.get(id);
    if (!joined) return;
    for (const peer of peers) this.#add(id, joined, toHex(peer), sender, now);
    if (complete) {
      const there = new Set(peers.map(toHex));
      for (const peer of [...joined.foreign.keys()]) {
        if (!there.has(peer)) this.#remove(id, joined, peer, sender);
      }
    }
    if (asks) this.#tell(group, undefined, true, false, this.#post.subjects.server(sender));
  }

  onMemberLeft(sender: string, group: Uint8Array, peer: Uint8Array): void {
    const id = toHex(group);
    const joined = this.#groups.get(id);
    if (joined) this.#remove(id, joined, toHex(peer), sender);
  }

  onServerGone(server: string): void {
    for (const [id, joined] of this.#groups) {
      for (const peer of [...joined.foreign.keys()]) this.#remove(id, joined, peer, server);
    }
  }

  get deadline(): number {
    let deadline = Infinity;
    for (const { refreshAt } of this.#groups.values()) deadline = Math.min(deadline, refreshAt);
    return deadline;
  }

  flush(now: number): void {
    for (const joined of this.#groups.values()) {
      if (now < joined.refreshAt) continue;
      joined.refreshAt = this.#nextRefresh(now);
      this.#tell(joined.rawId, undefined, true, true);
    }
  }

  #nextRefresh(now: number): number {
    return now + REFRESH_INTERVAL / 2 + this.#post.random(REFRESH_INTERVAL);
  }

  /** @param peers undefined: a sample of this server's members */
  #tell(
    group: Uint8Array,
    peers: readonly Uint8Array[] | undefined,
    mayBeComplete: boolean,
    asks: boolean,
    subject = this.#post.subjects.group(group),
  ): void {
    const local = peers ?? this.#events.localMembers(toHex(group));
    const complete = mayBeComplete && local.length <= MAX_SAMPLE;
    const first = local.length <= MAX_SAMPLE ? 0 : this.#post.random(local.length);
    const sample = local.slice(first, first + MAX_SAMPLE)
      .concat(local.slice(0, Math.min(first, MAX_SAMPLE))).slice(0, MAX_SAMPLE);
    this.#post.send(subject, members, { group, peers: sample, complete, asks });
  }

  #add(id: string, joined: Joined, peer: string, server: string, now: number): void {
    const { foreign, allowance } = joined;
    const servers = foreign.get(peer);
    if (servers) return void servers.add(server);
    if (!allowance.take(now)) return;
    if (foreign.size >= MAX_FOREIGN) {
      const replaced = [...foreign.keys()][this.#post.random(foreign.size)];
      if (replaced !== undefined) {
        foreign.delete(replaced);
        this.#events.onMemberGone(id, fromHex(replaced));
      }
    }
    foreign.set(peer, new Set([server]));
    this.#events.onMember(id, fromHex(peer));
  }

  #remove(id: string, { foreign }: Joined, peer: string, server: string): void {
    const servers = foreign.get(peer);
    if (!servers?.delete(server) || servers.size > 0) return;
    foreign.delete(peer);
    this.#events.onMemberGone(id, fromHex(peer));
  }
}
