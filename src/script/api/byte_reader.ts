// The object from which `__readExternal` reads. API-460, AMF-081 to AMF-089.
import type { AmfReader } from "../../amf/mod.ts";
import type { Reader } from "../../bytes/reader.ts";
import { WireError } from "../../bytes/wire_error.ts";
import { ScriptError } from "../vm/script_error.ts";
import type { AmfHost } from "./amf_host.ts";
import { charset } from "./charset.ts";
import type { LuaSink } from "./lua_sink.ts";
import type { Binding } from "./binding.ts";
import { type Args, PUSHED, type Result } from "./values.ts";

/** A message while an object reads itself from it. */
export class ByteInput {
  /** The error that made a value unreadable; the start of the next one is then unknown. */
  failure: unknown;

  constructor(readonly reader: AmfReader, readonly sink: LuaSink) {}
}

/** Turns errors in the bytes into errors of the script that reads them. */
function attempt<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof WireError ? new ScriptError(error.message) : error;
  }
}

/** A method that reads bytes between AMF values; numbers are big-endian. */
const raw =
  (read: (from: Reader, args: Args) => Result) => (input: ByteInput, args: Args): Result =>
    attempt(() => read(input.reader.raw, args));

const length = (args: Args): number => Math.trunc(args.number());

/** The keys are public API. */
export const byteReader: Binding<ByteInput, AmfHost> = {
  name: "ByteReader",
  get: {
    bytesAvailable: (input) => input.reader.left,
  },
  call: {
    readBoolean: raw((from) => from.u8() !== 0),
    readByte: raw((from) => from.i8()),
    readUnsignedByte: raw((from) => from.u8()),
    readShort: raw((from) => from.i16()),
    readUnsignedShort: raw((from) => from.u16()),
    readInt: raw((from) => from.i32()),
    readUnsignedInt: raw((from) => from.u32()),
    readFloat: raw((from) => from.f32()),
    readDouble: raw((from) => from.f64()),
    readUTF: raw((from) => from.bytes(from.u16())),
    readUTFBytes: raw((from, args) => from.bytes(length(args))),
    readBytes: raw((from, args) => from.bytes(length(args))),
    readMultiByte: raw((from, args) => {
      const count = length(args);
      const { toUtf8 } = charset(args.string());
      return toUtf8(from.bytes(count));
    }),
    /** Reads the given number of values, by default 1; 0: all that the message has. AMF-088 */
    readAMF: (input, args) => {
      const limit = args.absent ? 1 : length(args) || Infinity;
      try {
        attempt(() => input.sink.pushExternal(input.reader, limit));
      } catch (error) {
        input.failure = error;
        throw error;
      }
      return PUSHED;
    },
  },
};
