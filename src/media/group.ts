import { toHex } from "../bytes/hex.ts";
import type { Client } from "./client.ts";
import type { GroupOutput } from "./connection.ts";

/** Number of the newest members that are announced to a joiner. */
const NEWEST = 5;
/**
 * Time (ms) without a packet after which a client counts as silent: clients send a packet every 15 s, and the
 * server pings them every 30 s.
 */
const SILENCE_TIMEOUT = 45_000;
/** Maximum number of silent members skipped in a search for others. */
const MAX_SILENT = 64;

/**
 * A member of a group: a client of this server, or a virtual member, a peer that a script has added.
 * API-304, API-320.
 */
export class Member {
  readonly id: string;
  /** False once it has left; set by {@link Group}. */
  active = true;
  /** Called when it has left; the caller of the join may set it. */
  onLeft: () => void = () => {};

  /**
   * @param rawId 32 bytes
   * @param client the client of a real member
   */
  constructor(
    readonly group: Group,
    readonly rawId: Uint8Array,
    readonly client: Client | undefined,
    readonly output: GroupOutput | undefined,
  ) {
    this.id = toHex(rawId);
  }

  /** Leaves the group; does nothing if it has left. API-321. */
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
 * At most six members are announced to a joiner, well below the bound of 2·log2(N) + 13.
 */
export class Group {
  readonly id: string;
  /** Real and virtual members, in joining order. */
  readonly members: Member[] = [];
  #byId = new Map<string, Member>();
  /** Number of members that share their id with an earlier one. */
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

  /** Number of clients in it, without virtual members. API-312. */
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
   * member. Silent members are skipped while there are others. A client that is a member already
   * is introduced again and keeps its position.
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
   * A script adds a peer: it is announced to some members, as this server cannot announce them to the
   * peer. API-304, API-305. Scripts may add a peer several times; it stays until all its memberships are
   * released, and is announced once.
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
   * A member leaves: the fifth member before it is announced to the member that joined after it, so that
   * each member still knows six.
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
    // The index prefers a client over a virtual member with the same id.
    if (member.client || !this.#byId.has(member.id)) this.#byId.set(member.id, member);
  }

  #introduce(rawId: Uint8Array, to: GroupOutput): void {
    const id = toHex(rawId);
    for (const other of this.#choose((member) => member.id !== id)) to.announce(other.rawId);
  }

  /**
   * The five newest members that match, newest first, and one older member. Silent members are chosen only
   * if there are too few others.
   */
  #choose(wanted: (member: Member) => boolean): Member[] {
    const { members } = this;
    const chosen: Member[] = [];
    const silent: Member[] = [];
    const isNew = (member: Member) =>
      wanted(member) && !chosen.some(({ id }) => id === member.id) &&
      !silent.some(({ id }) => id === member.id);
    let at = members.length;
    while (at > 0 && chosen.length < NEWEST && silent.length < MAX_SILENT) {
      const member = members[--at];
      if (member && isNew(member)) (isSilent(member) ? silent : chosen).push(member);
    }
    chosen.push(...silent.splice(0, NEWEST - chosen.length));
    // A random one of the `at` older members, or the next one that is not silent.
    const drawn = at > 0 ? this.#random(at) : 0;
    let older: Member | undefined;
    for (let i = 0, looked = 0; i < at && looked < MAX_SILENT; i++) {
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

/** Whether a client is silent; unknown, and so false, for virtual members. */
function isSilent({ client }: Member): boolean {
  return client !== undefined && client.elapsedFromReception > SILENCE_TIMEOUT;
}
