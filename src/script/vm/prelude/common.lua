-- Functions of Lua 5.1 that Lua 5.4 lacks, in Lua itself. DECISIONS 12, API-019, API-634.
-- The files of this folder are one chunk, in the order of prelude.ts: all of them see the local names of this one.
-- The chunk gets the debug library, which scripts do not get, and a function that makes a userdata.
-- A wrapper calls a function of Lua directly only where it cannot fail, else through `guarded`,
-- so that errors name the script's line.

local debug, newUserdata = ...
local getinfo, getupvalue, upvaluejoin = debug.getinfo, debug.getupvalue, debug.upvaluejoin
local getmetatable, setmetatable, rawget, rawset = getmetatable, setmetatable, rawget, rawset
local type, tonumber, tostring, error, load, next, select = type, tonumber, tostring, error, load, next, select
local floor, ceil, mtype, tointeger = math.floor, math.ceil, math.type, math.tointeger
local unpack, pack, char, max, min, fmod = table.unpack, table.pack, string.char, math.max, math.min, math.fmod
local string, math, _G = string, math, _G -- applications get copies of these tables
local find, gsub, sub, pcall = string.find, string.gsub, string.sub, pcall

--- Ends a wrapper by a tail call: its error names the script's line and the function.
local function guarded(f, name, ...)
  local results = pack(pcall(f, ...))
  if results[1] then return unpack(results, 2, results.n) end
  local message = results[2]
  if type(message) == "string" then
    message = gsub(message, "^(bad argument #%d+ to )'[^']*'", "%1'" .. name .. "'")
  end
  error(message, 2)
end

--- Cuts the fraction of a number, as 5.1 did where 5.4 refuses it.
local function whole(n)
  if mtype(n) == "float" or type(n) == "string" then
    local m = tonumber(n)
    if m and m == m and m > -2^63 and m < 2^63 then return m < 0 and ceil(m) or floor(m) end
  end
  return n
end
