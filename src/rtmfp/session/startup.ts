import { WireError } from "../../bytes/wire_error.ts";
import type { Address } from "../../common/address.ts";
import { type PacketCipher, startupCipher } from "../crypto/packet_cipher.ts";
import type { Outbox } from "../outbox.ts";
import { type ChunkCodec, ChunkType, writeChunk } from "../wire/chunk.ts";
import { Mode, PacketReader } from "../wire/packet.ts";
import { packetFragment } from "../wire/packet_fragment.ts";
import type { Context } from "./context.ts";
import { PacketFragments } from "./packet_fragments.ts";

/** Maximum number of packets that wait to be sent. */
const MAX_WAITING = 4096;
/** Maximum length of a datagram in bytes; a handshake with many keys needs more than sessions do. */
const MAX_DATAGRAM = 1984;

interface Waiting<Chunk> {
  readonly codec: ChunkCodec<Chunk>;
  readonly chunk: Chunk;
  readonly sessionId: number;
  readonly to: Address;
}

/** Takes the chunks of startup packets. They are read from {@link PacketReader.payload}. */
export type ChunkTaker = (packet: PacketReader, from: Address) => void;

/** Packets without session and those of the responder's handshake, in and out. RFC 7016 §2.2.4, mode 3. */
export class Startup {
  readonly #context: Context;
  readonly #cipher: PacketCipher;
  readonly #packet = new PacketReader();
  readonly #fragments: PacketFragments;
  #waiting: Waiting<never>[] = [];

  constructor(context: Context) {
    this.#context = context;
    this.#cipher = startupCipher(context.crypto);
    this.#fragments = new PacketFragments(context);
  }

  /** Whether there is something to send. */
  get due(): boolean {
    return this.#waiting.length > 0;
  }

  /** Takes a datagram and gives each of its chunks to `take`. It is decrypted in place. */
  receive(datagram: Uint8Array, from: Address, take: ChunkTaker): void {
    const { counters } = this.#context;
    const bytes = this.#cipher.open(datagram);
    if (!bytes) return counters.drop(this.#cipher.dropped);
    this.#read(bytes, from, take, true);
  }

  /** Sends a chunk in a packet of its own with the next flush. */
  send<Chunk>(codec: ChunkCodec<Chunk>, chunk: Chunk, sessionId: number, to: Address): void {
    if (this.#waiting.length >= MAX_WAITING) return this.#context.counters.drop("limit");
    this.#waiting.push({ codec, chunk, sessionId, to } as unknown as Waiting<never>);
  }

  /** @returns false if the outbox is full */
  flush(out: Outbox): boolean {
    const waiting = this.#waiting;
    const { builder } = this.#context;
    let sent = 0;
    for (const { codec, chunk, sessionId, to } of waiting) {
      const writer = builder.open(out, this.#cipher, Mode.startup, undefined, 0, MAX_DATAGRAM);
      if (!writer) break;
      sent++;
      try {
        writeChunk(writer, codec, chunk);
      } catch (error) { // an invalid address, or a chunk that does not fit
        if (!(error instanceof WireError)) throw error;
        this.#context.counters.drop("format");
        continue;
      }
      builder.send(out, this.#cipher, sessionId, to);
    }
    const all = sent === waiting.length;
    if (all) waiting.length = 0;
    else waiting.splice(0, sent);
    return all;
  }

  #read(bytes: Uint8Array, from: Address, take: ChunkTaker, whole: boolean): void {
    const { counters } = this.#context;
    const packet = this.#packet;
    try {
      packet.open(bytes);
      if (packet.mode !== Mode.startup) return counters.drop("mode");
      for (let chunks = 0; packet.next();) {
        if (packet.type === ChunkType.packetFragment) {
          if (!whole) return counters.drop("unexpected");
          const fragment = packetFragment.read(packet.payload);
          const complete = this.#fragments.add(fragment, from);
          if (complete) this.#read(complete, from, take, false);
          return;
        }
        if (++chunks > 1) return counters.drop("unexpected"); // at most one answer per packet
        take(packet, from);
      }
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      counters.drop("format");
    }
  }
}
