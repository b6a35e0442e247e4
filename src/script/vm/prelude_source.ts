/**
 * What scripts written for Lua 5.1 use and Lua 5.4 lacks, in Lua itself. DECISIONS 12, API-019, API-634.
 *
 * The chunk gets the debug library, which scripts do not, and a function that makes a userdata.
 * A wrapper of a function of Lua's own calls it only where it cannot fail, else through `guarded`,
 * so that errors name the script's line.
 */
export const PRELUDE = String.raw`
local debug, newUserdata = ...
local getinfo, getupvalue, upvaluejoin = debug.getinfo, debug.getupvalue, debug.upvaluejoin
local getmetatable, setmetatable, rawget, rawset = getmetatable, setmetatable, rawget, rawset
local type, tonumber, tostring, error, load, next, select = type, tonumber, tostring, error, load, next, select
local floor, ceil, mtype, tointeger = math.floor, math.ceil, math.type, math.tointeger
local unpack, pack, char, max, min, fmod = table.unpack, table.pack, string.char, math.max, math.min, math.fmod
local string, math, _G = string, math, _G -- applications get copies of these tables
local find, gsub, sub, pcall = string.find, string.gsub, string.sub, pcall

--- Ends a wrapper by a tail call: an error is one of the script's line, and of the function's name.
local function guarded(f, name, ...)
  local results = pack(pcall(f, ...))
  if results[1] then return unpack(results, 2, results.n) end
  local message = results[2]
  if type(message) == "string" then
    message = gsub(message, "^(bad argument #%d+ to )'[^']*'", "%1'" .. name .. "'")
  end
  error(message, 2)
end

-- Environments: in 5.4 that of a function is its upvalue _ENV, which functions made inside share.

local without = setmetatable({}, { __mode = "k" }) -- environments of functions that use no global

local function environmentAt(f)
  for i = 1, 255 do
    local name = getupvalue(f, i)
    if name == nil then return nil end
    if name == "_ENV" then return i end
  end
end

--- The function that a function or a level of the stack means; level 1 called the caller of this.
local function target(f, name, level)
  if type(f) == "function" then return f end
  local n = tonumber(f)
  if not n then
    error("bad argument #1 to '" .. name .. "' (number expected, got " .. type(f) .. ")", 3)
  end
  if n < 0 then error("bad argument #1 to '" .. name .. "' (level must be non-negative)", 3) end
  local info = n >= 1 and getinfo(floor(n) + level, "f")
  if not info then error("bad argument #1 to '" .. name .. "' (invalid level)", 3) end
  return info.func
end

local LIBRARY = { ["=prelude"] = true, ["=[environment]"] = true, ["=?"] = true }

--- Whether a function is one of those that all applications share.
local function shared(f)
  local source = getinfo(f, "S").source
  return source == "=[C]" or LIBRARY[source] == true
end

--- nil for a shared function, which has no environment of an application.
local function environmentOf(f)
  local i = environmentAt(f)
  if not i then return without[f] end
  if shared(f) then return nil end
  local _, environment = getupvalue(f, i)
  return environment
end

--- The environment of the function at a level, counted from the caller of this.
local function callerEnvironment(level)
  for l = level + 1, level + 50 do
    local info = getinfo(l, "f")
    if not info then break end
    local environment = environmentOf(info.func)
    if environment then return environment end
  end
  return _G
end

function getfenv(f)
  if f == nil then f = 1 end
  if f == 0 then return callerEnvironment(2) end
  return environmentOf(target(f, "getfenv", 2)) or callerEnvironment(2)
end

function setfenv(f, environment)
  if type(environment) ~= "table" then
    error("bad argument #2 to 'setfenv' (table expected, got " .. type(environment) .. ")", 2)
  end
  if f == 0 then error("'setfenv' cannot change the environment of an application", 2) end
  local func = target(f, "setfenv", 2)
  if shared(func) then
    error("'setfenv' cannot change environment of given object", 2)
  end
  local i = environmentAt(func)
  if i then
    upvaluejoin(func, i, function() return environment end, 1)
  else
    without[func] = environment
  end
  return func
end

function loadstring(text, name)
  if type(text) ~= "string" then
    error("bad argument #1 to 'loadstring' (string expected, got " .. type(text) .. ")", 2)
  end
  return load(text, name or text, "t", callerEnvironment(2))
end

-- Modules: within the environment that calls.

local package = package or {}
function package.seeall(module)
  local environment = callerEnvironment(3)
  local meta = getmetatable(module)
  if not meta then
    meta = {}
    setmetatable(module, meta)
  end
  meta.__index = environment
end
_G.package = package

function module(name, ...)
  local caller = target(1, "module", 2)
  local environment = callerEnvironment(2)
  local holder, last = environment, name
  for part in string.gmatch(name, "([^.]+)%.") do
    if holder[part] == nil then holder[part] = {} end
    holder = holder[part]
    if type(holder) ~= "table" then error("name conflict for module '" .. name .. "'", 2) end
    last = sub(last, #part + 2)
  end
  local loaded = type(environment.package) == "table" and environment.package.loaded
  local table = loaded and loaded[name]
  if type(table) ~= "table" then
    table = holder[last]
    if table == nil then
      table = {}
      holder[last] = table
    elseif type(table) ~= "table" then
      error("name conflict for module '" .. name .. "'", 2)
    end
    if loaded then loaded[name] = table end
  end
  if table._NAME == nil then
    table._M = table
    table._NAME = name
    table._PACKAGE = sub(name, 1, #name - #last)
  end
  for i = 1, select("#", ...) do
    local option = select(i, ...)
    if option == package.seeall then
      local meta = getmetatable(table)
      if not meta then
        meta = {}
        setmetatable(table, meta)
      end
      meta.__index = environment
    else
      option(table)
    end
  end
  setfenv(caller, table)
end

-- Numbers: an argument with a fraction, where 5.4 wants a whole one, loses it, as it did in 5.1.

local function whole(n)
  if mtype(n) == "float" or type(n) == "string" then
    local m = tonumber(n)
    if m and m == m and m > -2^63 and m < 2^63 then return m < 0 and ceil(m) or floor(m) end
  end
  return n
end

-- Tables

function table.unpack(t, first, last)
  if type(t) ~= "table" then
    error("bad argument #1 to 'unpack' (table expected, got " .. (t == nil and "no value" or type(t)) .. ")", 2)
  end
  if first == nil and last == nil then return unpack(t) end
  return guarded(unpack, "unpack", t, whole(first), whole(last))
end

_G.unpack = table.unpack

function table.getn(t)
  return #t
end

function table.setn()
  error("'setn' is obsolete", 2)
end

function table.maxn(t)
  local most = 0
  for key in next, t do
    if type(key) == "number" and key > most then most = key end
  end
  return most
end

function table.foreach(t, f)
  for key, value in next, t do
    local result = f(key, value)
    if result ~= nil then return result end
  end
end

function table.foreachi(t, f)
  for i = 1, #t do
    local result = f(i, t[i])
    if result ~= nil then return result end
  end
end

function math.pow(x, y)
  return x ^ y
end

--- Of whole numbers, 5.4 refuses a divisor of 0.
function math.fmod(x, y)
  if y == 0 and mtype(x) then return 0 / 0 end
  return guarded(fmod, "fmod", x, y)
end

math.mod = math.fmod

--- Texts that are numbers count as such; the result is always a number.
local function numbers(f, name, ...)
  local values = pack(...)
  for i = 1, values.n do
    local number = tonumber(values[i])
    if not number then
      error("bad argument #" .. i .. " to '" .. name .. "' (number expected, got " .. type(values[i]) .. ")", 3)
    end
    values[i] = number
  end
  return f(unpack(values, 1, values.n))
end

function math.max(a, b, ...)
  if mtype(a or "") and mtype(b or "") and select("#", ...) == 0 then return max(a, b) end
  if b == nil and select("#", ...) == 0 then return (numbers(max, "max", a)) end
  return (numbers(max, "max", a, b, ...))
end

function math.min(a, b, ...)
  if mtype(a or "") and mtype(b or "") and select("#", ...) == 0 then return min(a, b) end
  if b == nil and select("#", ...) == 0 then return (numbers(min, "min", a)) end
  return (numbers(min, "min", a, b, ...))
end

function math.log10(x)
  return math.log(x, 10)
end

function math.ldexp(m, e)
  e = whole(e)
  local half = e // 2 -- 2^e may be beyond a number that m * 2^e is within
  return m * 2.0 ^ half * 2.0 ^ (e - half)
end

function math.frexp(x)
  if x == 0 or x ~= x or x == math.huge or x == -math.huge then return x, 0 end
  local e = floor(math.log(x < 0 and -x or x, 2)) + 1
  local m = x / 2.0 ^ e
  if m >= 1 or m <= -1 then m, e = m / 2, e + 1 end
  if m > -0.5 and m < 0.5 then m, e = m * 2, e - 1 end
  return m, e
end

function math.cosh(x)
  return (math.exp(x) + math.exp(-x)) / 2
end

function math.sinh(x)
  return (math.exp(x) - math.exp(-x)) / 2
end

function math.tanh(x)
  if x > 20 then return 1 end
  if x < -20 then return -1 end
  local e = math.exp(2 * x)
  return (e - 1) / (e + 1)
end

local random = math.random
function math.random(low, high)
  if low == nil then return random() end
  if mtype(low) == "integer" and (high == nil and low >= 1 or mtype(high) == "integer" and low <= high) then
    if high == nil then return random(low) end
    return random(low, high)
  end
  if mtype(low) == "float" then low = whole(low) end
  if high == nil then return guarded(random, "random", low) end
  if mtype(high) == "float" then high = whole(high) end
  return guarded(random, "random", low, high)
end

local randomseed = math.randomseed
function math.randomseed(seed, ...)
  if mtype(seed) == "float" then seed = whole(seed) end
  if seed == nil then return randomseed() end
  return guarded(randomseed, "randomseed", seed, ...)
end

-- Strings

string.gfind = string.gmatch

function string.sub(s, i, j)
  if type(s) == "string" and mtype(i) == "integer" then
    if mtype(j) == "integer" then return sub(s, i, j) end
    if j == nil then return sub(s, i) end
  end
  return guarded(sub, "sub", s, whole(i), whole(j))
end

local rep = string.rep
function string.rep(s, n, ...)
  return guarded(rep, "rep", s, whole(n), ...)
end

local byte = string.byte
function string.byte(s, i, j)
  if i == nil then i = 1 end
  if j == nil then j = i end
  if type(s) == "string" and mtype(i) == "integer" and j == i then return byte(s, i) end
  return guarded(byte, "byte", s, whole(i), whole(j))
end

function string.char(...)
  local ok, text = pcall(char, ...)
  if ok then return text end
  local codes = pack(...)
  for i = 1, codes.n do codes[i] = whole(codes[i]) end
  return guarded(char, "char", unpack(codes, 1, codes.n))
end

local format = string.format

--- %u of a negative number counts on from 2^64, as a C program would.
local function unsigned(n)
  if n >= 0 then return tostring(n) end
  local tens = (n >> 1) // 5
  return tostring(tens) .. tostring(n - tens * 10)
end

local function prepare(text, ...)
  local args, n = pack(...), 0
  text = gsub(text, "%%([-+ #0]*%d*%.?%d*)(.)", function(flags, kind)
    if kind == "%" then return nil end
    n = n + 1
    if kind == "q" and mtype(args[n] or "") then args[n] = tostring(args[n]) end
    if find("diuoxXc", kind, 1, true) then
      args[n] = whole(args[n])
      if kind == "u" then
        if mtype(args[n] or "") ~= "integer" then return "%d" end -- raises the error
        args[n] = unsigned(args[n])
        return "%" .. gsub(flags, "[+ #]", "") .. "s"
      end
    end
  end)
  return args, text
end

--- What each argument of a format must be, as letters: i whole number, n number, s string or
--- number. False: something else, which the slow way is for.
local function analyse(text)
  local kinds, at = "", 1
  while true do
    at = find(text, "%", at, true)
    if not at then return kinds end
    local last = find(text, "[^-+ #0%d.]", at + 1) or at
    local kind = sub(text, last, last)
    if kind == "%" and last == at + 1 then
      -- a percent sign
    elseif last - at > 6 then return false
    elseif find("dicoxX", kind, 1, true) then kinds = kinds .. "i"
    elseif find("eEfgGaA", kind, 1, true) then kinds = kinds .. "n"
    elseif kind == "s" then kinds = kinds .. "s"
    else return false end
    at = last + 1
  end
end

local analysed, count = {}, 0
local function analysisOf(text)
  if count >= 256 then analysed, count = {}, 0 end
  local kinds = analyse(text)
  local list = kinds and {}
  if kinds then
    for i = 1, #kinds do list[i] = sub(kinds, i, i) end
  end
  analysed[text], count = list, count + 1
  return list
end

local luaType = type
--- Whether a format and its arguments go well together as they are.
local function fits(kind, value)
  local type = mtype(value)
  if kind == "i" then return type == "integer" end
  if kind == "n" then return type ~= nil end
  return type ~= nil or luaType(value) == "string"
end

local function formatSlowly(text, ...)
  if type(text) ~= "string" then return guarded(format, "format", text, ...) end
  local args, plain = prepare(text, ...)
  return guarded(format, "format", plain, unpack(args, 1, args.n))
end

function string.format(text, ...)
  local kinds = analysed[text]
  if kinds == nil and type(text) == "string" then kinds = analysisOf(text) end
  if not kinds then return formatSlowly(text, ...) end
  local a, b, c = ...
  local n = #kinds
  if n >= 1 and not fits(kinds[1], a) then return formatSlowly(text, ...) end
  if n >= 2 and not fits(kinds[2], b) then return formatSlowly(text, ...) end
  if n >= 3 and not fits(kinds[3], c) then return formatSlowly(text, ...) end
  for i = 4, n do
    if not fits(kinds[i], (select(i, ...))) then return formatSlowly(text, ...) end
  end
  return format(text, ...)
end

-- API-634: a number and a string that looks like one compare as numbers.

local function order(a, b, compare)
  local x, y = tonumber(a), tonumber(b)
  if x and y and (type(a) == "number" or type(b) == "number") then return compare(x, y) end
  local one, other = type(a), type(b)
  if one == other then error("attempt to compare two " .. one .. " values", 2) end
  error("attempt to compare " .. one .. " with " .. other, 2)
end
local strings = getmetatable("")
function strings.__lt(a, b)
  return order(a, b, function(x, y) return x < y end)
end
function strings.__le(a, b)
  return order(a, b, function(x, y) return x <= y end)
end

-- The rest

local parse = tonumber
function _G.tonumber(value, base)
  if base == nil then return parse(value) end
  base = whole(base)
  if base == 10 and (type(value) == "string" or type(value) == "number") then return parse(value) end
  if type(value) == "number" then value = tostring(value) end
  return guarded(parse, "tonumber", value, base)
end

function gcinfo()
  return floor(collectgarbage("count"))
end

local proxies = setmetatable({}, { __mode = "k" })
function newproxy(model)
  local proxy = newUserdata()
  local meta
  if model == true then
    meta = {}
  elseif proxies[model or false] then
    meta = getmetatable(model)
  elseif model then
    error("bad argument #1 to 'newproxy' (boolean or proxy expected)", 2)
  end
  if meta then
    local finalizer = rawget(meta, "__gc") -- it would run where time is not measured
    rawset(meta, "__gc", nil)
    debug.setmetatable(proxy, meta)
    rawset(meta, "__gc", finalizer)
    proxies[proxy] = true
  end
  return proxy
end

-- LuaJIT's bit: 32 bits, results with a sign.

bit = {}
local function signed(n)
  n = n & 0xffffffff
  return n >= 0x80000000 and n - 0x100000000 or n
end
local function bits(n, position)
  local number = tonumber(n)
  if not number then
    error("bad argument #" .. position .. " (number expected, got " .. type(n) .. ")", 3)
  end
  if mtype(number) == "integer" then return number & 0xffffffff end
  if number ~= number or number >= 2^63 or number < -2^63 then return 0 end
  local below = floor(number) -- rounds to nearest, halves to even
  local fraction = number - below
  if fraction > 0.5 or (fraction == 0.5 and below % 2 == 1) then below = below + 1 end
  return tointeger(below) & 0xffffffff
end
function bit.tobit(x)
  return signed(bits(x, 1))
end
function bit.bnot(x)
  return signed(~bits(x, 1))
end
function bit.band(x, ...)
  local result = bits(x, 1)
  for i = 1, select("#", ...) do result = result & bits(select(i, ...), i + 1) end
  return signed(result)
end
function bit.bor(x, ...)
  local result = bits(x, 1)
  for i = 1, select("#", ...) do result = result | bits(select(i, ...), i + 1) end
  return signed(result)
end
function bit.bxor(x, ...)
  local result = bits(x, 1)
  for i = 1, select("#", ...) do result = result ~ bits(select(i, ...), i + 1) end
  return signed(result)
end
function bit.lshift(x, n)
  return signed(bits(x, 1) << (bits(n, 2) & 31))
end
function bit.rshift(x, n)
  return signed(bits(x, 1) >> (bits(n, 2) & 31))
end
function bit.arshift(x, n)
  return signed(signed(bits(x, 1)) >> (bits(n, 2) & 31) | (signed(bits(x, 1)) < 0 and ~(-1 >> (bits(n, 2) & 31)) or 0))
end
function bit.rol(x, n)
  x, n = bits(x, 1), bits(n, 2) & 31
  return signed(x << n | x >> (32 - n))
end
function bit.ror(x, n)
  x, n = bits(x, 1), bits(n, 2) & 31
  return signed(x >> n | x << (32 - n))
end
function bit.bswap(x)
  x = bits(x, 1)
  return signed(x >> 24 | x >> 8 & 0xff00 | (x & 0xff00) << 8 | x << 24)
end
function bit.tohex(x, n)
  x, n = bits(x, 1), whole(tonumber(n or 8))
  local digits = n < 0 and -n or n
  if digits > 8 then digits = 8 end
  local text = sub(format(n < 0 and "%08X" or "%08x", x), -digits)
  return digits == 0 and "" or text
end
`;
