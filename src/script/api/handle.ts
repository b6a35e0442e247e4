import type { FunctionPointer, Lua, Ref } from "../vm/lua.ts";
import type { Binding } from "./binding.ts";
import type { Value } from "./values.ts";

/** The object of one target. */
export class Handle {
  /** The function of each method that scripts have read, bound to this object; 0 if not read. API-004. */
  readonly methods: Ref[] = [];

  /**
   * @param ref reference that keeps the object; 0 while only scripts keep it
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

  /** Pushes the object; nil if only scripts kept it and Lua has collected it. */
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
  /** The function read from an object that is gone. */
  idle: Ref;
}

/** A binding in Lua: the metatable of all its objects, and its members. */
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
