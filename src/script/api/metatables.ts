import { fromUtf8 } from "../../bytes/text.ts";
import { type Lua, NIL, NUMBER, STRING, TABLE, upvalue } from "../vm/lua.ts";
import { ScriptError } from "../vm/script_error.ts";
import { type Binding, METATABLE_TEXT } from "./binding.ts";
import { type Handle, isAlive, type Kind, type Method } from "./handle.ts";
import type { Objects } from "./objects.ts";
import { Args, PUSHED, pushOne, type Result, type Value } from "./values.ts";

// deno-lint-ignore no-explicit-any
type Setters<A> = Map<number, (target: any, args: Args, api: A) => void>;

/**
 * The metatable of each binding. Lua calls its functions for a read or assigned field, a method, `object(…)`,
 * `#object` and `pairs`.
 */
export class Metatables<A> {
  readonly #objects: Objects<A>;
  // deno-lint-ignore no-explicit-any
  readonly #kinds = new Map<Binding<any, A>, Kind>();
  readonly #byPointer = new Map<number, Kind>();

  constructor(objects: Objects<A>) {
    this.#objects = objects;
  }

  get #api(): A {
    return this.#objects.api;
  }

  of<T>(binding: Binding<T, A>): Kind {
    return this.#kinds.get(binding) ?? this.#makeKind(binding);
  }

  /** The kind of the table at a stack index; undefined if it is not an API object. */
  kindAt(index: number): Kind | undefined {
    const { lua } = this.#objects;
    if (lua.type(index) !== TABLE || !lua.getMetatable(index)) return undefined;
    const metatable = lua.pointer(-1);
    lua.pop();
    return this.#byPointer.get(metatable);
  }

  #makeKind<T>(binding: Binding<T, A>): Kind {
    const { lua } = this.#objects;
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
    this.#byPointer.set(metatablePointer, kind);
    this.#defineMethods(kind);
    this.#defineMetamethods(kind, setters);
    return kind;
  }

  #defineMethods(kind: Kind): void {
    const { lua } = this.#objects;
    const { binding, methods } = kind;
    let index = 0;
    const calls: [string, (target: unknown, args: Args, api: A) => Result][] = Object.entries(
      binding.call ?? {},
    );
    if (binding.pairs) calls.push(["pairs", (target) => this.#pairs(binding, target)]);
    for (const [name, call] of calls) {
      const pointer = lua.define((lua) => this.#call(lua, kind, call));
      methods.set(lua.key(name).pointer, { index: index++, pointer, idle: 0 });
    }
  }

  #defineMetamethods(kind: Kind, setters: Setters<A>): void {
    const { lua } = this.#objects;
    const { binding, metatable } = kind;
    const metamethods: Record<string, ((lua: Lua) => number) | undefined> = {
      __index: (lua) => this.#index(lua, kind),
      __newindex: (lua) => this.#newIndex(lua, kind, setters),
      __call: binding.lookup ? (lua) => this.#lookup(lua, kind) : binding.pairs && (() => {
        throw new ScriptError(notIterator(binding.name));
      }),
      __tostring: (lua) => {
        lua.pushText(this.#objects.describe(1, true) ?? binding.name);
        return 1;
      },
      __len: binding.length && ((lua) => this.#length(lua, kind)),
      __pairs: binding.pairs && ((lua) => {
        const handle = this.#selfAt(kind, 1);
        if (handle) this.#pairs(binding, handle.target);
        else this.#objects.tables.pushWalk(() => lua.newTable());
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
  }

  /** The handle of the object at a stack index, if it is of this kind and its target exists. */
  #selfAt(kind: Kind, index: number): Handle | undefined {
    const handle = this.#objects.handleOf(index);
    return handle?.kind === kind ? handle : undefined;
  }

  #index(lua: Lua, kind: Kind): number {
    const handle = this.#selfAt(kind, 1);
    const name = lua.pointer(2);
    const get = kind.getters.get(name);
    if (get) {
      if (!isAlive(handle, this.#api) && !this.#lasts(handle, 2)) return 0;
      pushOne(lua, get(handle.target, this.#api));
      return 1;
    }
    const method = kind.methods.get(name);
    if (method) {
      this.#pushMethod(method, handle);
      return 1;
    }
    const { other } = kind.binding;
    if (!other || !isAlive(handle, this.#api)) return 0;
    const type = lua.type(2);
    if (type !== STRING && type !== NUMBER) return 0;
    const key = type === NUMBER ? lua.toNumber(2) : fromUtf8(lua.bytes(2));
    pushOne(lua, other(handle.target, key, this.#api));
    return 1;
  }

  /** Whether a property, whose name is at a stack index, outlives its target. */
  #lasts(handle: Handle | undefined, name: number): handle is Handle {
    const lasting = handle?.kind.binding.lasting;
    return lasting !== undefined && lasting.includes(this.#objects.lua.text(name));
  }

  #pushMethod(method: Method, handle: Handle | undefined): void {
    const { lua } = this.#objects;
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
    if (handle.ref === 0) return; // a reference to the method would keep the object
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
      if (isAlive(handle, this.#api)) set(handle.target, new Args(lua, 3), this.#api);
    } else if (name !== 0 && (kind.getters.has(name) || kind.methods.has(name))) {
      this.#objects.warn(`${kind.binding.name}.${lua.text(2)} cannot be assigned`);
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
      else if (this.#isOfKind(kind, 1)) return 0; // the target is gone
    }
    handle ??= this.#selfAt(kind, upvalue(1));
    if (!handle) return 0;
    const result = call(handle.target, new Args(lua, first, top), this.#api);
    if (result === undefined) return 0;
    if (result === PUSHED) return lua.top - top;
    pushOne(lua, result);
    return 1;
  }

  #isOfKind(kind: Kind, index: number): boolean {
    const { lua } = this.#objects;
    if (!lua.getMetatable(index)) return false;
    const same = lua.pointer(-1) === kind.metatablePointer;
    lua.pop();
    return same;
  }

  #lookup(lua: Lua, kind: Kind): number {
    const handle = this.#selfAt(kind, 1);
    // `for … in object do` calls it with a state and a control variable, which are nil.
    if (lua.top === 3 && lua.type(2) === NIL && lua.type(3) === NIL) {
      this.#objects.mistake(notIterator(kind.binding.name));
      lua.pushNil();
      return 1;
    }
    const value = isAlive(handle, this.#api)
      ? kind.binding.lookup!(handle.target, new Args(lua, 2), this.#api)
      : undefined;
    if (value === undefined) return 0;
    pushOne(lua, value);
    return 1;
  }

  #length(lua: Lua, kind: Kind): number {
    const handle = this.#selfAt(kind, 1);
    lua.pushNumber(isAlive(handle, this.#api) ? kind.binding.length!(handle.target, this.#api) : 0);
    return 1;
  }

  #pairs<T>(binding: Binding<T, A>, target: T): typeof PUSHED {
    this.#objects.tables.pushWalk(() => binding.pairs!(target, this.#api));
    return PUSHED;
  }
}

const notIterator = (name: string): string =>
  `a collection is not an iterator: write for key, value in ${name}:pairs() do`;
