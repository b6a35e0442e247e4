import { type Batch, type CryptoBackend, UNENCRYPTED } from "../../src/rtmfp/crypto/backend.ts";
import { checksum } from "../../src/rtmfp/crypto/checksum.ts";

const identity = { encrypt() {}, decrypt() {}, free() {} };

/** A few, so that a batch is full soon. */
const BATCH = 5;
const DATAGRAM = 2_048;

class PlainBatch implements Batch {
  user: unknown = undefined;
  readonly buffers = Array.from({ length: BATCH }, () => new Uint8Array(DATAGRAM));

  add(): void {}

  checksum(index: number, end: number): number {
    return checksum(this.buffers[index], UNENCRYPTED, end);
  }

  run(): void {}
}

/**
 * A back-end for tests and debugging: nothing is encrypted, so packets can be read and changed on
 * their way, while all the rest (padding, checksums, keys agreed upon) is as it is with `crypto`.
 */
export function plainBackend(crypto: CryptoBackend): CryptoBackend {
  return {
    name: `plain (${crypto.name})`,
    aes: () => identity,
    hmacSha256: (key) => crypto.hmacSha256(key),
    sha256: (bytes) => crypto.sha256(bytes),
    batch: crypto.batch && new PlainBatch(),
  };
}
