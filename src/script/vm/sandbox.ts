// Closes functions that scripts could use against the server; runs after the prelude. DECISIONS 20.
import bounds from "./sandbox/bounds.lua" with { type: "text" };
import common from "./sandbox/common.lua" with { type: "text" };
import coroutines from "./sandbox/coroutines.lua" with { type: "text" };
import metatables from "./sandbox/metatables.lua" with { type: "text" };
import patterns from "./sandbox/patterns.lua" with { type: "text" };
import seal from "./sandbox/seal.lua" with { type: "text" };
import tables from "./sandbox/tables.lua" with { type: "text" };

/** One chunk, so that the local names of the first file serve all. */
export const SANDBOX = [common, coroutines, metatables, bounds, tables, patterns, seal].join("\n");
