-- Removes finalizers, and wraps message handlers: both would run without the time limit

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

----- scripts cannot change the built-in members of an API object, which all applications share

local PROHIBITED = "change of metatable prohibited"

--- For the variables of an application: the metatable that a script set.
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

--- For the variables of an application: also the shared ones, which were in the same table in 5.1.
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

--- Position and name of code; the functions of debug that reveal variables are missing.
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
  return 0 -- an application cannot change the collector, which all of them share
end
