-- Environments: in 5.4, the environment of a function is its upvalue _ENV, which the functions within it share.

local without = setmetatable({}, { __mode = "k" }) -- environments of functions that use no global

local function environmentAt(f)
  for i = 1, 255 do
    local name = getupvalue(f, i)
    if name == nil then return nil end
    if name == "_ENV" then return i end
  end
end

--- The function that the first argument of getfenv or setfenv means: itself, or the one at a level of the stack.
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

--- Whether all applications share a function.
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

--- The first environment of an application from a level of the stack on, counted from the caller of this function.
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
