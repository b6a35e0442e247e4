// Cost of the cryptography of one packet and one handshake, without network:
// `deno run --allow-ffi bench/crypto.ts` prints microseconds, medians of 15 rounds, as one JSON object.
import { openLibcrypto } from "../src/openssl/libcrypto.ts";
import { NativeCrypto } from "../src/openssl/native_crypto.ts";
import { type CryptoBackend, UNENCRYPTED } from "../src/rtmfp/crypto/backend.ts";
import { checksum } from "../src/rtmfp/crypto/checksum.ts";
import { generateKeyPair, sharedSecret } from "../src/rtmfp/crypto/dh.ts";
import { portable } from "../src/rtmfp/crypto/portable.ts";
import { deriveKeys, sessionCipher } from "../src/rtmfp/crypto/session_keys.ts";
import { Writer } from "../src/bytes/writer.ts";
import { PacketReader, writePacketHeader } from "../src/rtmfp/wire/packet.ts";
import { readUserData, UserData, writeUserData } from "../src/rtmfp/wire/user_data.ts";
import { median } from "./support/numbers.ts";

/** Bytes of a packet of media. */
const SIZE = 1200;
const ROUNDS = 15;

/** @returns median time (µs) of one call of `run` */
function cost(calls: number, run: () => void): number {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    for (let i = 0; i < calls; i++) run();
    times.push((performance.now() - start) * 1000 / calls);
  }
  return Number(median(times).toFixed(3));
}

const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));

function costsOf(backend: CryptoBackend): Record<string, number> {
  const buffer = random(SIZE);
  const aes = backend.aes(random(16));
  const hmac = backend.hmacSha256(random(32));
  const [secret, initiator, responder] = [random(128), random(76), random(139)];
  const keys = deriveKeys(backend, secret, initiator, responder);
  const packetCost = (length: number) => {
    const sequence = length > 0;
    const protection = {
      hmacOut: length,
      hmacIn: length,
      sequenceOut: sequence,
      sequenceIn: sequence,
    };
    const near = sessionCipher(backend, keys, protection, "initiator");
    const far = sessionCipher(backend, keys, protection, "responder");
    const slot = new Uint8Array(SIZE + 64);
    return cost(2000, () => {
      const length = near.seal(slot, near.headroom + near.maxPacket(SIZE), 1);
      if (!far.open(slot.subarray(0, length))) throw new Error(far.dropped);
    });
  };
  const [withChecksum, withHmac] = [packetCost(0), packetCost(16)];
  const costs = {
    aes_encrypt: cost(2000, () => aes.encrypt(buffer, 0, SIZE)),
    ...together(backend),
    aes_decrypt: cost(2000, () => aes.decrypt(buffer, 0, SIZE)),
    hmac: cost(2000, () => void hmac.digest(buffer, 0, SIZE)),
    seal_and_open_checksum: withChecksum,
    seal_and_open_hmac: withHmac,
    derive_keys: cost(500, () => void deriveKeys(backend, secret, initiator, responder)),
  };
  aes.free();
  hmac.free();
  return costs;
}

/** Cost (µs) of a packet in a batch of packets with different keys, if the backend has batches. */
function together(backend: CryptoBackend): Record<string, number> {
  const { batch } = backend;
  if (!batch) return {};
  const keys = batch.buffers.map(() => backend.aes(random(16)));
  const whole = cost(200, () => {
    for (let i = 0; i < keys.length; i++) batch.add(i, keys[i]!, UNENCRYPTED + SIZE);
    batch.run();
  });
  return { aes_encrypt_together: Number((whole / keys.length).toFixed(3)) };
}

function keyAgreement(): Record<string, number> {
  const costs: Record<string, number> = {};
  for (const [group, calls] of [[2, 20], [14, 4], [16, 1]] as const) {
    const [near, far] = [generateKeyPair(group, random), generateKeyPair(group, random)];
    costs[`key_pair_${group}`] = cost(calls, () => void generateKeyPair(group, random));
    costs[`secret_${group}`] = cost(calls, () => void sharedSecret(near, far.publicKey));
  }
  return costs;
}

function wire(): Record<string, number> {
  const bytes = new Uint8Array(SIZE);
  const to = Writer.over(bytes);
  const chunk = new UserData();
  Object.assign(chunk, { flowId: 3, sequence: 70_000, fsn: 69_990, data: random(1100) });
  const packet = new PacketReader();
  const read = new UserData();
  const write = () => {
    writePacketHeader(to.reset(bytes), 0x4a, 1234, 5678);
    writeUserData(to, chunk);
  };
  return {
    write_user_data: cost(20_000, write),
    read_user_data: cost(20_000, () => {
      packet.open(bytes, 0, to.at).next();
      readUserData(packet.payload, read);
    }),
    checksum: cost(5000, () => void checksum(bytes, 6, SIZE)),
  };
}

let native: CryptoBackend | undefined;
try {
  native = new NativeCrypto(openLibcrypto());
} catch {
  // Without the library there are portable figures alone.
}

const result = {
  bytes: SIZE,
  unit: "µs",
  ...wire(),
  ...keyAgreement(),
  portable: costsOf(portable),
  ...(native ? { [native.name]: costsOf(native) } : {}),
};
console.log(JSON.stringify(result, null, 2));
