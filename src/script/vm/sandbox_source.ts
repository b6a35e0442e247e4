/**
 * Closes what a script could use against the server. DECISIONS 20.
 *
 * Runs after the prelude, with all libraries open; what it leaves in `_G` is what scripts find. `machine` holds
 * functions of the machine: `exhausted()`, whether time is up; `threads`, the table of all coroutines;
 * `checkTime()`, which raises an error if it is; `measure(pattern)` and `rehearse(text, pattern, first, all)`, see
 * pattern.ts; `environments`, by environment of an application what its metatable is made of; `locate(text, part, first)`, as `string.find` without patterns, see locate.ts.
 */
export const SANDBOX = String.raw`
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

-- Told to whoever called the function that calls this, by a tail call if in between.
local function expected(n, name, what, value)
  error("bad argument #" .. n .. " to '" .. name .. "' (" .. what .. " expected, got " ..
    (value == nil and "no value" or type(value)) .. ")", 3)
end

--- A position or a count, as 5.1 read it: without its fraction, and from a text that is a number.
local function whole(value)
  if mtype(value) == "integer" then return value end
  local n = tonumber(value)
  if not n or n ~= n then return value end
  if n >= 2^53 then return 1 << 53 end
  if n <= -2^53 then return -1 << 53 end
  return tointeger(n < 0 and -floor(-n) or floor(n))
end

----- time ends for coroutines too: all of them are known

local create, wrap = coroutine.create, coroutine.wrap

function coroutine.create(f)
  if type(f) ~= "function" then expected(1, "create", "function", f) end
  local thread = create(f)
  threads[thread] = true
  return thread
end

local function passOn(ok, ...)
  if ok then return ... end
  error((...), 0)
end

--- The hook is off after it has raised an error in a coroutine, also in what is closed then (<close>): a protected
--- call inside the coroutine turns it on again before anything is closed.
function coroutine.wrap(f)
  if type(f) ~= "function" then expected(1, "wrap", "function", f) end
  return wrap(function(...)
    threads[running()] = true
    return passOn(pcall(f, ...))
  end)
end

local close = coroutine.close
function coroutine.close(thread)
  if type(thread) ~= "thread" then expected(1, "close", "coroutine", thread) end
  allowHooks(thread)
  return close(thread)
end

--- nil for what is no coroutine, as in 5.1; the second result is that of 5.4.
function coroutine.running()
  local thread, main = running()
  if main then return nil, true end
  return thread, false
end

----- finalizers and message handlers would run where time is not measured

function _G.setmetatable(t, metatable)
  if type(t) ~= "table" then expected(1, "setmetatable", "table", t) end
  local environment = environments[t]
  if environment and (metatable == nil or type(metatable) == "table") then
    local own = environment.own
    if own and rawget(own, "__metatable") ~= nil then error("cannot change a protected metatable", 2) end
    environment.adopt(environment, environment.names, metatable)
    return t
  end
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

----- what is built in to an object of the API stays as it is, for all applications

local PROHIBITED = "change of metatable prohibited"

--- Of the variables of an application: what a script gave them.
function _G.getmetatable(...)
  local metatable = getmetatable(...)
  if metatable ~= PROHIBITED then return metatable end
  local environment = environments[...]
  if not environment then return metatable end
  local own = environment.own
  local told = own and rawget(own, "__metatable")
  if told ~= nil then return told end
  return own
end

--- Of the variables of an application, also those that all share, as they stood in one table in 5.1.
function _G.rawget(...)
  local value = rawget(...)
  if value == nil and environments[...] then
    local _, key = ...
    return rawget(G, key)
  end
  return value
end

function _G.rawset(t, key, value)
  if type(t) ~= "table" then expected(1, "rawset", "table", t) end
  if getmetatable(t) == PROHIBITED and not environments[t] then
    t[key] = value
    return t
  end
  return rawset(t, key, value)
end

local traceback = debug.traceback

function _G.xpcall(f, handler, ...)
  if handler == traceback then return xpcall(f, handler, ...) end
  return xpcall(f, function(message)
    if exhausted() then return message end
    return handler(message)
  end, ...)
end

local getinfo = debug.getinfo

--- Where code is and what it is called: the functions of debug that give variables away are not there.
local function getInfo(...)
  local thread, f, what = ...
  if type(thread) ~= "thread" then thread, f, what = nil, ... end
  if what == nil then what = "SlnufL" end
  if type(what) ~= "string" or find(what, "[^SlnutfL]") then
    error("bad argument #2 to 'getinfo' (invalid option)", 2)
  end
  if type(f) ~= "function" then
    f = whole(f)
    if mtype(f) ~= "integer" then error("bad argument #1 to 'getinfo' (function or level expected)", 2) end
    if f < 0 or f > LEVELS then return nil end
    if not thread and f > 0 then f = f + 1 end -- this function is one more
  end
  local info
  if thread then info = getinfo(thread, f, what) else info = getinfo(f, what) end
  return info
end

_G.debug = { traceback = traceback, getinfo = getInfo }

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

--- Makes a function refuse a text that is longer than so many bytes as its first argument.
local function bounded(library, name, most)
  local f = library[name]
  library[name] = function(s, ...)
    if type(s) == "string" and #s > most then
      error("bad argument #1 to '" .. name .. "' (longer than " .. most .. " bytes)", 2)
    end
    return f(s, ...)
  end
end

local MAX_FORMAT, MAX_CODES = 65536, 16777216
for _, name in ipairs { "pack", "unpack", "packsize" } do bounded(string, name, MAX_FORMAT) end
for _, name in ipairs { "len", "codepoint", "offset" } do bounded(utf8, name, MAX_CODES) end

--- These take some milliseconds of a long text.
for _, name in ipairs { "reverse", "upper", "lower" } do
  local f = string[name]
  string[name] = function(s)
    if type(s) == "string" and #s > LONG then checkTime() end
    return f(s)
  end
end

--- A text, or a count of results, from which on a call takes part of a millisecond.
local MUCH = 10000

local parse, byte = tonumber, string.byte
function _G.tonumber(value, base)
  if type(value) == "string" and #value > MUCH then checkTime() end
  return parse(value, base)
end

function string.byte(s, i, j)
  if j ~= nil and j ~= i and type(s) == "string" and #s > MUCH then checkTime() end
  return byte(s, i, j)
end

-- What a table with a metatable says of its length and its elements may be a lie, and another one each time:
-- such tables are worked on here, where time is measured, and not in one instruction.
local insert, remove, concat, sort = table.insert, table.remove, table.concat, table.sort

-- The results of a protected call of a function; an error that names no line gets that of the script.
local function told(name, ok, message, ...)
  if ok then return message, ... end
  if type(message) ~= "string" or find(message, "^[^\n]-:%d+: ") then error(message, 0) end
  error((nativeGsub(message, "^(bad argument #%d+ to )'[^']*'", "%1'" .. name .. "'")), 2)
end

local function checkTable(t, n, name)
  if type(t) ~= "table" then return expected(n, name, "table", t) end
  return getmetatable(t) ~= nil
end

local function integer(value, n, name)
  local i = whole(value)
  if mtype(i) ~= "integer" then return expected(n, name, "number", value) end
  return i
end

function table.insert(t, ...)
  local plain = type(t) == "table" and getmetatable(t) == nil
  local count = select("#", ...)
  if plain and count == 1 then return insert(t, ...) end
  checkTable(t, 1, "insert")
  if count ~= 1 and count ~= 2 then error("wrong number of arguments to 'insert'", 2) end
  local n, position, value = #t + 1, ...
  if count == 1 then
    t[n] = position
    return
  end
  position = integer(position, 2, "insert")
  if plain and position >= 1 and position <= n then return insert(t, position, value) end
  for i = n, position + 1, -1 do t[i] = t[i - 1] end -- from beyond the end, nothing moves
  t[position] = value
end

function table.remove(t, position)
  local plain = type(t) == "table" and getmetatable(t) == nil
  if plain and position == nil then return remove(t) end
  checkTable(t, 1, "remove")
  local n = #t
  position = position == nil and n or integer(position, 2, "remove")
  if position < 1 or position > n then return nil end
  if plain then return remove(t, position) end
  local value = t[position]
  for i = position, n - 1 do t[i] = t[i + 1] end
  t[n] = nil
  return value
end

function table.concat(t, separator, first, last)
  if type(t) == "table" and getmetatable(t) == nil then
    local one = t[1]
    if #t > MUCH / 10 or (type(one) == "string" and #one > MUCH) then checkTime() end
    return told("concat", pcall(concat, t, separator, whole(first), whole(last)))
  end
  checkTable(t, 1, "concat")
  first = first == nil and 1 or integer(first, 3, "concat")
  last = last == nil and #t or integer(last, 4, "concat")
  local list, n = {}, 0
  for i = first, last do
    n = n + 1
    list[n] = t[i]
    if list[n] == nil then error("invalid value (nil) at index " .. i .. " in table for 'concat'", 2) end
  end
  return told("concat", pcall(concat, list, separator, 1, n))
end

local function less(a, b)
  if type(a) == "string" and #a > LONG / 100 then checkTime() end
  return a < b
end

--- For functions that contradict themselves, such as a >= b, which 5.4 refuses: by merging, which ends
--- whatever they say.
local function merge(list, before, first, last, other)
  if first >= last then return end
  local middle = (first + last) // 2
  merge(list, before, first, middle, other)
  merge(list, before, middle + 1, last, other)
  local i, j = first, middle + 1
  for k = first, last do
    if j > last or i <= middle and not before(list[j], list[i]) then
      other[k], i = list[i], i + 1
    else
      other[k], j = list[j], j + 1
    end
  end
  for k = first, last do list[k] = other[k] end
end

function table.sort(t, before)
  local special = checkTable(t, 1, "sort")
  if before ~= nil and type(before) ~= "function" then expected(2, "sort", "function", before) end
  local n = #t
  if n > LONG then error("too many elements to sort", 2) end
  if n > LONG / 100 then checkTime() end
  local list = t
  if special then
    list = {}
    for i = 1, n do list[i] = t[i] end
  end
  if before == nil then
    for i = 1, n do
      local value = list[i]
      if type(value) == "string" and #value > 64 then -- comparing takes long
        before = less
        break
      end
    end
  end
  local ok, message = pcall(sort, list, before)
  if not ok and before and message == "invalid order function for sorting" then
    ok, message = pcall(merge, list, before, 1, n, {})
  end
  if special and ok then
    for i = 1, n do t[i] = list[i] end
  end
  if not ok then return told("sort", false, message) end
end

local move = table.move
function table.move(a, first, last, to, b)
  local special = checkTable(a, 1, "move")
  if b ~= nil then special = checkTable(b, 5, "move") or special end
  local i, j = tonumber(first), tonumber(last)
  if not special then
    if i and j and j - i >= LONG and j - i >= #a + LONG then error("too many elements to move", 2) end
    return told("move", pcall(move, a, first, last, to, b))
  end
  i, j, to = integer(first, 2, "move"), integer(last, 3, "move"), integer(to, 4, "move")
  b = b or a
  if to > i and to <= j and rawequal(a, b) then
    for k = j - i, 0, -1 do b[to + k] = a[i + k] end
  else
    for k = 0, j - i do b[to + k] = a[i + k] end
  end
  return b
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
-- Bytes of a pattern that are compared in no time worth counting, and what longer ones may amount to.
local SHORT, LONG_LIMIT = 32, 1e8

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
    if third ~= nil and third ~= 1 and not all and (mtype(third) ~= "integer" or third > #s) then
      third = whole(third)
      if mtype(third) == "integer" and third > #s + 1 then third = #s + 1 end
    end
    local long = #pattern > SHORT and #s * #pattern > LONG_LIMIT
    if name == "find" and (fourth or long and not native(pattern, "[%^%$%*%+%?%.%(%)%[%%%-]")) then
      if long then return locate(s, pattern, third) end
      return native(s, pattern, third, true)
    end
    local k = costs[pattern] or cost(pattern)
    if long or k > 1 and (#s) ^ k > LIMIT then rehearse(s, pattern, not all and third or 1, all) end
    return native(s, pattern, third, fourth)
  end
end

string.find = guarded("find", find, false)
string.match = guarded("match", string.match, false)
string.gmatch = guarded("gmatch", string.gmatch, true)
string.gfind = string.gmatch
local gsub = guarded("gsub", nativeGsub, true)

--- Behind %, 5.1 takes what is neither a digit nor % for itself.
local function unescaped(letter)
  if letter == "" then return "\0" end -- the end of the text
  if not find(letter, "[%d%%]") then return letter end
end
function string.gsub(s, pattern, replacement, n)
  local kind = type(replacement)
  if kind ~= "string" and kind ~= "function" and kind ~= "table" and kind ~= "number" then
    expected(3, "gsub", "string/function/table", replacement)
  end
  if kind == "string" and find(replacement, "%", 1, true) and
    (find(replacement, "%%[^%d%%]") or find(replacement, "%%$")) then
    replacement = nativeGsub(replacement, "%%(.?)", unescaped)
  end
  if n ~= nil then n = whole(n) end
  -- Of a long text, each match is to be something that is seen to take time.
  if type(s) == "string" and #s > LONG then
    local given = replacement
    if kind == "function" then
      replacement = function(...) return (given(...)) end
    elseif kind == "table" then
      replacement = function(capture) return given[capture] end
    elseif not find(given, "%", 1, true) then
      replacement = function() return given end
    end
  end
  return gsub(s, pattern, replacement, n)
end

_G._VERSION = "Lua 5.1" -- scripts ask for it to know what they may use
setmetatable(_G, { __metatable = PROHIBITED })
`;
