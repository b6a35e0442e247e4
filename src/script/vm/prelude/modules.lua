-- Modules, in the environment of the caller.

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
