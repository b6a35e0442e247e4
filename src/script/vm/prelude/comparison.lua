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
