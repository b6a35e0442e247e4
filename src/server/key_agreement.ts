import {
  acceptablePublic,
  generateKeyPair,
  type KeyAgreement,
  type KeyPair,
  sharedSecret,
} from "../rtmfp/crypto/dh.ts";
import { type GroupId, groups } from "../rtmfp/crypto/dh_groups.ts";
import type { Random } from "../rtmfp/crypto/backend.ts";
import type { Powers } from "./powers.ts";

/** Key pairs of each group that are kept ready. */
const READY = 8;
/** Secrets that may wait; the handshakes of more are given up, and their clients try again. */
const QUEUE = 2_048;
/**
 * In a rush that empties the pool, handshakes share the last pair, for so many milliseconds and
 * so many of them: what a pair costs would otherwise be paid on the spot, by everybody.
 */
const SHARED_FOR = 10_000;
const SHARED_BY = 100;

interface Pool {
  readonly ready: KeyPair[];
  making: number;
  last: { readonly pair: KeyPair; readonly until: number; left: number } | undefined;
}

type Done = (secret: Uint8Array | undefined) => void;

interface Agreement {
  readonly pair: KeyPair;
  readonly farPublic: Uint8Array;
  readonly done: Done;
}

export interface KeyAgreementOptions {
  readonly random: Random;
  /** The groups that are prepared for. */
  readonly groups: readonly GroupId[];
  readonly now: () => number;
  /** Called after secrets were given to those who waited: they may have something to send. */
  readonly settle: () => void;
  readonly log: (text: string) => void;
}

/**
 * Diffie-Hellman that leaves the loop free: powers are computed elsewhere, and key pairs are made
 * ahead. As long as the other thread starts, or should it be lost, everything is computed here.
 */
export class PreparedKeyAgreement implements KeyAgreement {
  readonly #options: KeyAgreementOptions;
  #powers: Powers | undefined;
  readonly #pools = new Map<GroupId, Pool>();
  readonly #queue: Agreement[] = [];
  #busy = 0;
  #closed = false;

  constructor(powers: Powers, options: KeyAgreementOptions) {
    this.#powers = powers;
    this.#options = options;
    for (const group of options.groups) {
      this.#pools.set(group, { ready: [], making: 0, last: undefined });
    }
    this.#work();
  }

  keyPair(group: GroupId): KeyPair {
    const { random, now } = this.#options;
    const pool = this.#pools.get(group);
    const pair = pool?.ready.pop();
    if (!pool || !this.#powers?.ready) return pair ?? generateKeyPair(group, random);
    if (pair) pool.last = { pair, until: now() + SHARED_FOR, left: SHARED_BY };
    this.#work();
    if (pair) return pair;
    if (!pool.last || pool.last.until < now() || pool.last.left-- <= 0) {
      pool.last = {
        pair: generateKeyPair(group, random),
        until: now() + SHARED_FOR,
        left: SHARED_BY,
      };
    }
    return pool.last.pair;
  }

  agree(pair: KeyPair, farPublic: Uint8Array, done: Done): void {
    if (!acceptablePublic(pair.group, farPublic) || this.#queue.length >= QUEUE) {
      return done(undefined);
    }
    if (!this.#powers?.ready) return done(sharedSecret(pair, farPublic));
    // What it is given is a view of a packet, or may be.
    this.#queue.push({ pair, farPublic: farPublic.slice(), done });
    this.#work();
  }

  close(): void {
    const powers = this.#powers;
    this.#closed = true;
    this.#powers = undefined;
    powers?.close();
    this.#queue.length = 0;
  }

  /** Gives the other thread as much as it can take: secrets first, then pairs. */
  #work(): void {
    while (this.#powers && this.#busy < this.#powers.parallel) {
      const agreement = this.#queue.shift();
      if (agreement) {
        this.#agree(agreement, this.#powers);
        continue;
      }
      const wanted = [...this.#pools].find(([, { ready, making }]) =>
        ready.length + making < READY
      );
      if (!wanted) return;
      this.#make(...wanted, this.#powers);
    }
  }

  async #agree({ pair, farPublic, done }: Agreement, powers: Powers): Promise<void> {
    this.#busy++;
    let secret: Uint8Array | undefined;
    try {
      secret = await powers.power(pair.group, farPublic, pair.privateKey);
    } catch (error) {
      this.#lose(error);
      if (!this.#closed) secret = sharedSecret(pair, farPublic);
    }
    this.#busy--;
    if (this.#closed) return;
    done(secret);
    this.#options.settle();
    this.#work();
  }

  async #make(group: GroupId, pool: Pool, powers: Powers): Promise<void> {
    this.#busy++;
    pool.making++;
    try {
      const privateKey = this.#options.random(groups[group].exponentBits / 8);
      privateKey[0] |= 0x80; // never shorter than it should be
      const publicKey = await powers.power(group, undefined, privateKey);
      if (publicKey.length === groups[group].size && acceptablePublic(group, publicKey)) {
        pool.ready.push({ group, publicKey, privateKey });
      }
    } catch (error) {
      this.#lose(error);
    }
    this.#busy--;
    pool.making--;
    this.#work();
  }

  /** Goes on without the other thread. */
  #lose(error: unknown): void {
    if (!this.#powers) return; // closed, or known
    this.#powers = undefined;
    this.#options.log(
      `Diffie-Hellman is computed on the loop from now on: ${(error as Error).message}`,
    );
    for (const { pair, farPublic, done } of this.#queue.splice(0)) {
      done(sharedSecret(pair, farPublic));
    }
    this.#options.settle();
  }
}
