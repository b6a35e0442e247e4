// Where `onHandshake` and `onRendezVousUnknown` send clients to. API-660 to API-664.
import type { Peer } from "../../cluster/roster.ts";
import { BOOLEAN, NIL, NUMBER, STRING, TABLE, TYPE_NAMES } from "../vm/lua.ts";
import type { Api } from "./api.ts";
import { type Broadcaster, broadcaster } from "./broadcaster.ts";
import { server } from "./server.ts";

/** Tables in tables that are looked into. */
const MAX_DEPTH = 16;
const DEFAULT_PORT = 1935;

interface Knock {
  /** What "again" may stand for: the first that is an address, or nothing at all. */
  readonly again: readonly string[];
  /** How often the client has knocked, from 1. */
  readonly attempts: number;
}

/**
 * The addresses among the results of an event, each once, in their order.
 *
 * @param knock of `onHandshake`; without it, "again" is an ordinary text
 * @returns `host:port` each; logs values that are not addresses
 */
export function readRedirection(
  api: Api,
  first: number,
  count: number,
  knock?: Knock,
): Set<string> {
  const { lua, objects } = api;
  const addresses = new Set<string>();

  const add = (text: string): void => {
    if (text === "again" && knock) {
      const known = knock.again.map(addressOf).find((address) => address !== undefined);
      if (known !== undefined) addresses.add(known);
      return;
    }
    const address = addressOf(text);
    if (address === undefined) api.log("error", `"${text}" is not an address`);
    else addresses.add(address);
  };
  const addPeers = (peers: readonly Peer[]) => peers.forEach((peer) => add(peer.publicAddress));

  /** Of several servers the one with the fewest clients; all of them once it has not answered. */
  const chosen = (peers: readonly Peer[]): readonly Peer[] =>
    knock && knock.attempts <= 1 ? api.loadBalance.choose(peers, api.hub.clients.size) : peers;

  const read = (index: number, depth: number): void => {
    switch (lua.type(index)) {
      case NIL:
        return;
      case BOOLEAN:
        if (lua.toBoolean(index)) api.log("error", "true is not an address");
        return;
      case STRING:
        return add(lua.text(index));
      case TABLE: {
        const one = objects.at<Peer>(server, index);
        if (one) return addPeers([one]);
        const several = objects.at<Broadcaster>(broadcaster, index);
        if (several) return addPeers(chosen(several.peers()));
        if (objects.handleAt(index) || depth > MAX_DEPTH) break;
        readTable(lua.absolute(index), depth);
        return;
      }
    }
    api.log("error", `a ${TYPE_NAMES[lua.type(index)]} is neither an address nor a server`);
  };

  /** Elements in their order, then the values of other keys, which have none. */
  const readTable = (table: number, depth: number): void => {
    lua.reserve(3);
    const length = lua.rawLength(table);
    for (let n = 1; n <= length; n++) {
      lua.rawGetIndex(table, n);
      read(lua.top, depth + 1);
      lua.pop();
    }
    for (lua.pushNil(); lua.next(table); lua.pop()) {
      if (lua.type(-2) === NUMBER && isElement(lua.toNumber(-2), length)) continue;
      read(lua.top, depth + 1);
    }
  };

  for (let i = 0; i < count; i++) read(first + i, 0);
  return addresses;
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
