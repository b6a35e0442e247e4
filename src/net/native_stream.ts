// Writes to TCP connections by send(2): a write of Deno costs an operation, a promise and buffers.
import { type Descriptors, descriptors } from "./descriptors.ts";
import { AF_INET, AF_INET6, type Libc, MSG_DONTWAIT, openLibc } from "./libc.ts";

/** No SIGPIPE when the far end has closed. */
const MSG_NOSIGNAL = 0x4000;
const F_DUPFD_CLOEXEC = 1030;
const EFD_CLOEXEC = 0x80000;
/** Maximum distance between the lowest free descriptor and the one of a new connection. */
const MAX_DISTANCE = 2_048;

/** One end of a connection. */
interface StreamEnd {
  readonly hostname: string;
  readonly port: number;
}

/** Both ends of a TCP connection of this process, which identify it. */
export interface StreamEnds {
  readonly local: StreamEnd;
  readonly remote: StreamEnd;
}

/** Writes to a connection besides its owner. */
export interface DirectWriter {
  /**
   * Writes the bytes that the system takes at once.
   *
   * @param bytes may change as soon as the call returns
   * @returns the number of bytes taken, of the first `length`; also 0 if the connection has failed: its
   * owner gets the error when it writes the rest
   */
  send(bytes: Uint8Array, length: number): number;
  /** The connection stays open in the system until this is called. */
  close(): void;
}

/** Opens {@link DirectWriter}s. */
export type DirectWriterSource = Pick<DirectWriters, "open">;

/** Opens {@link DirectWriter}s: Linux only, and not for TLS. */
export class DirectWriters {
  readonly #libc: Libc;
  readonly #descriptors: Pick<Descriptors, "allows">;
  readonly #address = new Uint8Array(128);
  readonly #length = new Uint32Array(1);

  constructor(libc: Libc, open: Pick<Descriptors, "allows"> = descriptors) {
    this.#libc = libc;
    this.#descriptors = open;
  }

  /**
   * Duplicates the descriptor of a connection: its owner may close the original, whose number another
   * client may then get.
   *
   * @returns undefined if the connection is not found, or the system has few descriptors left
   */
  open({ local, remote }: StreamEnds): DirectWriter | undefined {
    const ends = [this.#parse(local), this.#parse(remote)] as const;
    const lowest = this.#lowestFree();
    if (!ends[0] || !ends[1] || lowest < 0 || !this.#descriptors.allows(lowest)) return undefined;
    const found = this.#find(lowest, ends[0], ends[1]);
    if (found < 0) return undefined;
    const fd = this.#libc.fcntl(found, F_DUPFD_CLOEXEC, 0);
    return fd < 0 ? undefined : new Descriptor(this.#libc, fd);
  }

  /** New connections have the lowest number free at that time, which is near the lowest now. */
  #find(lowest: number, local: Uint8Array, remote: Uint8Array): number {
    for (let distance = 0; distance < MAX_DISTANCE; distance++) {
      if (this.#connects(lowest - distance, local, remote)) return lowest - distance;
      if (this.#connects(lowest + distance, local, remote)) return lowest + distance;
    }
    return -1;
  }

  #connects(fd: number, local: Uint8Array, remote: Uint8Array): boolean {
    if (fd < 0) return false;
    const { getpeername, getsockname } = this.#libc;
    return this.#isAt(getpeername, fd, remote) && this.#isAt(getsockname, fd, local);
  }

  #isAt(ask: Libc["getsockname"], fd: number, end: Uint8Array): boolean {
    const address = this.#address;
    this.#length[0] = address.length;
    if (ask(fd, address, this.#length) !== 0) return false;
    const family = address[0]! | address[1]! << 8;
    if (address[2] !== end[0] || address[3] !== end[1]) return false;
    if (family === AF_INET6) return equals(address, 8, end, 2, 16);
    return family === AF_INET && equals(address, 4, end, 14, 4) && equals(MAPPED, 0, end, 2, 12);
  }

  /** @returns -1 if the system has none left */
  #lowestFree(): number {
    const fd = this.#libc.eventfd(0, EFD_CLOEXEC);
    if (fd >= 0) this.#libc.close(fd);
    return fd;
  }

  /** Port and IPv6 address in bytes; IPv4 is mapped into IPv6. */
  #parse({ hostname, port }: StreamEnd): Uint8Array | undefined {
    const text = hostname.includes(":") ? hostname : `::ffff:${hostname}`;
    const end = new Uint8Array(18);
    end[0] = port >> 8;
    end[1] = port;
    const ip = end.subarray(2);
    return this.#libc.inet_pton(AF_INET6, encoder.encode(`${text}\0`), ip) === 1 ? end : undefined;
  }
}

/** @returns undefined if this is not Linux, or loading the library is not allowed */
export function openDirectWriters(): DirectWriters | undefined {
  try {
    return new DirectWriters(openLibc());
  } catch {
    return undefined;
  }
}

class Descriptor implements DirectWriter {
  readonly #libc: Libc;
  #fd: number;

  constructor(libc: Libc, fd: number) {
    this.#libc = libc;
    this.#fd = fd;
  }

  send(bytes: Uint8Array, length: number): number {
    if (this.#fd < 0) return 0;
    const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    const size = length as unknown as bigint; // a number works as well and allocates nothing
    return Math.max(0, this.#libc.send(this.#fd, bytes as Uint8Array<ArrayBuffer>, size, flags));
  }

  close(): void {
    if (this.#fd < 0) return;
    this.#libc.close(this.#fd);
    this.#fd = -1;
  }
}

const encoder = new TextEncoder();
/** Prefix of an IPv4 address mapped into IPv6. */
const MAPPED = new Uint8Array(12).fill(0xff, 10);

function equals(a: Uint8Array, from: number, b: Uint8Array, at: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (a[from + i] !== b[at + i]) return false;
  return true;
}
