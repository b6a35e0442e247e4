// Reads the addresses to which `onHandshake` and `onRendezVousUnknown` redirect clients. API-660 to API-664.
import type { Peer } from "../../cluster/roster.ts";
import { BOOLEAN, NIL, NUMBER, STRING, TABLE, TYPE_NAMES } from "../vm/lua.ts";
import type { Api } from "./api.ts";
import { type Broadcaster, broadcaster } from "./broadcaster.ts";
import { server } from "./server.ts";

/** Maximum depth of nested tables. */
const MAX_DEPTH = 16;
const DEFAULT_PORT = 1935;

interface Attempt {
  /** "again" stands for the first of these that is an address. */
  readonly again: readonly string[];
  /** Number of attempts of the client, this one included. */
  readonly attempts: number;
}

/**
 * The addresses among the results of an event, each once, in their order.
 *
 * @param attempt of `onHandshake`; without it, "again" is an ordinary text
 * @returns `host:port` each; logs values that are not addresses
 */
export function readRedirection(
  api: Api,
  first: number,
  count: number,
  attempt?: Attempt,
): Set<string> {
  const addresses = new Addresses(api, attempt);
  for (let i = 0; i < count; i++) readValue(api, addresses, first + i, 0);
  return addresses.found;
}

/** Collects addresses. */
class Addresses {
  /** `host:port` each. */
  readonly found = new Set<string>();
  readonly #api: Api;
  readonly #attempt: Attempt | undefined;

  constructor(api: Api, attempt: Attempt | undefined) {
    this.#api = api;
    this.#attempt = attempt;
  }

  add(text: string): void {
    if (text === "again" && this.#attempt) {
      const known = this.#attempt.again.map(addressOf).find((address) => address !== undefined);
      if (known !== undefined) this.found.add(known);
      return;
    }
    const address = addressOf(text);
    if (address === undefined) this.#api.log("error", `"${text}" is not an address`);
    else this.found.add(address);
  }

  /** Adds the server with the fewest clients at the first attempt, and all of them later. */
  addServers(peers: readonly Peer[]): void {
    const isFirst = this.#attempt && this.#attempt.attempts <= 1;
    const { loadBalance, hub } = this.#api;
    const chosen = isFirst ? loadBalance.choose(peers, hub.clients.size) : peers;
    for (const peer of chosen) this.add(peer.publicAddress);
  }
}

function readValue(api: Api, addresses: Addresses, index: number, depth: number): void {
  const { lua, objects } = api;
  switch (lua.type(index)) {
    case NIL:
      return;
    case BOOLEAN:
      if (lua.toBoolean(index)) api.log("error", "true is not an address");
      return;
    case STRING:
      return addresses.add(lua.text(index));
    case TABLE: {
      const one = objects.at<Peer>(server, index);
      if (one) return addresses.add(one.publicAddress);
      const several = objects.at<Broadcaster>(broadcaster, index);
      if (several) return addresses.addServers(several.peers());
      if (objects.handleAt(index) || depth > MAX_DEPTH) break;
      return readTable(api, addresses, lua.absolute(index), depth);
    }
  }
  api.log("error", `a ${TYPE_NAMES[lua.type(index)]} is neither an address nor a server`);
}

/** Reads the elements in order, then the values of other keys in any order. */
function readTable(api: Api, addresses: Addresses, table: number, depth: number): void {
  const { lua } = api;
  lua.reserve(3);
  const length = lua.rawLength(table);
  for (let n = 1; n <= length; n++) {
    lua.rawGetIndex(table, n);
    readValue(api, addresses, lua.top, depth + 1);
    lua.pop();
  }
  for (lua.pushNil(); lua.next(table); lua.pop()) {
    if (lua.type(-2) === NUMBER && isElement(lua.toNumber(-2), length)) continue;
    readValue(api, addresses, lua.top, depth + 1);
  }
}

const isElement = (key: number, length: number): boolean =>
  key >= 1 && key <= length && Number.isInteger(key);

/** `host:port` of a text that may lack the port (API-663); undefined if it is not an address. */
function addressOf(text: string): string | undefined {
  const match = /^\s*(\[[0-9a-f:.]+\]|[^\s:/[\]]+)(?::(\d{1,5}))?\s*$/i.exec(text);
  if (!match) return undefined;
  const port = match[2] === undefined ? DEFAULT_PORT : Number(match[2]);
  return port > 0 && port < 65_536 ? `${match[1]}:${port}` : undefined;
}
