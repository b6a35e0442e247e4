-- The remaining functions of the base library.

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
    local finalizer = rawget(meta, "__gc") -- it would run without the time limit
    rawset(meta, "__gc", nil)
    debug.setmetatable(proxy, meta)
    rawset(meta, "__gc", finalizer)
    proxies[proxy] = true
  end
  return proxy
end
