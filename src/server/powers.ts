import { NativePowers } from "../openssl/native_powers.ts";
import type { Libcrypto } from "../openssl/libcrypto.ts";
import { type GroupId, groups } from "../rtmfp/crypto/dh_groups.ts";

/** Computes powers modulo the primes of the Diffie-Hellman groups on another thread. */
export interface Powers {
  readonly name: string;
  /** Number of calls to keep running at once. */
  readonly parallel: number;
  /** Maximum number of powers per call. */
  readonly together: number;
  /** False while the thread starts. */
  readonly ready: boolean;
  /**
   * @param wanted at least one, all of one group
   * @returns big-endian, without leading zero bytes
   * @throws {Error} if the thread is lost
   */
  compute(group: GroupId, wanted: readonly Power[]): Promise<Uint8Array[]>;
  close(): void;
}

/** A power to compute, big-endian. */
export interface Power {
  /** Undefined: the generator of the group. */
  readonly base: Uint8Array | undefined;
  readonly exponent: Uint8Array;
}

const GENERATOR = Uint8Array.of(2);

/** Powers by OpenSSL, on Deno's pool of threads. */
export class LibraryPowers implements Powers {
  readonly name = "OpenSSL";
  readonly ready = true;
  readonly parallel = Math.min(4, Math.max(1, navigator.hardwareConcurrency - 1));
  readonly together: number;
  readonly #groups = new Map<GroupId, NativePowers>();

  constructor(library: Libcrypto) {
    for (const { id, prime } of Object.values(groups)) {
      this.#groups.set(id, new NativePowers(library, Uint8Array.fromHex(prime.toString(16))));
    }
    this.together = this.#groups.get(2)!.together;
  }

  compute(group: GroupId, wanted: readonly Power[]): Promise<Uint8Array[]> {
    return this.#groups.get(group)!.compute(
      wanted.map(({ base = GENERATOR, exponent }) => ({ base, exponent })),
    );
  }

  close(): void {}
}

/** Messages between {@link WorkerPowers} and its worker. */
export interface PowerRequest {
  readonly id: number;
  readonly group: GroupId;
  readonly wanted: readonly Power[];
}
export interface PowerReply {
  readonly id: number;
  readonly powers: Uint8Array[];
}

interface Waiting {
  resolve(powers: Uint8Array[]): void;
  reject(error: Error): void;
}

/** Powers by BigInt, in a worker. */
export class WorkerPowers implements Powers {
  readonly name = "worker";
  ready = false;
  readonly parallel = 2; // the worker has a next call while this thread handles a result
  readonly together = 2;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #lost: Error | undefined;

  constructor() {
    this.#worker = new Worker(new URL("./dh_worker.ts", import.meta.url), {
      type: "module",
      name: "Diffie-Hellman",
    });
    this.#worker.onmessage = ({ data }: MessageEvent<PowerReply>) => {
      this.ready = true;
      this.#waiting.get(data.id)?.resolve(data.powers);
      this.#waiting.delete(data.id);
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#lose(new Error(`the worker failed: ${event.message}`));
    };
  }

  compute(group: GroupId, wanted: readonly Power[]): Promise<Uint8Array[]> {
    return new Promise((resolve, reject) => {
      if (this.#lost) return reject(this.#lost);
      const id = ++this.#lastId;
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, group, wanted } satisfies PowerRequest);
    });
  }

  close(): void {
    this.#worker.terminate();
    this.#lose(new Error("closed"));
  }

  #lose(error: Error): void {
    this.#lost = error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
