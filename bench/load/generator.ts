// Many RTMFP clients in one thread, with the least work per packet: no timers, one buffer, no objects for
// packets. Of src/rtmfp it uses only formats and cryptography, so it also tests the sessions there.
import { Writer } from "../../src/bytes/writer.ts";
import { toUtf8 } from "../../src/bytes/text.ts";
import type { CryptoBackend } from "../../src/rtmfp/crypto/backend.ts";
import type { GroupId } from "../../src/rtmfp/crypto/dh_groups.ts";
import {
  type PacketCipher,
  sessionIdOf,
  startupCipher,
} from "../../src/rtmfp/crypto/packet_cipher.ts";
import { type Policy, RELAXED, STRICT } from "../../src/rtmfp/crypto/protection.ts";
import { writeEpd } from "../../src/rtmfp/wire/epd.ts";
import { PacketReader } from "../../src/rtmfp/wire/packet.ts";
import { LeanClient } from "./lean_client.ts";
import { loadCrypto } from "./native_crypto.ts";
import {
  DenoTransport,
  openTransport,
  type Receive,
  type Target,
  type Transport,
} from "./transport.ts";

export interface GeneratorOptions {
  /** rtmfp://ip:port/app */
  readonly url: string;
  readonly target: Target;
  /** Diffie-Hellman group. */
  readonly group?: GroupId;
  /** Require HMACs and sequence numbers. */
  readonly strict?: boolean;
  /** Packets with data for each acknowledgement. Default: 2, RFC 7016 §3.6.3.4.1. */
  readonly ackEvery?: number;
  /** Clients on one socket. Default: 1. */
  readonly clientsPerSocket?: number;
  /** Uses Deno's sockets, which let the event loop run, even where cheaper ones work. */
  readonly plainSockets?: boolean;
  /** Replaces the sockets. */
  readonly transport?: (receive: Receive) => Transport;
}

/** Milliseconds between calls of {@link LeanClient.tick}. */
const TICK_INTERVAL = 10;

export class Generator {
  readonly crypto: CryptoBackend = loadCrypto();
  readonly startup: PacketCipher;
  readonly transport: Transport;
  readonly clients: LeanClient[] = [];
  /**
   * Session id of the first client; the ids of the others follow. Random, so that late answers to another
   * run on the same port do not match.
   */
  readonly firstId = 1 + Math.floor(Math.random() * 0x7fff_0000);
  readonly group: GroupId;
  readonly policy: Policy;
  readonly ackEvery: number;
  readonly epd: Uint8Array;
  readonly packet = new PacketReader();
  /** Holds the outgoing datagram. */
  readonly buffer = new Uint8Array(2048);
  readonly writer = Writer.over(this.buffer);
  /** Time (ms) of the current datagram or tick. */
  now = performance.now();
  /** Datagrams of an unknown session, or that could not be decrypted. */
  dropped = 0;
  received = 0;
  sent = 0;
  #sockets = 0;
  #nextTick = 0;

  constructor(readonly options: GeneratorOptions) {
    this.startup = startupCipher(this.crypto);
    this.group = options.group ?? 2;
    this.policy = options.strict ? STRICT : RELAXED;
    this.ackEvery = options.ackEvery ?? 2;
    this.epd = writeEpd({ ancillary: toUtf8(options.url) });
    const receive: Receive = (_socket, datagram, first) => {
      if (first) this.now = performance.now();
      this.#receive(datagram);
    };
    this.transport = options.transport
      ? options.transport(receive)
      : options.plainSockets
      ? new DenoTransport(options.target, receive)
      : openTransport(options.target, receive);
  }

  /** @returns a new client, not yet open */
  add(): LeanClient {
    const each = this.options.clientsPerSocket ?? 1;
    if (this.clients.length >= this.#sockets * each) this.#sockets = this.transport.open() + 1;
    const client = new LeanClient(this, this.firstId + this.clients.length, this.#sockets - 1);
    this.clients.push(client);
    return client;
  }

  /** Runs until `done` returns true (result: true) or until the time `until` (ms, `performance.now()`). */
  async run(done: () => boolean, until = Infinity): Promise<boolean> {
    for (let round = 0; !done(); round++) {
      this.now = performance.now();
      if (this.now >= until) return false;
      if (this.now >= this.#nextTick) {
        this.#nextTick = this.now + TICK_INTERVAL;
        for (const client of this.clients) if (client.deadline <= this.now) client.tick();
      }
      const wait = Math.min(this.#nextTick, until) - this.now;
      const waiting = this.transport.poll(Math.min(wait, TICK_INTERVAL));
      if (waiting) await waiting;
    }
    return true;
  }

  /** Sends the first `length` bytes of {@link buffer}. */
  post(length: number, socket: number): void {
    this.sent++;
    this.transport.send(socket, this.buffer, length);
  }

  close(): void {
    for (const client of this.clients) client.close();
    this.transport.close();
  }

  #receive(datagram: Uint8Array): void {
    this.received++;
    const id = sessionIdOf(datagram);
    if (id !== 0) {
      const client = this.clients[id - this.firstId];
      if (client) client.receive(datagram);
      else this.dropped++;
      return;
    }
    const packet = this.startup.open(datagram);
    if (!packet) {
      this.dropped++;
      return;
    }
    // The tag that the answer repeats begins with the client's session id.
    for (this.packet.open(packet); this.packet.next();) {
      const { type, payload } = this.packet;
      if (type !== 0x70) continue;
      const tag = payload.bytes(payload.vlu());
      const id = new DataView(tag.buffer, tag.byteOffset).getUint32(0);
      const cookie = payload.bytes(payload.vlu()).slice();
      this.clients[id - this.firstId]?.onRHello(cookie, payload.rest().slice());
    }
  }
}
