import { Reader } from "../bytes/reader.ts";
import { toUtf8 } from "../bytes/text.ts";
import { WireError } from "../bytes/wire_error.ts";
import type { Client } from "../media/client.ts";
import type { GroupOutput } from "../media/connection.ts";
import type { Member } from "../media/group.ts";
import type { Hub } from "../media/hub.ts";
import type { FlowReceiver, InFlow, OutFlow } from "./transport.ts";

/** Messages on flows with metadata GC have no header: the first byte is their type. §3.8. */
const JOIN = 0x01;
const ANNOUNCE = 0x0b;

/** Kinds of the group's name in a join. */
const GROUP_SPECIFIER = 0x10;
const GROUP_ID = 0x15;
const ID_LENGTH = 32;

/** Maximum number of groups that a client may join by one flow. */
const MAX_GROUPS = 32;

/**
 * Reads a join: `01 | VLU n | kind u8 | n - 1 bytes`.
 *
 * @returns the 32 bytes of the group's id; undefined for any other message
 * @throws {WireError} if it is cut off
 */
export function readJoin(
  message: Uint8Array,
  sha256: (bytes: Uint8Array) => Uint8Array,
): Uint8Array | undefined {
  const from = new Reader(message);
  if (from.u8() !== JOIN) return undefined;
  const length = from.vlu();
  if (length < 1) return undefined;
  const kind = from.u8();
  const value = from.bytes(length - 1);
  if (kind === GROUP_SPECIFIER) return groupId(value, sha256);
  return kind === GROUP_ID && value.length === ID_LENGTH ? value.slice() : undefined;
}

/** Begin of the text of a specification of version 2, and the element that ends one. */
const VERSION_2 = toUtf8("G:027f02");
const END_MARKER = toUtf8("00");

/**
 * The 32 bytes of the id of a group: the SHA-256 of its specification. For version 2 it is the SHA-256 of the
 * SHA-256 of the text before the end marker, as in Flash Player and librtmfp.
 */
export function groupId(
  specification: Uint8Array,
  sha256: (bytes: Uint8Array) => Uint8Array,
): Uint8Array {
  if (VERSION_2.some((byte, i) => byte !== specification[i])) return sha256(specification);
  const end = specification.length - END_MARKER.length;
  const isEnded = END_MARKER.every((byte, i) => byte === specification[end + i]);
  return sha256(sha256(isEnded ? specification.subarray(0, end) : specification));
}

/** Names a member: `0b | peer id (32)`. */
export function writeAnnouncement(peerId: Uint8Array): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(1 + peerId.length);
  message[0] = ANNOUNCE;
  message.set(peerId, 1);
  return message;
}

/** The part of a connection that a group flow uses. */
export interface GroupHost {
  readonly hub: Hub;
  readonly client: Client;
  sha256(bytes: Uint8Array): Uint8Array;
  /** The flow back to the client, in answer to this one. */
  openGroupFlow(association: InFlow): OutFlow;
}

/** A client's flow of a NetGroup. Ending it leaves the group. */
export class NetGroup implements GroupOutput, FlowReceiver {
  #host: GroupHost;
  #members = new Map<string, Member>();
  #flow: OutFlow | undefined;

  /** @param ended called when the client has ended the flow */
  constructor(host: GroupHost, readonly incoming: InFlow, readonly ended: () => void) {
    this.#host = host;
  }

  onMessage(message: Uint8Array): void {
    const { hub, client } = this.#host;
    try {
      const id = readJoin(message, (bytes) => this.#host.sha256(bytes));
      if (!id || this.#members.size >= MAX_GROUPS) return;
      const member = hub.groups.join(client, id, this);
      this.#members.set(member.group.id, member);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      hub.log("debug", `Cannot read a message of a group: ${error.message}`);
    }
  }

  onEnd(): void {
    for (const member of this.#members.values()) this.#host.hub.groups.leave(member);
    this.#members.clear();
    this.#flow?.close();
    this.#flow = undefined;
    this.ended();
  }

  /** Announces a member; the first one opens the flow to the client. */
  announce(peerId: Uint8Array): void {
    if (this.#flow?.closed) return; // the client has rejected it
    this.#flow ??= this.#host.openGroupFlow(this.incoming);
    this.#flow.write(writeAnnouncement(peerId));
  }
}
