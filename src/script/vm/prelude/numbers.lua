-- Functions of `math` that 5.4 dropped, or whose arguments it changed.

function math.pow(x, y)
  return x ^ y
end

--- 5.4 refuses a divisor of 0 for integers.
function math.fmod(x, y)
  if y == 0 and mtype(x) then return 0 / 0 end
  return guarded(fmod, "fmod", x, y)
end

math.mod = math.fmod

--- Calls a function with arguments of which numeric strings become numbers.
local function numbers(f, name, ...)
  local values = pack(...)
  for i = 1, values.n do
    local number = tonumber(values[i])
    if not number then
      error("bad argument #" .. i .. " to '" .. name .. "' (number expected, got " .. type(values[i]) .. ")", 3)
    end
    values[i] = number
  end
  return f(unpack(values, 1, values.n))
end

function math.max(a, b, ...)
  if mtype(a or "") and mtype(b or "") and select("#", ...) == 0 then return max(a, b) end
  if b == nil and select("#", ...) == 0 then return (numbers(max, "max", a)) end
  return (numbers(max, "max", a, b, ...))
end

function math.min(a, b, ...)
  if mtype(a or "") and mtype(b or "") and select("#", ...) == 0 then return min(a, b) end
  if b == nil and select("#", ...) == 0 then return (numbers(min, "min", a)) end
  return (numbers(min, "min", a, b, ...))
end

function math.log10(x)
  return math.log(x, 10)
end

function math.ldexp(m, e)
  e = whole(e)
  local half = e // 2 -- 2^e may overflow where m * 2^e does not
  return m * 2.0 ^ half * 2.0 ^ (e - half)
end

function math.frexp(x)
  if x == 0 or x ~= x or x == math.huge or x == -math.huge then return x, 0 end
  local e = floor(math.log(x < 0 and -x or x, 2)) + 1
  local m = x / 2.0 ^ e
  if m >= 1 or m <= -1 then m, e = m / 2, e + 1 end
  if m > -0.5 and m < 0.5 then m, e = m * 2, e - 1 end
  return m, e
end

function math.cosh(x)
  return (math.exp(x) + math.exp(-x)) / 2
end

function math.sinh(x)
  return (math.exp(x) - math.exp(-x)) / 2
end

function math.tanh(x)
  if x > 20 then return 1 end
  if x < -20 then return -1 end
  local e = math.exp(2 * x)
  return (e - 1) / (e + 1)
end

local random = math.random
function math.random(low, high)
  if low == nil then return random() end
  if mtype(low) == "integer" and (high == nil and low >= 1 or mtype(high) == "integer" and low <= high) then
    if high == nil then return random(low) end
    return random(low, high)
  end
  if mtype(low) == "float" then low = whole(low) end
  if high == nil then return guarded(random, "random", low) end
  if mtype(high) == "float" then high = whole(high) end
  return guarded(random, "random", low, high)
end

local randomseed = math.randomseed
function math.randomseed(seed, ...)
  if mtype(seed) == "float" then seed = whole(seed) end
  if seed == nil then return randomseed() end
  return guarded(randomseed, "randomseed", seed, ...)
end
