// Many RTMFP clients in one thread, written for as little work per packet as can be: no
// timers, one buffer, no objects of their own for packets. An initiator on the formats and the
// cryptography of src/rtmfp and on nothing else of it, which makes it a second opinion too.
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
  /** Packets with data for each acknowledgement; 2 is what RFC 7016 §3.6.3.4.1 asks for. */
  readonly ackEvery?: number;
  /** Clients on one socket; 1 unless told. */
  readonly clientsPerSocket?: number;
  /** Deno's own sockets even where there are cheaper ones: those let nothing else run meanwhile. */
  readonly plainSockets?: boolean;
  /** Instead of sockets. */
  readonly transport?: (receive: Receive) => Transport;
}

/** How often clients look at their clocks, in milliseconds. */
const TICK = 10;

export class Generator {
  readonly crypto: CryptoBackend = loadCrypto();
  readonly startup: PacketCipher;
  readonly transport: Transport;
  readonly clients: LeanClient[] = [];
  /**
   * Session id of the first client; the others follow it. They differ from those of another run, which
   * may have had the same port, so that late answers do not mix.
   */
  readonly firstId = 1 + Math.floor(Math.random() * 0x7fff_0000);
  readonly group: GroupId;
  readonly policy: Policy;
  readonly ackEvery: number;
  readonly epd: Uint8Array;
  readonly packet = new PacketReader();
  /** Every datagram that goes out is made in here. */
  readonly buffer = new Uint8Array(2048);
  readonly writer = Writer.over(this.buffer);
  /** Milliseconds; of the datagram or the tick that is being handled. */
  now = performance.now();
  /** Datagrams that were not for anyone, or did not open. */
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

  /** A client that has done nothing yet. */
  add(): LeanClient {
    const each = this.options.clientsPerSocket ?? 1;
    if (this.clients.length >= this.#sockets * each) this.#sockets = this.transport.open() + 1;
    const client = new LeanClient(this, this.firstId + this.clients.length, this.#sockets - 1);
    this.clients.push(client);
    return client;
  }

  /** Runs until `done` says so, or until `until` (as performance.now()). @returns whether it did */
  async run(done: () => boolean, until = Infinity): Promise<boolean> {
    for (let round = 0; !done(); round++) {
      this.now = performance.now();
      if (this.now >= until) return false;
      if (this.now >= this.#nextTick) {
        this.#nextTick = this.now + TICK;
        for (const client of this.clients) if (client.deadline <= this.now) client.tick();
      }
      const wait = Math.min(this.#nextTick, until) - this.now;
      const waiting = this.transport.poll(Math.min(wait, TICK));
      if (waiting) await waiting;
    }
    return true;
  }

  /** Sends what stands in {@link buffer}. */
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
