// Mutual challenge and response before the first frame of a link, where `[servers] secret` is
// set. It authenticates both ends; later records are signed (signed_records.ts), not encrypted. The
// original has no such exchange: a server without a secret sees a frame of invalid length, and one with
// a secret misses the magic; either closes the link.
//
//   both         magic 8 | id 32 | nonce 32
//   initiator    proof 32 = HMAC-SHA-256(secret, "initiator" | ids | nonces)
//   target       proof 32 = HMAC-SHA-256(secret, "target"    | ids | nonces)
//
// Ids and nonces are in the order initiator, target. A server makes a random id at each start. A proof is
// valid for one direction between two servers: an attacker who reflects a server's messages to it, over
// this connection or another one, shows that server's own id, which is refused, or an id that does not
// match the proof.
//
// Both ends derive the keys of later records from the same values: an attacker who relays the proofs of
// two servers cannot forge records.
//
//   key of an end    HMAC-SHA-256(secret, "initiator key" or "target key" | ids | nonces)
// The target sends its proof only after that of the initiator, so that strangers get no proof for
// guessing the secret offline.
import { concat } from "../bytes/concat.ts";
import { equalBytes } from "../bytes/equal.ts";
import { toUtf8 } from "../bytes/text.ts";
import { WireError } from "../bytes/wire_error.ts";
import type { LinkKeys } from "./signed_records.ts";

/** HMAC-SHA-256 of a message; pure rooms get cryptography as functions. */
export type Hmac = (key: Uint8Array, message: Uint8Array) => Uint8Array;

const MAGIC = toUtf8("CUMULUS3");
const ID = 32;
const NONCE = 32;
const PROOF = 32;

/** Values of an end before the proofs, 32 bytes each. */
export interface End {
  readonly id: Uint8Array;
  readonly nonce: Uint8Array;
}

export class Authentication {
  readonly #initiator: boolean;
  readonly #secret: Uint8Array;
  readonly #hmac: Hmac;
  readonly #near: End;
  #far: End | undefined;
  #received: Uint8Array = new Uint8Array(0);
  #out: Uint8Array[];
  done = false;

  constructor(initiator: boolean, secret: Uint8Array, hmac: Hmac, near: End) {
    this.#initiator = initiator;
    this.#secret = secret;
    this.#hmac = hmac;
    this.#near = near;
    this.#out = [MAGIC, near.id, near.nonce];
  }

  /** Removes and returns the bytes to send. */
  take(): Uint8Array[] {
    return this.#out.splice(0);
  }

  /**
   * Reads received bytes, and returns the rest once {@link done}.
   *
   * @throws {WireError} if the other end does not know the secret, or is this server
   */
  receive(bytes: Uint8Array): Uint8Array {
    this.#received = concat([this.#received, bytes]);
    if (!this.#far) this.#readEnd();
    if (this.#far && !this.done) this.#readProof();
    return this.done ? this.#received : new Uint8Array(0);
  }

  /** Whether the other end uses a secret, perhaps another one. */
  get answered(): boolean {
    return this.#far !== undefined;
  }

  #readEnd(): void {
    const magic = this.#received.subarray(0, MAGIC.length);
    if (magic.some((byte, i) => byte !== MAGIC[i])) {
      throw new WireError("the other server uses no secret, or another protocol or version");
    }
    if (this.#received.length < MAGIC.length + ID + NONCE) return;
    const id = this.#received.slice(MAGIC.length, MAGIC.length + ID);
    if (equalBytes(id, this.#near.id)) throw new WireError("the other server is this one");
    const end = MAGIC.length + ID + NONCE;
    this.#far = { id, nonce: this.#received.slice(MAGIC.length + ID, end) };
    this.#received = this.#received.subarray(end);
    if (this.#initiator) this.#out.push(this.#proof(true));
  }

  #readProof(): void {
    if (this.#received.length < PROOF) return;
    if (!equalBytes(this.#received.subarray(0, PROOF), this.#proof(!this.#initiator))) {
      throw new WireError("the other server has another secret");
    }
    this.#received = this.#received.subarray(PROOF);
    if (!this.#initiator) this.#out.push(this.#proof(false));
    this.done = true;
  }

  /** Keys of the later records; valid once {@link done}. */
  keys(): LinkKeys {
    return {
      near: this.#sign(this.#initiator ? "initiator key" : "target key"),
      far: this.#sign(this.#initiator ? "target key" : "initiator key"),
    };
  }

  #proof(ofInitiator: boolean): Uint8Array {
    return this.#sign(ofInitiator ? "initiator" : "target");
  }

  #sign(words: string): Uint8Array {
    const [first, second] = this.#initiator ? [this.#near, this.#far!] : [this.#far!, this.#near];
    const label = toUtf8(words);
    const message = concat([label, first.id, second.id, first.nonce, second.nonce]);
    return this.#hmac(this.#secret, message);
  }
}
