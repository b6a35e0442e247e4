-- A pattern can take unbounded time: our own matcher rehearses it on long texts, with a limit.
local costs, known = {}, 0

local function cost(pattern)
  if known > 1000 then costs, known = {}, 0 end
  local k = measure(pattern)
  costs[pattern] = k
  known = known + 1
  return k
end

local LIMIT = 1e7
-- Pattern bytes that need no rehearsal for their length, and the limit of #text * #pattern for longer ones.
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

--- After %, 5.1 takes a character other than a digit or % literally.
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
  -- In a long text, each match must call a function, so that the time limit can end it.
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
