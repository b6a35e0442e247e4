-- Bounds on functions that work long within one instruction, which the time limit cannot interrupt

local rep = string.rep
function string.rep(s, n, separator)
  if s == "" and (separator == nil or separator == "") then return "" end
  if (tonumber(n) or 0) > LONG then checkTime() end
  return rep(s, n, separator)
end

--- Makes a function refuse a first argument longer than `most` bytes.
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

--- These take some milliseconds for a long text.
for _, name in ipairs { "reverse", "upper", "lower" } do
  local f = string[name]
  string[name] = function(s)
    if type(s) == "string" and #s > LONG then checkTime() end
    return f(s)
  end
end

local parse, byte = tonumber, string.byte
function _G.tonumber(value, base)
  if type(value) == "string" and #value > MUCH then checkTime() end
  return parse(value, base)
end

function string.byte(s, i, j)
  if j ~= nil and j ~= i and type(s) == "string" and #s > MUCH then checkTime() end
  return byte(s, i, j)
end
