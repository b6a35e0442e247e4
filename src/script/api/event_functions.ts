import { pushClone } from "../vm/function_environment.ts";
import { FUNCTION, type Key, type Lua, NIL, type Ref } from "../vm/lua.ts";
import type { Environment } from "./environment.ts";

/** The parts of an application in which its event functions are looked up. */
interface Place {
  readonly environment: Environment;
  readonly parent: Place | undefined;
}

/** An event function of a parent, as it runs for this application. */
interface Inherited {
  /** The parent's function, kept so that no other one takes its place in memory. */
  readonly original: Ref;
  readonly pointer: number;
  readonly clone: Ref;
}

/**
 * The event functions of an application: its own, or those of the nearest parent that defines them, which then
 * run with the names of this application. API-032, API-033
 */
export class EventFunctions {
  readonly #inherited = new Map<Key, Inherited>();

  constructor(readonly lua: Lua, readonly place: Place) {}

  /** Pushes the function of an event. @returns false, without pushing, if there is none */
  push(key: Key): boolean {
    const { lua } = this;
    let place: Place | undefined = this.place;
    for (; place; place = place.parent) {
      const type = place.environment.pushOwn(key);
      if (type === FUNCTION) {
        if (place !== this.place) this.#replace(key);
        return true;
      }
      if (type === NIL) continue;
      lua.pop();
      return false;
    }
    return false;
  }

  /** As {@link push}, but ignores parents. */
  pushOwn(key: Key): boolean {
    const type = this.place.environment.pushOwn(key);
    if (type === FUNCTION) return true;
    if (type !== NIL) this.lua.pop();
    return false;
  }

  /** Forgets the parents' functions. */
  forget(): void {
    for (const inherited of this.#inherited.values()) this.#unref(inherited);
    this.#inherited.clear();
  }

  /** Replaces the parent's function on top by its clone for this application. */
  #replace(key: Key): void {
    const { lua } = this;
    const pointer = lua.pointer(-1);
    let inherited = this.#inherited.get(key);
    if (inherited?.pointer !== pointer) {
      if (inherited) this.#unref(inherited);
      lua.pushValue(-1);
      const original = lua.ref();
      lua.pushRef(this.place.environment.ref);
      if (!pushClone(lua, -2)) lua.pushValue(-1); // it uses no global names
      inherited = { original, pointer, clone: lua.ref() };
      this.#inherited.set(key, inherited);
    }
    lua.pop();
    lua.pushRef(inherited.clone);
  }

  #unref({ original, clone }: Inherited): void {
    this.lua.unref(original);
    this.lua.unref(clone);
  }
}
