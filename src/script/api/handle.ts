import type { FunctionPointer, Lua, Ref } from "../vm/lua.ts";
import type { Binding } from "./binding.ts";
import type { Value } from "./values.ts";

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

export interface Method {
  readonly index: number;
  readonly pointer: FunctionPointer;
  /** The function as fetched from an object that is gone. */
  idle: Ref;
}

/** A binding as Lua has it: one metatable for all its objects. */
export interface Kind {
  // deno-lint-ignore no-explicit-any
  readonly binding: Binding<any, any>;
  readonly metatable: Ref;
  readonly metatablePointer: number;
  // deno-lint-ignore no-explicit-any
  readonly getters: Map<number, (target: any, api: any) => Value>;
  readonly methods: Map<number, Method>;
}

/** Whether a target exists: properties of a gone one read nil, its methods do nothing. API-012. */
export function isAlive(handle: Handle | undefined, api: unknown): handle is Handle {
  if (!handle) return false;
  const { alive } = handle.kind.binding;
  return !alive || alive(handle.target, api);
}
