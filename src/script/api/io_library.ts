// The library `io`, over the files that an application may use. DECISIONS 20; Lua 5.4 Reference Manual, §6.8.
import { pushGlobals } from "../vm/libraries.ts";
import { type Lua, NIL, NONE, NUMBER, type Ref, STRING, upvalue, USERDATA } from "../vm/lua.ts";
import { ScriptError } from "../vm/script_error.ts";
import type { Api } from "./api.ts";
import type { HostFile, OpenOptions } from "./host.ts";
import { LuaFile } from "./lua_file.ts";
import { resolvePath } from "./paths.ts";

/** Maximum number of open files of one application. */
const MAX_OPEN = 256;
/** Maximum bytes of one result of a read. */
const MAX_READ = 64 << 20;

const MODES: Readonly<Record<string, OpenOptions>> = {
  "r": { read: true },
  "r+": { read: true, write: true },
  "w": { write: true, create: true, truncate: true },
  "w+": { read: true, write: true, create: true, truncate: true },
  "a": { append: true, create: true },
  "a+": { read: true, append: true, create: true },
};

/** Origin of a position by the first argument of `file:seek`. */
const WHENCE: ReadonlyMap<string, "start" | "current" | "end"> = new Map([
  ["set", "start"],
  ["cur", "current"],
  ["end", "end"],
]);

export function defineIo(api: Api): void {
  new IoLibrary(api).define();
}

/** Functions by their names in Lua; each returns the number of results that it has pushed. */
type Functions = Readonly<Record<string, (lua: Lua) => number>>;

/** Sets functions in the table on top of the stack. */
function setFunctions(lua: Lua, functions: Functions): void {
  for (const [name, f] of Object.entries(functions)) {
    lua.pushFunction(lua.define(f));
    lua.setField(-2, name);
  }
}

class IoLibrary {
  readonly #api: Api;
  readonly #lua: Lua;
  /** Files by the pointers of their userdata, whose `__gc` closes them. */
  readonly #files = new Map<number, LuaFile>();
  readonly #metatable: Ref;
  readonly #output: number;
  readonly #standardOutput: Ref;

  constructor(api: Api) {
    this.#api = api;
    const lua = this.#lua = api.lua;
    lua.newTable();
    this.#metatable = lua.ref();
    const output = this.#pushFile(
      new LuaFile(standardOutput((bytes) => api.host.print(bytes)), () => {}),
    );
    this.#output = output;
    this.#standardOutput = lua.ref();
  }

  define(): void {
    const lua = this.#lua;
    this.#defineMethods();
    pushGlobals(lua);
    lua.newTable();
    setFunctions(lua, this.#functions());
    for (const name of ["stdout", "stderr"]) {
      lua.pushRef(this.#standardOutput);
      lua.setField(-2, name);
    }
    lua.setField(-2, "io");
    lua.pop();
  }

  /** Functions of the table `io`. */
  #functions(): Functions {
    return {
      open: (lua) => this.#open(lua.text(1), lua.type(2) <= NIL ? "r" : lua.text(2)),
      close: (lua) => lua.type(1) === NONE ? 0 : this.#close(this.#fileAt(1)),
      lines: (lua) => this.#linesOf(lua),
      read: (lua) => {
        lua.pushNil(); // no standard input
        return 1;
      },
      write: (lua) => {
        this.#write(this.#files.get(this.#output)!, 1);
        lua.pushRef(this.#standardOutput);
        return 1;
      },
      type: (lua) => {
        const file = lua.type(1) === USERDATA ? this.#files.get(lua.pointer(1)) : undefined;
        if (file) lua.pushText(file.open ? "file" : "closed file");
        else lua.pushNil();
        return 1;
      },
      output: (lua) => {
        if (lua.type(1) > NIL) throw new ScriptError("the standard output cannot be changed");
        lua.pushRef(this.#standardOutput);
        return 1;
      },
    };
  }

  #defineMethods(): void {
    const lua = this.#lua;
    lua.pushRef(this.#metatable);
    lua.newTable();
    setFunctions(lua, this.#methods());
    lua.setField(-2, "__index");
    setFunctions(lua, this.#metamethods());
    lua.pushText("change of metatable prohibited");
    lua.setField(-2, "__metatable");
    lua.pop();
  }

  /** Methods of a file. */
  #methods(): Functions {
    return {
      close: () => this.#close(this.#fileAt(1)),
      flush: (lua) => {
        this.#openAt(1).flush();
        lua.pushValue(1);
        return 1;
      },
      lines: (lua) => {
        const file = this.#openAt(1);
        return this.#pushLines(lua, file, 2, false);
      },
      read: (lua) => this.#read(lua, this.#openAt(1), 2),
      seek: (lua) => this.#seek(lua, this.#openAt(1)),
      setvbuf: (lua) => {
        lua.pushBoolean(true);
        return 1;
      },
      write: (lua) => {
        const failed = this.#write(this.#openAt(1), 2);
        if (failed !== undefined) return this.#failure(failed);
        lua.pushValue(1);
        return 1;
      },
    };
  }

  /** Metamethods of a file. */
  #metamethods(): Functions {
    return {
      __gc: (lua) => {
        const pointer = lua.pointer(1);
        this.#files.get(pointer)?.close();
        this.#files.delete(pointer);
        return 0;
      },
      __close: () => {
        this.#fileAt(1).close();
        return 0;
      },
      __tostring: (lua) => {
        const file = this.#fileAt(1);
        lua.pushText(file.open ? `file (0x${lua.pointer(1).toString(16)})` : "file (closed)");
        return 1;
      },
    };
  }

  /** Pushes a userdata for a file. @returns its pointer */
  #pushFile(file: LuaFile): number {
    const lua = this.#lua;
    lua.c.lua_newuserdatauv(lua.state, 0, 0);
    lua.pushRef(this.#metatable);
    lua.setMetatable(-2);
    const pointer = lua.pointer(-1);
    this.#files.set(pointer, file);
    return pointer;
  }

  #fileAt(index: number): LuaFile {
    const lua = this.#lua;
    const file = lua.type(index) === USERDATA ? this.#files.get(lua.pointer(index)) : undefined;
    if (!file) throw new ScriptError(`bad argument #${index} (file expected)`);
    return file;
  }

  #openAt(index: number): LuaFile {
    const file = this.#fileAt(index);
    if (!file.open) throw new ScriptError("attempt to use a closed file");
    return file;
  }

  /** Pushes the results of a failure: nil, the reason and an error number. */
  #failure(text: string): number {
    this.#lua.pushNil();
    this.#lua.pushText(text);
    this.#lua.pushNumber(1);
    return 3;
  }

  /** Opens a file. @returns the file, or the reason of the failure */
  #openFile(path: string, mode: string): LuaFile | string {
    const options = Object.hasOwn(MODES, mode) ? MODES[mode] : undefined;
    if (!options) throw new ScriptError("bad argument #2 to 'open' (invalid mode)");
    const api = this.#api;
    const place = resolvePath(api, path);
    if ("refusal" in place) return `${path}: ${place.refusal}`;
    const owned = api.running?.owned;
    let open = 0;
    for (const thing of owned ?? []) if (thing instanceof LuaFile) open++;
    if (open >= MAX_OPEN) return `${path}: Too many open files`;
    const opened = api.host.files.open(place.full, options, place.within);
    if (typeof opened === "string") return `${path}: ${opened}`;
    const file = new LuaFile(opened, () => owned?.delete(file));
    owned?.add(file);
    return file;
  }

  #open(path: string, mode: string): number {
    const file = this.#openFile(path, mode.replace("b", ""));
    if (typeof file === "string") return this.#failure(file);
    this.#pushFile(file);
    return 1;
  }

  #close(file: LuaFile): number {
    file.close();
    this.#lua.pushBoolean(true);
    return 1;
  }

  #write(file: LuaFile, first: number): string | undefined {
    const lua = this.#lua;
    for (let i = first, end = lua.top; i <= end; i++) {
      const type = lua.type(i);
      if (type !== STRING && type !== NUMBER) {
        throw new ScriptError(`bad argument #${i - first + 1} to 'write' (string expected)`);
      }
      const failed = file.write(lua.copyBytes(i));
      if (failed !== undefined) return failed;
    }
    return undefined;
  }

  #seek(lua: Lua, file: LuaFile): number {
    const whence = lua.type(2) <= NIL ? "cur" : lua.text(2);
    const from = WHENCE.get(whence);
    if (!from) throw new ScriptError(`bad argument #1 to 'seek' (invalid option '${whence}')`);
    const place = file.seek(from, Math.trunc(lua.toNumber(3)));
    if (typeof place === "string") return this.#failure(place);
    lua.pushNumber(place);
    return 1;
  }

  /** Reads one value for each format from stack index `first` on; a line if no format is given. */
  #read(lua: Lua, file: LuaFile, first: number): number {
    const last = lua.top;
    if (last < first) return this.#pushRead(file, "l") ? 1 : this.#ended(file, 1);
    lua.reserve(last - first + 4);
    for (let i = first; i <= last; i++) {
      const format = lua.type(i) === NUMBER ? lua.toNumber(i) : lua.text(i).replace(/^\*/, "")[0];
      if (!this.#pushRead(file, format ?? "")) return this.#ended(file, i - first + 1);
    }
    return last - first + 1;
  }

  /** Returns from a read that ended with nil: at the end of the file, or with an error. */
  #ended(file: LuaFile, count: number): number {
    const { error } = file;
    file.error = undefined;
    return error === undefined ? count : this.#failure(error);
  }

  /** Reads by a format and pushes the result. @returns false if that is nil */
  #pushRead(file: LuaFile, format: string | number): boolean {
    const lua = this.#lua;
    let bytes: Uint8Array | undefined;
    if (typeof format === "number") bytes = file.bytes(Math.min(format, MAX_READ));
    else if (format === "l" || format === "L") bytes = file.line(format === "L", MAX_READ);
    else if (format === "a") bytes = file.all(MAX_READ);
    else if (format === "n") {
      const number = Number(file.number() || NaN);
      if (Number.isNaN(number)) lua.pushNil();
      else lua.pushNumber(number);
      return !Number.isNaN(number);
    } else throw new ScriptError("bad argument to 'read' (invalid format)");
    if (bytes) lua.pushBytes(bytes);
    else lua.pushNil();
    return bytes !== undefined;
  }

  /** `io.lines(path, …)`. */
  #linesOf(lua: Lua): number {
    const path = lua.text(1);
    const file = this.#openFile(path, "r");
    if (typeof file === "string") throw new ScriptError(file);
    return this.#pushLines(lua, file, 2, true);
  }

  /** Pushes a function that reads with the formats from stack index `first` on; a line if no format is given. */
  #pushLines(lua: Lua, file: LuaFile, first: number, closes: boolean): number {
    const formats = lua.top - first + 1;
    if (closes) this.#pushFile(file);
    else lua.pushValue(1); // the file stays open as long as it is read
    lua.insert(first);
    lua.pushBoolean(closes);
    lua.insert(first + 1);
    lua.pushNumber(Math.max(0, formats));
    lua.insert(first + 2);
    this.#nextLine ??= lua.define((lua) => this.#readLine(lua));
    lua.pushFunction(this.#nextLine, 3 + Math.max(0, formats));
    return 1;
  }

  #nextLine: number | undefined;

  #readLine(lua: Lua): number {
    const file = this.#files.get(lua.pointer(upvalue(1)));
    if (!file?.open) throw new ScriptError("file is already closed");
    const formats = lua.toNumber(upvalue(3));
    lua.top = 0;
    lua.reserve(formats + 4);
    for (let i = 0; i < formats; i++) lua.pushValue(upvalue(4 + i));
    const count = this.#read(lua, file, 1);
    if (lua.type(-count) === NIL) {
      if (count > 1) throw new ScriptError(lua.text(-count + 1));
      if (lua.toBoolean(upvalue(2))) file.close();
    }
    return count;
  }
}

/** The server's standard output as a file, for `io.write`. */
function standardOutput(print: (bytes: Uint8Array) => void): HostFile {
  return {
    read: () => "Bad file descriptor",
    write: (bytes) => {
      print(bytes);
      return undefined;
    },
    seek: () => "Illegal seek",
    truncate: () => "Invalid argument",
    flush: () => {},
    close: () => {},
  };
}
