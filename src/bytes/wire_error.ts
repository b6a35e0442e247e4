/**
 * Bytes break their format; the packet or message that holds them is dropped. RFC 7016 §2. It has no stack: nobody reads one, and senders decide how many errors are created.
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
