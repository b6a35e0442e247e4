import type { AmfReader, AmfSink, VectorKind } from "../../amf/mod.ts";
import { fromUtf8 } from "../../bytes/text.ts";
import { WireError } from "../../bytes/wire_error.ts";
import { type Key, type Lua, NIL, NUMBER, type Ref } from "../vm/lua.ts";
import { ScriptError } from "../vm/script_error.ts";
import type { AmfHost } from "./amf_host.ts";
import { ByteInput, byteReader } from "./byte_reader.ts";
import { dateFields, dateValues } from "./date_fields.ts";

/** Lua keeps one copy of strings up to this length, however often they are made. */
const SHARED_LENGTH = 40;
/** For how many elements a table gets room at most before they are there. */
const ROOM = 64;

/** What decoding needs of one Lua machine, made once. */
export class LuaNames {
  readonly type: Key;
  readonly raw: Key;
  readonly size: Key;
  readonly date: readonly Key[];
  /** A function: calls `__readExternal` of an object with a reader; false if there is none. */
  readonly callReadExternal: Ref;

  constructor(lua: Lua) {
    this.type = lua.key("__type");
    this.raw = lua.key("__raw");
    this.size = lua.key("__size");
    this.date = dateFields.map((name) => lua.key(name));
    lua.load(new TextEncoder().encode(CALL_READ_EXTERNAL), "=amf");
    this.callReadExternal = lua.ref();
  }
}

const CALL_READ_EXTERNAL = `
  local object, reader = ...
  local read = object.__readExternal
  if not read then return false end
  read(object, reader)
  return true`;

/** An object, array or dictionary that is being filled. */
class Frame {
  isArray = false;
  /** The class name of an object, in the message; none if it is empty. */
  start = 0;
  end = 0;
  /** Of an array: where a member whose name is a number goes, as elements count from 1. */
  next = 0;
  /** Of a dictionary: how many pairs it has. */
  pairs = 0;
  isWeak = false;
}

/**
 * A sink whose stack is Lua's. The message stands in Lua's memory meanwhile, so that its strings are made there
 * without a copy on the way.
 */
export class LuaSink implements AmfSink {
  readonly #host: AmfHost;
  readonly #lua: Lua;
  readonly #names: LuaNames;
  readonly #input: Uint8Array;
  #message = 0; // where `#input` stands in Lua's memory
  #references = 0; // stack index: nil, or the table of all that can be referred to, by id + 1
  #hasReferences = false;
  #saved: Ref = 0; // that table, while it is on the stack of another function
  #frames: Frame[] = [];
  #depth = -1;

  constructor(host: AmfHost, names: LuaNames, reader: AmfReader) {
    this.#host = host;
    this.#lua = host.lua;
    this.#names = names;
    this.#input = reader.raw.input;
    const length = reader.raw.at + reader.left;
    const { c } = host.lua;
    this.#message = c.malloc(length);
    if (this.#message === 0) throw new ScriptError("not enough memory", "memory");
    new Uint8Array(c.memory.buffer, this.#message, length).set(this.#input.subarray(0, length));
    host.lua.pushNil();
    this.#references = host.lua.top;
  }

  /** Forgets the message. What was pushed stays, above one value that is of no use. */
  end(): void {
    this.#lua.c.free(this.#message);
  }

  null(): void {
    this.#lua.pushNil();
  }

  undefined(): void {
    this.#lua.pushNil();
  }

  unsupported(): void {
    this.#host.log("warn", "A value of AMF had no form for its sender; nil instead");
    this.#lua.pushNil();
  }

  boolean(value: boolean): void {
    this.#lua.pushBoolean(value);
  }

  number(value: number): void {
    this.#lua.pushNumber(value);
  }

  integer(value: number): void {
    this.#lua.pushNumber(value);
  }

  string(_bytes: Uint8Array, start: number, end: number, repeated: boolean): void {
    this.#string(start, end, repeated);
  }

  xml(_bytes: Uint8Array, start: number, end: number, _document: boolean, id: number): void {
    this.#string(start, end, false);
    this.#remember(id);
  }

  date(milliseconds: number, id: number): void {
    const lua = this.#lua;
    const values = dateValues(milliseconds);
    this.#table(id, 0, values.length);
    values.forEach((value, i) => {
      lua.pushKey(this.#names.date[i]);
      if (typeof value === "number") lua.pushNumber(value);
      else lua.pushBoolean(value);
      lua.rawSet(-3);
    });
  }

  byteArray(_bytes: Uint8Array, start: number, end: number, id: number): void {
    this.#table(id, 0, 1);
    this.#lua.pushKey(this.#names.raw);
    this.#string(start, end, false);
    this.#lua.rawSet(-3);
  }

  beginObject(_bytes: Uint8Array, start: number, end: number, id: number): void {
    this.#table(id, 0, 4);
    const frame = this.#open();
    frame.isArray = false;
    frame.start = start;
    frame.end = end;
  }

  key(bytes: Uint8Array, start: number, end: number, repeated: boolean): void {
    const frame = this.#frames[this.#depth];
    if (frame.isArray && isIndex(bytes, start, end)) this.#lua.pushNumber(frame.next++);
    else this.#string(start, end, repeated);
  }

  member(): void {
    this.#lua.rawSet(-3);
  }

  endObject(): void {
    const { start, end } = this.#frames[this.#depth--];
    if (start === end) return;
    this.#setType(start, end);
    this.#host.onTypedObject(this.#input.subarray(start, end));
  }

  beginArray(length: number, _mixed: boolean, id: number): void {
    this.#table(id, Math.min(length, ROOM), 0);
    const frame = this.#open();
    frame.isArray = true;
    frame.next = length + 1;
  }

  dense(): void {}

  element(index: number): void {
    this.#lua.rawSetIndex(-2, index + 1);
  }

  endArray(): void {
    this.#depth--;
  }

  beginVector(
    _kind: VectorKind,
    length: number,
    _fixed: boolean,
    _bytes: Uint8Array,
    _start: number,
    _end: number,
    id: number,
  ): void {
    this.#table(id, Math.min(length, ROOM), 0);
  }

  endVector(): void {}

  beginDictionary(_length: number, weak: boolean, id: number): void {
    this.#table(id, 0, 4);
    const frame = this.#open();
    frame.pairs = 0;
    frame.isWeak = weak;
  }

  /** Lua has no place for a key that is nil or no number, nor for a value that is nil. */
  pair(): void {
    const lua = this.#lua;
    const type = lua.type(-2);
    const hasKey = type !== NIL && !(type === NUMBER && Number.isNaN(lua.toNumber(-2)));
    if (!hasKey || lua.type(-1) === NIL) return lua.pop(2);
    lua.rawSet(-3);
    this.#frames[this.#depth].pairs++;
  }

  endDictionary(): void {
    const lua = this.#lua;
    const { pairs, isWeak } = this.#frames[this.#depth--];
    lua.pushKey(this.#names.size);
    lua.pushNumber(pairs);
    lua.rawSet(-3);
    if (!isWeak) return;
    lua.newTable(0, 1);
    lua.pushText("k");
    lua.setField(-2, "__mode");
    lua.setMetatable(-2);
  }

  externalizable(
    bytes: Uint8Array,
    start: number,
    end: number,
    reader: AmfReader,
    id: number,
  ): void {
    const lua = this.#lua;
    this.#table(id, 0, 2);
    this.#setType(start, end);
    this.#host.onTypedObject(bytes.subarray(start, end));

    lua.pushValue(this.#references);
    const saved = this.#saved;
    const references = this.#references;
    this.#saved = lua.ref();
    const input = new ByteInput(reader, this);
    const handle = this.#host.objects.of(byteReader, input);
    const base = lua.enter();
    lua.pushRef(this.#names.callReadExternal);
    lua.pushValue(base - 1);
    handle.push(lua);
    const error = lua.run(base, 1);
    const found = !error && lua.toBoolean(base + 1);
    if (!error) lua.leave(base);
    handle.push(lua);
    this.#host.eraseGlobals(lua.top);
    lua.pop();
    this.#host.objects.release(input);
    lua.unref(this.#saved);
    this.#saved = saved;
    this.#references = references;

    if (error) throw error;
    if (input.failure) throw input.failure; // which the script has caught
    if (found) return;
    const type = fromUtf8(bytes.subarray(start, end));
    throw new ScriptError(`Cannot read an object of type ${type}: it has no __readExternal`);
  }

  /** Pushes values in AMF3 for a function that {@link externalizable} has called, on its own stack. */
  pushExternal(reader: AmfReader, limit: number): void {
    const lua = this.#lua;
    const references = this.#references;
    lua.pushRef(this.#saved);
    this.#references = lua.top;
    for (let count = 0; count < limit && !reader.done; count++) {
      if (count % 16 === 0) lua.reserve(24);
      reader.readAmf3(this);
    }
    lua.remove(this.#references);
    this.#references = references;
  }

  reference(id: number): void {
    if (!this.#hasReferences) throw new WireError(`Cannot refer to object ${id} from here`);
    if (this.#lua.rawGetIndex(this.#references, id + 1) === NIL) {
      throw new WireError(`Cannot refer to object ${id} from here`);
    }
  }

  #string(start: number, end: number, repeated: boolean): void {
    const lua = this.#lua;
    if (repeated && end - start > SHARED_LENGTH) return this.#longString(start, end);
    lua.c.lua_pushlstring(lua.state, this.#message + start, end - start);
  }

  /** Makes a string that the message repeats by reference no more than once. */
  #longString(start: number, end: number): void {
    const lua = this.#lua;
    if (!this.#hasReferences) this.#makeReferences();
    if (lua.rawGetIndex(this.#references, -1 - start) !== NIL) return;
    lua.pop();
    this.#string(start, end, false);
    lua.pushValue(-1);
    lua.rawSetIndex(this.#references, -1 - start);
  }

  #setType(start: number, end: number): void {
    this.#lua.pushKey(this.#names.type);
    this.#string(start, end, true);
    this.#lua.rawSet(-3);
  }

  #table(id: number, elements: number, fields: number): void {
    const lua = this.#lua;
    lua.reserve(8);
    lua.newTable(elements, fields);
    this.#remember(id);
  }

  #remember(id: number): void {
    const lua = this.#lua;
    if (!this.#hasReferences) this.#makeReferences();
    lua.pushValue(-1);
    lua.rawSetIndex(this.#references, id + 1);
  }

  #makeReferences(): void {
    const lua = this.#lua;
    lua.newTable(4, 0);
    lua.c.lua_copy(lua.state, -1, this.#references);
    lua.pop();
    this.#hasReferences = true;
  }

  #open(): Frame {
    return this.#frames[++this.#depth] ??= new Frame();
  }
}

/** Whether a name is a number from 0 on, as the elements of an array in AMF0 have them. */
function isIndex(bytes: Uint8Array, start: number, end: number): boolean {
  if (end === start || end - start > 10) return false;
  if (bytes[start] === 0x30) return end - start === 1;
  for (let i = start; i < end; i++) if (bytes[i] < 0x30 || bytes[i] > 0x39) return false;
  return true;
}
