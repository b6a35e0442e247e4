/** Bytes break their format; the packet or message that holds them is dropped. RFC 7016 §2. */
export class WireError extends RangeError {
  override name = "WireError";
}
