// API objects: Lua tables that represent objects of the server. A script stores its own fields in the table;
// a hidden metatable provides the built-in members. API-001 to API-014.
import { fromUtf8 } from "../../bytes/text.ts";
import {
  type FunctionPointer,
  type Lua,
  NIL,
  NUMBER,
  type Ref,
  STRING,
  TABLE,
  upvalue,
} from "../vm/lua.ts";
import { ScriptError } from "../vm/script_error.ts";
import { Args, PUSHED, pushOne, type Result, type Value } from "./values.ts";

/** The members of a `T` for scripts; the keys are public API. `A` is the context of the functions. */
export interface Binding<T, A> {
  /** Its name in messages to authors of scripts. */
  readonly name: string;
  readonly get?: { readonly [name: string]: (target: T, api: A) => Value };
  /** Properties that may be assigned. */
  readonly set?: { readonly [name: string]: (target: T, args: Args, api: A) => void };
  readonly call?: { readonly [name: string]: (target: T, args: Args, api: A) => Result };
  /** Names that are not built in, and `object[n]`. */
  readonly other?: (target: T, name: string | number, api: A) => Value;
  /** `object(…)`. API-009. */
  readonly lookup?: (target: T, args: Args, api: A) => Value;
  /** What distinguishes it, in texts for people; nothing: its place in memory. */
  readonly label?: (target: T, api: A) => string;
  /** Properties that scripts can still read when it is gone. */
  readonly lasting?: readonly string[];
  /** What `pairs` walks: pushes a table that is its own. API-007. */
  readonly pairs?: (target: T, api: A) => void;
  /** `#object`. */
  readonly length?: (target: T, api: A) => number;
  /** False when it is gone: properties read nil then, methods do nothing. API-012. */
  readonly alive?: (target: T, api: A) => boolean;
  /** The object of a target that only scripts keep was collected. */
  readonly dropped?: (target: T, api: A) => void;
  /** Other targets that go when this one goes. */
  readonly parts?: (target: T) => Iterable<unknown>;
}

/** The object of one target. */
export class Handle {
  /** Of each method fetched so far, the function that belongs to this object. API-004. */
  readonly methods: Ref[] = [];

  /**
   * @param ref what keeps the object; 0 as long as only scripts do
   * @param weak the table of objects that only scripts keep, by their pointers
   */
  constructor(
    readonly kind: Kind,
    // deno-lint-ignore no-explicit-any
    readonly target: any,
    public ref: Ref,
    readonly pointer: number,
    readonly weak: Ref,
  ) {}

  /** Pushes the object; nil if scripts dropped the last they had of it. */
  push(lua: Lua): void {
    if (this.ref) return lua.pushRef(this.ref);
    lua.pushRef(this.weak);
    lua.rawGetIndex(-1, this.pointer);
    lua.remove(-2);
  }
}

interface Method {
  readonly index: number;
  readonly pointer: FunctionPointer;
  /** The function as fetched from an object that is gone. */
  idle: Ref;
}

/** A binding as Lua has it: one metatable for all its objects. */
interface Kind {
  // deno-lint-ignore no-explicit-any
  readonly binding: Binding<any, any>;
  readonly metatable: Ref;
  readonly metatablePointer: number;
  // deno-lint-ignore no-explicit-any
  readonly getters: Map<number, (target: any, api: any) => Value>;
  readonly methods: Map<number, Method>;
}

// deno-lint-ignore no-explicit-any
type Setters<A> = Map<number, (target: any, args: Args, api: A) => void>;

/** What `getmetatable` tells scripts of an object. */
export const METATABLE_TEXT = "change of metatable prohibited";

/** An id of a client or group. */
const LONG_ID = /^[0-9a-f]{64}$/;

/** All API objects of one Lua machine. */
export class Objects<A> {
  /** By target: one entity has one table. API-011. */
  readonly #handles = new Map<unknown, Handle>();
  /** By what Lua tells of the table. */
  readonly #byPointer = new Map<number, Handle>();
  // deno-lint-ignore no-explicit-any
  readonly #kinds = new Map<Binding<any, A>, Kind>();
  readonly #byMetatable = new Map<number, Kind>();
  readonly #next: Ref;
  readonly #weak: Ref;
  /** How many objects only scripts keep. */
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
    this.#next = next;
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

  /** The object of a target, made if need be; it lasts until {@link release}. */
  of<T>(binding: Binding<T, A>, target: T): Handle {
    const handle = this.#handles.get(target);
    return handle ?? this.#make(binding, target);
  }

  /** The object of a target, if a script has seen it. */
  find(target: unknown): Handle | undefined {
    return this.#handles.get(target);
  }

  /** The object at a stack index, if it is one that is not gone. */
  handleAt(index: number): Handle | undefined {
    if (this.lua.type(index) !== TABLE) return undefined;
    return this.#handleOf(index);
  }

  /** The handle of the table at a stack index; another table may have got the place of a collected one. */
  #handleOf(index: number): Handle | undefined {
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
   * @param whole long ids are not cut, so that the text tells all objects apart
   */
  describe(index: number, whole = false): string | undefined {
    const { lua } = this;
    if (lua.type(index) !== TABLE || !lua.getMetatable(index)) return undefined;
    const metatable = lua.pointer(-1);
    lua.pop();
    const kind = this.#byMetatable.get(metatable);
    if (!kind) return undefined;
    const handle = this.#handleOf(index);
    const { name, label } = kind.binding;
    const text: string = handle && label
      ? label(handle.target, this.api)
      : `0x${lua.pointer(index).toString(16).padStart(8, "0")}`;
    return `${name}(${!whole && LONG_ID.test(text) ? `${text.slice(0, 8)}…` : text})`;
  }

  /** From now on only scripts keep the object of a target: a socket that is closed, say. */
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

  /** The object of a target is kept again, whether scripts do or not; one that they dropped is gone. */
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

  /** The target of the object at a stack index, if it is one of this binding that is not gone. */
  at<T>(binding: Binding<T, A>, index: number): T | undefined {
    const { lua } = this;
    if (lua.type(index) !== TABLE) return undefined;
    const handle = this.#handleOf(index);
    if (!handle || handle.kind.binding !== binding) return undefined;
    return handle.target as T;
  }

  /** The target is gone: its object stays with the scripts that hold it, as nothing but their own fields. */
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

  /** Makes properties that outlive the target fields of the object. */
  #leaveLasting(handle: Handle): void {
    const { lua } = this;
    const { binding } = handle.kind;
    if (!binding.lasting) return;
    handle.push(lua);
    if (lua.type(-1) === TABLE) {
      for (const name of binding.lasting) {
        lua.pushText(name);
        pushOne(lua, binding.get![name](handle.target, this.api));
        lua.rawSet(-3);
      }
    }
    lua.pop();
  }

  /** Releases handles whose object is gone, or which scripts dropped. */
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
    const kind: Kind = this.#kinds.get(binding) ?? this.#makeKind(binding);
    lua.newTable();
    lua.pushRef(kind.metatable);
    lua.setMetatable(-2);
    const pointer = lua.pointer(-1);
    const collected = this.#byPointer.get(pointer); // its table was here before
    if (collected) this.release(collected.target);
    const handle = new Handle(kind, target, lua.ref(), pointer, this.#weak);
    this.#handles.set(target, handle);
    this.#byPointer.set(pointer, handle);
    return handle;
  }

  #makeKind<T>(binding: Binding<T, A>): Kind {
    const { lua } = this;
    const getters = new Map<number, (target: T, api: A) => Value>();
    const methods = new Map<number, Method>();
    const setters = new Map() as Setters<A>;
    for (const [name, get] of Object.entries(binding.get ?? {})) {
      getters.set(lua.key(name).pointer, get);
    }
    for (const [name, set] of Object.entries(binding.set ?? {})) {
      setters.set(lua.key(name).pointer, set);
    }
    lua.newTable(0, 8);
    const metatablePointer = lua.pointer(-1);
    const metatable = lua.ref();
    const kind: Kind = { binding, metatable, metatablePointer, getters, methods };
    this.#kinds.set(binding, kind);
    this.#byMetatable.set(metatablePointer, kind);
    let index = 0;
    const calls: [string, (target: T, args: Args, api: A) => Result][] = Object.entries(
      binding.call ?? {},
    );
    if (binding.pairs) calls.push(["pairs", (target) => this.#pairs(binding, target)]);
    for (const [name, call] of calls) {
      const pointer = lua.define((lua) => this.#call(lua, kind, call));
      methods.set(lua.key(name).pointer, { index: index++, pointer, idle: 0 });
    }
    const metamethods: Record<string, ((lua: Lua) => number) | undefined> = {
      __index: (lua) => this.#index(lua, kind),
      __newindex: (lua) => this.#newIndex(lua, kind, setters),
      __call: binding.lookup ? (lua) => this.#lookup(lua, kind) : binding.pairs && (() => {
        throw new ScriptError(notIterator(binding.name));
      }),
      __tostring: (lua) => {
        lua.pushText(this.describe(1, true) ?? binding.name);
        return 1;
      },
      __len: binding.length && ((lua) => this.#length(lua, kind)),
      __pairs: binding.pairs && ((lua) => {
        const handle = this.#selfAt(kind, 1);
        if (handle) this.#pairs(binding, handle.target);
        else this.#pushWalk(() => lua.newTable());
        return 2;
      }),
    };
    lua.pushRef(metatable);
    for (const [name, f] of Object.entries(metamethods)) {
      if (!f) continue;
      lua.pushFunction(lua.define(f));
      lua.setField(-2, name);
    }
    lua.pushText(METATABLE_TEXT);
    lua.setField(-2, "__metatable");
    lua.pop();
    return kind;
  }

  /** The object at a stack index if it is of this kind and not gone. */
  #selfAt(kind: Kind, index: number): Handle | undefined {
    const handle = this.#handleOf(index);
    return handle?.kind === kind ? handle : undefined;
  }

  #isAlive(handle: Handle | undefined): handle is Handle {
    if (!handle) return false;
    const { alive } = handle.kind.binding;
    return !alive || alive(handle.target, this.api);
  }

  #index(lua: Lua, kind: Kind): number {
    const handle = this.#selfAt(kind, 1);
    const name = lua.pointer(2);
    const get = kind.getters.get(name);
    if (get) {
      if (!this.#isAlive(handle) && !this.#lasts(handle, 2)) return 0;
      pushOne(lua, get(handle.target, this.api));
      return 1;
    }
    const method = kind.methods.get(name);
    if (method) {
      this.#pushMethod(method, handle);
      return 1;
    }
    const { other } = kind.binding;
    if (!other || !this.#isAlive(handle)) return 0;
    const type = lua.type(2);
    if (type !== STRING && type !== NUMBER) return 0;
    const key = type === NUMBER ? lua.toNumber(2) : fromUtf8(lua.bytes(2));
    pushOne(lua, other(handle.target, key, this.api));
    return 1;
  }

  /** Whether a property, whose name is at a stack index, outlives its target. */
  #lasts(handle: Handle | undefined, name: number): handle is Handle {
    const lasting = handle?.kind.binding.lasting;
    return lasting !== undefined && lasting.includes(this.lua.text(name));
  }

  #pushMethod(method: Method, handle: Handle | undefined): void {
    const { lua } = this;
    if (!handle) {
      if (!method.idle) {
        lua.pushFunction(method.pointer);
        method.idle = lua.ref();
      }
      return lua.pushRef(method.idle);
    }
    const ref = handle.methods[method.index];
    if (ref) return lua.pushRef(ref);
    handle.push(lua);
    lua.pushFunction(method.pointer, 1);
    if (handle.ref === 0) return; // kept, it would keep the object
    lua.pushValue(-1);
    while (handle.methods.length <= method.index) handle.methods.push(0);
    handle.methods[method.index] = lua.ref();
  }

  #newIndex(
    lua: Lua,
    kind: Kind,
    setters: Setters<A>,
  ): number {
    const name = lua.pointer(2);
    const set = setters.get(name);
    if (set) {
      const handle = this.#selfAt(kind, 1);
      if (this.#isAlive(handle)) set(handle.target, new Args(lua, 3), this.api);
    } else if (name !== 0 && (kind.getters.has(name) || kind.methods.has(name))) {
      this.warn(`${kind.binding.name}.${lua.text(2)} cannot be assigned`);
    } else {
      lua.top = 3;
      lua.rawSet(1);
    }
    return 0;
  }

  #call<T>(
    lua: Lua,
    kind: Kind,
    call: (target: T, args: Args, api: A) => Result,
  ): number {
    const top = lua.top;
    let handle: Handle | undefined;
    let first = 1;
    if (lua.type(1) === TABLE) {
      handle = this.#selfAt(kind, 1);
      if (handle) first = 2;
      else if (this.#isOfKind(kind, 1)) return 0; // it is gone
    }
    handle ??= this.#selfAt(kind, upvalue(1));
    if (!handle) return 0;
    const result = call(handle.target, new Args(lua, first, top), this.api);
    if (result === undefined) return 0;
    if (result === PUSHED) return lua.top - top;
    pushOne(lua, result);
    return 1;
  }

  #isOfKind(kind: Kind, index: number): boolean {
    const { lua } = this;
    if (!lua.getMetatable(index)) return false;
    const same = lua.pointer(-1) === kind.metatablePointer;
    lua.pop();
    return same;
  }

  #lookup(lua: Lua, kind: Kind): number {
    const handle = this.#selfAt(kind, 1);
    // `for … in object do` calls it with a state and a control variable, which are nil.
    if (lua.top === 3 && lua.type(2) === NIL && lua.type(3) === NIL) {
      this.mistake(notIterator(kind.binding.name));
      lua.pushNil();
      return 1;
    }
    const value = this.#isAlive(handle)
      ? kind.binding.lookup!(handle.target, new Args(lua, 2), this.api)
      : undefined;
    if (value === undefined) return 0;
    pushOne(lua, value);
    return 1;
  }

  #length(lua: Lua, kind: Kind): number {
    const handle = this.#selfAt(kind, 1);
    lua.pushNumber(this.#isAlive(handle) ? kind.binding.length!(handle.target, this.api) : 0);
    return 1;
  }

  /** As the function `ipairs` of the object at a stack index; pushes nothing where there is none. */
  walk(lua: Lua, index: number): number {
    const handle = this.handleAt(index);
    const ipairs = handle?.kind.binding.call?.ipairs;
    if (!handle || !ipairs) return 0;
    const { top } = lua;
    if (this.#isAlive(handle)) ipairs(handle.target, new Args(lua, top + 1, top), this.api);
    else this.walkList([]);
    return lua.top - top;
  }

  #pairs<T>(binding: Binding<T, A>, target: T): typeof PUSHED {
    this.#pushWalk(() => binding.pairs!(target, this.api));
    return PUSHED;
  }

  /** Pushes `next` and a table, for a `for` loop. */
  #pushWalk(pushTable: () => void): void {
    this.lua.pushRef(this.#next);
    pushTable();
  }

  /** Pushes `next` and a list of objects, for `ipairs`. API-008. */
  walkList(values: Iterable<Value>): typeof PUSHED {
    this.#pushWalk(() => this.pushList(values));
    return PUSHED;
  }

  pushList(values: Iterable<Value>): void {
    const { lua } = this;
    lua.newTable();
    let n = 0;
    for (const value of values) {
      pushOne(lua, value);
      lua.rawSetIndex(-2, ++n);
    }
  }

  /** Pushes a table of pairs, for `pairs`. */
  pushTable(pairs: Iterable<readonly [string, Value]>): void {
    const { lua } = this;
    lua.newTable();
    for (const [key, value] of pairs) {
      lua.pushText(key);
      pushOne(lua, value);
      lua.rawSet(-3);
    }
  }
}

const notIterator = (name: string): string =>
  `a collection is not an iterator: write for key, value in ${name}:pairs() do`;
