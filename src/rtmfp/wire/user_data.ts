// User Data and Next User Data, the chunks of flows. RFC 7016 §2.3.11, §2.3.12.
// Nearly all traffic goes through here, so callers reuse one record.
import type { Reader } from "../../bytes/reader.ts";
import { WireError } from "../../bytes/wire_error.ts";
import { vluLength, type Writer } from "../../bytes/writer.ts";
import { CHUNK_HEADER, ChunkType } from "./chunk.ts";

const EMPTY = new Uint8Array(0);
const OPTIONS = 0x80;
const FRAGMENT = 0x30;
const ABANDONED = 0x02;
const FINAL = 0x01;

/** Which part of a message a fragment is. */
export const Fragment = { whole: 0x00, begin: 0x10, end: 0x20, middle: 0x30 } as const;
export type Fragment = typeof Fragment[keyof typeof Fragment];

/** One fragment of a flow, to be written, or as read. */
export class UserData {
  flowId = 0;
  /** From 1, increasing by one per fragment. */
  sequence = 0;
  /** Forward sequence number: up to this one nothing is sent again. Below {@link sequence} unless {@link abandoned}. */
  fsn = 0;
  fragment: Fragment = Fragment.whole;
  /** The sender has abandoned this sequence number; ignore {@link data}. */
  abandoned = false;
  /** The last sequence number of the flow. */
  final = false;
  /** An option list, Marker included (see `flow_options.ts`); undefined: none. When read, a view. */
  options: Uint8Array | undefined = undefined;
  /** When read, a view. */
  data: Uint8Array = EMPTY;
}

/** Number of bytes that {@link writeUserData} writes besides `chunk.data`. */
export function userDataOverhead(chunk: UserData): number {
  return CHUNK_HEADER + 1 + vluLength(chunk.flowId) + vluLength(chunk.sequence) +
    vluLength(chunk.sequence - chunk.fsn) + (chunk.options?.length ?? 0);
}

/** Number of bytes that {@link writeNextUserData} writes besides `chunk.data` and `chunk.options`. */
export const NEXT_USER_DATA_OVERHEAD = CHUNK_HEADER + 1;

/**
 * Writes a whole User Data chunk, header and all.
 * Shape: `flags u8 | VLU flowId | VLU sequence | VLU fsnOffset | [options] | data`, where
 * `fsnOffset` is the distance from the sequence number back to the forward sequence number.
 *
 * @throws {WireError} if it does not fit; a part may have been written
 */
export function writeUserData(to: Writer, chunk: UserData): Writer {
  const { options, data } = chunk;
  to.u8(ChunkType.userData)
    .u16(userDataOverhead(chunk) - CHUNK_HEADER + data.length)
    .u8(flagsOf(chunk))
    .vlu(chunk.flowId)
    .vlu(chunk.sequence)
    .vlu(chunk.sequence - chunk.fsn);
  if (options) to.bytes(options);
  return to.bytes(data);
}

/**
 * Reads the payload of a User Data chunk into `chunk`.
 *
 * @throws {WireError} if it is cut off, the forward sequence number is below 0, or not below the
 *   sequence number of a fragment that is not abandoned
 */
export function readUserData(from: Reader, chunk: UserData): void {
  const flags = from.u8();
  const flowId = from.vlu();
  const sequence = from.vlu();
  const fsnOffset = from.vlu();
  if (fsnOffset > sequence || (fsnOffset === 0 && !(flags & ABANDONED))) {
    throw new WireError(`Cannot use forward offset ${fsnOffset} from sequence ${sequence}`);
  }
  const options = flags & OPTIONS ? optionsOf(from) : undefined;
  chunk.flowId = flowId;
  chunk.sequence = sequence;
  chunk.fsn = sequence - fsnOffset;
  readRest(from, chunk, flags, options);
}

/**
 * Writes a whole Next User Data chunk, header and all: the fragment after the one that stands
 * before it in the packet, of the same flow and with the same forward sequence number. Does not write `chunk.sequence`, `chunk.flowId` and `chunk.fsn`.
 * Shape: `flags u8 | [options] | data`.
 */
export function writeNextUserData(to: Writer, chunk: UserData): Writer {
  const { options, data } = chunk;
  to.u8(ChunkType.nextUserData)
    .u16(1 + (options?.length ?? 0) + data.length)
    .u8(flagsOf(chunk));
  if (options) to.bytes(options);
  return to.bytes(data);
}

/**
 * Reads the payload of a Next User Data chunk into `chunk`, which holds the one before it in the
 * packet: flow and forward sequence number stay, the sequence number grows by one.
 *
 * @throws {WireError} if it is cut off
 */
export function readNextUserData(from: Reader, chunk: UserData): void {
  const flags = from.u8();
  const options = flags & OPTIONS ? optionsOf(from) : undefined;
  chunk.sequence++;
  readRest(from, chunk, flags, options);
}

function flagsOf({ options, fragment, abandoned, final }: UserData): number {
  return (options ? OPTIONS : 0) | fragment | (abandoned ? ABANDONED : 0) | (final ? FINAL : 0);
}

function readRest(from: Reader, chunk: UserData, flags: number, options?: Uint8Array): void {
  chunk.fragment = (flags & FRAGMENT) as Fragment;
  chunk.abandoned = (flags & ABANDONED) !== 0;
  chunk.final = (flags & FINAL) !== 0;
  chunk.options = options;
  chunk.data = from.rest();
}

/** Passes over an option list without parsing it. @returns its bytes, a view */
function optionsOf(from: Reader): Uint8Array {
  const start = from.at;
  for (let length = from.vlu(); length > 0; length = from.vlu()) from.skip(length);
  return from.input.subarray(start, from.at);
}
