import type { Client } from "../../media/client.ts";
import { BOOLEAN, NIL, STRING } from "../vm/lua.ts";
import type { Api } from "./api.ts";

/** AMF0's marker of an object. AMF-013 */
const OBJECT = 3;

/** Reads the results of `onConnection`. @returns members of the answer. API-636 to API-638 */
export function readAnswer(
  api: Api,
  client: Client,
  first: number,
  count: number,
): Uint8Array | undefined {
  const { lua } = api;
  if (count === 0) return undefined;
  if (api.isPlainTable(first)) return infoMembers(api, client, first);
  if (lua.type(first) === BOOLEAN && !lua.toBoolean(first)) {
    api.log("warn", "onConnection returned false, which does not refuse the client: use error");
  } else if (lua.type(first) !== NIL) {
    api.log("warn", "onConnection returned something other than a table");
  }
  return undefined;
}

/** The fields of a table as members of an AMF0 object, for the answer. API-636 */
function infoMembers(api: Api, client: Client, index: number): Uint8Array {
  const { lua } = api;
  // Only names: with elements, it would be encoded as an array.
  lua.newTable();
  const members = lua.top;
  let others = 0;
  lua.pushNil();
  while (lua.next(index)) {
    if (lua.type(-2) === STRING) {
      lua.pushValue(-2);
      lua.insert(-2);
      lua.rawSet(members);
    } else {
      others++;
      lua.pop();
    }
  }
  if (others > 0) api.log("warn", leftOut(others));
  lua.pushNil();
  if (!lua.next(members)) {
    lua.pop();
    return new Uint8Array(0);
  }
  lua.pop(2);
  const form = client.connection.objectEncoding === 3 ? "mixed" : "amf0";
  const object = api.toAmf.encode(members, 1, form);
  lua.pop();
  return object[0] === OBJECT ? object.subarray(1, -3) : new Uint8Array(0);
}

const leftOut = (count: number): string =>
  `onConnection returned a table with ${count} key${count === 1 ? "" : "s"} other than strings, ` +
  "left out";
