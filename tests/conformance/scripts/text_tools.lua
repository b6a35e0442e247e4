-- The helpers that scripts of 2010 carry along, in the words of Lua 5.1.

function string.trim(s) return (string.gsub(s, "^%s*(.-)%s*$", "%1")) end

function string:explode(separator)
  local parts, start = {}, 1
  local first, last = string.find(self, separator, start, true)
  while first do
    table.insert(parts, string.sub(self, start, first - 1))
    start = last + 1
    first, last = string.find(self, separator, start, true)
  end
  table.insert(parts, string.sub(self, start))
  return parts
end

function table.contains(list, wanted)
  for _, value in ipairs(list) do if value == wanted then return true end end
  return false
end

function toHex(s)
  return (string.gsub(s, "(.)", function(c) return string.format("%02X", string.byte(c)) end))
end

function fromHex(s)
  return (string.gsub(s, "(%x%x)", function(h) return string.char(tonumber(h, 16)) end))
end

function url(s)
  s = string.gsub(s, "\n", "\r\n")
  return (string.gsub(s, "([^%w ])", function(c) return string.format("%%%02X", string.byte(c)) end):gsub(" ", "+"))
end

function serialize(value)
  local kind = type(value)
  if kind == "string" then return string.format("%q", value) end
  if kind ~= "table" then return tostring(value) end
  local parts = {}
  local n = table.getn(value)
  for i = 1, n do table.insert(parts, serialize(value[i])) end
  table.foreach(value, function(key, item)
    if type(key) ~= "number" or key > n then
      table.insert(parts, "[" .. serialize(key) .. "]=" .. serialize(item))
    end
  end)
  return "{" .. table.concat(parts, ",") .. "}"
end

function deserialize(text)
  local f = assert(loadstring("return " .. text))
  setfenv(f, {})
  return f()
end

function round(x, digits)
  local factor = math.pow(10, digits or 0)
  return math.floor(x * factor + 0.5) / factor
end

function shuffle(list)
  local n = table.getn(list)
  while n > 1 do
    local k = math.random(n)
    list[n], list[k] = list[k], list[n]
    n = n - 1
  end
  return list
end

function onStart()
  math.randomseed(os.time())
  INFO(string.trim("  a b  "), "|", ("x"):trim())
  INFO(table.concat(("a,b,,c"):explode(","), "/"), table.maxn { 1, 2, [7] = 3 })
  INFO(tostring(table.contains({ 1, 2, 3 }, 2)), toHex("\0\255az"), fromHex("48692100") == "Hi!\0")
  INFO(url("a b&c\n"))
  INFO(serialize { 1, "two", { 3 }, x = true })
  local copy = deserialize(serialize { 1, "two\n", { 3 }, x = { y = 0.5 } })
  INFO(copy[1], copy[2], copy[3][1], copy.x.y)
  INFO(round(2.345, 2), " ", round(7 / 2), " ", 10 / 5, " ", string.format("%d of %d", 7.9, 2 * 1.5), " ", math.mod(7, 4))
  INFO(#shuffle { 1, 2, 3, 4, 5 }, " ", tostring(1e3), " ", 2 ^ 10)
  for word in string.gfind("one two", "%a+") do INFO(word) end
  local t = {} for i = 0, 3 do t[i] = i end INFO(#t, t[0])
  INFO(("a\0b"):gsub("%z", "0"))
  INFO(gcinfo() > 0, " ", unpack({ 1, 2, 3 }))
end
