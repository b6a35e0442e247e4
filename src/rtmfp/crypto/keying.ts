// Session key components: what the two ends of a handshake tell each other, what they then use,
// and which keys come of it. RFC 7425 §4.5, §4.6.
import { Reader } from "../../bytes/reader.ts";
import { Writer } from "../../bytes/writer.ts";
import { readOptionSequence, writeOption } from "../wire/options.ts";
import { type CryptoBackend, hmacOnce } from "./backend.ts";
import type { GroupKey } from "./certificate.ts";
import { PacketCipher } from "./packet_cipher.ts";

const EPHEMERAL_KEY = 0x0d;
const EXTRA_RANDOMNESS = 0x0e;
const HMAC_NEGOTIATION = 0x1a;
const GROUP_SELECT = 0x1d;
const SEQUENCE_NEGOTIATION = 0x1e;

/** The signature of IIKeying and RIKeying. RFC 7425 §4.6.1. */
export const SIGNATURE: Uint8Array = Uint8Array.of(0x58);

/** What an end says about HMACs, and about sequence numbers. */
export const Negotiation = {
  /** I send it always. */
  sends: 0x04,
  /** I send it if you request it. */
  sendsOnRequest: 0x02,
  /** You must send it. */
  requires: 0x01,
} as const;

export interface Component {
  /** Of {@link Negotiation}. */
  readonly hmacFlags: number;
  /** How many bytes of HMAC its author puts on packets. */
  readonly hmacLength: number;
  /** Of {@link Negotiation}. */
  readonly sequenceFlags: number;
  /** Its author's key for this session, if its certificate has none. */
  readonly ephemeralKey?: GroupKey | undefined;
  /** Which of the static keys in its author's certificate is used. */
  readonly selectedGroup?: number | undefined;
  /** Makes the component of an author with a static key unlike all others. */
  readonly randomness?: Uint8Array | undefined;
}

/**
 * Reads a component. An option that is not there counts as 0; of several of one type the first
 * counts.
 *
 * @throws {WireError} if it is cut off
 */
export function readComponent(bytes: Uint8Array): Component {
  let hmac: { flags: number; length: number } | undefined;
  let sequenceFlags: number | undefined;
  let ephemeralKey: GroupKey | undefined;
  let selectedGroup: number | undefined;
  let randomness: Uint8Array | undefined;
  for (const { type, value } of readOptionSequence(bytes)) {
    const from = new Reader(value);
    if (type === HMAC_NEGOTIATION) hmac ??= { flags: from.u8(), length: from.vlu() };
    else if (type === SEQUENCE_NEGOTIATION) sequenceFlags ??= from.u8();
    else if (type === EPHEMERAL_KEY) ephemeralKey ??= { group: from.vlu(), publicKey: from.rest() };
    else if (type === GROUP_SELECT) selectedGroup ??= from.vlu();
    else if (type === EXTRA_RANDOMNESS) randomness ??= value;
  }
  return {
    hmacFlags: hmac?.flags ?? 0,
    hmacLength: hmac?.length ?? 0,
    sequenceFlags: sequenceFlags ?? 0,
    ephemeralKey,
    selectedGroup,
    randomness,
  };
}

/**
 * Writes the component of an initiator, in the order of Flash: key or group, randomness, HMAC,
 * sequence numbers.
 */
export function writeInitiatorComponent(component: Component): Uint8Array {
  const to = new Writer(160);
  if (component.selectedGroup !== undefined) {
    writeOption(to, GROUP_SELECT, new Writer(8).vlu(component.selectedGroup).view());
  }
  writeKeyAndRandomness(to, component);
  writeHmac(to, component);
  writeOption(to, SEQUENCE_NEGOTIATION, Uint8Array.of(component.sequenceFlags));
  return to.copy();
}

/**
 * Writes the component of a responder: HMAC, sequence numbers, key. librtmfp parses nothing: it
 * wants the bytes `03 1a 00 00 02 1e 00` first, then the key, then nothing.
 */
export function writeResponderComponent(component: Component): Uint8Array {
  const to = new Writer(160);
  writeHmac(to, component);
  writeOption(to, SEQUENCE_NEGOTIATION, Uint8Array.of(component.sequenceFlags));
  writeKeyAndRandomness(to, component);
  return to.copy();
}

function writeHmac(to: Writer, { hmacFlags, hmacLength }: Component): void {
  writeOption(to, HMAC_NEGOTIATION, new Writer(8).u8(hmacFlags).vlu(hmacLength).view());
}

function writeKeyAndRandomness(to: Writer, { ephemeralKey, randomness }: Component): void {
  if (ephemeralKey) {
    const { group, publicKey } = ephemeralKey;
    writeOption(to, EPHEMERAL_KEY, new Writer().vlu(group).bytes(publicKey).view());
  }
  if (randomness) writeOption(to, EXTRA_RANDOMNESS, randomness);
}

/** What an end wants of the other one. */
export interface Policy {
  /** Refuses a far end that puts no HMAC on its packets; without it, the far end decides. */
  readonly requireHmac: boolean;
  /** Likewise for sequence numbers. */
  readonly requireSequence: boolean;
  /** How many bytes of HMAC this end puts on packets, 4 to 32. */
  readonly hmacLength: number;
}

/** Takes part in what the far end asks for: from Flash to the strictest. */
export const RELAXED: Policy = { requireHmac: false, requireSequence: false, hmacLength: 16 };
/** Takes nothing less than HMACs and sequence numbers, as rtmfp-cpp does as shipped. */
export const STRICT: Policy = { requireHmac: true, requireSequence: true, hmacLength: 16 };

/** How the packets of a session are protected, as one end sees it. */
export interface Protection {
  /** Bytes of HMAC on packets that go out; 0: a checksum in them instead. */
  readonly hmacOut: number;
  /** Likewise on those that come in. */
  readonly hmacIn: number;
  readonly sequenceOut: boolean;
  readonly sequenceIn: boolean;
}

/** What an end says about HMACs and sequence numbers. */
export type Offer = Pick<Component, "hmacFlags" | "hmacLength" | "sequenceFlags">;

/** What an initiator says, having heard nothing yet. */
export function offer(policy: Policy): Offer {
  return {
    hmacFlags: ownFlags(policy.requireHmac),
    hmacLength: policy.hmacLength,
    sequenceFlags: ownFlags(policy.requireSequence),
  };
}

/**
 * What two ends use after each has said what it wants; one and the same rule for both.
 *
 * @returns undefined if they cannot agree: there is no session then
 */
export function agreeOnProtection(policy: Policy, far: Offer): Protection | undefined {
  const hmac = settle(policy.requireHmac, far.hmacFlags);
  const sequence = settle(policy.requireSequence, far.sequenceFlags);
  if (!hmac || !sequence) return undefined;
  if (hmac.into && !(far.hmacLength >= 4 && far.hmacLength <= 32)) return undefined;
  return {
    hmacOut: hmac.out ? policy.hmacLength : 0,
    hmacIn: hmac.into ? far.hmacLength : 0,
    sequenceOut: sequence.out,
    sequenceIn: sequence.into,
  };
}

/**
 * What a responder says, having agreed: what it sends and what it expects. It says nothing at all
 * about what is used in neither direction, for librtmfp's sake.
 */
export function answer(policy: Policy, protection: Protection): Offer {
  const { hmacOut, hmacIn, sequenceOut, sequenceIn } = protection;
  const hmacFlags = answerFlags(hmacOut > 0, hmacIn > 0);
  return {
    hmacFlags,
    hmacLength: hmacFlags ? policy.hmacLength : 0,
    sequenceFlags: answerFlags(sequenceOut, sequenceIn),
  };
}

function ownFlags(required: boolean): number {
  const { sends, sendsOnRequest, requires } = Negotiation;
  return required ? sends | sendsOnRequest | requires : sendsOnRequest;
}

function answerFlags(out: boolean, into: boolean): number {
  const { sends, sendsOnRequest, requires } = Negotiation;
  return out || into ? sendsOnRequest | (out ? sends : 0) | (into ? requires : 0) : 0;
}

function settle(required: boolean, far: number): { out: boolean; into: boolean } | undefined {
  const farCan = (far & (Negotiation.sends | Negotiation.sendsOnRequest)) !== 0;
  if (required && !farCan) return undefined;
  return {
    out: required || (far & Negotiation.requires) !== 0,
    into: required || (far & Negotiation.sends) !== 0,
  };
}

/** The keys of one direction. */
export interface DirectionKeys {
  /** 16 bytes. */
  readonly aes: Uint8Array;
  /** 32 bytes. */
  readonly hmac: Uint8Array;
}

/** What comes of a handshake. */
export interface SessionKeys {
  readonly initiatorToResponder: DirectionKeys;
  readonly responderToInitiator: DirectionKeys;
  /** For challenges of applications, 32 bytes. "Near nonce" is what the own component makes. */
  readonly initiatorNonce: Uint8Array;
  readonly responderNonce: Uint8Array;
}

/**
 * Derives the keys of a session. RFC 7425 §4.6.3 to §4.6.5.
 *
 * @param secret shared secret, without leading zero bytes
 * @param initiatorComponent the very bytes that travelled, likewise the responder's
 */
export function deriveKeys(
  crypto: CryptoBackend,
  secret: Uint8Array,
  initiatorComponent: Uint8Array,
  responderComponent: Uint8Array,
): SessionKeys {
  const h = (key: Uint8Array, message: Uint8Array) => hmacOnce(crypto, key, message);
  const direction = (sender: Uint8Array, receiver: Uint8Array) => {
    const key = h(secret, h(receiver, sender));
    return { aes: key.slice(0, 16), hmac: h(secret, key) };
  };
  return {
    initiatorToResponder: direction(initiatorComponent, responderComponent),
    responderToInitiator: direction(responderComponent, initiatorComponent),
    initiatorNonce: h(secret, initiatorComponent),
    responderNonce: h(secret, responderComponent),
  };
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
