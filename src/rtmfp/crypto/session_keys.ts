// The keys of a session. RFC 7425 §4.6.3 to §4.6.5.
import { type CryptoBackend, hmacOnce } from "./backend.ts";
import { PacketCipher } from "./packet_cipher.ts";
import type { Protection } from "./protection.ts";

/** The keys of one direction. */
interface DirectionKeys {
  /** 16 bytes. */
  readonly aes: Uint8Array;
  /** 32 bytes. */
  readonly hmac: Uint8Array;
}

/** Keys and nonces of a session, from its handshake. */
export interface SessionKeys {
  readonly initiatorToResponder: DirectionKeys;
  readonly responderToInitiator: DirectionKeys;
  /** For challenges of applications, 32 bytes. The own one is the "near nonce". */
  readonly initiatorNonce: Uint8Array;
  readonly responderNonce: Uint8Array;
}

/**
 * Derives the keys of a session.
 *
 * @param secret shared secret, without leading zero bytes
 * @param initiatorComponent the bytes as sent, likewise the responder's
 */
export function deriveKeys(
  crypto: CryptoBackend,
  secret: Uint8Array,
  initiatorComponent: Uint8Array,
  responderComponent: Uint8Array,
): SessionKeys {
  const keyed = crypto.hmacSha256(secret);
  const h = (message: Uint8Array) => keyed.digest(message, 0, message.length).slice();
  const direction = (sender: Uint8Array, receiver: Uint8Array) => {
    const key = h(hmacOnce(crypto, receiver, sender));
    return { aes: key.slice(0, 16), hmac: h(key) };
  };
  const keys = {
    initiatorToResponder: direction(initiatorComponent, responderComponent),
    responderToInitiator: direction(responderComponent, initiatorComponent),
    initiatorNonce: h(initiatorComponent),
    responderNonce: h(responderComponent),
  };
  keyed.free();
  return keys;
}

/** The cipher of a session for the end that has `role` in it. */
export function sessionCipher(
  crypto: CryptoBackend,
  keys: SessionKeys,
  protection: Protection,
  role: "initiator" | "responder",
): PacketCipher {
  const { initiatorToResponder, responderToInitiator } = keys;
  const [out, into] = role === "initiator"
    ? [initiatorToResponder, responderToInitiator]
    : [responderToInitiator, initiatorToResponder];
  const direction = (key: DirectionKeys, hmacLength: number, sequence: boolean) => ({
    aes: crypto.aes(key.aes),
    hmac: hmacLength > 0 ? { hmac: crypto.hmacSha256(key.hmac), length: hmacLength } : undefined,
    sequence,
  });
  return new PacketCipher(
    direction(out, protection.hmacOut, protection.sequenceOut),
    direction(into, protection.hmacIn, protection.sequenceIn),
  );
}
