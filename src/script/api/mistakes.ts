import { BOOLEAN, NIL, NUMBER, STRING, TYPE_NAMES } from "../vm/lua.ts";
import type { Api } from "./api.ts";
import type { Args } from "./values.ts";

/** Maximum number of warnings until a script is loaded. */
const MAX_WARNINGS = 1_000;

/**
 * Warns of calls that are probably mistakes: once per line of script, which may run for every frame.
 */
export class Mistakes {
  readonly #known = new Set<string>();

  constructor(readonly warn: (text: string) => void) {}

  /** @param place file and line of the call */
  tell(place: string, text: string): void {
    const known = `${place} ${text}`;
    if (this.#known.has(known) || this.#known.size >= MAX_WARNINGS) return;
    this.#known.add(known);
    this.warn(text);
  }

  /** Warns again of every line; called when a script is loaded, whose lines may have moved. */
  forget(): void {
    this.#known.clear();
  }
}

/** Warns that the argument read last is an empty string, or missing. @param what name of the argument */
export function emptyText(args: Args, api: Api, call: string, what: string): void {
  const type = args.typeAt(-1);
  api.mistake(`${call}: the ${what} is ${type === STRING ? "empty" : article(type)}`);
}

/** Warns if the next two arguments are not a time and a packet of bytes. */
export function expectPacket(args: Args, api: Api, name: string): void {
  const call = `${name}(time, packet)`;
  const { lua, at } = args;
  const [time, packet] = [args.typeAt(0), args.typeAt(1)];
  const isTime = time === NUMBER || (time === STRING && lua.c.lua_isnumber(lua.state, at) !== 0);
  if (time === STRING && !isTime && packet === NUMBER) {
    api.mistake(`${call}: the arguments are swapped`);
  } else if (packet <= NIL) api.mistake(`${call}: the packet is missing`);
  else if (!isTime) api.mistake(`${call}: the time is ${article(time)}`);
  else if (packet !== STRING) api.mistake(`${call}: the packet is ${article(packet)}`);
}

const article = (type: number): string =>
  type <= NIL ? "missing" : type === BOOLEAN ? "true or false" : `a ${TYPE_NAMES[type]}`;
