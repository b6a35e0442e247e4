// TCP connections of a load generator by system calls. The system discards what most of them receive, so
// the generator's core is not full with thousands of players.
import { sleep } from "../../src/common/wait.ts";
import {
  AF_INET,
  descriptorAt,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_EVENT,
  inputEvent,
  SOCKADDR_IN,
  SOCKET_CALLS,
  socketAddress,
} from "./epoll.ts";

const SOCK_STREAM = 1;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const MSG_DONTWAIT = 0x40;
const MSG_TRUNC = 0x20;
const MSG_NOSIGNAL = 0x4000;
const EVENTS = 512;
const READ = 256 * 1024;

const size = (length: number) => length as unknown as bigint; // Deno also accepts a number

/** Receives bytes, which are valid during the call. */
type Receive = (bytes: Uint8Array) => void;

/** Connections to one address of this machine. */
export class LeanStreams {
  /** Bytes received on all watched connections. */
  bytes = 0;
  /** Connections that the server has closed. */
  ended = 0;
  readonly #libc = Deno.dlopen("libc.so.6", {
    ...SOCKET_CALLS,
    recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
    send: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  }).symbols;
  readonly #epoll = this.#libc.epoll_create1(0);
  readonly #events = new Uint8Array(EVENTS * EPOLL_EVENT);
  readonly #words = new DataView(this.#events.buffer);
  readonly #buffer = new Uint8Array(READ);
  readonly #receivers = new Map<number, Receive>();
  readonly #server: Uint8Array<ArrayBuffer>;

  constructor(hostname: string, port: number) {
    this.#server = socketAddress(hostname, port);
  }

  /** Opens a connection. @returns its descriptor */
  open(): number {
    const fd = this.#libc.socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0) throw new Error("Cannot open a socket: see ulimit -n");
    if (this.#libc.connect(fd, this.#server, SOCKADDR_IN) < 0) throw new Error("Cannot connect");
    this.#libc.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, new Int32Array([1]), 4);
    return fd;
  }

  /** Writes all bytes, waiting for room. */
  write(fd: number, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const part = bytes.subarray(at) as Uint8Array<ArrayBuffer>;
      const sent = this.#libc.send(fd, part, size(part.length), MSG_NOSIGNAL);
      if (sent < 0) throw new Error("Cannot write");
      at += sent;
    }
  }

  /** Writes what fits. @returns bytes written; -1 if none, or if the connection has ended */
  offer(fd: number, bytes: Uint8Array): number {
    const flags = MSG_NOSIGNAL | MSG_DONTWAIT;
    return this.#libc.send(fd, bytes as Uint8Array<ArrayBuffer>, size(bytes.length), flags);
  }

  /** Waits for `length` bytes. @returns them */
  read(fd: number, length: number): Uint8Array {
    const all = new Uint8Array(length);
    for (let at = 0; at < length;) {
      const part = all.subarray(at);
      const count = this.#libc.recv(fd, part, size(part.length), 0);
      if (count <= 0) throw new Error("The server has closed a connection");
      at += count;
    }
    return all;
  }

  /** Lets {@link poll} read from a connection. @param receive without it, bytes are only counted */
  watch(fd: number, receive?: Receive): void {
    if (receive) this.#receivers.set(fd, receive);
    this.#control(EPOLL_CTL_ADD, fd);
  }

  /** Waits up to `timeout` (ms) for bytes, and reads them. */
  poll(timeout: number): void {
    const count = this.#libc.epoll_wait(this.#epoll, this.#events, EVENTS, timeout);
    for (let i = 0; i < count; i++) {
      const fd = descriptorAt(this.#words, i);
      const receive = this.#receivers.get(fd);
      const flags = receive ? MSG_DONTWAIT : MSG_DONTWAIT | MSG_TRUNC;
      const length = this.#libc.recv(fd, this.#buffer, size(READ), flags);
      if (length > 0) {
        this.bytes += length;
        receive?.(this.#buffer.subarray(0, length));
      } else if (length === 0) {
        this.ended++;
        this.#control(EPOLL_CTL_DEL, fd);
      }
    }
  }

  /** Polls and lets timers run for `milliseconds`. */
  async run(milliseconds: number): Promise<void> {
    const end = performance.now() + milliseconds;
    while (performance.now() < end) {
      this.poll(1);
      await sleep(0);
    }
  }

  #control(operation: number, fd: number): void {
    if (this.#libc.epoll_ctl(this.#epoll, operation, fd, inputEvent(fd)) < 0) {
      throw new Error("Cannot poll a socket");
    }
  }
}
