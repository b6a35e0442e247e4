import type { Address } from "../common/address.ts";
import {
  type DatagramHandler,
  type DatagramSocket,
  newCounters,
  SLOT_SIZE,
} from "./datagram_socket.ts";
import {
  AF_INET,
  AF_INET6,
  errorNumber,
  findSocket,
  knowsSegments,
  type Libc,
  MSG_DONTWAIT,
  setBuffer,
} from "./libc.ts";
import { MessageVector } from "./message_vector.ts";
import { receiveLoop } from "./receive_loop.ts";
import { SendVector } from "./send_vector.ts";
import { Sockaddrs } from "./sockaddr.ts";
import { Remote } from "./udp_address.ts";

/** Few, so that the first datagrams of many are sent early, and all stay in the cache. */
const SEND_SLOTS = 64;
const RECEIVE_SLOTS = 32;
/** Maximum number of datagrams received before the handler may answer. */
const MAX_BATCH = 256;
/**
 * Errors of the system for several datagrams in one message: EIO if the network card computes no
 * checksums, EINVAL if the path takes only smaller packets, EMSGSIZE.
 */
const REFUSALS = [5, 22, 90];

/**
 * {@link DatagramSocket} on Linux: Deno's socket waits, and batches of system calls on the same
 * file descriptor carry most datagrams. Datagrams that a batch cannot send at once go through Deno's
 * socket, which waits for room and distinguishes errors.
 */
export class NativeUdpSocket implements DatagramSocket {
  readonly name: string;
  readonly address: Address;
  readonly counters = newCounters();
  /** Sizes of the system's buffers in bytes of payload. */
  readonly bufferSizes: { readonly receive: number; readonly send: number };
  readonly #libc: Libc;
  readonly #conn: Deno.DatagramConn;
  readonly #fd: number;
  readonly #addresses: Sockaddrs;
  readonly #in: MessageVector;
  readonly #out: SendVector;
  readonly #error: Int32Array;
  #blocked = false;
  #starved = false;
  #closed = false;
  #handler: DatagramHandler | undefined;

  /**
   * @param bufferSize requested size of the system's buffer in each direction, in bytes
   * @throws if the socket of `conn` cannot be found
   */
  constructor(conn: Deno.DatagramConn, libc: Libc, bufferSize: number) {
    const { hostname, port } = conn.addr as Deno.NetAddr;
    const family = hostname.includes(":") ? AF_INET6 : AF_INET;
    const fd = findSocket(libc, family, port);
    if (fd === undefined) throw new Error(`no socket has port ${port}`);
    this.#libc = libc;
    this.#conn = conn;
    this.#fd = fd;
    this.address = { hostname, port };
    this.bufferSizes = {
      receive: setBuffer(libc, fd, "receive", bufferSize),
      send: setBuffer(libc, fd, "send", bufferSize),
    };
    this.#addresses = new Sockaddrs(libc, family);
    this.#in = new MessageVector(RECEIVE_SLOTS, SLOT_SIZE + 1, this.#addresses.size);
    this.#error = errorNumber(libc);
    const segments = knowsSegments(libc, fd);
    this.#out = new SendVector(SEND_SLOTS, SLOT_SIZE, this.#addresses.size, segments);
    this.name = segments ? "sendmmsg with segments and recvmmsg" : "sendmmsg and recvmmsg";
  }

  get pending(): number {
    return this.#out.waiting;
  }

  get room(): number {
    return this.#out.room;
  }

  buffer(size: number): Uint8Array | undefined {
    if (size > SLOT_SIZE) throw new RangeError(`Cannot send ${size} bytes in a datagram`);
    if (this.#out.full) this.flush();
    if (!this.#out.full) return this.#out.buffer;
    this.#starved = true;
    return undefined;
  }

  post(length: number, to: Address): void {
    const remote = to instanceof Remote && to.raw
      ? to
      : this.#addresses.ofText(to.hostname, to.port);
    if (remote) this.#out.post(length, remote);
    else this.counters.unsent++;
  }

  flush(): void {
    const out = this.#out;
    while (!this.#blocked && out.messages > 0) {
      const sent = this.#libc.sendmmsg(this.#fd, out.headers, out.messages, MSG_DONTWAIT);
      if (sent > 0) this.counters.sent += out.sent(sent);
      else if (out.firstIsRun && REFUSALS.includes(this.#error[0]!)) out.split();
      else this.#sendOne();
    }
  }

  async serve(handler: DatagramHandler): Promise<void> {
    this.#handler = handler;
    await receiveLoop(this.#conn, this.counters, () => this.#closed, (datagram, from) => {
      handler.receive(datagram, this.#addresses.ofText(from.hostname, from.port)!);
      this.#drain(handler);
      if (!this.#closed) handler.settle();
    });
  }

  close(): void {
    if (this.#closed) return;
    this.flush();
    this.#closed = true;
    this.#conn.close();
  }

  /** Receives the datagrams after the one that woke Deno's socket. */
  #drain(handler: DatagramHandler): void {
    for (let total = 0; total < MAX_BATCH && !this.#closed;) {
      const count = this.#libc.recvmmsg(
        this.#fd,
        this.#in.from(0),
        RECEIVE_SLOTS,
        MSG_DONTWAIT,
        null,
      );
      for (let i = 0; i < count; i++) {
        const length = this.#in.done(i);
        if (length > SLOT_SIZE) {
          this.counters.oversize++;
          continue;
        }
        this.counters.received++;
        const from = this.#addresses.ofRaw(this.#in.names, this.#in.nameAt(i));
        handler.receive(this.#in.part(i, length), from);
      }
      if (count < RECEIVE_SLOTS) return;
      total += count;
    }
  }

  /** Sends the first datagram as Deno does, waiting for room, and then the others. */
  async #sendOne(): Promise<void> {
    this.#blocked = true;
    const { datagram, to } = this.#out.first;
    try {
      await this.#conn.send(datagram as Uint8Array<ArrayBuffer>, to.wire);
      this.counters.sent++;
    } catch {
      this.counters.unsent++;
    }
    this.#blocked = false;
    if (this.#closed) return;
    this.#out.shift();
    this.flush();
    if (this.#starved && this.#out.waiting === 0) {
      this.#starved = false;
      this.#handler?.writable();
    }
  }
}
