import type { AmfReader, AmfSink, VectorKind } from "../../amf/mod.ts";
import { fromUtf8 } from "../../bytes/text.ts";
import { WireError } from "../../bytes/wire_error.ts";
import type { Queue, TableBatch } from "../vm/batch.ts";
import { KeyChains, MAX_CHAIN } from "../vm/key_chains.ts";
import { type Key, type Lua, NIL, NUMBER, type Ref } from "../vm/lua.ts";
import { ScriptError } from "../vm/script_error.ts";
import type { AmfHost } from "./amf_host.ts";
import { ByteInput, byteReader } from "./byte_reader.ts";
import { dateFields, dateValues } from "./date_fields.ts";

/** Maximum length (bytes) of strings of which Lua keeps one copy, however often they are made. */
const SHARED_LENGTH = 40;
/** Maximum number of elements for which a table gets room in advance. */
const MAX_ROOM = 64;
/** Stack slots reserved at once: enough for 16 values, or 16 nested containers. */
const SLOTS = 96;
const PER_RESERVE = 16;
/** Minimum number of pairs of a dictionary whose numeric keys are checked for shared hash chains. */
const MIN_CHECKED_PAIRS = 64;
/** Maximum bytes of the name of a class in an error message. */
const MAX_QUOTED = 200;
/** Containers and their members between two looks at the clock. A power of 2. */
const STEPS_PER_LOOK = 1024;

/** Names and functions of a Lua machine that decoding uses. */
export class SinkParts {
  readonly type: Key;
  readonly raw: Key;
  readonly size: Key;
  readonly date: readonly Key[];
  /** A Lua function that calls `__readExternal` of an object with a reader; returns false if there is none. */
  readonly callReadExternal: Ref;

  constructor(lua: Lua, readonly batch: TableBatch) {
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
  /** Position of an object's class name in the message; empty: no class. */
  start = 0;
  end = 0;
  /** Index of the next member of an array whose name is a number. */
  next = 0;
  /** Number of pairs of a dictionary. */
  pairs = 0;
  isWeak = false;
  chains: KeyChains | undefined;
}

/**
 * A sink that builds values on Lua's stack. It queues events, which Lua processes in one call; the message is in
 * Lua's memory meanwhile, so that strings are created there without another copy.
 */
export class LuaSink implements AmfSink {
  readonly #host: AmfHost;
  readonly #lua: Lua;
  readonly #parts: SinkParts;
  readonly #queue: Queue;
  readonly #input: Uint8Array;
  readonly #message: number; // address of a copy of `#input` in Lua's memory
  #references: number; // stack index of the table of values that the message can refer to, by id + 1; or of nil
  #firstId = -1; // first id in that table; -1 before the first table
  #saved: Ref = 0; // that table, while a script has a stack of its own
  readonly #frames: Frame[] = [];
  #depth = -1;
  #steps = 0;
  #warnedOfUnsupported = false;
  #claimed = 0; // pairs of all dictionaries

  /** Pushes one placeholder, which must stay below the pushed values until {@link end}. */
  constructor(host: AmfHost, parts: SinkParts, reader: AmfReader) {
    const { lua } = host;
    this.#host = host;
    this.#lua = lua;
    this.#parts = parts;
    this.#queue = parts.batch.queue;
    this.#input = reader.raw.input;
    const length = reader.raw.at + reader.left;
    this.#message = lua.c.malloc(length);
    if (this.#message === 0) throw new ScriptError("not enough memory", "memory");
    const { memory } = parts.batch;
    memory.refresh();
    if (length === this.#input.length) memory.bytes.set(this.#input, this.#message);
    else memory.bytes.set(this.#input.subarray(0, length), this.#message);
    lua.pushNil();
    this.#references = this.#queue.references = lua.top;
  }

  /** Runs the queued events: all values are on the stack then. */
  flush(): void {
    this.#queue.flush();
  }

  /** Discards the events since the last flush. */
  abandon(): void {
    this.#queue.clear();
  }

  /** Makes room for 16 more values. */
  reserve(): void {
    this.#step();
    this.#queue.flush();
    this.#lua.reserve(SLOTS);
  }

  /** Frees the copy of the message. */
  end(): void {
    this.#lua.c.free(this.#message);
  }

  null(): void {
    this.#queue.nil();
  }

  undefined(): void {
    this.#queue.nil();
  }

  /** Pushes nil and warns, once per message. */
  unsupported(): void {
    if (!this.#warnedOfUnsupported) {
      this.#host.log("warn", "Lua cannot express an AMF value: nil instead");
    }
    this.#warnedOfUnsupported = true;
    this.#queue.nil();
  }

  boolean(value: boolean): void {
    this.#queue.boolean(value);
  }

  number(value: number): void {
    this.#queue.number(value);
  }

  integer(value: number): void {
    this.#queue.number(value);
  }

  string(_bytes: Uint8Array, start: number, end: number, repeated: boolean): void {
    this.#string(start, end, repeated);
  }

  xml(_bytes: Uint8Array, start: number, end: number, _document: boolean, id: number): void {
    this.#string(start, end, false);
    this.#keep(id);
  }

  date(milliseconds: number, id: number): void {
    const queue = this.#queue;
    const values = dateValues(milliseconds);
    this.#table(id, 0, values.length);
    for (const [i, { ref }] of this.#parts.date.entries()) {
      const value = values[i];
      if (value === undefined) break; // an invalid time has only `__time`
      queue.ref(ref);
      if (typeof value === "number") queue.number(value);
      else queue.boolean(value);
      queue.setField();
    }
  }

  byteArray(_bytes: Uint8Array, start: number, end: number, id: number): void {
    this.#table(id, 0, 1);
    this.#queue.ref(this.#parts.raw.ref);
    this.#string(start, end, false);
    this.#queue.setField();
  }

  beginObject(_bytes: Uint8Array, start: number, end: number, id: number): void {
    this.#table(id, 0, 4);
    const frame = this.#open();
    frame.isArray = false;
    frame.start = start;
    frame.end = end;
  }

  key(bytes: Uint8Array, start: number, end: number, repeated: boolean): void {
    const frame = this.#top();
    if (frame.isArray && isIndex(bytes, start, end)) this.#queue.number(frame.next++);
    else this.#string(start, end, repeated);
  }

  member(): void {
    this.#step();
    this.#queue.setField();
  }

  endObject(): void {
    const { start, end } = this.#close();
    if (start === end) return;
    this.#setType(start, end);
    this.#onTypedObject(start, end);
  }

  beginArray(length: number, _mixed: boolean, id: number): void {
    this.#table(id, Math.min(length, MAX_ROOM), 0);
    const frame = this.#open();
    frame.isArray = true;
    frame.next = length + 1;
  }

  dense(): void {}

  element(index: number): void {
    this.#step();
    this.#queue.setElement(index + 1);
  }

  endArray(): void {
    this.#close();
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
    this.#table(id, Math.min(length, MAX_ROOM), 0);
    this.#open();
  }

  endVector(): void {
    this.#close();
  }

  /** The table gets room for all pairs: growing later would move the keys to other hash chains. */
  beginDictionary(length: number, weak: boolean, id: number): void {
    this.#claimed += length;
    if (2 * this.#claimed > this.#input.length) { // each has a key and a value
      throw new WireError(`Cannot read ${length} pairs: the message is too short`);
    }
    this.#table(id, 0, length + 1);
    const frame = this.#open();
    frame.pairs = 0;
    frame.isWeak = weak;
    frame.chains = length < MIN_CHECKED_PAIRS ? undefined : new KeyChains(length + 1);
  }

  /** Skips pairs that Lua cannot hold: those whose key is nil or NaN, or whose value is nil. */
  pair(): void {
    const lua = this.#lua;
    this.#step();
    this.#queue.flush();
    const type = lua.type(-2);
    const number = type === NUMBER ? lua.toNumber(-2) : undefined;
    if (type === NIL || Number.isNaN(number) || lua.type(-1) === NIL) return lua.pop(2);
    const frame = this.#top();
    if (number !== undefined && frame.chains?.add(number) === false) {
      throw new WireError(
        `Cannot read a dictionary: more than ${MAX_CHAIN} numeric keys share a hash chain`,
      );
    }
    lua.rawSet(-3);
    frame.pairs++;
  }

  endDictionary(): void {
    const lua = this.#lua;
    this.#queue.flush();
    const { pairs, isWeak } = this.#close();
    lua.pushKey(this.#parts.size);
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
    this.#onTypedObject(start, end);

    lua.pushValue(this.#references);
    const saved = this.#saved;
    const references = this.#references;
    this.#saved = lua.ref();
    const input = new ByteInput(reader, this);
    const handle = this.#host.objects.of(byteReader, input);
    const base = lua.enter();
    lua.pushRef(this.#parts.callReadExternal);
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
    this.#returnTo(references);

    if (error) throw error;
    if (input.failure) throw input.failure; // also if the script has caught it
    if (found) return;
    const type = fromUtf8(bytes.subarray(start, Math.min(end, start + MAX_QUOTED)));
    throw new ScriptError(`Cannot read an object of type ${type}: it has no __readExternal`);
  }

  /** Pushes values in AMF3 for a function that {@link externalizable} has called, on its own stack. */
  pushExternal(reader: AmfReader, limit: number): void {
    const lua = this.#lua;
    const references = this.#references;
    lua.pushRef(this.#saved);
    const own = lua.top;
    this.#returnTo(own);
    try {
      for (let count = 0; count < limit && !reader.done; count++) {
        if (count % PER_RESERVE === 0) this.reserve();
        reader.readAmf3(this);
      }
      this.#queue.flush();
    } catch (error) {
      this.abandon(); // the queued events were for this stack
      throw error;
    }
    lua.remove(own);
    this.#returnTo(references);
  }

  reference(id: number): void {
    if (this.#firstId < 0 || id < this.#firstId) {
      throw new WireError(`Cannot refer to object ${id} from here`);
    }
    this.#queue.kept(id + 1);
  }

  #string(start: number, end: number, repeated: boolean): void {
    if (repeated && end - start > SHARED_LENGTH) this.#longString(start, end);
    else this.#queue.string(this.#message + start, end - start);
  }

  /** Pushes a string that the message refers to, made only once. */
  #longString(start: number, end: number): void {
    const lua = this.#lua;
    if (this.#firstId < 0) this.#makeReferences(Infinity);
    this.#queue.flush();
    if (lua.rawGetIndex(this.#references, -1 - start) !== NIL) return;
    lua.pop();
    this.#queue.string(this.#message + start, end - start);
    this.#queue.keep(-1 - start);
    this.#queue.flush();
  }

  #setType(start: number, end: number): void {
    this.#queue.ref(this.#parts.type.ref);
    this.#string(start, end, true);
    this.#queue.setField();
  }

  #onTypedObject(start: number, end: number): void {
    this.#queue.flush();
    this.#host.onTypedObject(this.#input.subarray(start, end));
    this.#returnTo(this.#references);
  }

  /** Restores the state after scripts have run, which may have decoded other messages. */
  #returnTo(references: number): void {
    this.#references = this.#queue.references = references;
    this.#parts.batch.memory.refresh();
  }

  /** @throws {ScriptError} if the call that the message is for has used up its time */
  #step(): void {
    if ((++this.#steps & (STEPS_PER_LOOK - 1)) === 0) this.#lua.checkTime();
  }

  #table(id: number, elements: number, fields: number): void {
    this.#step();
    this.#queue.table(elements, fields);
    this.#keep(id);
  }

  #keep(id: number): void {
    if (this.#firstId < 0) this.#makeReferences(id);
    else if (id < this.#firstId) this.#firstId = id;
    this.#queue.keep(id + 1);
  }

  #makeReferences(firstId: number): void {
    const lua = this.#lua;
    this.#firstId = firstId;
    lua.newTable(4, 0);
    lua.c.lua_copy(lua.state, -1, this.#references);
    lua.pop();
    this.#parts.batch.memory.refresh();
  }

  #open(): Frame {
    if (++this.#depth % PER_RESERVE === PER_RESERVE - 1) this.reserve();
    return this.#frames[this.#depth] ??= new Frame();
  }

  /** The container that is being filled. */
  #top(): Frame {
    const frame = this.#frames[this.#depth];
    if (!frame) throw new Error("No object, array or dictionary is being filled");
    return frame;
  }

  #close(): Frame {
    const frame = this.#top();
    this.#depth--;
    return frame;
  }
}

/** Whether a name is an integer from 0 on, as elements of an AMF0 array have. */
function isIndex(bytes: Uint8Array, start: number, end: number): boolean {
  if (end === start || end - start > 10) return false;
  if (bytes[start] === 0x30) return end - start === 1;
  for (let i = start; i < end; i++) {
    const byte = bytes[i];
    if (byte === undefined || byte < 0x30 || byte > 0x39) return false;
  }
  return true;
}
