// Makes library/cumulus.lua, the API for the Lua language server, from the tables in docs/api.md.
import { CLASSES, ELEMENTS, LOOKUPS, PARAMETERS, PROPERTIES, RESULTS } from "./library_types.ts";

interface Row {
  /** The heading of the section. */
  readonly section: string;
  /** Heads of the table's first and last column. */
  readonly head: string;
  readonly names: string;
  readonly text: string;
  readonly writable: boolean;
}

/** @returns the rows of all tables of a page */
function rowsOf(page: string): Row[] {
  const rows: Row[] = [];
  let section = "";
  let head: string[] | undefined;
  for (const line of page.split("\n")) {
    const [, heading] = /^## (.*)$/.exec(line) ?? [];
    if (heading) section = heading;
    if (!line.startsWith("|")) {
      head = undefined;
      continue;
    }
    const cells = line.slice(1, -1).split("|").map((cell) => cell.trim());
    const [first = "", second] = cells;
    if (!head) head = cells;
    else if (!/^[-: ]+$/.test(first)) {
      rows.push({
        section,
        head: `${head[0]} ${head.at(-1)}`,
        names: first,
        text: cells.at(-1)!,
        writable: cells.length > 2 && second === "rw",
      });
    }
  }
  return rows;
}

/** @returns one line of Markdown, with the texts of links instead of the links */
const plain = (text: string): string => text.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1");

interface Parameter {
  readonly name: string;
  readonly optional: boolean;
}

/** Reads the parameters of `name(a[, b], c…)`. */
function parametersOf(list: string): Parameter[] {
  const parameters: Parameter[] = [];
  let depth = 0;
  for (const [token] of list.matchAll(/\[|\]|"[^"]*"|[A-Za-z]\w*…?|…/g)) {
    if (token === "[") depth++;
    else if (token === "]") depth--;
    else if (token.endsWith("…")) parameters.push({ name: "...", optional: true });
    else {
      const [name = ""] = token.replaceAll(/"/g, "").split(":");
      parameters.push({ name, optional: depth > 0 });
    }
  }
  const rest = parameters.findIndex(({ name }) => name === "...");
  return rest < 0 ? parameters : parameters.slice(0, rest + 1);
}

const typeOf = (owner: string, method: string, { name }: Parameter): string =>
  name === "..."
    ? "any"
    : PARAMETERS[`${owner}.${method}.${name}`] ?? PARAMETERS[`${method}.${name}`] ??
      PARAMETERS[name] ?? "string";

const resultOf = (owner: string, method: string): string | undefined =>
  RESULTS[`${owner}.${method}`] ?? RESULTS[method];

/** @returns the type of a function */
function functionType(owner: string, name: string, list: string, self?: string): string {
  const parameters = parametersOf(list).map((parameter) =>
    `${parameter.name}${parameter.optional && parameter.name !== "..." ? "?" : ""}: ${
      typeOf(owner, name, parameter)
    }`
  );
  if (self) parameters.unshift(`self: ${self}`);
  const result = resultOf(owner, name)?.replaceAll(/ (json|problem|value|started)\b/g, "")
    .replace(/^(.*) \.\.\.$/, "...: $1");
  return `fun(${parameters.join(", ")})${result ? `: ${result}` : ""}`;
}

/** Reads the names in backticks of a cell: `name`, or `name(parameters)`. */
const namesIn = (cell: string): { name: string; list: string | undefined }[] =>
  [...plain(cell).matchAll(/`(?:[a-z]\w*:)?([A-Za-z]\w*)(?:\(([^`]*)\))?`/g)].map(
    ([, name = "", list]) => ({ name, list }),
  );

class Class {
  readonly fields: string[] = [];
  readonly methods: string[] = [];
  #seen = new Set<string>();

  constructor(readonly name: string) {}

  property(name: string, text: string, writable: boolean): void {
    if (this.#seen.has(name)) return;
    this.#seen.add(name);
    const type = PROPERTIES[`${this.name}.${name}`] ?? PROPERTIES[name];
    if (!type) throw new Error(`tools/library_types.ts has no type for ${this.name}.${name}`);
    this.fields.push(`---@field ${name} ${type} ${writable ? "(may be assigned) " : ""}${text}`);
  }

  event(name: string, list: string, text: string): void {
    if (this.#seen.has(name)) return;
    this.#seen.add(name);
    this.fields.push(
      `---@field ${name}? ${functionType(this.name, name, list, this.name)} ${text}`,
    );
  }

  method(name: string, list: string, text: string): void {
    if (this.#seen.has(name)) return;
    this.#seen.add(name);
    const lines = ["", `---${text}`];
    const walks = name === "pairs" || name === "ipairs";
    const parameters = parametersOf(list);
    for (const parameter of parameters) {
      const mark = parameter.optional && parameter.name !== "..." ? "?" : "";
      lines.push(`---@param ${parameter.name}${mark} ${typeOf(this.name, name, parameter)}`);
    }
    const key = name === "pairs" ? "string" : "integer";
    const result = walks ? `fun(): ${key}, ${ELEMENTS[this.name]}` : resultOf(this.name, name);
    if (result === undefined) {
      throw new Error(
        `tools/library_types.ts has no result for ${this.name}.${name}: "" if it returns nothing`,
      );
    }
    if (result) {
      for (const one of walks ? [result] : result.split(", ")) lines.push(`---@return ${one}`);
    }
    lines.push(
      `function ${this.name}:${name}(${parameters.map(({ name }) => safe(name)).join(", ")}) end`,
    );
    this.methods.push(...lines);
  }

  lines(): string[] {
    const lookup = LOOKUPS[this.name];
    return [
      "",
      `---@class ${this.name}`,
      ...lookup ? [`---@overload ${lookup}`] : [],
      ...this.fields,
      ...OPEN.has(this.name) ? ["---@field [string] any your own fields and functions"] : [],
      ...this.name === "Servers" ? ["---@field [integer] Server"] : [],
      `local ${this.name} = {}`,
      ...this.methods,
    ];
  }
}

/** Classes to whose objects scripts add their own fields. */
const OPEN = new Set(["Cumulus", "Client", "Server", "FlowWriter", "TCPClient"]);

/** Renames a parameter that is a keyword of Lua. */
const safe = (name: string) => name === "end" ? "last" : name;

/** @returns the text of library/cumulus.lua. @param page docs/api.md */
export function library(page: string): string {
  const classes = new Map(
    Object.entries(CLASSES).map(([section, name]) => [section, new Class(name)]),
  );
  const events: string[] = [];
  for (const { section, head, names, text: cell, writable } of rowsOf(page)) {
    const text = plain(cell);
    if (section === "Events" && head.startsWith("Event")) {
      for (const { name, list = "" } of namesIn(names)) {
        events.push("", `---@type ${functionType("", name, list)}`, `${name} = nil`);
      }
      continue;
    }
    const one = classes.get(section);
    if (
      !one || !/^(Property|Method|Member|Event) (Is|Does|Runs|Is or does|Reads|Writes)/.test(head)
    ) {
      continue;
    }
    const isEvent = head.startsWith("Event") || text.startsWith("**yours**");
    for (const { name, list } of namesIn(names)) {
      if (name === "object") continue;
      if (list === undefined) one.property(name, text, writable);
      else if (isEvent) one.event(name, list, text);
      else one.method(name, list, text);
    }
    const walk = /`(ipairs)\(\)`: 1, 2/.exec(text) ?? /\b(pulications)\b/.exec(text);
    if (walk?.[1] === "ipairs") one.method("ipairs", "", "iterates: 1, 2, 3 …, element");
    if (walk?.[1] === "pulications") {
      one.property("pulications", "the old manual's spelling of `publications`", false);
    }
    for (const [, name = ""] of text.matchAll(/`(onConnection)\(client\)` is another name/g)) {
      one.event(name, "client", "another name of `clientHandler`");
    }
  }
  const byteReader = classes.get("ByteReader")!;
  byteReader.property("bytesAvailable", "bytes of the message that are left", false);
  classes.get("Mail")!.event("onSent", "error", "once; `error` is `nil`, or the text of an error");
  return [
    "---@meta",
    "-- The API of CumulusServer for the Lua language server (LuaLS). Generated from docs/api.md by deno task library",
    ...[...classes.values()].flatMap((one) => one.lines()),
    "",
    "---The server.",
    "---@type Cumulus",
    "cumulus = {}",
    "",
    "---The application itself, its parent, and the root.",
    "---@type table<string, any>",
    "super = {}",
    "---@type table<string, any>",
    "www = {}",
    ...["ERROR", "WARN", "NOTE", "INFO", "DEBUG", "TRACE"].flatMap((name) => [
      "",
      "---Writes a line into the log of the server.",
      "---@param ... any",
      `function ${name}(...) end`,
    ]),
    "",
    "-- Events: functions that main.lua defines.",
    ...events,
    "",
  ].join("\n");
}

if (import.meta.main) {
  const root = new URL("../", import.meta.url);
  const page = Deno.readTextFileSync(new URL("docs/api.md", root));
  Deno.mkdirSync(new URL("library", root), { recursive: true });
  Deno.writeTextFileSync(new URL("library/cumulus.lua", root), library(page));
}
