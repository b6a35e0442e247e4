// A far end under the test's control: it performs Flash's handshake, then sends the test's chunks
// and shows the answers.
import { fromHex, toHex } from "../../src/bytes/hex.ts";
import { Reader } from "../../src/bytes/reader.ts";
import { Writer } from "../../src/bytes/writer.ts";
import type { Address } from "../../src/common/address.ts";
import { clientCertificate } from "../../src/rtmfp/crypto/certificate.ts";
import {
  readComponent,
  SIGNATURE,
  writeInitiatorComponent,
} from "../../src/rtmfp/crypto/component.ts";
import type { KeyPair } from "../../src/rtmfp/crypto/dh.ts";
import { type PacketCipher, startupCipher } from "../../src/rtmfp/crypto/packet_cipher.ts";
import {
  agreeOnProtection,
  offer,
  type Policy,
  RELAXED,
} from "../../src/rtmfp/crypto/protection.ts";
import { deriveKeys, sessionCipher } from "../../src/rtmfp/crypto/session_keys.ts";
import type { Endpoint } from "../../src/rtmfp/endpoint.ts";
import { type ChunkCodec, writeChunk } from "../../src/rtmfp/wire/chunk.ts";
import { iHello } from "../../src/rtmfp/wire/ihello.ts";
import { iiKeying } from "../../src/rtmfp/wire/iikeying.ts";
import { Mode, PacketReader, timestampOf, writePacketHeader } from "../../src/rtmfp/wire/packet.ts";
import { rHello } from "../../src/rtmfp/wire/rhello.ts";
import { riKeying } from "../../src/rtmfp/wire/rikeying.ts";
import { agreement, CLIENT, EPD, plain } from "./pair.ts";

/** A received packet, with its chunks as `type payload` in hexadecimal. */
export interface Seen {
  readonly to: Address;
  readonly flags: number;
  readonly timestampEcho: number | undefined;
  readonly chunks: string[];
  readonly length: number;
}

export class RawPeer {
  now: number;
  address: Address = CLIENT;
  /** Chunks received since the last {@link take}. */
  seen: Seen[] = [];
  /** Sent datagrams, for replays. */
  readonly sent: Uint8Array[] = [];
  /** Datagrams that the cipher cannot decrypt, otherwise like {@link seen}. */
  raw: Uint8Array[] = [];
  readonly tag = new Uint8Array(16).fill(0xaa);
  readonly pair: KeyPair;
  readonly certificate: Uint8Array;
  nearId = 0x02000000;
  farId = 0;
  cookie: Uint8Array = new Uint8Array(0);
  component: Uint8Array = new Uint8Array(0);
  cipher: PacketCipher | undefined;
  readonly #startup = startupCipher(plain);
  readonly #buffer = new Uint8Array(4400);

  constructor(readonly endpoint: Endpoint, now = 1000, readonly policy: Policy = RELAXED) {
    this.now = now;
    this.pair = agreement.pair(2, 0);
    this.certificate = clientCertificate([this.pair]);
  }

  /** Lets the endpoint act until a time. */
  run(until = this.now): void {
    for (;;) {
      this.flush();
      const next = this.endpoint.deadline;
      if (next > until) break;
      this.now = Math.max(this.now, next);
    }
    this.now = Math.max(this.now, until);
  }

  flush(): void {
    this.endpoint.flush(this.now, {
      buffer: () => this.#buffer,
      room: Infinity,
      post: (length, to) => this.see(this.#buffer.slice(0, length), to),
    });
  }

  /** Removes and returns the chunks received so far. */
  take(): Seen[] {
    const { seen } = this;
    this.seen = [];
    this.raw = [];
    return seen;
  }

  /** The chunks of {@link take}, without packet boundaries. */
  takeChunks(): string[] {
    return this.take().flatMap(({ chunks }) => chunks);
  }

  /** Sends a startup packet with one chunk. */
  sendStartup<Chunk>(codec: ChunkCodec<Chunk>, chunk: Chunk, sessionId = 0): void {
    this.#send(this.#startup, Mode.startup, sessionId, (to) => writeChunk(to, codec, chunk));
  }

  sayHello(epd = EPD): void {
    this.sendStartup(iHello, { epd, tag: this.tag });
    this.flush();
  }

  sendKeying(): void {
    this.sendStartup(iiKeying, {
      initiatorSessionId: this.nearId,
      cookie: this.cookie,
      certificate: this.certificate,
      component: this.component,
      signature: SIGNATURE,
    });
    this.run();
  }

  /** Opens a session and sends the first packet in it, an empty ping, whose answer is discarded. */
  open(): this {
    this.sayHello();
    this.run();
    const hello = this.#read(rHello, this.takeChunks()[0]);
    this.cookie = hello.cookie.slice();
    this.component = writeInitiatorComponent({
      ...offer(this.policy),
      selectedGroup: 2,
      randomness: new Uint8Array(64).fill(this.nearId >>> 24),
    });
    this.sendKeying();
    this.finish(this.takeChunks()[0]);
    this.send("01 0000");
    this.run();
    this.take();
    return this;
  }

  /** Derives the keys from an RIKeying chunk. */
  finish(chunk: string): void {
    const keying = this.#read(riKeying, chunk);
    const component = keying.component.slice();
    this.farId = keying.responderSessionId;
    const far = readComponent(component);
    const protection = agreeOnProtection(this.policy, far)!;
    agreement.agree(this.pair, far.ephemeralKey!.publicKey, (secret) => {
      const keys = deriveKeys(plain, secret!, this.component, component);
      this.cipher = sessionCipher(plain, keys, protection, "initiator");
    });
  }

  /** Sends a packet with chunks in hexadecimal. */
  send(chunks: string, flags = 0, echo?: number, timestamp = timestampOf(this.now)): void {
    const bytes = fromHex(chunks);
    const write = (to: Writer) => void to.bytes(bytes);
    this.#send(this.cipher!, Mode.initiator | flags, this.farId, write, echo, timestamp);
  }

  /** Sends a datagram as it is, from an address. */
  replay(datagram: Uint8Array, from: Address = this.address): void {
    this.endpoint.receive(datagram.slice(), from, this.now);
  }

  #send(
    cipher: PacketCipher,
    flags: number,
    sessionId: number,
    write: (to: Writer) => void,
    echo?: number,
    timestamp = timestampOf(this.now),
  ): void {
    const buffer = new Uint8Array(65_536);
    const to = Writer.over(buffer, cipher.headroom);
    writePacketHeader(to, flags, timestamp, echo);
    write(to);
    const datagram = buffer.slice(0, cipher.seal(buffer, to.at, sessionId));
    this.sent.push(datagram);
    this.endpoint.receive(datagram.slice(), this.address, this.now);
  }

  /** Records a datagram that was sent to this peer. */
  see(datagram: Uint8Array, to: Address): void {
    this.raw.push(datagram);
    const packet = new PacketReader();
    const bytes = this.#startup.open(datagram.slice());
    const startup = bytes && packet.open(bytes).mode === Mode.startup;
    const opened = startup ? bytes : this.cipher?.open(datagram.slice());
    if (!opened) return;
    const chunks: string[] = [];
    for (packet.open(opened); packet.next();) {
      const type = toHex(Uint8Array.of(packet.type));
      chunks.push(`${type} ${toHex(packet.payload.rest())}`.trim());
    }
    const { timestampEcho } = packet;
    this.seen.push({ to, flags: opened[0], timestampEcho, chunks, length: datagram.length });
  }

  #read<Chunk>(codec: ChunkCodec<Chunk>, chunk: string): Chunk {
    const [type, payload] = chunk.split(" ");
    if (parseInt(type, 16) !== codec.type) throw new Error(`Got ${type}, not a ${codec.type}`);
    return codec.read(new Reader(fromHex(payload)));
  }
}
