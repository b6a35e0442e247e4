/**
 * Closes what a script could use against the server. DECISIONS 20.
 *
 * Runs after the prelude, with all libraries open; what it leaves in `_G` is what scripts find. `machine` holds
 * functions of the machine: `exhausted()`, whether time is up; `threads`, the table of all coroutines;
 * `checkTime()`, which raises an error if it is; `measure(pattern)` and `rehearse(text, pattern, first, all)`, see
 * pattern.ts.
 */
export const SANDBOX = String.raw`
local machine = ...
local type, error, rawget, rawset, tostring, tonumber = type, error, rawget, rawset, tostring, tonumber
local getmetatable, setmetatable, xpcall, collectgarbage =
  getmetatable, setmetatable, xpcall, collectgarbage
local string, table, coroutine = string, table, coroutine
local running = coroutine.running
local exhausted, threads, checkTime, measure, rehearse =
  machine.exhausted, machine.threads, machine.checkTime, machine.measure, machine.rehearse

local function expected(n, name, what, value)
  error("bad argument #" .. n .. " to '" .. name .. "' (" .. what .. " expected, got " ..
    (value == nil and "no value" or type(value)) .. ")", 3)
end

----- time ends for coroutines too: all of them are known

local create, wrap = coroutine.create, coroutine.wrap

function coroutine.create(f)
  if type(f) ~= "function" then expected(1, "create", "function", f) end
  local thread = create(f)
  threads[thread] = true
  return thread
end

function coroutine.wrap(f)
  if type(f) ~= "function" then expected(1, "wrap", "function", f) end
  return wrap(function(...)
    threads[running()] = true
    return f(...)
  end)
end

----- finalizers and message handlers would run where time is not measured

function _G.setmetatable(t, metatable)
  if type(t) ~= "table" then expected(1, "setmetatable", "table", t) end
  if metatable ~= nil and type(metatable) ~= "table" then
    expected(2, "setmetatable", "nil or table", metatable)
  end
  local old = getmetatable(t)
  if old ~= nil and type(old) ~= "table" then error("cannot change a protected metatable", 2) end
  local finalizer = metatable and rawget(metatable, "__gc")
  if finalizer == nil then return setmetatable(t, metatable) end
  rawset(metatable, "__gc", nil)
  setmetatable(t, metatable)
  rawset(metatable, "__gc", finalizer)
  return t
end

local traceback = debug.traceback

function _G.xpcall(f, handler, ...)
  if handler == traceback then return xpcall(f, handler, ...) end
  return xpcall(f, function(message)
    if exhausted() then return message end
    return handler(message)
  end, ...)
end

_G.debug = { traceback = traceback }

function _G.collectgarbage(what, argument)
  what = what == nil and "collect" or tostring(what)
  if what == "count" then return collectgarbage("count") end
  checkTime()
  if what == "collect" then return collectgarbage("collect") end
  if what == "step" then return collectgarbage("step", argument) end
  if what == "isrunning" then return true end
  return 0 -- how garbage is collected is not the business of one application
end

----- work that no limit of time would reach, as it is one instruction

local LONG = 1000000

local rep = string.rep
function string.rep(s, n, separator)
  if s == "" and (separator == nil or separator == "") then return "" end
  if (tonumber(n) or 0) > LONG then checkTime() end
  return rep(s, n, separator)
end

-- What a table says of its own length may be a lie.
local function bounded(name, native)
  return function(t, ...)
    if type(t) ~= "table" then expected(1, name, "table", t) end
    if getmetatable(t) ~= nil and #t > LONG then error("table too long", 2) end
    return native(t, ...)
  end
end

table.insert = bounded("insert", table.insert)
table.remove = bounded("remove", table.remove)
table.concat = bounded("concat", table.concat)

local sort = table.sort
function table.sort(t, before)
  if type(t) ~= "table" then expected(1, "sort", "table", t) end
  local n = #t
  if n > LONG then error("too many elements to sort", 2) end
  if n > LONG / 100 then checkTime() end
  return sort(t, before)
end

local move = table.move
function table.move(a, first, last, to, b)
  if type(a) ~= "table" then expected(1, "move", "table", a) end
  local i, j = tonumber(first), tonumber(last)
  if i and j and j - i >= LONG and j - i >= #a + LONG then error("too many elements to move", 2) end
  return move(a, first, last, to, b)
end

-- Patterns can take time beyond all measure: long texts are rehearsed, with a limit.
local costs, known = {}, 0

local function cost(pattern)
  if known > 1000 then costs, known = {}, 0 end
  local k = measure(pattern)
  costs[pattern] = k
  known = known + 1
  return k
end

local LIMIT = 1e7

local function guarded(name, native, all)
  return function(s, pattern, third, fourth)
    if type(s) ~= "string" then
      if type(s) ~= "number" then expected(1, name, "string", s) end
      s = tostring(s)
    end
    if type(pattern) ~= "string" then
      if type(pattern) ~= "number" then expected(2, name, "string", pattern) end
      pattern = tostring(pattern)
    end
    local k = costs[pattern] or cost(pattern)
    if k > 1 and (#s) ^ k > LIMIT and not (name == "find" and fourth) then
      rehearse(s, pattern, not all and third or 1, all)
    end
    return native(s, pattern, third, fourth)
  end
end

string.find = guarded("find", string.find, false)
string.match = guarded("match", string.match, false)
string.gmatch = guarded("gmatch", string.gmatch, true)
string.gfind = string.gmatch
local gsub = guarded("gsub", string.gsub, true)
function string.gsub(s, pattern, replacement, n)
  local kind = type(replacement)
  if kind ~= "string" and kind ~= "function" and kind ~= "table" and kind ~= "number" then
    expected(3, "gsub", "string/function/table", replacement)
  end
  return gsub(s, pattern, replacement, n)
end

_G._VERSION = "Lua 5.1" -- scripts ask for it to know what they may use
setmetatable(_G, { __metatable = "change of metatable prohibited" })
`;
