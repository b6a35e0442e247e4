import { toHex } from "../bytes/hex.ts";
import type { Client } from "./client.ts";
import type { GroupOutput } from "./connection.ts";

/** How many of the newest members a joiner is told of. */
const NEWEST = 5;
/**
 * A client that sent no packet for this time (ms) is probably gone: clients send a packet every 15 s, and
 * the server pings them every 30 s.
 */
const SILENT = 45_000;
/** How many of those are passed over in looking for others. */
const MOST_SILENT = 64;

/**
 * A member of a group: a client here, or a virtual member, a peer that a script vouches for.
 * API-304, API-320.
 */
export class Member {
  readonly id: string;
  /** False once it was released or left; set by {@link Group}. */
  active = true;
  /** It has left; settable by who made it join. */
  onLeft: () => void = () => {};

  /**
   * @param rawId 32 bytes
   * @param client of a real member
   */
  constructor(
    readonly group: Group,
    readonly rawId: Uint8Array,
    readonly client: Client | undefined,
    readonly output: GroupOutput | undefined,
  ) {
    this.id = toHex(rawId);
  }

  /** Leaves the group; repeating is harmless. API-321. */
  release(): void {
    this.group.leave(this);
  }
}

export interface GroupOwner {
  /** The last member left; the group ends. */
  onEmpty(group: Group): void;
}

/**
 * A NetGroup as the server sees it: its members in joining order, and the introductions by which
 * peers find each other. rtmfp-wire §7.4, API-301 to API-322.
 *
 * A joiner is told of at most six members, well below the bound of 2·log2(N) + 13.
 */
export class Group {
  readonly id: string;
  /** Real and virtual members, in joining order. */
  readonly members: Member[] = [];
  #byId = new Map<string, Member>();
  /** How many members are there besides another one with their id. */
  #doubles = 0;
  #real = 0;
  #random: (below: number) => number;
  #events: GroupOwner;

  /**
   * @param rawId 32 bytes, the SHA-256 of the group specifier
   * @param random a number from 0 up to and without `below`
   */
  constructor(
    readonly rawId: Uint8Array,
    random: (below: number) => number,
    events: GroupOwner,
  ) {
    this.id = toHex(rawId);
    this.#random = random;
    this.#events = events;
  }

  /** How many clients belong to it; virtual members do not count. API-312. */
  get size(): number {
    return this.#real;
  }

  /** The clients in it, in joining order. API-313. */
  *clients(): Generator<Client> {
    for (const { client } of this.members) if (client) yield client;
  }

  /** The member that is this client. */
  memberOf(client: Client): Member | undefined {
    const member = this.#byId.get(client.id);
    return member?.client === client ? member : undefined;
  }

  /**
   * Adds a client, and introduces it to the five newest members, newest first, and to one older
   * member. Silent members are skipped while there are others. A client that is a member already is
   * introduced again and keeps its place.
   */
  join(client: Client, output: GroupOutput): Member {
    const before = this.memberOf(client);
    if (before) {
      this.#introduce(before.rawId, output);
      return before;
    }
    const member = new Member(this, client.rawId, client, output);
    this.#introduce(member.rawId, output);
    this.#add(member);
    this.#real++;
    return member;
  }

  /**
   * A script adds a peer: some members are told of it, as the peer itself cannot be told of
   * them by this server. API-304, API-305. Several may vouch for one peer, which stays until all
   * of its memberships are released; members are told of it once.
   */
  joinVirtual(rawId: Uint8Array): Member {
    const member = new Member(this, rawId, undefined, undefined);
    if (!this.#byId.has(member.id)) {
      const told = this.#choose((other) => other.client !== undefined);
      for (const other of told) other.output?.announce(rawId);
    }
    this.#add(member);
    return member;
  }

  /**
   * A member leaves: the one that had joined after it is told of the fifth before it, so that
   * everyone goes on knowing about six.
   */
  leave(member: Member): void {
    if (!member.active) return;
    member.active = false;
    const at = this.members.indexOf(member);
    this.members.splice(at, 1);
    const double = this.#doubles > 0 && this.members.find(({ id }) => id === member.id);
    if (double) this.#doubles--;
    if (!double) this.#byId.delete(member.id);
    else if (this.#byId.get(member.id) === member) this.#byId.set(member.id, double);
    if (member.client) this.#real--;
    member.onLeft();
    const follower = this.members[at];
    const known = this.members[at - NEWEST];
    if (follower && known && known.id !== follower.id) follower.output?.announce(known.rawId);
    if (this.members.length === 0) this.#events.onEmpty(this);
  }

  #add(member: Member): void {
    this.members.push(member);
    if (this.#byId.has(member.id)) this.#doubles++;
    // Of a client and a virtual member with one id, the client is the one to look up.
    if (member.client || !this.#byId.has(member.id)) this.#byId.set(member.id, member);
  }

  #introduce(rawId: Uint8Array, to: GroupOutput): void {
    const id = toHex(rawId);
    for (const other of this.#choose((member) => member.id !== id)) to.announce(other.rawId);
  }

  /**
   * The newest five of the members that are wanted, newest first, and one of those before. Members
   * who have not been heard of for long are taken where others are lacking.
   */
  #choose(wanted: (member: Member) => boolean): Member[] {
    const { members } = this;
    const chosen: Member[] = [];
    const silent: Member[] = [];
    const isNew = (member: Member) =>
      wanted(member) && !chosen.some(({ id }) => id === member.id) &&
      !silent.some(({ id }) => id === member.id);
    let at = members.length;
    while (at > 0 && chosen.length < NEWEST && silent.length < MOST_SILENT) {
      const member = members[--at];
      if (member && isNew(member)) (isSilent(member) ? silent : chosen).push(member);
    }
    chosen.push(...silent.splice(0, NEWEST - chosen.length));
    // One of the `at` older members, or else the next who is not silent.
    const drawn = at > 0 ? this.#random(at) : 0;
    let older: Member | undefined;
    for (let i = 0, looked = 0; i < at && looked < MOST_SILENT; i++) {
      const member = members[(drawn + i) % at];
      if (!member || !isNew(member)) continue;
      looked++;
      if (!older || !isSilent(member)) older = member;
      if (!isSilent(older)) break;
    }
    if (older) chosen.push(older);
    return chosen;
  }
}

/** Virtual members are somebody else's business. */
function isSilent({ client }: Member): boolean {
  return client !== undefined && client.elapsedFromReception > SILENT;
}
