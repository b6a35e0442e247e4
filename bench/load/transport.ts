// The load generator's sockets: one for each client, all connected to the server.
import { MessageVector } from "../../src/net/message_vector.ts";
import {
  AF_INET,
  descriptorAt,
  EPOLL_CTL_ADD,
  EPOLL_EVENT,
  inputEvent,
  SOCKADDR_IN,
  SOCKET_CALLS,
  socketAddress,
} from "./epoll.ts";

export interface Target {
  readonly hostname: string;
  readonly port: number;
}

/**
 * Receives a datagram, which it may change; the bytes are valid during the call.
 * @param first whether it is the first of those received by one system call
 */
export type Receive = (socket: number, datagram: Uint8Array, first: boolean) => void;

export interface Transport {
  readonly name: string;
  /** Opens a socket. @returns its number, from 0 up */
  open(): number;
  /** Sends the first `length` bytes of `buffer`, which are lost if the kernel refuses them. */
  send(socket: number, buffer: Uint8Array, length: number): void;
  /** Waits up to `timeout` milliseconds for datagrams and delivers them. */
  poll(timeout: number): Promise<void> | void;
  close(): void;
}

/** @returns the cheapest transport of this platform */
export function openTransport(target: Target, receive: Receive): Transport {
  try {
    if (Deno.build.os === "linux" && !target.hostname.includes(":")) {
      return new NativeTransport(target, receive);
    }
  } catch {
    // no permission for FFI, or another libc
  }
  return new DenoTransport(target, receive);
}

const RECEIVE_BUFFER = 1 << 20;
const DATAGRAM = 2048;
const BATCH = 32;

/** Sockets by system calls: epoll, recvmmsg, send. */
export class NativeTransport implements Transport {
  readonly name = "epoll, recvmmsg, send by FFI";
  readonly #libc;
  readonly #epoll: number;
  readonly #server: Uint8Array<ArrayBuffer>;
  readonly #fds: number[] = [];
  readonly #socketOf = new Map<number, number>();
  readonly #events: Uint8Array<ArrayBuffer>;
  readonly #eventWords: DataView;
  readonly #in = new MessageVector(BATCH, DATAGRAM, SOCKADDR_IN);

  constructor({ hostname, port }: Target, readonly receive: Receive) {
    this.#libc = Deno.dlopen("libc.so.6", {
      ...SOCKET_CALLS,
      recvmmsg: { parameters: ["i32", "buffer", "u32", "i32", "pointer"], result: "i32" },
      send: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
      close: { parameters: ["i32"], result: "i32" },
    });
    this.#epoll = this.#libc.symbols.epoll_create1(0);
    if (this.#epoll < 0) throw new Error("Cannot make an epoll instance");
    this.#events = new Uint8Array(256 * EPOLL_EVENT);
    this.#eventWords = new DataView(this.#events.buffer);
    this.#server = socketAddress(hostname, port);
  }

  open(): number {
    const { symbols } = this.#libc;
    const fd = symbols.socket(AF_INET, 2 | 0o4000, 0); // SOCK_DGRAM | SOCK_NONBLOCK
    if (fd < 0) throw new Error(`Cannot open socket ${this.#fds.length + 1}: see ulimit -n`);
    symbols.setsockopt(fd, 1, 8, new Uint8Array(new Int32Array([RECEIVE_BUFFER]).buffer), 4);
    if (symbols.connect(fd, this.#server, SOCKADDR_IN) < 0) {
      throw new Error("Cannot connect a socket");
    }
    if (symbols.epoll_ctl(this.#epoll, EPOLL_CTL_ADD, fd, inputEvent(fd)) < 0) {
      throw new Error("Cannot poll a socket");
    }
    const socket = this.#fds.length;
    this.#fds.push(fd);
    this.#socketOf.set(fd, socket);
    return socket;
  }

  send(socket: number, buffer: Uint8Array, length: number): void {
    this.#libc.symbols.send(
      this.#fds[socket]!,
      buffer as Uint8Array<ArrayBuffer>,
      BigInt(length),
      0,
    );
  }

  poll(timeout: number): void {
    const { symbols } = this.#libc;
    const wait = Math.max(0, Math.ceil(timeout));
    const count = symbols.epoll_wait(this.#epoll, this.#events, 256, wait);
    for (let i = 0; i < count; i++) {
      const fd = descriptorAt(this.#eventWords, i);
      const socket = this.#socketOf.get(fd)!;
      const datagrams = symbols.recvmmsg(fd, this.#in.from(0), BATCH, 0, null);
      for (let d = 0; d < datagrams; d++) {
        this.receive(socket, this.#in.part(d, this.#in.done(d)), d === 0);
      }
    }
  }

  close(): void {
    for (const fd of this.#fds) this.#libc.symbols.close(fd);
    this.#libc.symbols.close(this.#epoll);
    this.#libc.close();
  }
}

/** Deno's sockets, on every platform; a datagram costs about three times as much. */
export class DenoTransport implements Transport {
  readonly name = "Deno.listenDatagram";
  readonly #sockets: Deno.DatagramConn[] = [];
  readonly #target: Deno.NetAddr;
  #arrived: () => void = () => {};

  constructor({ hostname, port }: Target, readonly receive: Receive) {
    this.#target = { transport: "udp", hostname, port };
  }

  open(): number {
    const hostname = this.#target.hostname.includes(":") ? "::" : "0.0.0.0";
    const socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
    const number = this.#sockets.push(socket) - 1;
    this.#run(socket, number);
    return number;
  }

  async #run(socket: Deno.DatagramConn, number: number): Promise<void> {
    const buffer = new Uint8Array(DATAGRAM);
    try {
      while (true) {
        const [datagram] = await socket.receive(buffer);
        this.receive(number, datagram, true);
        this.#arrived();
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.Interrupted || error instanceof Deno.errors.BadResource)) {
        throw error;
      }
    }
  }

  send(socket: number, buffer: Uint8Array, length: number): void {
    this.#sockets[socket]!.send(buffer.slice(0, length), this.#target).catch(() => {});
  }

  async poll(timeout: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeout);
      this.#arrived = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#arrived = () => {};
  }

  close(): void {
    for (const socket of this.#sockets) socket.close();
  }
}
