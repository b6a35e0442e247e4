// Functions that clients call: those that a script has set on the client object. API-230 to API-235.
import type { AmfReader } from "../../amf/mod.ts";
import type { Client } from "../../media/client.ts";
import { Refused } from "../../media/refused.ts";
import { type Api, surplus } from "./api.ts";
import type { LuaApplication } from "./application.ts";
import type { Place } from "./place.ts";

/** Calls a function that the script has set on the client object. API-230 to API-235. */
export function callClientFunction(
  api: Api,
  application: LuaApplication,
  client: Client,
  name: string,
  values: AmfReader,
): boolean {
  const { lua } = api;
  const base = lua.enter();
  if (!api.pushObjectFunction(api.objects.find(client), name)) {
    lua.leave(base);
    return false;
  }
  const error = api.perform(application, base, name, () => {
    api.fromAmf.push(values);
    const error = lua.run(base, -1);
    api.definedAt = placeOfCall(api, client, name);
    if (error) return error;
    answer(api, client, name, base + 1, lua.top - base);
    lua.leave(base);
  }, { client, step: "call", name });
  if (error) throw new Refused(api.clientText(error) || "Unknown error");
  return true;
}

/** A closure of its own: one inside {@link callClientFunction} would keep the message alive, which costs more. */
function placeOfCall(api: Api, client: Client, name: string): () => Place {
  return () => api.placeOfFunction(() => api.pushObjectFunction(api.objects.find(client), name));
}

/** Sends the first result of a call, if there is one. API-232, API-233 */
function answer(api: Api, client: Client, name: string, first: number, count: number): void {
  if (count > 1) api.log("warn", surplus(name, count, 1));
  if (count === 0) return;
  const form = client.connection.objectEncoding === 3 ? "amf3" : "amf0";
  client.writer.result(api.toAmf.encode(first, 1, form));
}
