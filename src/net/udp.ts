import { SocketPoll } from "./socket_poll.ts";
import type { Address } from "../common/address.ts";
import { unmapped } from "../common/ip.ts";
import {
  type DatagramHandler,
  type DatagramSocket,
  newCounters,
  SLOT_SIZE,
} from "./datagram_socket.ts";
import { receiveLoop } from "./receive_loop.ts";
import { Recent, Remote } from "./udp_address.ts";

interface BindOptions {
  /** An IP address of this machine; without it all of them, IPv6 and IPv4. */
  readonly hostname?: string;
  /** 0 takes any free port. */
  readonly port: number;
}

/**
 * Opens a UDP port.
 *
 * @throws {Deno.errors.AddrInUse} if another program has it
 * @throws {Deno.errors.AddrNotAvailable} if `hostname` is not of this machine
 */
export async function bindUdp({ hostname, port }: BindOptions): Promise<Deno.DatagramConn> {
  const listen = (hostname: string) => Deno.listenDatagram({ hostname, port, transport: "udp" });
  if (hostname) return listen(hostname);
  let conn: Deno.DatagramConn;
  try {
    conn = listen("::");
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) throw error;
    return listen("0.0.0.0"); // a machine without IPv6
  }
  try {
    // Some systems have IPv6 sockets without IPv4: tests that with a datagram to port 9 (discard).
    await conn.send(new Uint8Array(1), { hostname: "::ffff:127.0.0.1", port: 9, transport: "udp" });
    return conn;
  } catch {
    conn.close();
    return listen("0.0.0.0");
  }
}

/** Number of datagrams that may wait; few, so that the first datagrams of many are sent early. */
const SLOTS = 64;
/** Number of datagrams sent in a row before arrived ones are received, so that the receive buffer does not overflow. */
const POLL_INTERVAL = 64;

/**
 * {@link DatagramSocket} on Deno's own socket, for all systems: one call per datagram, one receive buffer
 * for all, and sends one after the other (faster than in parallel).
 */
export class UdpSocket implements DatagramSocket {
  readonly name = "Deno.listenDatagram";
  readonly address: Address;
  readonly counters = newCounters();
  readonly #conn: Deno.DatagramConn;
  readonly #ipv6: boolean;
  readonly #remotes = new Recent<string, Remote>();
  /** A ring: `#waiting` datagrams from `#first` on, followed by the one being built. */
  readonly #slots: Uint8Array[] = [];
  readonly #lengths = new Uint16Array(SLOTS);
  readonly #targets: Remote[] = [];
  #first = 0;
  #waiting = 0;
  #sending = false;
  /** Number of datagrams sent, failures included. */
  #attempts = 0;
  #starved = false;
  #closed = false;
  #settling = false;
  #handler: DatagramHandler | undefined;
  readonly #poll = new SocketPoll();

  constructor(conn: Deno.DatagramConn) {
    const { hostname, port } = conn.addr as Deno.NetAddr;
    this.#conn = conn;
    this.#ipv6 = hostname.includes(":");
    this.address = { hostname, port };
    const memory = new Uint8Array(SLOTS * SLOT_SIZE);
    for (let i = 0; i < SLOTS; i++) {
      this.#slots.push(memory.subarray(i * SLOT_SIZE, (i + 1) * SLOT_SIZE));
    }
  }

  get pending(): number {
    return this.#waiting;
  }

  get room(): number {
    return SLOTS - this.#waiting;
  }

  buffer(size: number): Uint8Array | undefined {
    if (size > SLOT_SIZE) throw new RangeError(`Cannot send ${size} bytes in a datagram`);
    if (this.#waiting < SLOTS) return this.#slots[(this.#first + this.#waiting) % SLOTS];
    this.#starved = true;
    return undefined;
  }

  post(length: number, to: Address): void {
    const slot = (this.#first + this.#waiting) % SLOTS;
    this.#lengths[slot] = length;
    this.#targets[slot] = to instanceof Remote ? to : this.#remote(to.hostname, to.port);
    this.#waiting++;
  }

  flush(): void {
    if (!this.#sending && this.#waiting > 0) this.#send();
  }

  async serve(handler: DatagramHandler): Promise<void> {
    this.#handler = handler;
    const settle = () => {
      this.#settling = false;
      if (!this.#closed) handler.settle();
    };
    await receiveLoop(this.#conn, this.counters, () => this.#closed, (datagram, from) => {
      handler.receive(datagram, this.#remote(unmapped(from.hostname), from.port));
      if (this.#settling) return;
      this.#settling = true;
      setImmediate(settle); // after receiving the datagrams that have arrived
    });
  }

  close(): void {
    if (this.#closed) return;
    this.flush();
    this.#closed = true;
    this.#conn.close();
    this.#poll.close();
  }

  #remote(hostname: string, port: number): Remote {
    const key = `${hostname} ${port}`;
    let remote = this.#remotes.get(key);
    if (!remote) {
      remote = new Remote(hostname, port, this.#ipv6);
      this.#remotes.set(key, remote);
    }
    return remote;
  }

  async #send(): Promise<void> {
    this.#sending = true;
    while (this.#waiting > 0 && !this.#closed) {
      if (++this.#attempts % POLL_INTERVAL === 0) {
        await this.#poll.now();
        if (this.#closed) break;
      }
      const slot = this.#first;
      const datagram = this.#slots[slot]!.subarray(0, this.#lengths[slot]);
      try {
        await this.#conn.send(datagram, this.#targets[slot]!.wire);
        this.counters.sent++;
      } catch {
        this.counters.unsent++;
      }
      this.#first = (slot + 1) % SLOTS;
      this.#waiting--;
      if (this.#starved && this.#waiting <= SLOTS / 2) {
        this.#starved = false;
        this.#handler?.writable();
      }
    }
    this.#sending = false;
  }
}
