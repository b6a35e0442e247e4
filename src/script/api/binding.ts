// The members that an API object has for scripts. API-001 to API-014.
import type { Args, Result, Value } from "./values.ts";

/** The members of a `T` for scripts; the keys are public API. `A` is the context of the functions. */
export interface Binding<T, A> {
  /** Name of such an object in messages. */
  readonly name: string;
  readonly get?: { readonly [name: string]: (target: T, api: A) => Value };
  /** Properties that may be assigned. */
  readonly set?: { readonly [name: string]: (target: T, args: Args, api: A) => void };
  readonly call?: { readonly [name: string]: (target: T, args: Args, api: A) => Result };
  /** Looks up other names, and `object[n]`. */
  readonly other?: (target: T, name: string | number, api: A) => Value;
  /** `object(…)`. API-009. */
  readonly lookup?: (target: T, args: Args, api: A) => Value;
  /** Text that distinguishes an object in messages; undefined: its address in memory. */
  readonly label?: (target: T, api: A) => string;
  /** Properties that scripts can still read when the target is gone. */
  readonly lasting?: readonly string[];
  /** Pushes a new table for `pairs` to walk. API-007. */
  readonly pairs?: (target: T, api: A) => void;
  /** `#object`. */
  readonly length?: (target: T, api: A) => number;
  /** False when the target is gone: then properties read nil and methods do nothing. API-012. */
  readonly alive?: (target: T, api: A) => boolean;
  /** Called when Lua has collected the object of a target that only scripts kept. */
  readonly dropped?: (target: T, api: A) => void;
  /** Other targets, whose objects are released with this one. */
  readonly parts?: (target: T) => Iterable<unknown>;
}

/** Result of `getmetatable` for an API object. */
export const METATABLE_TEXT = "change of metatable prohibited";
