-- `string` as in 5.1: it cuts the fractions of indices, and has %u and other formats.

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

--- %u of a negative number: as unsigned 64 bits, as in C.
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

--- The expected type of each argument of a format, as letters: i whole number, n number, s string or
--- number. False if formatSlowly has to do it.
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
--- Whether an argument needs no conversion.
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
