-- Converts JSON texts to Lua values: RFC 8259.
--
--   local json = require "json"
--   local value, problem = json.decode(text)
--
-- Objects and arrays become tables, arrays from 1 on. A null becomes nil: the object lacks the member, the
-- array has a hole; json.decode(text, json.null) returns json.null instead. For invalid JSON the result is
-- nil and an error with its line and column.

local json = { null = setmetatable({}, { __tostring = function() return "null" end }) }

local MAX_DEPTH = 100 -- nested arrays and objects

local ESCAPED = {
  ['"'] = '"', ["\\"] = "\\", ["/"] = "/",
  b = "\b", f = "\f", n = "\n", r = "\r", t = "\t",
}
local WORDS = { t = "true", f = "false", n = "null" }

local readValue

local function fail(at, what)
  error({ at = at, what = what }, 0)
end

-- The position of the next token, or after the end.
local function skip(text, at)
  return text:find("[^ \t\r\n]", at) or #text + 1
end

-- The character of \uXXXX, or of a pair of them for a character above U+FFFF.
local function readUnicode(text, at)
  local digits = text:match("^\\u(%x%x%x%x)", at)
  if not digits then fail(at, "\\u needs four hexadecimal digits") end
  local code = tonumber(digits, 16)
  if code < 0xD800 or code > 0xDFFF then return utf8.char(code), at + 6 end
  local low = text:match("^\\u([Dd][C-Fc-f]%x%x)", at + 6)
  if code > 0xDBFF or not low then return "\u{FFFD}", at + 6 end -- half of a surrogate pair
  return utf8.char(0x10000 + ((code - 0xD800) << 10) + tonumber(low, 16) - 0xDC00), at + 12
end

-- Reads a text after its first quotation mark.
local function readString(text, at)
  local pieces = {}
  while true do
    local stop = text:find('[\0-\31"\\]', at)
    if not stop then fail(#text + 1, "a text does not end") end
    pieces[#pieces + 1] = text:sub(at, stop - 1)
    local found, escape = text:sub(stop, stop), text:sub(stop + 1, stop + 1)
    if found == '"' then return table.concat(pieces), stop + 1 end
    if found ~= "\\" then fail(stop, "a control character in a text") end
    if escape == "u" then
      pieces[#pieces + 1], at = readUnicode(text, stop)
    else
      pieces[#pieces + 1] = ESCAPED[escape] or fail(stop, "an unknown escape")
      at = stop + 2
    end
  end
end

local function readNumber(text, at)
  local stop = text:match("^-?0()", at) or text:match("^-?[1-9]%d*()", at)
  if not stop then fail(at, "a value is missing") end
  stop = text:match("^%.%d+()", stop) or stop
  stop = text:match("^[eE][+-]?%d+()", stop) or stop
  local number = tonumber(text:sub(at, stop - 1))
  if math.abs(number) == math.huge then fail(at, "a number is too large") end
  return number, stop
end

local function readArray(text, at, depth, null)
  local array, count = {}, 0
  at = skip(text, at)
  if text:sub(at, at) == "]" then return array, at + 1 end
  while true do
    count = count + 1
    array[count], at = readValue(text, at, depth, null)
    at = skip(text, at)
    local after = text:sub(at, at)
    if after == "]" then return array, at + 1 end
    if after ~= "," then fail(at, "a , or ] is missing in an array") end
    at = at + 1
  end
end

local function readObject(text, at, depth, null)
  local object = {}
  at = skip(text, at)
  if text:sub(at, at) == "}" then return object, at + 1 end
  while true do
    if text:sub(at, at) ~= '"' then fail(at, "the name of a member is missing") end
    local name
    name, at = readString(text, at + 1)
    at = skip(text, at)
    if text:sub(at, at) ~= ":" then fail(at, "a : is missing after a name") end
    object[name], at = readValue(text, at + 1, depth, null)
    at = skip(text, at)
    local after = text:sub(at, at)
    if after == "}" then return object, at + 1 end
    if after ~= "," then fail(at, "a , or } is missing in an object") end
    at = skip(text, at + 1)
  end
end

-- Reads a value; returns it and the position after it.
function readValue(text, at, depth, null)
  at = skip(text, at)
  local first = text:sub(at, at)
  if first == '"' then return readString(text, at + 1) end
  if first == "{" or first == "[" then
    if depth == MAX_DEPTH then fail(at, "more than " .. MAX_DEPTH .. " levels") end
    return (first == "{" and readObject or readArray)(text, at + 1, depth + 1, null)
  end
  local word = WORDS[first]
  if not word then return readNumber(text, at) end
  if text:sub(at, at + #word - 1) ~= word then fail(at, "a value is missing") end
  at = at + #word
  if word == "null" then return null, at end
  return word == "true", at
end

local function problem(text, at, what)
  local line, start = 1, 1
  for behind in text:sub(1, at - 1):gmatch("\n()") do line, start = line + 1, behind end
  return ("line %d, column %d: %s"):format(line, at - start + 1, what)
end

function json.decode(text, null)
  local length, wrong = utf8.len(text)
  if not length then return nil, problem(text, wrong, "the text is not UTF-8") end
  local start = text:match("^\u{FEFF}()") or 1
  local done, value, stop = pcall(readValue, text, start, 0, null)
  if not done then
    if type(value) ~= "table" then error(value, 0) end
    return nil, problem(text, value.at, value.what)
  end
  stop = skip(text, stop)
  if stop <= #text then return nil, problem(text, stop, "text after the value") end
  return value
end

return json
