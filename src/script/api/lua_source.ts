import type { AmfWriter } from "../../amf/mod.ts";
import type { LuaMemory, TableBatch } from "../vm/batch.ts";
import {
  BOOLEAN,
  FUNCTION,
  type Key,
  type Lua,
  NIL,
  NUMBER,
  type Ref,
  STRING,
  TABLE,
  TYPE_NAMES,
} from "../vm/lua.ts";
import { ScriptError } from "../vm/script_error.ts";
import type { AmfHost } from "./amf_host.ts";
import { ByteOutput, byteWriter } from "./byte_writer.ts";
import { LuaRecords } from "./lua_records.ts";

/** Maximum number of tables in a chain of `__index`. */
const MAX_INHERITANCE = 16;

const NO_BYTES = new Uint8Array(0);
const digits = new Uint8Array(32); // of a number as the name of a member

/** Names and memory of a Lua machine that encoding uses. */
export class SourceParts {
  readonly raw: Key;
  readonly time: Key;
  readonly size: Key;
  readonly type: Key;
  readonly writeExternal: Key;
  readonly index: Key;
  readonly mode: Key;
  /** Address at which Lua writes the length of a string. */
  readonly lengthAt: number;

  constructor(lua: Lua, readonly batch: TableBatch) {
    this.raw = lua.key("__raw");
    this.time = lua.key("__time");
    this.size = lua.key("__size");
    this.type = lua.key("__type");
    this.writeExternal = lua.key("__writeExternal");
    this.index = lua.key("__index");
    this.mode = lua.key("__mode");
    this.lengthAt = lua.c.malloc(4);
  }
}

/** Thrown for an object with `__writeExternal` by a source without `anchors`. */
export const NEEDS_SCRIPT = Symbol("__writeExternal");

/**
 * Writes values of Lua's stack. It runs no metamethod and no script except `__writeExternal`, which may change and
 * drop the value being written, so it runs only with `anchors`.
 */
export class LuaSource {
  readonly #host: AmfHost;
  readonly #lua: Lua;
  readonly #parts: SourceParts;
  readonly #memory: LuaMemory;
  readonly #writer: AmfWriter;
  readonly #records: LuaRecords;
  /** A table that keeps all tables written so far, so that Lua cannot reuse their addresses, which are their ids. */
  readonly #anchors: Ref | undefined;
  #anchored = 0;
  #warnings: Set<string> | undefined;

  constructor(host: AmfHost, parts: SourceParts, writer: AmfWriter, anchors?: Ref) {
    this.#host = host;
    this.#lua = host.lua;
    this.#parts = parts;
    this.#writer = writer;
    this.#anchors = anchors;
    this.#memory = parts.batch.memory;
    this.#memory.refresh();
    this.#records = new LuaRecords(this.#memory, writer, (type) => this.#other(type));
  }

  /** Writes `count` values of the stack from the absolute index `first` on. */
  write(first: number, count: number): void {
    this.#lua.reserve(8);
    for (let index = first; index < first + count; index++) this.#value(index);
  }

  /** Warnings about values that could not be written, each once. */
  get warnings(): Iterable<string> {
    return this.#warnings ?? [];
  }

  /** Writes the value at an absolute index. */
  #value(index: number): void {
    const lua = this.#lua;
    const type = lua.type(index);
    switch (type) {
      case NUMBER:
        return this.#writer.number(lua.toNumber(index));
      case STRING: {
        const start = this.#stringAt(index);
        return this.#writer.string(this.#memory.bytes, start, start + this.#length);
      }
      case TABLE:
        return this.#table(index);
      case BOOLEAN:
        return this.#writer.boolean(lua.toBoolean(index));
      default:
        return this.#other(type);
    }
  }

  /** Writes a table by the first rule that fits. AMF-074 to AMF-079 */
  #table(index: number): void {
    const lua = this.#lua;
    const writer = this.#writer;
    const parts = this.#parts;
    const id = lua.pointer(index);
    if (writer.reference(id)) return;
    lua.reserve(8);
    if (this.#anchors !== undefined) this.#anchor(index, this.#anchors);
    else if (writer.form !== "amf0" && this.#whole(index)) return;

    if (this.#field(index, parts.raw) === STRING) {
      const start = this.#stringAt(-1);
      writer.byteArray(this.#memory.bytes, start, start + this.#length, id);
    } else if (lua.pop(), this.#field(index, parts.time) === NUMBER) {
      writer.date(lua.toNumber(-1), id);
    } else if (lua.pop(), this.#field(index, parts.size) === NUMBER) {
      this.#dictionary(index, id);
    } else if (lua.pop(), this.#field(index, parts.type) === STRING) {
      this.#typed(index, id);
    } else {
      lua.pop();
      const length = lua.rawLength(index);
      if (length > 0) this.#array(index, length, id);
      else this.#plain(index, id);
      return;
    }
    lua.pop();
  }

  /** Writes a table from one batch of records. @returns false, without writing, if records cannot express it */
  #whole(index: number): boolean {
    const lua = this.#lua;
    lua.pushValue(index);
    const at = this.#parts.batch.dump();
    lua.pop();
    if (at !== 0) this.#records.write(at);
    return at !== 0;
  }

  #other(type: number): void {
    if (type > NIL) this.#warn(`Cannot write a ${TYPE_NAMES[type]} in AMF: null instead`);
    this.#writer.null();
  }

  /** Writes an object of a class, whose name is on top of the stack. */
  #typed(index: number, id: number): void {
    const lua = this.#lua;
    const writer = this.#writer;
    const isFunction = this.#field(index, this.#parts.writeExternal) === FUNCTION;
    if (isFunction && writer.form !== "amf0") {
      this.#externalizable(index, id);
      lua.pop();
      return;
    }
    lua.pop();
    const start = this.#stringAt(-1);
    writer.beginObject(this.#memory.bytes, start, start + this.#length, id);
    this.#members(index, 0);
    writer.endObject();
  }

  /** Calls `__writeExternal`, which is on top of the stack, above the class name. */
  #externalizable(index: number, id: number): void {
    if (this.#anchors === undefined) throw NEEDS_SCRIPT;
    const lua = this.#lua;
    const writer = this.#writer;
    const start = this.#stringAt(-2);
    writer.beginExternalizable(this.#memory.bytes, start, start + this.#length, id);
    const output = new ByteOutput(writer, this);
    const handle = this.#host.objects.of(byteWriter, output);
    const base = lua.enter();
    lua.pushValue(base - 1);
    lua.pushValue(index);
    handle.push(lua);
    const error = lua.run(base, 0);
    if (!error) lua.leave(base);
    handle.push(lua);
    this.#host.eraseGlobals(lua.top);
    lua.pop();
    this.#host.objects.release(output);
    if (error) throw error;
    if (output.failure) throw output.failure; // also if the script has caught it
    writer.endExternalizable();
  }

  #dictionary(index: number, id: number): void {
    const lua = this.#lua;
    const writer = this.#writer;
    if (writer.form === "amf0") { // AMF0 has no dictionaries
      writer.beginArray(0, true, id);
      this.#members(index, -1);
      writer.dense();
      writer.endArray();
      return;
    }
    let count = 0;
    for (lua.pushNil(); lua.next(index); lua.pop()) if (this.#isPairKey()) count++;
    writer.beginDictionary(count, this.#isWeak(index), id);
    for (lua.pushNil(); lua.next(index); lua.pop()) {
      if (!this.#isPairKey()) continue;
      count--;
      const top = lua.top;
      this.#value(top - 1);
      this.#value(top);
    }
    if (count !== 0) {
      throw new ScriptError("Cannot write a dictionary that changes while it is written");
    }
    writer.endDictionary();
  }

  /** Whether the key below the top of the stack makes a pair of a dictionary. */
  #isPairKey(): boolean {
    const lua = this.#lua;
    const type = lua.type(-2);
    if (type === STRING) return lua.pointer(-2) !== this.#parts.size.pointer;
    if (type === NUMBER || type === TABLE || type === BOOLEAN) return true;
    this.#skipKey(type);
    return false;
  }

  #isWeak(index: number): boolean {
    const lua = this.#lua;
    if (!lua.getMetatable(index)) return false;
    lua.pushKey(this.#parts.mode);
    const weak = lua.rawGet(-2) === STRING && lua.text(-1).includes("k");
    lua.pop(2);
    return weak;
  }

  #array(index: number, length: number, id: number): void {
    const lua = this.#lua;
    const writer = this.#writer;
    if (writer.form === "amf0" && this.#hasNames(index, length)) {
      writer.beginArray(0, true, id);
      this.#members(index, length);
      for (let n = 1; n <= length; n++) {
        this.#numericKey(n - 1);
        lua.rawGetIndex(index, n);
        this.#value(lua.top);
        lua.pop();
      }
      writer.dense();
      writer.endArray();
      return;
    }
    writer.beginArray(length, false, id);
    if (writer.inAmf3) this.#members(index, length);
    writer.dense();
    for (let n = 1; n <= length; n++) {
      lua.rawGetIndex(index, n);
      this.#value(lua.top);
      lua.pop();
    }
    writer.endArray();
  }

  /** Whether the table has keys other than 1 to `length`. */
  #hasNames(index: number, length: number): boolean {
    const lua = this.#lua;
    for (lua.pushNil(); lua.next(index); lua.pop()) {
      if (lua.type(-2) === NUMBER && isElement(lua.toNumber(-2), length)) continue;
      lua.pop(2);
      return true;
    }
    return false;
  }

  /** Writes a table without elements: as an object, or as an empty array if no key is a name. */
  #plain(index: number, id: number): void {
    const lua = this.#lua;
    const writer = this.#writer;
    for (lua.pushNil(); lua.next(index); lua.pop()) {
      if (lua.type(-2) !== STRING || this.#isEmpty(-2)) continue;
      lua.pop(2);
      writer.beginObject(NO_BYTES, 0, 0, id);
      this.#members(index, 0);
      writer.endObject();
      return;
    }
    for (lua.pushNil(); lua.next(index); lua.pop()) this.#skipKey(lua.type(-2));
    writer.beginArray(0, false, id);
    writer.dense();
    writer.endArray();
  }

  /**
   * Writes the named members of a table.
   *
   * @param length number of elements to skip, if further numbers count as names; -1: skip none. 0: the table is not
   *   an array and numbers are not names
   */
  #members(index: number, length: number): void {
    const lua = this.#lua;
    const writer = this.#writer;
    const parts = this.#parts;
    for (lua.pushNil(); lua.next(index); lua.pop()) {
      const type = lua.type(-2);
      if (type === STRING) {
        const name = lua.pointer(-2);
        if (name === parts.type.pointer || (length < 0 && name === parts.size.pointer)) continue;
        if (lua.type(-1) === FUNCTION) continue; // AMF-080g
        const start = this.#stringAt(-2);
        if (this.#length === 0) this.#warn("Cannot write a member without a name in AMF: skipped");
        else {
          writer.key(this.#memory.bytes, start, start + this.#length);
          this.#value(lua.top);
        }
      } else if (type === NUMBER && length !== 0) {
        const name = lua.toNumber(-2);
        if (isElement(name, length) || lua.type(-1) === FUNCTION) continue;
        this.#numericKey(name);
        this.#value(lua.top);
      } else this.#skipKey(type);
    }
  }

  #numericKey(name: number): void {
    const text = String(name);
    for (let i = 0; i < text.length; i++) digits[i] = text.charCodeAt(i);
    this.#writer.key(digits, 0, text.length);
  }

  /**
   * Pushes a field of a table, or an inherited one that `__index` leads to through tables.
   *
   * @returns its type
   */
  #field(index: number, key: Key): number {
    const lua = this.#lua;
    lua.pushKey(key);
    const type = lua.rawGet(index);
    if (type !== NIL || !lua.getMetatable(index)) return type;
    lua.remove(-2); // the nil
    for (let i = 0; i < MAX_INHERITANCE; i++) { // on top: a metatable
      lua.pushKey(this.#parts.index);
      const isTable = lua.rawGet(-2) === TABLE;
      lua.remove(-2);
      if (!isTable) break;
      lua.pushKey(key);
      const inherited = lua.rawGet(-2);
      if (inherited !== NIL) {
        lua.remove(-2);
        return inherited;
      }
      lua.pop();
      if (!lua.getMetatable(-1)) break;
      lua.remove(-2);
    }
    lua.pop();
    lua.pushNil();
    return NIL;
  }

  #anchor(index: number, anchors: Ref): void {
    const lua = this.#lua;
    lua.pushRef(anchors);
    lua.pushValue(index);
    lua.rawSetIndex(-2, ++this.#anchored);
    lua.pop();
  }

  #length = 0;

  /** Address of the string at `index` in Lua's memory; sets `#length` to its length. */
  #stringAt(index: number): number {
    const { c, state } = this.#lua;
    const start = c.lua_tolstring(state, index, this.#parts.lengthAt);
    this.#memory.refresh();
    this.#length = this.#memory.view.getUint32(this.#parts.lengthAt, true);
    return start;
  }

  #isEmpty(index: number): boolean {
    this.#stringAt(index);
    return this.#length === 0;
  }

  #skipKey(type: number): void {
    const what = type === STRING ? "without a name" : `whose key is a ${TYPE_NAMES[type]}`;
    this.#warn(`Cannot write a member ${what} in AMF: skipped`);
  }

  #warn(text: string): void {
    (this.#warnings ??= new Set()).add(text);
  }
}

const isElement = (key: number, length: number): boolean =>
  key >= 1 && key <= length && Number.isInteger(key);
