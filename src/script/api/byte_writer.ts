// The object to which `__writeExternal` writes. API-461, AMF-091 to AMF-098.
import type { AmfWriter } from "../../amf/mod.ts";
import { WireError } from "../../bytes/wire_error.ts";
import type { Writer } from "../../bytes/writer.ts";
import { ScriptError } from "../vm/script_error.ts";
import type { AmfHost } from "./amf_host.ts";
import { charset } from "./charset.ts";
import type { LuaSource } from "./lua_source.ts";
import type { Binding } from "./binding.ts";
import type { Args } from "./values.ts";

/** A message while an object writes itself into it. */
export class ByteOutput {
  /** The error that interrupted a value, which is half written. */
  failure: unknown;

  constructor(readonly writer: AmfWriter, readonly source: LuaSource) {}
}

/** A method that writes a number, all of them big-endian. */
const number = (write: (to: Writer, value: number) => void) =>
(
  { writer }: ByteOutput,
  args: Args,
): undefined => {
  fits(writer, 8);
  write(writer.raw, args.number());
};

/** A method that writes bytes. */
const bytes =
  (read: (args: Args) => Uint8Array) => ({ writer }: ByteOutput, args: Args): undefined => {
    const bytes = read(args);
    fits(writer, bytes.length);
    writer.raw.bytes(bytes);
  };

function fits(writer: AmfWriter, length: number): void {
  if (length > writer.room) throw new ScriptError("the AMF message is too long");
}

/** The keys are public API. */
export const byteWriter: Binding<ByteOutput, AmfHost> = {
  name: "ByteWriter",
  call: {
    writeBoolean: ({ writer }, args) => {
      fits(writer, 1);
      writer.raw.u8(args.boolean() ? 1 : 0);
    },
    writeByte: number((to, value) => to.u8(value)),
    writeUnsignedByte: number((to, value) => to.u8(value)),
    writeShort: number((to, value) => to.u16(value)),
    writeUnsignedShort: number((to, value) => to.u16(value)),
    writeInt: number((to, value) => to.u32(value)),
    writeUnsignedInt: number((to, value) => to.u32(value)),
    writeFloat: number((to, value) => to.f32(value)),
    writeDouble: number((to, value) => to.f64(value)),
    writeUTF: ({ writer }, args) => {
      const bytes = args.bytes();
      if (bytes.length > 0xffff) throw new ScriptError("writeUTF takes at most 65535 bytes");
      fits(writer, 2 + bytes.length);
      writer.raw.u16(bytes.length).bytes(bytes);
    },
    writeUTFBytes: bytes((args) => args.bytes()),
    writeBytes: bytes((args) => args.bytes()),
    writeMultiByte: bytes((args) => {
      const text = args.bytes();
      return charset(args.string()).fromUtf8(text);
    }),
    /** Writes each argument in AMF3. AMF-097 */
    writeAMF: (output, args) => {
      try {
        output.source.write(args.at, args.left);
      } catch (error) {
        output.failure = error instanceof WireError ? new ScriptError(error.message) : error;
        throw output.failure;
      }
    },
  },
};
