// Session key components, which the two ends of a handshake exchange. RFC 7425 §4.5.
import { Reader } from "../../bytes/reader.ts";
import { vluLength, Writer } from "../../bytes/writer.ts";
import { readOptionSequence, writeOption } from "../wire/options.ts";
import type { Certificate, GroupKey } from "./certificate.ts";

const EPHEMERAL_KEY = 0x0d;
const EXTRA_RANDOMNESS = 0x0e;
const HMAC_NEGOTIATION = 0x1a;
const GROUP_SELECT = 0x1d;
const SEQUENCE_NEGOTIATION = 0x1e;

/** The signature of IIKeying and RIKeying. RFC 7425 §4.6.1. */
export const SIGNATURE: Uint8Array = Uint8Array.of(0x58);

/** Flags of an end for HMACs, and for sequence numbers. */
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
  /** Length in bytes of the HMAC that its author puts on packets. */
  readonly hmacLength: number;
  /** Of {@link Negotiation}. */
  readonly sequenceFlags: number;
  /** Its author's key for this session, if its certificate has none. */
  readonly ephemeralKey?: GroupKey | undefined;
  /** Group of the static key in its author's certificate that is used. */
  readonly selectedGroup?: number | undefined;
  /** Makes the component unique if its author has a static key. */
  readonly randomness?: Uint8Array | undefined;
}

/**
 * Reads a component. A missing option counts as 0; of several options of one type the first counts.
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
 * Writes the component of a responder: HMAC, sequence numbers, key. librtmfp does not parse: it expects the bytes `03 1a 00 00 02 1e 00`, then the key, then the end.
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
    to.vlu(vluLength(EPHEMERAL_KEY) + vluLength(group) + publicKey.length);
    to.vlu(EPHEMERAL_KEY).vlu(group).bytes(publicKey);
  }
  if (randomness) writeOption(to, EXTRA_RANDOMNESS, randomness);
}

/**
 * The public key that the author of a certificate and a component brings to a session: that of
 * its component if it makes one for each session, else the one in its certificate.
 *
 * @param group of the static key, if the component selects none; a responder uses the initiator's
 * @returns undefined if there is none
 */
export function publicKeyIn(
  certificate: Certificate,
  component: Component,
  group?: number,
): GroupKey | undefined {
  if (certificate.staticKeys.length === 0) {
    const key = component.ephemeralKey;
    return key && certificate.ephemeralGroups.includes(key.group) ? key : undefined;
  }
  const wanted = component.selectedGroup ?? group;
  return certificate.staticKeys.find((key) => key.group === wanted);
}
