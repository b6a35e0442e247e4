// The members that an API object has for scripts. API-001 to API-014.
import type { Args, Result, Value } from "./values.ts";

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

/** What `getmetatable` tells scripts of an object. */
export const METATABLE_TEXT = "change of metatable prohibited";
