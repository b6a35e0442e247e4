// Cookies: a responder remembers nothing of an initiator that has not shown that it receives at the
// address it sends from. RFC 7016 §3.5.1.1.2.
//
//     time u64 (ms) | 24 bytes of HMAC(secret, 'a' time) | HMAC(secret, 'b' time ip 16 port u16)
//
// The first MAC proves that this responder made the cookie, the second one for which address.
import { equalBytes } from "../../bytes/equal.ts";
import { Writer } from "../../bytes/writer.ts";
import type { Address } from "../../common/address.ts";
import { ipBytes } from "../../common/ip.ts";
import type { CryptoBackend, Hmac, Random } from "./backend.ts";

/** In bytes; librtmfp accepts no other length. */
export const COOKIE_LENGTH = 64;
/** Lifetime of a cookie in milliseconds; initiators give up after 95 s. */
export const COOKIE_LIFETIME = 120_000;

const TIME = 8;
const OWN = 24;
const NO_ADDRESS = new Uint8Array(0);

/** Result of checking a returned cookie. */
type CookieState =
  | "good"
  /** Made here and not expired, for another address: answer with a new one. */
  | "moved"
  /** Forged or expired: do not answer. */
  | "bad";

/** Makes cookies and checks returned ones. Its secret, and so all its cookies, end with it. */
export class Cookies {
  readonly #hmac: Hmac;
  readonly #message = new Writer(32);

  constructor(crypto: CryptoBackend, random: Random) {
    this.#hmac = crypto.hmacSha256(random(32));
  }

  /** A cookie for an initiator at `address`: 64 bytes. `now` in milliseconds. */
  make(address: Address, now: number): Uint8Array {
    const time = Math.floor(now);
    const cookie = new Uint8Array(COOKIE_LENGTH);
    Writer.over(cookie).u32(Math.floor(time / 2 ** 32)).u32(time % 2 ** 32)
      .part(this.#own(time), 0, OWN).bytes(this.#for(time, address));
    return cookie;
  }

  /** Checks a cookie that came from `address`. */
  check(cookie: Uint8Array, address: Address, now: number): CookieState {
    if (cookie.length !== COOKIE_LENGTH) return "bad";
    const view = new DataView(cookie.buffer, cookie.byteOffset, TIME);
    const time = view.getUint32(0) * 2 ** 32 + view.getUint32(4);
    if (time > now || now - time > COOKIE_LIFETIME) return "bad";
    const own = this.#own(time).subarray(0, OWN);
    if (!equalBytes(cookie.subarray(TIME, TIME + OWN), own)) return "bad";
    return equalBytes(cookie.subarray(TIME + OWN), this.#for(time, address)) ? "good" : "moved";
  }

  #own(time: number): Uint8Array {
    return this.#digest(this.#message.clear().u8(0x61).f64(time));
  }

  #for(time: number, { hostname, port }: Address): Uint8Array {
    const message = this.#message.clear().u8(0x62).f64(time);
    return this.#digest(message.bytes(ipBytes(hostname) ?? NO_ADDRESS).u16(port));
  }

  #digest(message: Writer): Uint8Array {
    return this.#hmac.digest(message.buffer, 0, message.at);
  }
}
