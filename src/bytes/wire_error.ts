/**
 * Bytes break their format; the packet or message that holds them is dropped. RFC 7016 §2. It is made without a
 * stack, which nobody sees: strangers decide how many are made.
 */
export class WireError extends RangeError {
  override name = "WireError";

  constructor(message: string) {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(message);
    Error.stackTraceLimit = limit;
  }
}
