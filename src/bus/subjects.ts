// The NATS subjects of a cluster.
import { toUtf8 } from "../bytes/text.ts";

/** Number of bytes of a digest in a subject, 26 characters. */
const TOKEN_BYTES = 16;
const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";

/** RFC 4648 §6 in lower case, without padding. */
export function base32(bytes: Uint8Array): string {
  let text = "";
  let [bits, value] = [0, 0];
  for (const byte of bytes) {
    value = (value << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5) text += BASE32[(value >>> (bits - 5)) & 31];
    value &= (1 << bits) - 1;
  }
  return bits > 0 ? text + BASE32[(value << (5 - bits)) & 31] : text;
}

/**
 * Names of publications come from clients: a subject contains their digest, of fixed length, and the
 * message the name itself. NATS-101, NATS-110 to NATS-116.
 */
export class Subjects {
  readonly heartbeat: string;
  readonly lookup: string;
  /** Calls for several servers. */
  readonly calls: string;
  readonly #prefix: string;
  readonly #sha256: (bytes: Uint8Array) => Uint8Array;

  /** @param cluster `[a-z0-9-]{1,32}`: servers of different clusters do not see each other */
  constructor(cluster: string, sha256: (bytes: Uint8Array) => Uint8Array) {
    this.#prefix = `cum.${cluster}`;
    this.#sha256 = sha256;
    this.heartbeat = `${this.#prefix}.hb`;
    this.lookup = `${this.#prefix}.rdv`;
    this.calls = `${this.#prefix}.rpc`;
  }

  /** Subject of messages for one server. */
  server(id: string): string {
    return `${this.#prefix}.to.${id}`;
  }

  /** @param rawId 32 bytes, a digest already */
  group(rawId: Uint8Array): string {
    return `${this.#prefix}.grp.${base32(rawId.subarray(0, TOKEN_BYTES))}`;
  }

  /** Subject of claims and requests for a publication. */
  control(name: string): string {
    return `${this.#prefix}.pub.${this.#token(name)}.ctl`;
  }

  /** Subject of the frames of a publication. */
  media(name: string): string {
    return `${this.#prefix}.pub.${this.#token(name)}.m`;
  }

  #token(name: string): string {
    return base32(this.#sha256(toUtf8(name)).subarray(0, TOKEN_BYTES));
  }
}
