import type { Lua } from "../vm/lua.ts";
import type { Pushable } from "./values.ts";

/** Names and texts as an ordinary Lua table, a new one at each access. */
export class TextTable implements Pushable {
  constructor(readonly entries: ReadonlyMap<string, string>) {}

  push(lua: Lua): void {
    lua.reserve(3);
    lua.newTable(0, this.entries.size);
    for (const [name, value] of this.entries) {
      lua.pushText(name);
      lua.pushText(value);
      lua.rawSet(-3);
    }
  }
}
