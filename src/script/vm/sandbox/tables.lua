-- A table with a metatable may report a wrong length and wrong elements, different ones each time. Such tables
-- are processed here, under the time limit, and not in one instruction of C.
local insert, remove, concat, sort = table.insert, table.remove, table.concat, table.sort

-- Returns the results of a protected call, or raises its error; an error without a line gets the script's line.
local function told(name, ok, message, ...)
  if ok then return message, ... end
  if type(message) ~= "string" or find(message, "^[^\n]-:%d+: ") then error(message, 0) end
  error((nativeGsub(message, "^(bad argument #%d+ to )'[^']*'", "%1'" .. name .. "'")), 2)
end

local function checkTable(t, n, name)
  if type(t) ~= "table" then return expected(n, name, "table", t) end
  return getmetatable(t) ~= nil
end

local function integer(value, n, name)
  local i = whole(value)
  if mtype(i) ~= "integer" then return expected(n, name, "number", value) end
  return i
end

function table.insert(t, ...)
  local plain = type(t) == "table" and getmetatable(t) == nil
  local count = select("#", ...)
  if plain and count == 1 then return insert(t, ...) end
  checkTable(t, 1, "insert")
  if count ~= 1 and count ~= 2 then error("wrong number of arguments to 'insert'", 2) end
  local n, position, value = #t + 1, ...
  if count == 1 then
    t[n] = position
    return
  end
  position = integer(position, 2, "insert")
  if plain and position >= 1 and position <= n then return insert(t, position, value) end
  for i = n, position + 1, -1 do t[i] = t[i - 1] end -- moves nothing if position is after the end
  t[position] = value
end

function table.remove(t, position)
  local plain = type(t) == "table" and getmetatable(t) == nil
  if plain and position == nil then return remove(t) end
  checkTable(t, 1, "remove")
  local n = #t
  position = position == nil and n or integer(position, 2, "remove")
  if position < 1 or position > n then return nil end
  if plain then return remove(t, position) end
  local value = t[position]
  for i = position, n - 1 do t[i] = t[i + 1] end
  t[n] = nil
  return value
end

function table.concat(t, separator, first, last)
  if type(t) == "table" and getmetatable(t) == nil then
    local one = t[1]
    if #t > MUCH / 10 or (type(one) == "string" and #one > MUCH) then checkTime() end
    return told("concat", pcall(concat, t, separator, whole(first), whole(last)))
  end
  checkTable(t, 1, "concat")
  first = first == nil and 1 or integer(first, 3, "concat")
  last = last == nil and #t or integer(last, 4, "concat")
  local list, n = {}, 0
  for i = first, last do
    n = n + 1
    list[n] = t[i]
    if list[n] == nil then error("invalid value (nil) at index " .. i .. " in table for 'concat'", 2) end
  end
  return told("concat", pcall(concat, list, separator, 1, n))
end

local function less(a, b)
  if type(a) == "string" and #a > LONG / 100 then checkTime() end
  return a < b
end

--- For inconsistent comparison functions, such as a >= b, which 5.4 refuses: merge sort, which ends
--- whatever they return.
local function merge(list, before, first, last, other)
  if first >= last then return end
  local middle = (first + last) // 2
  merge(list, before, first, middle, other)
  merge(list, before, middle + 1, last, other)
  local i, j = first, middle + 1
  for k = first, last do
    if j > last or i <= middle and not before(list[j], list[i]) then
      other[k], i = list[i], i + 1
    else
      other[k], j = list[j], j + 1
    end
  end
  for k = first, last do list[k] = other[k] end
end

function table.sort(t, before)
  local special = checkTable(t, 1, "sort")
  if before ~= nil and type(before) ~= "function" then expected(2, "sort", "function", before) end
  local n = #t
  if n > LONG then error("too many elements to sort", 2) end
  if n > LONG / 100 then checkTime() end
  local list = t
  if special then
    list = {}
    for i = 1, n do list[i] = t[i] end
  end
  if before == nil then
    for i = 1, n do
      local value = list[i]
      if type(value) == "string" and #value > 64 then -- comparing takes long
        before = less
        break
      end
    end
  end
  local ok, message = pcall(sort, list, before)
  if not ok and before and message == "invalid order function for sorting" then
    ok, message = pcall(merge, list, before, 1, n, {})
  end
  if special and ok then
    for i = 1, n do t[i] = list[i] end
  end
  if not ok then return told("sort", false, message) end
end

local move = table.move
function table.move(a, first, last, to, b)
  local special = checkTable(a, 1, "move")
  if b ~= nil then special = checkTable(b, 5, "move") or special end
  local i, j = tonumber(first), tonumber(last)
  if not special then
    if i and j and j - i >= LONG and j - i >= #a + LONG then error("too many elements to move", 2) end
    return told("move", pcall(move, a, first, last, to, b))
  end
  i, j, to = integer(first, 2, "move"), integer(last, 3, "move"), integer(to, 4, "move")
  b = b or a
  if to > i and to <= j and rawequal(a, b) then
    for k = j - i, 0, -1 do b[to + k] = a[i + k] end
  else
    for k = 0, j - i do b[to + k] = a[i + k] end
  end
  return b
end
