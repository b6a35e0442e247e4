// load, loadstring, loadfile, dofile and require: text alone, which runs with the global names of the
// application that loads it. API-040, DECISIONS 7 and 20.
import { pushEnvironment } from "../vm/function_environment.ts";
import { pushGlobals } from "../vm/libraries.ts";
import { FUNCTION, type Lua, NIL, type Ref, STRING, TABLE } from "../vm/lua.ts";
import { ScriptError } from "../vm/script_error.ts";
import { sourceOfFile } from "../vm/source_file.ts";
import type { Api } from "./api.ts";
import { resolvePath } from "./paths.ts";

const NOTHING = new Uint8Array(0);

export function defineLoading(api: Api): void {
  const { lua } = api;
  pushGlobals(lua);
  const functions: Record<string, (lua: Lua) => number> = {
    load: (lua) => load(lua, readChunk(lua), lua.type(1) === STRING ? lua.text(1) : "=(load)"),
    loadstring: (lua) => load(lua, lua.copyBytes(1), lua.text(1)),
    loadfile: (lua) => {
      const file = readFile(api, lua.text(1));
      if (typeof file === "string") return failure(lua, file);
      return pushResult(lua, file.source, file.name, lua.top >= 3 ? 3 : 0);
    },
    dofile: (lua) => {
      const file = readFile(api, lua.text(1));
      if (typeof file === "string") throw new ScriptError(file);
      pushChunk(lua, file);
      const below = lua.top - 1;
      lua.c.lua_callk(lua.state, 0, -1, 0, 0);
      return lua.top - below;
    },
    require: (lua) => require(api, lua),
  };
  for (const [name, f] of Object.entries(functions)) {
    lua.pushFunction(lua.define(f));
    lua.setField(-2, name);
  }
  lua.pop();
}

/** The first argument of `load`: a text, or a function that gives it piece by piece. */
function readChunk(lua: Lua): Uint8Array {
  if (lua.type(1) !== FUNCTION) {
    if (lua.type(1) !== STRING) {
      throw new ScriptError("bad argument #1 to 'load' (string expected)");
    }
    return lua.copyBytes(1);
  }
  const pieces: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    lua.checkTime(); // what gives the pieces need not be a function of Lua's
    lua.pushValue(1);
    lua.c.lua_callk(lua.state, 0, 1, 0, 0);
    const type = lua.type(-1);
    if (type > NIL && type !== STRING) {
      throw new ScriptError("reader function must return a string");
    }
    const piece = type === NIL ? NOTHING : lua.copyBytes(-1);
    lua.pop();
    if (piece.length === 0) break;
    length += piece.length;
    if (length > MAX_SOURCE) throw new ScriptError("the chunk is too long");
    pieces.push(piece);
  }
  const chunk = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    chunk.set(piece, at);
    at += piece.length;
  }
  return chunk;
}

const MAX_SOURCE = 16 << 20;

/** `load(chunk[, name[, mode[, environment]]])`, whose first argument has been read. */
function load(lua: Lua, source: Uint8Array, text: string): number {
  const name = lua.type(2) === STRING ? lua.text(2) : text;
  if (lua.type(3) === STRING && !lua.text(3).includes("t")) {
    return failure(lua, `attempt to load a text chunk (mode is '${lua.text(3)}')`);
  }
  return pushResult(lua, source, name, lua.top >= 4 ? 4 : 0);
}

/** nil and the reason: what loading functions give when they fail. */
function failure(lua: Lua, message: string): number {
  lua.pushNil();
  lua.pushText(message);
  return 2;
}

function pushResult(
  lua: Lua,
  source: Uint8Array,
  name: string,
  environment: number,
): number {
  const error = lua.load(source, name);
  if (error) return failure(lua, error.message);
  const f = lua.top;
  if (environment > 0) lua.pushValue(environment);
  else pushCallerEnvironment(lua);
  lua.c.lua_setupvalue(lua.state, f, 1);
  return 1;
}

/** Pushes a file as a function. */
function pushChunk(lua: Lua, { source, name }: SourceFile): void {
  const error = lua.load(source, name);
  if (error) throw error;
  const f = lua.top;
  pushCallerEnvironment(lua);
  lua.c.lua_setupvalue(lua.state, f, 1);
}

/** Pushes the environment of the nearest function that called and has one. */
export function pushCallerEnvironment(lua: Lua): void {
  for (let level = 1; lua.pushCaller(level); level++) {
    const found = !lua.c.lua_iscfunction(lua.state, -1) && pushEnvironment(lua, -1);
    if (found) return lua.remove(-2);
    lua.pop();
  }
  pushGlobals(lua);
}

interface SourceFile {
  readonly source: Uint8Array;
  /** As Lua wants it: `@` and the path. */
  readonly name: string;
}

/** @returns the file, or why there is none */
function readFile(api: Api, path: string): SourceFile | string {
  const full = resolvePath(api, path, true);
  const source = full === undefined ? undefined : api.host.files.read(full);
  if (!source || full === undefined) return `cannot open ${path}`;
  const { www } = api.host;
  return {
    source: sourceOfFile(source),
    name: `@${full.startsWith(www) ? `www/${full.slice(www.length)}` : full}`,
  };
}

/** API-040: once for each application, of which `package.path` tells where to look. */
function require(api: Api, lua: Lua): number {
  const name = lua.text(1);
  lua.top = 1;
  pushPackage(api);
  lua.getField(2, "loaded");
  if (lua.type(3) !== TABLE) throw new ScriptError("'package.loaded' must be a table");
  if (lua.getField(3, name) !== NIL) return 1;
  lua.pop();
  lua.top = 3;
  const tried = pushLoader(api, name);
  if (tried !== undefined) throw new ScriptError(`module '${name}' not found:${tried}`);
  lua.pushValue(1);
  lua.c.lua_callk(lua.state, 1, 1, 0, 0);
  if (lua.type(-1) === NIL) {
    lua.pop();
    if (lua.getField(3, name) !== NIL) return 1; // `module` has entered it
    lua.pop();
    lua.pushBoolean(true);
  }
  lua.pushValue(-1);
  lua.setField(3, name);
  return 1;
}

/** Pushes what loads a module. @returns where it was looked for in vain */
function pushLoader(api: Api, name: string): string | undefined {
  const { lua } = api;
  if (lua.getField(2, "preload") === TABLE && lua.getField(-1, name) === FUNCTION) return undefined;
  lua.top = 3;
  lua.getField(2, "path");
  const path = lua.text(-1) || DEFAULT_PATH;
  lua.pop();
  let tried = `\n\tno field package.preload['${name}']`;
  for (const template of path.split(";")) {
    const file = readFile(api, template.replaceAll("?", name.replaceAll(".", "/")));
    if (typeof file !== "string") {
      pushChunk(lua, file);
      return undefined;
    }
    tried += `\n\t${file}`;
  }
  return tried;
}

const DEFAULT_PATH = "./?.lua;./?/init.lua";

/** Pushes the table `package` of the application that calls. */
function pushPackage(api: Api): void {
  const { lua } = api;
  pushCallerEnvironment(lua);
  lua.pushText("package");
  if (lua.get(-2) !== TABLE) throw new ScriptError("'package' must be a table");
  lua.remove(-2);
}

/** Makes the table `package` for an application and leaves it on the stack. */
export function newPackage(lua: Lua, seeAll: Ref): void {
  lua.newTable(0, 4);
  for (const name of ["loaded", "preload"]) {
    lua.newTable();
    lua.setField(-2, name);
  }
  lua.pushText(DEFAULT_PATH);
  lua.setField(-2, "path");
  lua.pushRef(seeAll);
  lua.setField(-2, "seeall");
}
