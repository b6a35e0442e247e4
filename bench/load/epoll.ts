// System calls of the load generators: IPv4 sockets and epoll.

export const AF_INET = 2;
/** Bytes of a `struct sockaddr_in`. */
export const SOCKADDR_IN = 16;
export const EPOLL_CTL_ADD = 1;
export const EPOLL_CTL_DEL = 2;
const EPOLLIN = 1;
/** Bytes of a `struct epoll_event`, which is packed only on x86-64. */
export const EPOLL_EVENT = Deno.build.arch === "x86_64" ? 12 : 16;

export const SOCKET_CALLS = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  epoll_create1: { parameters: ["i32"], result: "i32" },
  epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  epoll_wait: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
} as const;

/** @returns a `struct sockaddr_in` */
export function socketAddress(hostname: string, port: number): Uint8Array<ArrayBuffer> {
  const address = new Uint8Array(SOCKADDR_IN);
  address.set([AF_INET, 0, port >> 8, port & 255, ...hostname.split(".").map(Number)]);
  return address;
}

/** @returns a `struct epoll_event` that waits for input on `fd` */
export function inputEvent(fd: number): Uint8Array<ArrayBuffer> {
  const event = new Uint8Array(16);
  const words = new DataView(event.buffer);
  words.setUint32(0, EPOLLIN, true);
  words.setUint32(EPOLL_EVENT - 8, fd, true);
  return event;
}

/** @returns the descriptor of event `index` among those that `epoll_wait` has written */
export const descriptorAt = (events: DataView, index: number): number =>
  events.getUint32((index + 1) * EPOLL_EVENT - 8, true);
