// load, loadstring, loadfile, dofile and require: they load only text, which runs with the global names of the
// application that loads it. API-040, DECISIONS 7 and 20.
import { concat } from "../../bytes/concat.ts";
import { fromUtf8 } from "../../bytes/text.ts";
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
    load: (lua) => load(lua, readChunk(lua), lua.type(1) === STRING ? beginning(lua) : "=(load)"),
    loadstring: (lua) => load(lua, boundedSource(lua, lua.bytes(1)).slice(), beginning(lua)),
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
    require,
  };
  for (const [name, f] of Object.entries(functions)) {
    lua.pushFunction(lua.define(f));
    lua.setField(-2, name);
  }
  lua.pop();
  loaders.set(
    lua,
    [preloader, (lua: Lua) => fileLoader(api, lua)].map((loader) => {
      lua.pushFunction(lua.define(loader));
      return lua.ref();
    }),
  );
}

/** The first bytes of the text at 1, as the chunk's name: Lua keeps a name as long as its chunk. */
const beginning = (lua: Lua): string => fromUtf8(lua.bytes(1).subarray(0, MAX_NAME));

/** Reads the first argument of `load`: a string, or a function that returns it piece by piece. */
function readChunk(lua: Lua): Uint8Array {
  if (lua.type(1) !== FUNCTION) {
    if (lua.type(1) !== STRING) {
      throw new ScriptError("bad argument #1 to 'load' (string expected)");
    }
    return boundedSource(lua, lua.bytes(1)).slice();
  }
  const pieces: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    lua.checkTime(); // the function may be one of ours, during which no hook runs
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
  return concat(pieces);
}

/** Maximum bytes of a chunk or file: compiling runs at some 10 MB/s, and the time limit cannot interrupt it. */
export const MAX_SOURCE = 4 << 20;
/** Maximum characters of `package.path` and of a module's name, and number of templates in a path. */
const MAX_PATH = 4096, MAX_NAME = 256, MAX_TEMPLATES = 64;

/** @throws {ScriptError} if a chunk is longer than {@link MAX_SOURCE}, or no time is left to compile it */
function boundedSource(lua: Lua, source: Uint8Array): Uint8Array {
  if (source.length > MAX_SOURCE) throw new ScriptError("the chunk is too long");
  lua.checkTime();
  return source;
}

/** `load(chunk[, name[, mode[, environment]]])`, whose first argument has been read. */
function load(lua: Lua, source: Uint8Array, text: string): number {
  const name = lua.type(2) === STRING ? lua.text(2) : text;
  if (name.length > MAX_PATH) throw new ScriptError("the name of the chunk is too long");
  if (lua.type(3) === STRING && !lua.text(3).includes("t")) {
    return failure(lua, `attempt to load a text chunk (mode is '${lua.text(3)}')`);
  }
  return pushResult(lua, source, name, lua.top >= 4 ? 4 : 0);
}

/** Pushes the results of a loading function that failed: nil and the reason. */
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

/** Pushes the environment of the nearest caller that has one. */
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
  /** Name of the chunk: `@` and the path. */
  readonly name: string;
}

/** @returns the file, or the reason of the failure */
function readFile(api: Api, path: string): SourceFile | string {
  api.lua.checkTime();
  const place = resolvePath(api, path);
  if ("refusal" in place) return `cannot open ${path}: ${place.refusal}`;
  const { full, within } = place;
  const source = api.host.files.read(full, MAX_SOURCE, within);
  if (source === undefined) return `cannot open ${path}`;
  if (typeof source === "string") return `cannot open ${path}: ${source}`;
  const { www } = api.host;
  return {
    source: sourceOfFile(source),
    name: `@${full.startsWith(www) ? `www/${full.slice(www.length)}` : full}`,
  };
}

/** Loads a module once per application, from its `package.path`. API-040 */
function require(lua: Lua): number {
  const name = lua.text(1);
  if (name.length > MAX_NAME) throw new ScriptError("the name of the module is too long");
  lua.top = 1;
  pushPackage(lua);
  lua.getField(2, "loaded");
  if (lua.type(3) !== TABLE) throw new ScriptError("'package.loaded' must be a table");
  if (lua.getField(3, name) !== NIL) return 1;
  lua.pop();
  const tried = pushLoader(lua, name);
  if (tried !== undefined) throw new ScriptError(`module '${name}' not found:${tried}`);
  lua.pushValue(1);
  lua.c.lua_callk(lua.state, 1, 1, 0, 0);
  if (lua.type(-1) === NIL) {
    lua.pop();
    if (lua.getField(3, name) !== NIL) return 1; // `module` has set it
    lua.pop();
    lua.pushBoolean(true);
  }
  lua.pushValue(-1);
  lua.setField(3, name);
  return 1;
}

/** Pushes the loader of a module that a function of `package.loaders` returns. @returns if none: the places searched */
function pushLoader(lua: Lua, name: string): string | undefined {
  if (lua.getField(2, "loaders") !== TABLE) {
    throw new ScriptError("'package.loaders' must be a table");
  }
  const list = lua.top;
  let tried = "";
  for (let i = 1;; i++) {
    lua.checkTime();
    lua.pushNumber(i);
    if (lua.rawGet(list) === NIL) return tried;
    lua.pushText(name);
    lua.c.lua_callk(lua.state, 1, 1, 0, 0);
    if (lua.type(-1) === FUNCTION) return undefined;
    if (lua.type(-1) === STRING) tried += lua.text(-1);
    lua.top = list;
  }
}

/** `package.loaders[1]`. */
function preloader(lua: Lua): number {
  const name = lua.text(1);
  lua.top = 1;
  pushPackage(lua);
  if (lua.getField(2, "preload") !== TABLE) {
    throw new ScriptError("'package.preload' must be a table");
  }
  if (lua.getField(3, name) === NIL) lua.pushText(`\n\tno field package.preload['${name}']`);
  return 1;
}

/** `package.loaders[2]`: searches the files of `package.path`. */
function fileLoader(api: Api, lua: Lua): number {
  const name = lua.text(1);
  lua.top = 1;
  pushPackage(lua);
  if (lua.getField(2, "path") !== STRING) throw new ScriptError("'package.path' must be a string");
  let tried = "";
  const places = lua.text(3);
  if (places.length > MAX_PATH) throw new ScriptError("'package.path' is too long");
  for (const template of places.split(";", MAX_TEMPLATES)) {
    lua.checkTime();
    const path = template.replaceAll("?", name.replaceAll(".", "/"));
    const file = readFile(api, path);
    if (typeof file !== "string") {
      pushChunk(lua, file);
      return 1;
    }
    tried += `\n\tno file '${path}'`;
  }
  lua.pushText(tried);
  return 1;
}

const DEFAULT_PATH = "./?.lua;./?/init.lua";

/** Pushes the table `package` of the calling application. */
function pushPackage(lua: Lua): void {
  pushCallerEnvironment(lua);
  lua.pushText("package");
  if (lua.get(-2) !== TABLE) throw new ScriptError("'package' must be a table");
  lua.remove(-2);
}

/**
 * Pushes a new table `package` for an application; the libraries are not in it yet. C modules cannot be loaded, so
 * `cpath` is empty. Lua 5.1 Reference Manual, §5.3.
 *
 * @param environment the global variables of the application
 */
export function newPackage(lua: Lua, seeAll: Ref, environment: Ref): void {
  lua.newTable(0, 8);
  const table = lua.top;
  lua.newTable();
  lua.setField(table, "preload");
  const texts = { path: DEFAULT_PATH, cpath: "", config: CONFIG };
  for (const [name, text] of Object.entries(texts)) {
    lua.pushText(text);
    lua.setField(table, name);
  }
  lua.pushRef(seeAll);
  lua.setField(table, "seeall");
  lua.newTable();
  lua.pushValue(-1);
  lua.setField(table, "loaded");
  lua.pushRef(environment);
  lua.setField(-2, "_G");
  lua.pushValue(table);
  lua.setField(-2, "package");
  lua.pop();
  lua.newTable(2, 0);
  for (const [i, loader] of loaders.get(lua)!.entries()) {
    lua.pushNumber(i + 1);
    lua.pushRef(loader);
    lua.rawSet(-3);
  }
  lua.pushValue(-1);
  lua.setField(table, "loaders");
  lua.setField(table, "searchers"); // its name since 5.2
}

/** Separators of folders and templates, the mark of a name, and two marks used only for C modules. */
const CONFIG = "/\n;\n?\n!\n-\n";

/** The functions in a new `package.loaders`. */
const loaders = new WeakMap<Lua, Ref[]>();
