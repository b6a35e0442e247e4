// API objects: Lua tables that represent objects of the server. A script stores its own fields in the table;
// a hidden metatable provides the built-in members. API-001 to API-014.
import { type Lua, NIL, type Ref, TABLE } from "../vm/lua.ts";
import type { Binding } from "./binding.ts";
import { Handle, isAlive } from "./handle.ts";
import { Metatables } from "./metatables.ts";
import { ValueTables } from "./value_tables.ts";
import { Args, pushOne } from "./values.ts";

/** Matches the id of a client or group. */
const LONG_ID = /^[0-9a-f]{64}$/;

/** All API objects of one Lua machine. */
export class Objects<A> {
  /** Handles by target: each target has one table. API-011. */
  readonly #handles = new Map<unknown, Handle>();
  /** Handles by {@link Lua.pointer} of the table. */
  readonly #byPointer = new Map<number, Handle>();
  readonly #metatables: Metatables<A>;
  /** Pushes tables of objects. */
  readonly tables: ValueTables;
  readonly #weak: Ref;
  /** Number of objects that only scripts keep. */
  #weakCount = 0;

  /**
   * @param next the original function `next` of Lua, as scripts may replace the global one (API-020)
   * @param warn called for assignments to read-only members
   * @param mistake called for uses that are probably mistakes
   */
  constructor(
    readonly lua: Lua,
    readonly api: A,
    next: Ref,
    readonly warn: (text: string) => void,
    readonly mistake: (text: string) => void = warn,
  ) {
    this.#metatables = new Metatables(this);
    this.tables = new ValueTables(lua, next);
    lua.newTable();
    lua.newTable(0, 1);
    lua.pushText("v");
    lua.setField(-2, "__mode");
    lua.setMetatable(-2);
    this.#weak = lua.ref();
  }

  get size(): number {
    return this.#handles.size;
  }

  /** The object of a target, made if needed; it lasts until {@link release}. */
  of<T>(binding: Binding<T, A>, target: T): Handle {
    const handle = this.#handles.get(target);
    return handle ?? this.#make(binding, target);
  }

  /** The object of a target, if a script has seen it. */
  find(target: unknown): Handle | undefined {
    return this.#handles.get(target);
  }

  /** The handle of the object at a stack index; undefined for other values, or if the target is gone. */
  handleAt(index: number): Handle | undefined {
    if (this.lua.type(index) !== TABLE) return undefined;
    return this.handleOf(index);
  }

  /** As {@link handleAt}, for a table. A new table may have the address of a collected object. */
  handleOf(index: number): Handle | undefined {
    const { lua } = this;
    const handle = this.#byPointer.get(lua.pointer(index));
    if (!handle || handle.ref) return handle;
    const at = lua.absolute(index);
    handle.push(lua);
    const same = lua.rawEqual(-1, at);
    lua.pop();
    return same ? handle : undefined;
  }

  /**
   * A readable name of the object at a stack index: `client(1a2b3c4d…)`; undefined if it is not an object.
   *
   * @param whole keep long ids whole, so that the text is unique
   */
  describe(index: number, whole = false): string | undefined {
    const { lua } = this;
    const kind = this.#metatables.kindAt(index);
    if (!kind) return undefined;
    const handle = this.handleOf(index);
    const { name, label } = kind.binding;
    const text: string = handle && label
      ? label(handle.target, this.api)
      : `0x${lua.pointer(index).toString(16).padStart(8, "0")}`;
    return `${name}(${!whole && LONG_ID.test(text) ? `${text.slice(0, 8)}…` : text})`;
  }

  /** Lets Lua collect the object of a target once no script holds it: of a closed socket, for example. */
  weaken(target: unknown): void {
    const handle = this.#handles.get(target);
    if (!handle || handle.ref === 0) return;
    const { lua } = this;
    handle.push(lua);
    lua.pushRef(this.#weak);
    lua.pushValue(-2);
    lua.rawSetIndex(-2, handle.pointer);
    for (const ref of handle.methods.splice(0)) if (ref) lua.unref(ref);
    lua.unref(handle.ref);
    handle.ref = 0;
    this.#weakCount++;
    lua.pop(2);
  }

  /** Undoes {@link weaken}; an object that Lua has collected meanwhile is gone. */
  strengthen(target: unknown): void {
    const handle = this.#handles.get(target);
    if (!handle || handle.ref !== 0) return;
    const { lua } = this;
    handle.push(lua);
    if (lua.type(-1) === NIL) {
      lua.pop();
      return this.#dropped(handle);
    }
    handle.ref = lua.ref();
    this.#dropWeak(handle);
  }

  #dropWeak(handle: Handle): void {
    const { lua } = this;
    lua.pushRef(this.#weak);
    lua.pushNil();
    lua.rawSetIndex(-2, handle.pointer);
    lua.pop();
    this.#weakCount--;
  }

  /** The target of the object at a stack index; undefined for other values and bindings, or if it is gone. */
  at<T>(binding: Binding<T, A>, index: number): T | undefined {
    const { lua } = this;
    if (lua.type(index) !== TABLE) return undefined;
    const handle = this.handleOf(index);
    if (!handle || handle.kind.binding !== binding) return undefined;
    return handle.target as T;
  }

  /** Detaches the object from its target, which is gone: scripts keep a table with only their own fields. */
  release(target: unknown): void {
    const handle = this.#handles.get(target);
    if (!handle) return;
    this.#leaveLasting(handle);
    this.#handles.delete(target);
    if (this.#byPointer.get(handle.pointer) === handle) this.#byPointer.delete(handle.pointer);
    for (const ref of handle.methods) if (ref) this.lua.unref(ref);
    if (handle.ref) this.lua.unref(handle.ref);
    else this.#dropWeak(handle);
    for (const part of handle.kind.binding.parts?.(target) ?? []) this.release(part);
  }

  /** Copies the properties that outlive the target into fields of the object. */
  #leaveLasting(handle: Handle): void {
    const { lua } = this;
    const { binding } = handle.kind;
    if (!binding.lasting) return;
    handle.push(lua);
    if (lua.type(-1) === TABLE) {
      for (const name of binding.lasting) {
        lua.pushText(name);
        pushOne(lua, binding.get?.[name]?.(handle.target, this.api));
        lua.rawSet(-3);
      }
    }
    lua.pop();
  }

  /** Releases objects whose targets are gone, and those that Lua has collected. */
  sweep(): void {
    if (this.#weakCount > 0) this.#sweepWeak();
    for (const { target, kind } of [...this.#handles.values()]) {
      if (kind.binding.alive && !kind.binding.alive(target, this.api)) this.release(target);
    }
  }

  #sweepWeak(): void {
    const { lua } = this;
    for (const handle of [...this.#handles.values()]) {
      if (handle.ref) continue;
      handle.push(lua);
      const dropped = lua.type(-1) === NIL;
      lua.pop();
      if (dropped) this.#dropped(handle);
    }
  }

  #dropped({ kind, target }: Handle): void {
    kind.binding.dropped?.(target, this.api);
    this.release(target);
  }

  #make<T>(binding: Binding<T, A>, target: T): Handle {
    const { lua } = this;
    const kind = this.#metatables.of(binding);
    lua.newTable();
    lua.pushRef(kind.metatable);
    lua.setMetatable(-2);
    const pointer = lua.pointer(-1);
    const collected = this.#byPointer.get(pointer); // its table had this address
    if (collected) this.release(collected.target);
    const handle = new Handle(kind, target, lua.ref(), pointer, this.#weak);
    this.#handles.set(target, handle);
    this.#byPointer.set(pointer, handle);
    return handle;
  }

  /** Calls the method `ipairs` of the object at a stack index, if it has one. @returns the number of results pushed */
  walk(lua: Lua, index: number): number {
    const handle = this.handleAt(index);
    const ipairs = handle?.kind.binding.call?.ipairs;
    if (!handle || !ipairs) return 0;
    const { top } = lua;
    if (isAlive(handle, this.api)) ipairs(handle.target, new Args(lua, top + 1, top), this.api);
    else this.tables.pushListWalk([]);
    return lua.top - top;
  }
}
