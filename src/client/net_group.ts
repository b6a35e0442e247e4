import { toHex } from "../bytes/hex.ts";
import { Reader } from "../bytes/reader.ts";
import { toUtf8 } from "../bytes/text.ts";
import { Writer } from "../bytes/writer.ts";
import type { Address } from "../common/address.ts";
import { GROUP_METADATA } from "../tc/format/metadata.ts";
import { groupId } from "../flash/net_group.ts";
import { portable } from "../rtmfp/crypto/portable.ts";
import type { FlowReceiver } from "../rtmfp/flow/handlers.ts";
import type { ReceiveFlow } from "../rtmfp/flow/receive_flow.ts";
import type { SendFlow } from "../rtmfp/flow/send_flow.ts";
import type { PeerSession } from "./peer_session.ts";
import type { Peers } from "./peers.ts";

/** Types of messages on flows of groups: their first bytes. rtmfp-wire §3.8. */
const JOIN = 0x01;
const MEMBER = 0x0b;
/** Kinds of a group's name. */
const GroupName = { specification: 0x10, id: 0x15 } as const;

/** Maximum number of members that it connects to at the same time. */
const MAX_ATTEMPTS = 32;

interface NetGroupHandler {
  /** The server names a member. @param peerId 32 bytes */
  onMember?(peerId: Uint8Array): void;
  /** A session with another member is open. @param peerId 64 hexadecimal digits */
  onNeighbor?(peerId: string): void;
  /** A member has left, or its session has ended. */
  onNeighborGone?(peerId: string): void;
  /** The server has left the group, or refused it. */
  onEnd?(): void;
}

/** Interface of the connection for a group. */
interface GroupHost {
  readonly peers: Peers;
  /** Addresses for introductions to members. */
  introducers(): readonly Address[];
  wake(): void;
}

/** Another member. The two flows open in any order. */
interface Neighbor {
  readonly peer: PeerSession;
  readonly flow: SendFlow;
  /** The peer's flow, on which it has identified itself as a member; undefined before. */
  far: ReceiveFlow | undefined;
}

/**
 * Membership in a NetGroup: the server names some members, and the client opens sessions with
 * them, in which both ends identify themselves by the same message. Messages of Flash's groups beyond
 * that (postings, multicast, replication) are not supported.
 */
export class NetGroup {
  handler: NetGroupHandler = {};
  /** 32 bytes. */
  readonly id: Uint8Array;
  readonly #key: string;
  readonly #join: Uint8Array;
  readonly #flow: SendFlow;
  readonly #host: GroupHost;
  readonly #neighbors = new Map<string, Neighbor>();
  readonly #attempts = new Map<string, () => void>();
  /** Peers that refused; they are not tried again. */
  readonly #refused = new Set<string>();
  #closed = false;

  /**
   * Joins.
   *
   * @param flow a flow to the server only for this group
   * @param name the group's 32 bytes of id, or its specification; see {@link groupId}
   * @throws {RangeError} if this client has joined the group already
   */
  constructor(flow: SendFlow, name: Uint8Array | string, host: GroupHost) {
    this.id = typeof name === "string"
      ? groupId(toUtf8(name), (bytes) => portable.sha256(bytes))
      : name;
    this.#key = toHex(this.id);
    this.#join = joinMessage(this.id);
    this.#flow = flow;
    this.#host = host;
    const { groups } = host.peers;
    if (groups.has(this.#key)) {
      flow.close();
      throw new RangeError(`Cannot join group ${this.#key} twice`);
    }
    groups.set(this.#key, this);
    flow.handler = { onException: () => this.end() };
    flow.write(joinMessage(name));
    host.wake();
  }

  /** Members with an open session that know this one too: 64 hexadecimal digits each. */
  get neighbors(): string[] {
    return [...this.#neighbors].filter(([, { far }]) => far).map(([id]) => id);
  }

  /** Takes the messages of the server's flow for this group. */
  receiver(): FlowReceiver {
    return {
      onMessage: (message) => {
        const from = new Reader(message);
        if (from.left >= 33 && from.u8() === MEMBER) this.#told(from.bytes(32).slice());
      },
      onEnd: () => this.end(),
    };
  }

  /** Leaves. */
  close(): void {
    this.#flow.close();
    this.#leave();
  }

  /** The server has ended its flow of the group, or refused it. */
  end(): void {
    if (this.#closed) return;
    this.#leave();
    this.handler.onEnd?.();
  }

  // Events of sessions with peers

  /** A peer identifies itself as a member. */
  met(peer: PeerSession, flow: ReceiveFlow): void {
    const neighbor = this.#greet(peer, flow);
    if (neighbor.far) return;
    neighbor.far = flow;
    this.handler.onNeighbor?.(peer.id);
  }

  /** A peer's flow has ended: it has left. */
  left(peer: PeerSession, flow: ReceiveFlow): void {
    const neighbor = this.#neighbors.get(peer.id);
    if (neighbor?.far === flow) this.#remove(neighbor);
  }

  /** The session with a peer has closed. */
  lost(peer: PeerSession): void {
    const neighbor = this.#neighbors.get(peer.id);
    if (neighbor?.peer === peer) this.#remove(neighbor);
  }

  #told(peerId: Uint8Array): void {
    const id = toHex(peerId);
    this.handler.onMember?.(peerId);
    if (this.#closed || this.#neighbors.has(id) || this.#attempts.has(id)) return;
    if (this.#refused.has(id) || this.#attempts.size >= MAX_ATTEMPTS) return;
    let over = false;
    const settle = () => {
      over = true;
      this.#attempts.delete(id);
    };
    const cancel = this.#host.peers.open(peerId, this.#host.introducers(), {
      onOpen: (peer) => {
        settle();
        if (!this.#closed) this.#greet(peer);
      },
      onFail: () => {
        settle();
        this.#askAgain();
      },
    });
    if (!over) this.#attempts.set(id, cancel);
  }

  /** Tells a peer that this client is a member, unless it has done so. */
  #greet(peer: PeerSession, far?: ReceiveFlow): Neighbor {
    const known = this.#neighbors.get(peer.id);
    if (known?.peer === peer) return known;
    if (known) this.#remove(known);
    const flow = peer.openGroupFlow(GROUP_METADATA, far);
    const neighbor: Neighbor = { peer, flow, far: undefined };
    this.#neighbors.set(peer.id, neighbor);
    peer.retain();
    flow.handler = {
      onException: () => {
        this.#refused.add(peer.id);
        this.#remove(neighbor);
      },
    };
    flow.write(this.#join);
    this.#host.wake();
    return neighbor;
  }

  #remove(neighbor: Neighbor): void {
    const { peer, flow, far } = neighbor;
    if (this.#neighbors.get(peer.id) !== neighbor) return;
    this.#neighbors.delete(peer.id);
    flow.close();
    peer.release();
    if (far && !this.#closed) this.handler.onNeighborGone?.(peer.id);
    this.#askAgain();
  }

  /** Joins again if this member has no neighbor: the server answers with members, as to a first join. */
  #askAgain(): void {
    if (this.#closed || this.#neighbors.size > 0 || this.#attempts.size > 0) return;
    this.#flow.write(this.#join);
    this.#host.wake();
  }

  #leave(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#host.peers.groups.delete(this.#key);
    for (const cancel of [...this.#attempts.values()]) cancel();
    this.#attempts.clear();
    for (const neighbor of [...this.#neighbors.values()]) this.#remove(neighbor);
    this.#host.wake();
  }
}

/** `01 | VLU length | kind u8 | name`. */
export function joinMessage(name: Uint8Array | string): Uint8Array {
  const [kind, bytes] = typeof name === "string"
    ? [GroupName.specification, toUtf8(name)]
    : [GroupName.id, name];
  return new Writer(3 + bytes.length).u8(JOIN).vlu(1 + bytes.length).u8(kind).bytes(bytes).copy();
}
