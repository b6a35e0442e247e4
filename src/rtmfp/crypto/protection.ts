// Negotiates HMACs and sequence numbers of a session between its two ends. RFC 7425 §4.5.
import { type Component, Negotiation } from "./component.ts";

/** Requirements of this end. */
export interface Policy {
  /** Refuses a far end that puts no HMAC on its packets; without it, the far end decides. */
  readonly requireHmac: boolean;
  /** Likewise for sequence numbers. */
  readonly requireSequence: boolean;
  /** Length in bytes of the HMAC that this end puts on packets, 4 to 32. */
  readonly hmacLength: number;
}

/** Accepts any request of the far end, from Flash's to the strictest. */
export const RELAXED: Policy = { requireHmac: false, requireSequence: false, hmacLength: 16 };
/** Requires HMACs and sequence numbers, as rtmfp-cpp does by default. */
export const STRICT: Policy = { requireHmac: true, requireSequence: true, hmacLength: 16 };

/** How the packets of a session are protected, as one end sees it. */
export interface Protection {
  /** Length in bytes of the HMAC on outgoing packets; 0: a checksum in them instead. */
  readonly hmacOut: number;
  /** The same for incoming packets. */
  readonly hmacIn: number;
  readonly sequenceOut: boolean;
  readonly sequenceIn: boolean;
}

/** Negotiation fields of an end's component. */
type Offer = Pick<Component, "hmacFlags" | "hmacLength" | "sequenceFlags">;

/** The offer of an initiator, which has received none. */
export function offer(policy: Policy): Offer {
  return {
    hmacFlags: ownFlags(policy.requireHmac),
    hmacLength: policy.hmacLength,
    sequenceFlags: ownFlags(policy.requireSequence),
  };
}

/**
 * The protection that follows from the requests of both ends; both apply the same rule.
 *
 * @returns undefined if they cannot agree, so that no session is opened
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
 * The answer of a responder that has agreed: the protection it sends and expects. Options that are
 * used in neither direction are left out, since librtmfp refuses them.
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
