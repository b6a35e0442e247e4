import { NativePowers } from "../net/native_powers.ts";
import type { Libcrypto } from "../net/libcrypto.ts";
import { type GroupId, groups } from "../rtmfp/crypto/dh_groups.ts";

/** Computes powers modulo the primes of the Diffie-Hellman groups on another thread. */
export interface Powers {
  readonly name: string;
  /** How many are worth having under way at once. */
  readonly parallel: number;
  /** False as long as the thread is only starting. */
  readonly ready: boolean;
  /**
   * @param base big-endian; the group's generator where it is left out
   * @param exponent big-endian
   * @returns big-endian, without leading zero bytes
   * @throws {Error} if the thread is lost
   */
  power(group: GroupId, base: Uint8Array | undefined, exponent: Uint8Array): Promise<Uint8Array>;
  close(): void;
}

const GENERATOR = Uint8Array.of(2);

/** Powers by OpenSSL, on Deno's pool of threads. */
export class LibraryPowers implements Powers {
  readonly name = "OpenSSL";
  readonly ready = true;
  readonly parallel = Math.min(4, Math.max(1, navigator.hardwareConcurrency - 1));
  readonly #groups = new Map<GroupId, NativePowers>();

  constructor(library: Libcrypto) {
    for (const { id, prime } of Object.values(groups)) {
      this.#groups.set(id, new NativePowers(library, Uint8Array.fromHex(prime.toString(16))));
    }
  }

  power(group: GroupId, base: Uint8Array | undefined, exponent: Uint8Array): Promise<Uint8Array> {
    return this.#groups.get(group)!.power(base ?? GENERATOR, exponent);
  }

  close(): void {}
}

/** What {@link WorkerPowers} and its worker say to each other. */
export interface PowerRequest {
  readonly id: number;
  readonly group: GroupId;
  readonly base: Uint8Array | undefined;
  readonly exponent: Uint8Array;
}
export interface PowerReply {
  readonly id: number;
  readonly power: Uint8Array;
}

interface Waiting {
  resolve(power: Uint8Array): void;
  reject(error: Error): void;
}

/** Powers by BigInt, in a worker. */
export class WorkerPowers implements Powers {
  readonly name = "worker";
  ready = false;
  readonly parallel = 4; // so that the worker never waits for this thread
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
      this.#waiting.get(data.id)?.resolve(data.power);
      this.#waiting.delete(data.id);
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#lose(new Error(`the worker failed: ${event.message}`));
    };
  }

  power(group: GroupId, base: Uint8Array | undefined, exponent: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      if (this.#lost) return reject(this.#lost);
      const id = ++this.#lastId;
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, group, base, exponent } satisfies PowerRequest);
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
