import type { CryptoBackend } from "../crypto/backend.ts";
import { type Certificate, readCertificate } from "../crypto/certificate.ts";
import type { KeyPair } from "../crypto/dh.ts";
import type { GroupId } from "../crypto/dh_groups.ts";
import { groupOf } from "../crypto/dh_groups.ts";
import { type Policy, RELAXED } from "../crypto/protection.ts";

/** Certificate, keys and policy of an endpoint. */
export interface IdentitySettings {
  readonly certificate: Uint8Array;
  /** The key pairs of the static keys in the certificate; empty if it has ephemeral groups. */
  readonly keys?: readonly KeyPair[];
  /** Required protection of far ends; {@link RELAXED} by default. */
  readonly policy?: Policy;
}

/** Identity of an endpoint: its certificate, and the groups in which it has keys. */
export class Identity {
  readonly certificate: Certificate;
  readonly policy: Policy;
  readonly #keys: readonly KeyPair[];

  constructor(crypto: CryptoBackend, { certificate, keys, policy }: IdentitySettings) {
    this.certificate = readCertificate(crypto, certificate);
    this.policy = policy ?? RELAXED;
    this.#keys = keys ?? [];
  }

  /** Whether it makes a key for each session. */
  get ephemeral(): boolean {
    return this.certificate.ephemeralGroups.length > 0;
  }

  /** The static key pair of a group. */
  keyPair(group: number): KeyPair | undefined {
    return this.#keys.find((pair) => pair.group === group);
  }

  /** Whether it can agree on a secret in a group. */
  has(group: number): group is GroupId {
    if (!groupOf(group)) return false;
    return this.ephemeral
      ? this.certificate.ephemeralGroups.includes(group)
      : this.keyPair(group) !== undefined;
  }

  /** The group to use with a far end of that certificate: the largest common one. */
  groupWith(far: Certificate): GroupId | undefined {
    const offered = far.ephemeralGroups.length > 0
      ? far.ephemeralGroups
      : far.staticKeys.map((key) => key.group);
    for (const group of [16, 14, 2] as const) {
      if (offered.includes(group) && this.has(group)) return group;
    }
    return undefined;
  }
}
