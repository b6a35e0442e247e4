-- Functions of `table` that 5.4 dropped.

function table.unpack(t, first, last)
  if type(t) ~= "table" then
    error("bad argument #1 to 'unpack' (table expected, got " .. (t == nil and "no value" or type(t)) .. ")", 2)
  end
  if first == nil and last == nil then return unpack(t) end
  return guarded(unpack, "unpack", t, whole(first), whole(last))
end

_G.unpack = table.unpack

function table.getn(t)
  return #t
end

function table.setn()
  error("'setn' is obsolete", 2)
end

function table.maxn(t)
  local most = 0
  for key in next, t do
    if type(key) == "number" and key > most then most = key end
  end
  return most
end

function table.foreach(t, f)
  for key, value in next, t do
    local result = f(key, value)
    if result ~= nil then return result end
  end
end

function table.foreachi(t, f)
  for i = 1, #t do
    local result = f(i, t[i])
    if result ~= nil then return result end
  end
end
