import { concat } from "../../bytes/concat.ts";
import { type Address, addressText } from "../../common/address.ts";
import type { PacketFragment } from "../wire/packet_fragment.ts";
import type { Context } from "./context.ts";

/** Maximum length of a packet in bytes, and highest number of a fragment. RFC 7016 §3.4. */
const MAX_LENGTH = 65_536;
/** Maximum time (ms) that a packet waits for its next fragment. */
const FRAGMENT_TIMEOUT = 1000;
/** Maximum number of packets in reassembly. */
const MAX_PACKETS = 64;
/** Maximum memory of all packets in reassembly, in bytes. */
const MAX_BYTES = 1 << 20;
/** Memory of a piece besides its bytes, in bytes. */
const RECORD = 200;

interface Packet {
  /** By number. */
  readonly pieces: Uint8Array[];
  count: number;
  bytes: number;
  /** Number of pieces; Infinity until the last one has arrived. */
  of: number;
  at: number;
}

/** Reassembles startup packets that arrive in pieces. RFC 7016 §3.4. */
export class PacketFragments {
  readonly #context: Context;
  readonly #packets = new Map<string, Packet>();
  #bytes = 0;

  constructor(context: Context) {
    this.#context = context;
  }

  /** @returns the whole packet if this was its last missing piece */
  add(fragment: PacketFragment, from: Address): Uint8Array | undefined {
    const { now, counters } = this.#context;
    this.#forget();
    const key = `${fragment.packetId}/${addressText(from)}`;
    let packet = this.#packets.get(key);
    const { fragmentNumber: number, bytes, more } = fragment;
    const held = (packet?.bytes ?? 0) + bytes.length;
    const cost = bytes.length + RECORD;
    if (held > MAX_LENGTH || number > MAX_LENGTH || this.#bytes + cost > MAX_BYTES) {
      counters.drop("limit");
      return undefined;
    }
    if (!packet) {
      if (this.#packets.size >= MAX_PACKETS) {
        counters.drop("limit");
        return undefined;
      }
      packet = { pieces: [], count: 0, bytes: 0, of: Infinity, at: now };
      this.#packets.set(key, packet);
    }
    if (packet.pieces[number]) return undefined;
    packet.pieces[number] = bytes.slice();
    packet.bytes = held;
    packet.at = now;
    this.#bytes += cost;
    if (!more) packet.of = number + 1;
    if (++packet.count < packet.of) return undefined;
    this.#remove(key, packet);
    return packet.count === packet.of ? join(packet) : undefined;
  }

  #forget(): void {
    for (const [key, packet] of this.#packets) {
      if (this.#context.now - packet.at > FRAGMENT_TIMEOUT) this.#remove(key, packet);
    }
  }

  #remove(key: string, packet: Packet): void {
    this.#packets.delete(key);
    this.#bytes -= packet.bytes + packet.count * RECORD;
  }
}

function join({ pieces }: Packet): Uint8Array | undefined {
  for (const piece of pieces) if (!piece) return undefined; // a hole
  return concat(pieces);
}
