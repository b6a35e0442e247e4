import { toHex } from "../bytes/hex.ts";
import type { Client } from "./client.ts";
import type { GroupOutput } from "./connection.ts";
import { minus, plus } from "./few.ts";
import { Group, type GroupOwner, type Member } from "./group.ts";
import type { HubWatcher } from "./watcher.ts";

/** The watcher of memberships; undefined: no other servers. */
interface Watched {
  readonly watcher: HubWatcher | undefined;
}

/** The groups that have members, by id. API-641. */
export class Groups extends Map<string, Group> implements GroupOwner {
  readonly #random: (below: number) => number;
  readonly #watched: Watched;

  /** @param random a number from 0 up to and without `below` */
  constructor(random: (below: number) => number, watched: Watched) {
    super();
    this.#random = random;
    this.#watched = watched;
  }

  /**
   * A client joins a group, or requests members of its group again. API-641.
   * @param rawId 32 bytes
   */
  join(client: Client, rawId: Uint8Array, output: GroupOutput): Member {
    const group = this.#group(rawId);
    const before = group.memberOf(client);
    const member = group.join(client, output);
    if (before) return member;
    client.memberships = plus(client.memberships, member);
    this.#watched.watcher?.onJoined(group, client);
    client.application.joinGroup(client, group);
    return member;
  }

  /** A script adds a peer to a group; the caller has checked the ids. API-304. */
  joinVirtual(peerId: Uint8Array, groupId: Uint8Array): Member {
    return this.#group(groupId).joinVirtual(peerId);
  }

  /** A client leaves a group. API-641. */
  leave(member: Member): void {
    if (!member.active) return;
    const { client, group } = member;
    group.leave(member);
    if (client) client.memberships = minus(client.memberships, member);
    if (client) this.#watched.watcher?.onLeft(group, client);
    client?.application.unjoinGroup(client, group);
  }

  onEmpty(group: Group): void {
    this.delete(group.id);
  }

  #group(rawId: Uint8Array): Group {
    const id = toHex(rawId);
    let group = this.get(id);
    if (!group) {
      group = new Group(Uint8Array.from(rawId), this.#random, this);
      this.set(id, group);
    }
    return group;
  }
}
