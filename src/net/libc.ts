// The calls of Linux's C library that Deno's own sockets do not make. 64-bit only, as Deno is.

const symbols = {
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getpeername: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  sendmmsg: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  recvmmsg: { parameters: ["i32", "buffer", "u32", "i32", "pointer"], result: "i32" },
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  __errno_location: { parameters: [], result: "pointer" },
  inet_pton: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  inet_ntop: { parameters: ["i32", "buffer", "buffer", "u32"], result: "pointer" },
} as const;

export type Libc = Deno.DynamicLibrary<typeof symbols>["symbols"];

/** @throws if this is not Linux, or the library may not be loaded */
export function openLibc(): Libc {
  if (Deno.build.os !== "linux") throw new Error("available on Linux only");
  return Deno.dlopen("libc.so.6", symbols).symbols;
}

const SOL_SOCKET = 1;
const SO_TYPE = 3;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
export const MSG_DONTWAIT = 0x40;
export const AF_INET = 2;
export const AF_INET6 = 10;

const SOL_UDP = 17;
const UDP_SEGMENT = 103;

/** Whether the system takes several datagrams in one message (Linux 4.18 and later); older ones would send one long datagram. */
export function knowsSegments(libc: Libc, fd: number): boolean {
  return libc.getsockopt(fd, SOL_UDP, UDP_SEGMENT, new Int32Array(1), new Uint32Array([4])) === 0;
}

/** The errno of this thread. */
export function errorNumber(libc: Libc): Int32Array {
  const at = libc.__errno_location();
  if (!at) throw new Error("no errno");
  return new Int32Array(Deno.UnsafePointerView.getArrayBuffer(at, 4));
}

/** Lengths of a `sockaddr_in` and of a `sockaddr_in6` in bytes. */
export const SOCKADDR_SIZE = { [AF_INET]: 16, [AF_INET6]: 28 } as const;

/** The highest file descriptor that is tried. */
const MAX_FD = 65_535;

/** The file descriptor of this process's UDP socket at a port; undefined if there is none. */
export function findSocket(libc: Libc, family: number, port: number): number | undefined {
  return find(libc, family, port, SOCK_DGRAM);
}

/** The file descriptor of this process's TCP socket that listens at a port. */
export function findListener(libc: Libc, family: number, port: number): number | undefined {
  return find(libc, family, port, SOCK_STREAM);
}

function find(libc: Libc, family: number, port: number, wanted: number): number | undefined {
  const address = new DataView(new ArrayBuffer(128));
  const length = new Uint32Array(1);
  const type = new Int32Array(1);
  for (let fd = 0; fd <= MAX_FD; fd++) {
    length[0] = 128;
    if (libc.getsockname(fd, address, length) !== 0) continue;
    if (address.getUint16(0, true) !== family || address.getUint16(2) !== port) continue;
    length[0] = 4;
    libc.getsockopt(fd, SOL_SOCKET, SO_TYPE, type, length);
    if (type[0] === wanted) return fd;
  }
  return undefined;
}

/** Option numbers, each followed by the one that may exceed the system's limit (CAP_NET_ADMIN). */
const BUFFERS = { receive: [8, 33], send: [7, 32] } as const;

/**
 * Sets the size of a socket's buffer.
 *
 * @param size bytes for payload
 * @returns the size that the system allowed, which may be less
 */
export function setBuffer(
  libc: Libc,
  fd: number,
  which: keyof typeof BUFFERS,
  size: number,
): number {
  const value = new Int32Array([size]);
  const given = new Int32Array(1);
  const length = new Uint32Array([4]);
  const [plain, force] = BUFFERS[which];
  for (const option of [plain, force]) {
    libc.setsockopt(fd, SOL_SOCKET, option, value, 4);
    libc.getsockopt(fd, SOL_SOCKET, plain, given, length);
    if (given[0]! >= 2 * size) break; // the system counts its own share as well
  }
  return Math.min(size, given[0]! / 2);
}
