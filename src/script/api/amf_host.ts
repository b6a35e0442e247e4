import type { Lua } from "../vm/lua.ts";
import type { Objects } from "./objects.ts";

/** The surroundings of the conversion between AMF and Lua. */
export interface AmfHost {
  readonly lua: Lua;
  readonly objects: Pick<Objects<AmfHost>, "of" | "find" | "at" | "release">;
  log(level: "error" | "warn", text: string): void;
  /**
   * Runs `onTypedObject(type, object)` of the application being served; the object is on top of the stack
   * and stays there. API-616, AMF-060.
   */
  onTypedObject(type: Uint8Array): void;
  /** Sets those globals of the application being served to nil that hold the value at a stack index. API-045. */
  eraseGlobals(index: number): void;
}
