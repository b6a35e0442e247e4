// Members of NetGroups at other servers: clients here get their ids like those of virtual members.
import { fromHex, toHex } from "../bytes/hex.ts";
import type { Member } from "../media/group.ts";
import type { Hub } from "../media/hub.ts";

export class BusGroups {
  readonly #hub: Hub;
  /** Members by the hexadecimal ids of group and peer. */
  readonly #members = new Map<string, Member>();

  constructor(hub: Hub) {
    this.#hub = hub;
  }

  localMembers(group: string): readonly Uint8Array[] {
    const clients = this.#hub.groups.get(group)?.clients() ?? [];
    return Array.from(clients, ({ rawId }) => rawId);
  }

  add(group: string, peerId: Uint8Array): void {
    const key = group + toHex(peerId);
    if (this.#members.has(key) || !this.#hub.groups.has(group)) return;
    this.#members.set(key, this.#hub.groups.joinVirtual(peerId, fromHex(group)));
  }

  remove(group: string, peerId: Uint8Array): void {
    const key = group + toHex(peerId);
    this.#members.get(key)?.release();
    this.#members.delete(key);
  }
}
