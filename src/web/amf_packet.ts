// Packets of Flash remoting: WEB-601, WEB-602.
import { AmfReader, encodeAmf0, MAX_NAMES } from "../amf/mod.ts";
import { Reader } from "../bytes/reader.ts";
import { fromUtf8, toUtf8 } from "../bytes/text.ts";
import { WireError } from "../bytes/wire_error.ts";
import { Writer } from "../bytes/writer.ts";

/** One call. */
export interface RemotingCall {
  /** Name of the called function. */
  readonly target: string;
  /** Id of the call for the answer, such as `/1`. */
  readonly response: string;
  /** The AMF of the arguments, one after the other. */
  readonly values: Uint8Array;
}

/** One answer. */
export interface RemotingAnswer {
  readonly response: string;
  /** Whether the call failed: then its value is a status object. */
  readonly failed: boolean;
  /** The AMF of the value. */
  readonly value: Uint8Array;
}

const AMF0_STRICT_ARRAY = 0x0a;
/** Maximum number of headers, and of calls, of one packet. */
const MAX_PARTS = 64;
/** Length of a part whose sender did not know it. */
const UNKNOWN_LENGTH = 0xffffffff;

/** @throws {WireError} if the packet is cut off, or has too many calls */
export function readPacket(packet: Uint8Array): RemotingCall[] {
  const from = new Reader(packet);
  from.skip(2); // version: each value marks its own AMF version
  for (let left = count(from); left > 0; left--) {
    from.skip(from.u16());
    from.skip(1);
    part(from);
  }
  const calls: RemotingCall[] = [];
  for (let left = count(from); left > 0; left--) {
    const target = fromUtf8(from.bytes(from.u16()));
    const response = fromUtf8(from.bytes(from.u16()));
    calls.push({ target, response, values: argumentsOf(part(from)) });
  }
  return calls;
}

export function writePacket(answers: readonly RemotingAnswer[]): Uint8Array<ArrayBuffer> {
  const to = new Writer(256).u16(0).u16(0).u16(answers.length);
  for (const { response, failed, value } of answers) {
    const target = toUtf8(`${response}/${failed ? "onStatus" : "onResult"}`);
    to.u16(target.length).bytes(target).u16(0).u32(value.length).bytes(value);
  }
  return to.copy();
}

function count(from: Reader): number {
  const parts = from.u16();
  if (parts > MAX_PARTS) throw new WireError(`Cannot read ${parts} parts of a packet`);
  return parts;
}

/** Reads a length, which some clients do not fill in, and the value after it. */
function part(from: Reader): Uint8Array {
  const length = from.u32();
  if (length !== UNKNOWN_LENGTH) return from.bytes(length);
  const start = from.at;
  new AmfReader(from).skip();
  return from.input.subarray(start, from.at);
}

/** The arguments as separate values: clients send them as one strict array of AMF0, or as an AMF3 array. */
function argumentsOf(value: Uint8Array): Uint8Array {
  if (value.length >= 5 && value[0] === AMF0_STRICT_ARRAY) return value.subarray(5);
  const list = new AmfReader(value).readValue(4 * MAX_NAMES);
  return encodeAmf0(...Array.isArray(list) ? list : [list]);
}
