// Conversion from Lua to AMF. AMF-070 to AMF-079.
import { type AmfForm, AmfWriter } from "../../amf/mod.ts";
import { WireError } from "../../bytes/wire_error.ts";
import type { TableBatch } from "../vm/batch.ts";
import type { FunctionPointer } from "../vm/lua.ts";
import { ScriptError } from "../vm/script_error.ts";
import type { AmfHost } from "./amf_host.ts";
import { LuaSource, NEEDS_SCRIPT, SourceParts } from "./lua_source.ts";

/** Maximum bytes of the buffer of a writer that is reused for the next message. */
const MAX_KEPT = 1 << 20;

/** Encodes values of one Lua machine. */
export class LuaToAmf {
  readonly #host: AmfHost;
  readonly #parts: SourceParts;
  readonly #writeArguments: FunctionPointer;
  #writer: AmfWriter | undefined = new AmfWriter();
  #source: LuaSource | undefined; // for #writeArguments

  constructor(host: AmfHost, batch: TableBatch) {
    this.#host = host;
    this.#parts = new SourceParts(host.lua, batch);
    this.#writeArguments = host.lua.define((lua) => {
      const source = this.#source!;
      attempt(() => source.write(1, lua.top));
      return 0;
    });
  }

  /**
   * The bytes of `count` values of the stack from index `first` on, which stay there.
   *
   * @param form "amf3" as `toAMF`, "mixed" as `toAMF0`, "amf0" for clients that understand only AMF0
   * @throws {ScriptError} if they are too deep or too long, or an object could not write itself
   */
  encode(first: number, count: number, form: AmfForm = "amf3"): Uint8Array<ArrayBuffer> {
    return this.#write(first, count, form, (writer) => writer.bytes());
  }

  /** Pushes the same bytes as a string. */
  push(first: number, count: number, form: AmfForm = "amf3"): void {
    this.#write(first, count, form, (writer) => this.#host.lua.pushBytes(writer.view()));
  }

  #write<T>(first: number, count: number, form: AmfForm, take: (writer: AmfWriter) => T): T {
    const { lua } = this.#host;
    const writer = this.#writer ?? new AmfWriter(); // an object that writes itself may come here again
    this.#writer = undefined;
    writer.form = form;
    try {
      const start = first < 0 ? lua.absolute(first) : first;
      const top = lua.top;
      let source = new LuaSource(this.#host, this.#parts, writer);
      try {
        attempt(() => source.write(start, count));
      } catch (error) {
        if (error instanceof Error || error === NEEDS_SCRIPT) lua.top = top;
        if (error !== NEEDS_SCRIPT) throw error; // Lua unwinds by throwing values that are not Errors
        source = this.#writeProtected(writer.clear(), start, count);
      }
      for (const warning of source.warnings) this.#host.log("warn", warning);
      return take(writer);
    } finally {
      this.#writer = writer.raw.buffer.length <= MAX_KEPT ? writer.clear() : new AmfWriter();
    }
  }

  /** Encodes within a protected call: scripts run meanwhile, and may cause errors, such as by adding to a table. */
  #writeProtected(writer: AmfWriter, start: number, count: number): LuaSource {
    const { lua } = this.#host;
    lua.newTable();
    const anchors = lua.ref();
    const source = new LuaSource(this.#host, this.#parts, writer, anchors);
    const outer = this.#source;
    this.#source = source;
    try {
      lua.reserve(count + 4);
      const base = lua.enter();
      lua.pushFunction(this.#writeArguments);
      for (let index = start; index < start + count; index++) lua.pushValue(index);
      const error = lua.run(base, 0);
      if (error) throw error;
      lua.leave(base);
    } finally {
      this.#source = outer;
      lua.unref(anchors);
    }
    return source;
  }
}

/** Turns errors of the encoder into errors of the script. */
function attempt(write: () => void): void {
  try {
    write();
  } catch (error) {
    throw error instanceof WireError ? new ScriptError(error.message) : error;
  }
}
