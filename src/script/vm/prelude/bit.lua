-- LuaJIT's bit: 32 bits, results with a sign.

bit = {}
local function signed(n)
  n = n & 0xffffffff
  return n >= 0x80000000 and n - 0x100000000 or n
end
local function bits(n, position)
  local number = tonumber(n)
  if not number then
    error("bad argument #" .. position .. " (number expected, got " .. type(n) .. ")", 3)
  end
  if mtype(number) == "integer" then return number & 0xffffffff end
  if number ~= number or number >= 2^63 or number < -2^63 then return 0 end
  local below = floor(number) -- rounds to nearest, halves to even
  local fraction = number - below
  if fraction > 0.5 or (fraction == 0.5 and below % 2 == 1) then below = below + 1 end
  return tointeger(below) & 0xffffffff
end
function bit.tobit(x)
  return signed(bits(x, 1))
end
function bit.bnot(x)
  return signed(~bits(x, 1))
end
function bit.band(x, ...)
  local result = bits(x, 1)
  for i = 1, select("#", ...) do result = result & bits(select(i, ...), i + 1) end
  return signed(result)
end
function bit.bor(x, ...)
  local result = bits(x, 1)
  for i = 1, select("#", ...) do result = result | bits(select(i, ...), i + 1) end
  return signed(result)
end
function bit.bxor(x, ...)
  local result = bits(x, 1)
  for i = 1, select("#", ...) do result = result ~ bits(select(i, ...), i + 1) end
  return signed(result)
end
function bit.lshift(x, n)
  return signed(bits(x, 1) << (bits(n, 2) & 31))
end
function bit.rshift(x, n)
  return signed(bits(x, 1) >> (bits(n, 2) & 31))
end
function bit.arshift(x, n)
  return signed(signed(bits(x, 1)) >> (bits(n, 2) & 31) | (signed(bits(x, 1)) < 0 and ~(-1 >> (bits(n, 2) & 31)) or 0))
end
function bit.rol(x, n)
  x, n = bits(x, 1), bits(n, 2) & 31
  return signed(x << n | x >> (32 - n))
end
function bit.ror(x, n)
  x, n = bits(x, 1), bits(n, 2) & 31
  return signed(x >> n | x << (32 - n))
end
function bit.bswap(x)
  x = bits(x, 1)
  return signed(x >> 24 | x >> 8 & 0xff00 | (x & 0xff00) << 8 | x << 24)
end
function bit.tohex(x, n)
  x, n = bits(x, 1), whole(tonumber(n or 8))
  local digits = n < 0 and -n or n
  if digits > 8 then digits = 8 end
  local text = sub(format(n < 0 and "%08X" or "%08x", x), -digits)
  return digits == 0 and "" or text
end
