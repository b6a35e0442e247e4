import { type Batch, type CryptoBackend, UNENCRYPTED } from "../../src/rtmfp/crypto/backend.ts";
import { checksum } from "../../src/rtmfp/crypto/checksum.ts";

const identity = { encrypt() {}, decrypt() {}, free() {} };

/** Packets of a batch: few, so that a batch is soon full. */
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
 * A back-end for tests and debugging that does not encrypt, so that tests can read and change packets
 * in flight; all else (padding, checksums, key agreement) is as with `crypto`.
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
