import { concat } from "../../bytes/concat.ts";
import { type Address, addressText } from "../../common/address.ts";
import type { PacketFragment } from "../wire/packet_fragment.ts";
import type { Context } from "./context.ts";

/** Bytes of one packet. RFC 7016 §3.4. */
const LONGEST = 65_536;
/** How long a packet waits for its next fragment. */
const PATIENCE = 1000;
/** Maximum number of packets in reassembly, and of their bytes. */
const MOST_PACKETS = 64;
const MOST_BYTES = 1 << 20;
/** Memory of a piece besides its bytes, in bytes. */
const RECORD = 200;

interface Packet {
  /** By number. */
  readonly pieces: Uint8Array[];
  count: number;
  bytes: number;
  /** How many there are; Infinity before the last one has come. */
  of: number;
  at: number;
}

/** Puts startup packets together that come in pieces. RFC 7016 §3.4. */
export class PacketFragments {
  readonly #context: Context;
  readonly #packets = new Map<string, Packet>();
  #bytes = 0;

  constructor(context: Context) {
    this.#context = context;
  }

  /** @returns the whole packet if this was the last piece of it that was missing */
  add(fragment: PacketFragment, from: Address): Uint8Array | undefined {
    const { now, counters } = this.#context;
    this.#forget();
    const key = `${fragment.packetId}/${addressText(from)}`;
    let packet = this.#packets.get(key);
    const { fragmentNumber: number, bytes, more } = fragment;
    const held = (packet?.bytes ?? 0) + bytes.length;
    const cost = bytes.length + RECORD;
    if (held > LONGEST || number > LONGEST || this.#bytes + cost > MOST_BYTES) {
      counters.drop("limit");
      return undefined;
    }
    if (!packet) {
      if (this.#packets.size >= MOST_PACKETS) {
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
      if (this.#context.now - packet.at > PATIENCE) this.#remove(key, packet);
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
