import { mapped, unmapped } from "../common/ip.ts";
import { AF_INET, AF_INET6, type Libc, SOCKADDR_SIZE } from "./libc.ts";
import { Recent, Remote } from "./udp_address.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Number of addresses in one buffer. */
const PAGE = 128;

/** Converts addresses between text and `struct sockaddr_in` or `sockaddr_in6`, by the family of a socket. */
export class Sockaddrs {
  readonly size: number;
  readonly #libc: Libc;
  readonly #family: typeof AF_INET | typeof AF_INET6;
  readonly #byText = new Recent<string, Remote>();
  /** IPv4 by `address * 65536 + port`, which is much cheaper than text; others by their bytes. */
  readonly #byRaw = new Recent<number | string, Remote>();

  #page = new Uint8Array(0);
  #used = 0;

  constructor(libc: Libc, family: typeof AF_INET | typeof AF_INET6) {
    this.#libc = libc;
    this.#family = family;
    this.size = SOCKADDR_SIZE[family];
  }

  /** @returns undefined if the system cannot parse the address */
  ofText(hostname: string, port: number): Remote | undefined {
    const key = `${hostname} ${port}`;
    let remote = this.#byText.get(key);
    if (remote) return remote;
    const raw = this.#parse(hostname, port);
    if (!raw) return undefined;
    remote = this.ofRaw(raw, 0);
    this.#byText.set(key, remote);
    return remote;
  }

  /** The address in `memory` at offset `at`. */
  ofRaw(memory: Uint8Array, at: number): Remote {
    const key = this.#key(memory, at);
    let remote = this.#byRaw.get(key);
    if (remote) return remote;
    const ipv6 = this.#family === AF_INET6;
    const ip = memory.slice(at + (ipv6 ? 8 : 4), at + (ipv6 ? 24 : 8));
    const text = new Uint8Array(64);
    this.#libc.inet_ntop(this.#family, ip, text, text.length);
    const hostname = unmapped(decoder.decode(text.subarray(0, text.indexOf(0))));
    remote = new Remote(hostname, portAt(memory, at), ipv6);
    remote.raw = this.#place();
    remote.raw.set(memory.subarray(at, at + this.size));
    this.#byRaw.set(key, remote);
    return remote;
  }

  /** Memory for one more address; a buffer of its own would take ten times its length. */
  #place(): Uint8Array {
    const { size } = this;
    if (this.#used + size > this.#page.length) {
      this.#page = new Uint8Array(PAGE * size);
      this.#used = 0;
    }
    return this.#page.subarray(this.#used, this.#used += size);
  }

  #key(memory: Uint8Array, at: number): number | string {
    const ip = at + (this.#family === AF_INET ? 4 : 20);
    if (this.#family === AF_INET || isMapped(memory, at + 8)) {
      const word = memory[ip]! << 24 | memory[ip + 1]! << 16 | memory[ip + 2]! << 8 |
        memory[ip + 3]!;
      return (word >>> 0) * 65_536 + portAt(memory, at);
    }
    return String.fromCharCode(...memory.subarray(at + 2, at + this.size));
  }

  #parse(hostname: string, port: number): Uint8Array | undefined {
    const ipv6 = this.#family === AF_INET6;
    const text = ipv6 ? mapped(hostname) : hostname;
    const ip = new Uint8Array(16);
    if (this.#libc.inet_pton(this.#family, encoder.encode(`${text}\0`), ip) !== 1) return undefined;
    const raw = new Uint8Array(this.size);
    new DataView(raw.buffer).setUint16(0, this.#family, true);
    raw[2] = port >> 8;
    raw[3] = port;
    raw.set(ipv6 ? ip : ip.subarray(0, 4), ipv6 ? 8 : 4);
    return raw;
  }
}

function portAt(memory: Uint8Array, at: number): number {
  return memory[at + 2]! << 8 | memory[at + 3]!;
}

function isMapped(memory: Uint8Array, at: number): boolean {
  for (let i = 0; i < 10; i++) if (memory[at + i] !== 0) return false;
  return memory[at + 10] === 0xff && memory[at + 11] === 0xff;
}
