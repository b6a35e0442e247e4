// The server in this process, without sockets, scripts and clock: only the packet path.
import type { Address } from "../../src/common/address.ts";
import { FlashServer } from "../../src/flash/flash_server.ts";
import type { Application, Applications } from "../../src/media/application.ts";
import { Hub } from "../../src/media/hub.ts";
import type { CryptoBackend } from "../../src/rtmfp/crypto/backend.ts";
import { serverCertificate } from "../../src/rtmfp/crypto/certificate.ts";
import { DirectKeyAgreement } from "../../src/rtmfp/crypto/dh.ts";
import { RELAXED } from "../../src/rtmfp/crypto/protection.ts";
import { Endpoint } from "../../src/rtmfp/endpoint.ts";
import type { Outbox } from "../../src/rtmfp/outbox.ts";
import type { Receive, Transport } from "../load/transport.ts";

const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));
const NOBODY = () => undefined;

/** Allows everything and does nothing. */
const application: Application = {
  path: "/bench",
  connect: NOBODY,
  failed() {},
  disconnect() {},
  call: () => false,
  publish() {},
  unpublish() {},
  subscribe() {},
  unsubscribe() {},
  audio() {},
  video() {},
  data() {},
  joinGroup() {},
  unjoinGroup() {},
  manage() {},
};
const applications: Applications = {
  open: () => application,
  handshake: () => [],
  rendezvousUnknown: () => [],
  manage() {},
};

export function innerServer(backend: CryptoBackend) {
  const hub = new Hub({
    random: (below) => Math.floor(Math.random() * below),
    log() {},
    ip: (text) => text,
  });
  hub.serve(applications);
  const handler = new FlashServer(hub, {
    keepAliveServer: 15_000,
    keepAlivePeer: 10_000,
    sha256: (bytes) => backend.sha256(bytes),
    resolve: NOBODY,
  });
  const endpoint = new Endpoint({
    crypto: backend,
    keyAgreement: new DirectKeyAgreement(random),
    random,
    identity: { certificate: serverCertificate(random, [2]), policy: RELAXED },
    handler,
  });
  return { endpoint, hub };
}

/** Slots for outgoing and incoming datagrams, as many as the native socket has. */
const OUT = 64;
const IN = 32;
const SLOT = 2048;

function slots(count: number): Uint8Array[] {
  const memory = new Uint8Array(count * SLOT); // side by side, as in the sockets
  return Array.from({ length: count }, (_, i) => memory.subarray(i * SLOT, (i + 1) * SLOT));
}

/** Datagrams on their way in one direction, in the order in which they were sent. */
class Pipe {
  readonly #slots = slots(4096);
  readonly #lengths = new Uint16Array(this.#slots.length);
  /** The client at the other end. */
  readonly #clients = new Uint32Array(this.#slots.length);
  count = 0;

  get room(): number {
    return this.#slots.length - this.count;
  }

  get full(): boolean {
    return this.room === 0;
  }

  /** Takes a whole slot, of which `length` bytes count; a view would be garbage. */
  add(slot: Uint8Array, length: number, client: number): void {
    this.#slots[this.count]!.set(slot);
    this.#lengths[this.count] = length;
    this.#clients[this.count++] = client;
  }

  client(index: number): number {
    return this.#clients[index]!;
  }

  buffer(index: number): Uint8Array {
    return this.#slots[index]!;
  }

  length(index: number): number {
    return this.#lengths[index]!;
  }
}

/** Cost of one round of the server. */
export interface Cost {
  /** Datagrams that the server sent and received. */
  sent: number;
  received: number;
  /** Time (ms) for sending and for receiving them. */
  sending: number;
  receiving: number;
}

/** Connects clients and server without loss or delay; the server receives 32 datagrams together. */
export class InnerTransport implements Transport, Outbox {
  readonly name = "memory";
  readonly cost: Cost = { sent: 0, received: 0, sending: 0, receiving: 0 };
  readonly #in = new Pipe();
  readonly #out = new Pipe();
  readonly #inSlots = slots(IN);
  readonly #parts = [...this.#inSlots];
  readonly #outSlots = slots(OUT);
  readonly #addresses: Address[] = [];
  readonly #clientOf = new Map<Address, number>();

  constructor(
    readonly server: ReturnType<typeof innerServer>,
    readonly receive: Receive,
  ) {}

  open(): number {
    const number = this.#addresses.length;
    const address = { hostname: "127.0.0.1", port: 1024 + number };
    this.#addresses.push(address);
    this.#clientOf.set(address, number);
    return number;
  }

  send(client: number, buffer: Uint8Array, length: number): void {
    if (!this.#in.full) this.#in.add(buffer.subarray(0, length), length, client);
  }

  /** Passes pending datagrams to the server, and the server's to the clients. */
  poll(): void {
    const { endpoint, hub } = this.server;
    const { count } = this.#in;
    let first = 0;
    do {
      const batch = Math.min(IN, count - first);
      for (let i = 0; i < batch; i++) this.#take(first + i, i);
      const start = performance.now();
      hub.now = start;
      for (let i = 0; i < batch; i++) {
        endpoint.receive(this.#parts[i]!, this.#addresses[this.#in.client(first + i)]!, start);
      }
      const middle = performance.now();
      endpoint.flush(middle, this);
      const end = performance.now();
      this.cost.receiving += middle - start;
      this.cost.sending += end - middle;
      first += batch;
    } while (first < count);
    this.cost.received += count;
    this.#in.count = 0;
    for (let i = 0; i < this.#out.count; i++) {
      const datagram = this.#out.buffer(i).subarray(0, this.#out.length(i));
      this.receive(this.#out.client(i), datagram, true);
    }
    this.#out.count = 0;
  }

  get room(): number {
    return this.#out.room;
  }

  buffer(size: number): Uint8Array | undefined {
    return this.#out.full || size > SLOT ? undefined : this.#outSlots[this.#out.count % OUT];
  }

  post(length: number, to: Address): void {
    this.#out.add(this.#outSlots[this.#out.count % OUT]!, length, this.#clientOf.get(to)!);
    this.cost.sent++;
  }

  close(): void {}

  /** Copies a datagram to a slot, as the socket would. */
  #take(index: number, slot: number): void {
    const length = this.#in.length(index);
    let part = this.#parts[slot]!;
    if (part.length !== length) {
      part = this.#parts[slot] = this.#inSlots[slot]!.subarray(0, length);
    }
    part.set(this.#in.buffer(index).subarray(0, length));
  }
}
