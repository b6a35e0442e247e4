import { TokenBucket } from "../common/token_bucket.ts";
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

/** Number of key pairs kept ready per group. */
const READY_PAIRS = 8;
/** Maximum number of waiting secrets; further handshakes are dropped, and their clients try again. */
const MAX_WAITING = 2_048;
/**
 * Handshakes per second, in the long run, that get a key pair of their own, so that making pairs takes 1/50 of a
 * processor in each group. In a rush the other handshakes share the last pair.
 */
const OWN_PER_SECOND: Record<GroupId, number> = { 2: 200, 14: 50, 16: 10 };
/** Maximum ms, and maximum number of further handshakes, for which a pair is shared. */
const SHARED_TIMEOUT = 10_000;
const MAX_SHARED = 100;

interface Pool {
  readonly group: GroupId;
  readonly ready: KeyPair[];
  making: number;
  /** Limits the handshakes that get a pair of their own. */
  readonly own: TokenBucket;
  last: { readonly pair: KeyPair; readonly until: number; left: number } | undefined;
}

type Done = (secret: Uint8Array | undefined) => void;

interface Agreement {
  readonly pair: KeyPair;
  readonly farPublic: Uint8Array;
  readonly done: Done;
}

interface KeyAgreementOptions {
  readonly random: Random;
  /** The groups with prepared pairs. */
  readonly groups: readonly GroupId[];
  readonly now: () => number;
  /** Called after waiting handshakes got their secrets: they may have data to send. */
  readonly settle: () => void;
  readonly log: (text: string) => void;
}

/**
 * Diffie-Hellman on another thread, with key pairs made in advance. While that thread starts, and after it failed,
 * this one computes everything.
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
      const own = new TokenBucket(READY_PAIRS, OWN_PER_SECOND[group]);
      this.#pools.set(group, { group, ready: [], making: 0, own, last: undefined });
    }
    this.#work();
  }

  keyPair(group: GroupId): KeyPair {
    const { random } = this.#options;
    const pool = this.#pools.get(group);
    if (!pool || !this.#powers?.ready) return pool?.ready.pop() ?? generateKeyPair(group, random);
    const now = this.#options.now();
    const { last, own, ready } = pool;
    const isOwn = ready.length > 0 && own.take(now);
    if (!isOwn && last && last.until >= now && last.left-- > 0) return last.pair;
    const pair = ready.pop() ?? generateKeyPair(group, random);
    pool.last = { pair, until: now + SHARED_TIMEOUT, left: MAX_SHARED };
    this.#work();
    return pair;
  }

  agree(pair: KeyPair, farPublic: Uint8Array, done: Done): void {
    if (!acceptablePublic(pair.group, farPublic) || this.#queue.length >= MAX_WAITING) {
      return done(undefined);
    }
    if (!this.#powers?.ready) return done(sharedSecret(pair, farPublic));
    this.#queue.push({ pair, farPublic, done });
    this.#work();
  }

  close(): void {
    const powers = this.#powers;
    this.#closed = true;
    this.#powers = undefined;
    powers?.close();
    this.#queue.length = 0;
  }

  /** Gives the other thread as much work as it can do in parallel: secrets first, then pairs. */
  #work(): void {
    while (this.#powers && this.#busy < this.#powers.parallel) {
      const { together } = this.#powers;
      if (this.#queue.length > 0) {
        this.#agree(this.#takeWaiting(together), this.#powers);
        continue;
      }
      const pool = this.#poolToFill();
      if (!pool) return;
      const missing = READY_PAIRS - pool.ready.length - pool.making;
      this.#make(pool, Math.min(missing, together), this.#powers);
    }
  }

  /** The oldest waiting handshakes, all of one group. */
  #takeWaiting(most: number): Agreement[] {
    const group = this.#queue[0]?.pair.group;
    let count = Math.min(1, this.#queue.length);
    while (count < most && this.#queue[count]?.pair.group === group) count++;
    return this.#queue.splice(0, count);
  }

  #poolToFill(): Pool | undefined {
    for (const pool of this.#pools.values()) {
      if (pool.ready.length + pool.making < READY_PAIRS) return pool;
    }
    return undefined;
  }

  async #agree(agreements: Agreement[], powers: Powers): Promise<void> {
    const [first] = agreements;
    if (!first) return;
    this.#busy++;
    let secrets: (Uint8Array | undefined)[] = [];
    try {
      secrets = await powers.compute(
        first.pair.group,
        agreements.map(({ pair, farPublic }) => ({ base: farPublic, exponent: pair.privateKey })),
      );
    } catch (error) {
      this.#lose(error);
      if (!this.#closed) {
        secrets = agreements.map(({ pair, farPublic }) => sharedSecret(pair, farPublic));
      }
    }
    this.#busy--;
    if (this.#closed) return;
    this.#work(); // so that the other thread does not wait for the use of the secrets
    this.#tell(agreements, (_, i) => secrets[i]);
  }

  /** Gives secrets to all waiting handshakes. An exception of one is a bug, which the caller logs. */
  #tell(
    agreements: readonly Agreement[],
    secretOf: (agreement: Agreement, index: number) => Uint8Array | undefined,
  ): void {
    agreements.forEach((agreement, i) => {
      try {
        agreement.done(secretOf(agreement, i));
      } catch (bug) {
        Promise.reject(bug);
      }
    });
    this.#options.settle();
  }

  async #make(pool: Pool, count: number, powers: Powers): Promise<void> {
    const { group } = pool;
    this.#busy++;
    pool.making += count;
    try {
      const privateKeys = Array.from({ length: count }, () => {
        const privateKey = this.#options.random(groups[group].exponentBits / 8);
        privateKey.set([(privateKey[0] ?? 0) | 0x80]); // always has its full length
        return privateKey;
      });
      const publicKeys = await powers.compute(
        group,
        privateKeys.map((exponent) => ({ base: undefined, exponent })),
      );
      privateKeys.forEach((privateKey, i) => {
        const publicKey = publicKeys[i];
        if (publicKey?.length !== groups[group].size || !acceptablePublic(group, publicKey)) return;
        pool.ready.push({ group, publicKey, privateKey });
      });
    } catch (error) {
      this.#lose(error);
    }
    this.#busy--;
    pool.making -= count;
    this.#work();
  }

  /** Continues without the other thread. */
  #lose(error: unknown): void {
    if (!this.#powers) return; // closed, or lost already
    this.#powers = undefined;
    this.#options.log(
      `Computing Diffie-Hellman on the event loop from now on: ${(error as Error).message}`,
    );
    this.#tell(
      this.#queue.splice(0),
      ({ pair, farPublic }) => sharedSecret(pair, farPublic),
    );
  }
}
