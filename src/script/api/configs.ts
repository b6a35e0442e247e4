import { type Lua, type Ref } from "../vm/lua.ts";
import type { ConfigTree } from "./host.ts";
import type { Pushable } from "./values.ts";

/** A value in the registry, as a result for scripts. */
export class Kept implements Pushable {
  constructor(readonly ref: Ref) {}

  push(lua: Lua): void {
    lua.pushRef(this.ref);
  }
}

/** The configuration as one ordinary table, which all applications share. API-102, CFG-060 to CFG-066. */
export function makeConfigs(lua: Lua, tree: ConfigTree): Kept {
  pushTree(lua, tree);
  return new Kept(lua.ref());
}

function pushTree(lua: Lua, tree: ConfigTree): void {
  lua.reserve(3);
  lua.newTable();
  for (const [name, value] of Object.entries(tree)) {
    lua.pushText(name);
    if (value === false) lua.pushBoolean(false);
    else if (typeof value === "string") lua.pushText(value);
    else pushTree(lua, value);
    lua.rawSet(-3);
  }
}
