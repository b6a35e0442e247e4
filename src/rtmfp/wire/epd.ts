// Endpoint discriminators, which select the endpoint for an initiator. RFC 7016 §3.2, RFC 7425 §4.4.
import { WireError } from "../../bytes/wire_error.ts";
import { Writer } from "../../bytes/writer.ts";
import { readOptionSequence, writeOption } from "./options.ts";

const REQUIRED_HOSTNAME = 0x00;
const ANCILLARY_DATA = 0x0a;
const FINGERPRINT = 0x0f;

/** At least one of its members is set. When read, they are views. */
export interface Epd {
  /** The required hostname of the certificate. */
  readonly hostname?: Uint8Array | undefined;
  /** For Flash the URL, as `rtmfp://host/app`; librtmfp may send only the path. UTF-8. */
  readonly ancillary?: Uint8Array | undefined;
  /** The required peer id: 32 bytes. */
  readonly fingerprint?: Uint8Array | undefined;
}

/** An option sequence, for IHello. */
export function writeEpd({ hostname, ancillary, fingerprint }: Epd): Uint8Array {
  const to = new Writer();
  if (hostname) writeOption(to, REQUIRED_HOSTNAME, hostname);
  if (ancillary) writeOption(to, ANCILLARY_DATA, ancillary);
  if (fingerprint) writeOption(to, FINGERPRINT, fingerprint);
  return to.copy();
}

/**
 * Reads an option sequence; of several options of one type the first counts.
 *
 * @throws {WireError} if it is cut off, or has none of the three options
 */
export function readEpd(bytes: Uint8Array): Epd {
  let hostname: Uint8Array | undefined;
  let ancillary: Uint8Array | undefined;
  let fingerprint: Uint8Array | undefined;
  for (const { type, value } of readOptionSequence(bytes)) {
    if (type === REQUIRED_HOSTNAME) hostname ??= value;
    else if (type === ANCILLARY_DATA) ancillary ??= value;
    else if (type === FINGERPRINT) fingerprint ??= value;
  }
  if (!hostname && !ancillary && !fingerprint) {
    throw new WireError("Cannot use an endpoint discriminator without any known option");
  }
  return { hostname, ancillary, fingerprint };
}
