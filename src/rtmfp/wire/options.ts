// Options: typed values inside chunks, certificates and keying components. RFC 7016 §2.1.3, §2.1.4.
import { Reader } from "../../bytes/reader.ts";
import { WireError } from "../../bytes/wire_error.ts";
import { vluLength, type Writer } from "../../bytes/writer.ts";

/** Shape: `VLU length | VLU type | value`, where the length counts type and value. */
interface Option {
  readonly type: number;
  /** When read, a view into the bytes it was read from. */
  readonly value: Uint8Array;
}

/** Writes one option. */
export function writeOption(to: Writer, type: number, value: Uint8Array): Writer {
  return to.vlu(vluLength(type) + value.length).vlu(type).bytes(value);
}

/** Writes the option of length 0 that closes a list: it has neither type nor value. */
export function writeMarker(to: Writer): Writer {
  return to.u8(0);
}

/**
 * Reads one option.
 *
 * @returns undefined for a Marker
 * @throws {WireError} if the option ends after the input, or its type after the option
 */
export function readOption(from: Reader): Option | undefined {
  const length = from.vlu();
  if (length === 0) return undefined;
  const end = from.at + length;
  const type = from.vlu();
  if (from.at > end) throw new WireError(`Cannot read the type of an option of ${length} bytes`);
  return { type, value: from.bytes(end - from.at) };
}

/**
 * Reads a list: options up to and including a Marker.
 *
 * @throws {WireError} if there is no Marker
 */
export function readOptionList(from: Reader): Option[] {
  const options: Option[] = [];
  for (let option = readOption(from); option; option = readOption(from)) options.push(option);
  return options;
}

/**
 * Reads a sequence: options without a closing Marker that fill their field, as in certificates,
 * endpoint discriminators and keying components. A Marker ends it; bytes behind the Marker are not
 * part of it. RFC 7425 §4.3.
 */
export function readOptionSequence(bytes: Uint8Array): Option[] {
  const from = new Reader(bytes);
  const options: Option[] = [];
  while (from.left > 0) {
    const option = readOption(from);
    if (!option) break;
    options.push(option);
  }
  return options;
}
