// An application's main.lua: runs it and checks the names of its functions.
import { LogLevel } from "../../common/log_level.ts";
import { NIL } from "../vm/lua.ts";
import type { ScriptError } from "../vm/script_error.ts";
import { sourceOfFile } from "../vm/source_file.ts";
import type { Api } from "./api.ts";
import type { LuaApplication } from "./application.ts";
import { misspelledEvents, misspelledText } from "./event_names.ts";

/** Runs a main.lua. @returns the error that it failed with, which was logged */
export function runMain(
  api: Api,
  application: LuaApplication,
  source: Uint8Array,
): ScriptError | undefined {
  const { lua } = api;
  const base = lua.enter();
  return api.perform(application, base, "main.lua", () => {
    const error = lua.load(sourceOfFile(source), `@${application.chunkName}`);
    if (error) {
      lua.leave(base);
      return error;
    }
    lua.pushRef(application.environment.ref);
    lua.c.lua_setupvalue(lua.state, -2, 1);
    const failed = lua.run(base, 0);
    if (!failed) lua.leave(base);
    return failed;
  });
}

/** Warns of functions whose names look like misspelled events. */
export function warnOfNames(api: Api, application: LuaApplication): void {
  const { environment, chunkName } = application;
  for (const { name, event } of misspelledEvents(environment.functions())) {
    const push = () => environment.pushOwn(api.lua.key(name)) !== NIL;
    const { file, line } = api.placeOfFunction(push);
    api.host.log(LogLevel.warn, misspelledText(name, event), file || chunkName, line);
  }
}
