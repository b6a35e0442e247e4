// Conversion from AMF to Lua. AMF-050 to AMF-064.
import type { AmfReader } from "../../amf/mod.ts";
import { WireError } from "../../bytes/wire_error.ts";
import type { TableBatch } from "../vm/batch.ts";
import { ScriptError } from "../vm/script_error.ts";
import type { AmfHost } from "./amf_host.ts";
import { LuaSink, SinkParts } from "./lua_sink.ts";

/** Decodes messages into one Lua machine. */
export class AmfToLua {
  readonly #host: AmfHost;
  readonly #parts: SinkParts;

  constructor(host: AmfHost, batch: TableBatch) {
    this.#host = host;
    this.#parts = new SinkParts(host.lua, batch);
  }

  /**
   * Pushes the remaining values of a message, in order; nil keeps its place.
   *
   * Logs an error for invalid bytes, and for an object whose `__readExternal` fails, and ends the message there:
   * earlier values are pushed. AMF-059, AMF-062.
   *
   * @param limit maximum number of values
   * @returns the number of pushed values
   * @throws {ScriptError} if memory or time ran out
   */
  push(reader: AmfReader, limit = Infinity): number {
    const { lua } = this.#host;
    lua.reserve(4);
    const sink = new LuaSink(this.#host, this.#parts, reader);
    const bottom = lua.top;
    let count = 0;
    try {
      while (count < limit && !reader.done) {
        if (count % 16 === 0) sink.reserve();
        reader.read(sink);
        count++;
      }
      sink.flush();
    } catch (error) {
      if (!endsMessage(error)) {
        sink.abandon();
        if (error instanceof Error) lua.top = bottom - 1; // Lua unwinds by throwing values that are not Errors
        throw error;
      }
      sink.flush();
      lua.top = bottom + count;
      this.#host.log("error", error.message);
    } finally {
      sink.end();
    }
    lua.remove(bottom);
    return count;
  }
}

const endsMessage = (error: unknown): error is Error =>
  error instanceof WireError || (error instanceof ScriptError && error.kind === "runtime");
