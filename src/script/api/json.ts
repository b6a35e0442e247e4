// cumulus:toJSON and cumulus:fromJSON. API-143, API-144.
import type { Api } from "./api.ts";
import type { Host } from "./host.ts";
import { JsonError } from "./json_error.ts";
import { JsonReader } from "./json_reader.ts";
import { JsonWriter } from "./json_writer.ts";
import type { Binding } from "./binding.ts";
import { PUSHED, type Result } from "./values.ts";

/** The functions as members of `cumulus`. The second argument stands for `null`. */
export const jsonMethods: Required<Pick<Binding<Host, Api>, "call">>["call"] = {
  toJSON: (_, { at, end }, api) =>
    orMessage(api, () => {
      if (at > end) return "null";
      return new JsonWriter(api, end > at ? at + 1 : undefined).write(at);
    }),
  fromJSON: (_, args, api) =>
    orMessage(api, () => {
      const { at, end } = args;
      if (!args.isText) throw new JsonError("the argument is not a string");
      new JsonReader(api.lua, args.bytes(), end > at ? at + 1 : undefined).push();
      return PUSHED;
    }),
};

/** The results of `action`, or nil and an error message. */
function orMessage(api: Api, action: () => Result): Result {
  const { lua } = api;
  const { top } = lua;
  try {
    return action();
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    lua.top = top;
    lua.pushNil();
    lua.pushText(error.message);
    return PUSHED;
  }
}
