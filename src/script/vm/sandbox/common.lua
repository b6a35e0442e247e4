-- Closes functions that scripts could use against the server. DECISIONS 20.
--
-- The files of this folder are one chunk, in the order of sandbox.ts: all of them see the local names of this one.
-- Runs after the prelude, with all libraries open; scripts get the `_G` that it leaves. `machine` holds
-- functions of the machine: `exhausted()`, whether time is up; `threads`, the table of all coroutines;
-- `checkTime()`, which raises an error if it is; `measure(pattern)` and `rehearse(text, pattern, first, all)`, see
-- pattern.ts; `locate(text, part, first)`, `string.find` without patterns, see locate.ts; `allowHooks(thread)`, see
-- time_limit.ts; and `environments`, the parts of the metatable of each application's environment.

local machine = ...
local type, error, rawget, rawset, tostring, tonumber = type, error, rawget, rawset, tostring, tonumber
local getmetatable, setmetatable, pcall, xpcall, collectgarbage =
  getmetatable, setmetatable, pcall, xpcall, collectgarbage
local string, table, coroutine = string, table, coroutine
local select, rawequal, tointeger, mtype, floor = select, rawequal, math.tointeger, math.type, math.floor
local find, nativeGsub = string.find, string.gsub
local running = coroutine.running
local exhausted, threads, checkTime = machine.exhausted, machine.threads, machine.checkTime
local allowHooks = machine.allowHooks
local measure, rehearse, locate = machine.measure, machine.rehearse, machine.locate
local environments, G = machine.environments, _G
local LEVELS = 1000000 -- beyond any stack

-- Raises an error at the line of the script that called the caller of this function; functions in between must make
-- tail calls.
local function expected(n, name, what, value)
  error("bad argument #" .. n .. " to '" .. name .. "' (" .. what .. " expected, got " ..
    (value == nil and "no value" or type(value)) .. ")", 3)
end

--- A position or count as 5.1 read it: numeric strings too, without a fraction.
local function whole(value)
  if mtype(value) == "integer" then return value end
  local n = tonumber(value)
  if not n or n ~= n then return value end
  if n >= 2^53 then return 1 << 53 end
  if n <= -2^53 then return -1 << 53 end
  return tointeger(n < 0 and -floor(-n) or floor(n))
end

local LONG = 1000000 -- bytes or elements: work on them takes milliseconds
local MUCH = 10000 -- bytes or elements: work on them takes less than a millisecond
