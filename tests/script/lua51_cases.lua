-- Calls of the functions of Lua 5.1's libraries with generated arguments, a line each: the call, " => ", and its
-- results. Run by Lua 5.1, by LuaJIT and by the server, and compared. Lua 5.1 Reference Manual, §5.
local out, write = {}, nil
local seed = 1
-- Park and Miller's generator, exact in doubles.
local function random(n)
  seed = seed * 16807 % 2147483647
  return (seed - seed % 1) % n + 1
end
local function pick(list) return list[random(#list)] end

local function show(v, depth)
  local kind = type(v)
  if kind == "number" then
    if v ~= v then return "nan" end
    return (string.format("%.12g", v):gsub("^%-0$", "0"))
  elseif kind == "string" then
    return '"' .. v:gsub('[^%w%p ]', function(c) return "\\" .. c:byte() end) .. '"'
  elseif kind == "table" then
    if depth then return "{}" end
    local parts = {}
    for i = 1, 14 do parts[#parts + 1] = show(v[i], true) end
    local others = {}
    for k, value in pairs(v) do
      if type(k) ~= "number" or k < 1 or k > 14 or k % 1 ~= 0 then
        others[#others + 1] = show(k, true) .. "=" .. show(value, true)
      end
    end
    table.sort(others)
    while parts[#parts] == "nil" do parts[#parts] = nil end
    return "{" .. table.concat(parts, ",") .. ";" .. table.concat(others, ",") .. "}"
  elseif kind == "boolean" or kind == "nil" then
    return tostring(v)
  end
  return kind
end

local function showAll(n, list)
  local parts = {}
  for i = 1, n do parts[i] = show(list[i]) end
  return table.concat(parts, ", ")
end
local function pack(...) return select("#", ...), {...} end

-- What each letter of a signature stands for. A value in a function is made anew for each call.
local NIL = {}
local kinds = {
  i = {0, 1, 2, 3, 4, 5, 6, 10, -1, -2, -3, -10, 2.5, -1.5, 0.5, 3.999, 1.0, "2", "2.7", " 3 ", "0x2"},
  n = {0, 1, 2, 3, -1, -7, 10, 0.5, -0.25, 2.75, 1e10, -1e10, 1e100, 1/0, -1/0, "10", "0x1F", "1e2", " 7 "},
  s = {"", "a", "hello", "hello world", "a\0b", "x,y;z", "  trim  ", "50% off", "THE (quick) fox", 12, 1.5, "a.b.c", "k=v, k2=v2"},
  p = {"l", "l+", "%a+", "%z", "[%z]", "[^%z]+", "(l)(l)", "()", "%d*", "l?", "^h", "o$", "[^,]+", "%b()", ".-", "^%s*(.-)%s*$",
    "", ".", "%w", "%W", "%S+", "%u", "%l", "%p", "%c", "%x", "[a-c]", "[^a-c]", "[]]", "[%a_]", "(%w+)=(%w+)", "(h)(.)", "(.)%1", "a-b",
    "%%", "[", "(", "%", "x*", "[a-]", "%.", "%f[%w]%w+", 1, "()l()"},
  r = {"x", "%1", "%0", "<%0>", "50% off", "%%", "%2", "%", "%a", "", 5, "%1%1",
    function() return function(a) return a and a .. "!" end end, function() return function() return false end end,
    function() return function() end end, function() return {l = "L", h = false, a = 1} end},
  t = {function() return {} end, function() return {1} end, function() return {1, 2, 3} end, function() return {"a", "b", "c", "d"} end,
    function() return {5, 3, 9, 1, 7, 2} end, function() return {1, x = 2} end, function() return {"b", "a", "C"} end},
  v = {1, "v", true, 2.5, false},
  f = {"%d", "%5d", "%-5d|", "%05d", "%+d", "%x", "%X", "%o", "%c", "%s", "%10s", "%-10s|", "%.2s", "%q", "%g", "%.3f", "%e", "%10.4f",
    "%5.1f", "%i", "%u", "%%", "%G", "%E", "% d", "%#x", "%.0f", "%5s", "%", "%y", "%d %s"},
  a = {0, 1, 65, -1, 3.5, -2.5, "10", "text", 255, 1e10, 2^31, true, NIL, 3.0, "a\nb", "q\"uo\\te", 100},
  b = {2, 8, 10, 16, 36, 2.5, 1, 37, "16"},
  d = {"10", "ff", "zz", "0x10", " 11 ", "1e1", "", " ", "1 2", "0x", "1.5", "-7", "0x1p4", "inf", "nan", ".5", "5.", "1e", "077", 10, 1.5, "7fffffff", "-ff"},
  c = {function() return function(a, b) return a < b end end, function() return function(a, b) return a > b end end},
}

local function argument(kind)
  local optional = kind:match("^(.)%?$")
  if optional then
    if random(3) == 1 then return nil end
    kind = optional
  end
  local value = pick(kinds[kind])
  if type(value) == "function" then value = value() end
  if value == NIL then value = nil end
  return value
end

-- Name and signature: letters of `kinds`, `?` for one that may be nil. The table of a call is shown after it.
local calls = {
  "string.byte s i? i?", "string.char i i", "string.char i", "string.find s p i?", "string.find s p i? v?", "string.format f a a",
  "string.format f a", "string.gsub s p r i?", "string.gsub s p r", "string.len s", "string.lower s", "string.match s p i?",
  "string.rep s i", "string.reverse s", "string.sub s i i?", "string.upper s",
  "table.concat t s? i? i?", "table.concat t", "table.insert t v", "table.insert t i v", "table.remove t", "table.remove t i",
  "table.maxn t", "table.getn t", "unpack t i? i?", "unpack t", "table.sort t", "table.sort t c",
  "math.abs n", "math.ceil n", "math.floor n", "math.fmod n n", "math.modf n", "math.max n n n", "math.min n n", "math.sqrt n",
  "math.pow n n", "math.exp n", "math.log n", "math.log10 n", "math.ldexp n i", "math.frexp n", "math.cosh n", "math.sinh n", "math.tanh n",
  "math.deg n", "math.rad n", "math.sin n", "math.atan2 n n", "math.mod n n",
  "tonumber d", "tonumber d b", "tostring n", "type a", "select i a a a", "rawequal a a", "rawget t i", "rawset t i v", "next t i?",
  "assert a", "assert a s", "error a", "ipairs t", "pairs t", "unpack s", "getmetatable s", "setmetatable t v", "pcall a", "xpcall a a",
  "math.floor s", "string.len n", "string.upper n", "string.sub n i i", "math.abs s", "table.concat n", "math.max s s",
}
local function lookup(name)
  local value = _G
  for part in name:gmatch("[^.]+") do value = value and value[part] end
  return value
end

local RUNS = 400
for number, call in ipairs(calls) do
  seed = number * 7919 -- so that a function that one of them lacks changes nothing for the rest
  local name, signature = call:match("^(%S+) (.*)$")
  local f = lookup(name)
  if f then
    local letters = {}
    for letter in signature:gmatch("%S+") do letters[#letters + 1] = letter end
    for _ = 1, RUNS do
      local args, n = {}, #letters
      for i = 1, n do args[i] = argument(letters[i]) end
      local text = name .. "(" .. showAll(n, args) .. ")"
      local count, results = pack(pcall(f, unpack(args, 1, n)))
      local shown = results[1] and showAll(count, results) or "error"
      if type(args[1]) == "table" then shown = shown .. " " .. show(args[1]) end
      out[#out + 1] = text .. " => " .. shown
    end
  end
end

-- Operators and statements, as chunks.
local numbers = {"0", "1", "2", "-1", "7", "-7", "0.5", "-2.5", "1e10", "'10'", "'0x10'", "' 3 '", "1e308", "(0/0)", "(1/0)", "#{}", "#'abc'", "'x'", "nil", "{}", "true"}
local operators = {"+", "-", "*", "/", "%", "^", "..", "==", "~=", "<", "<=", ">", ">=", "and", "or"}
local function chunk(text)
  local f = loadstring(text)
  local count, results = pack(pcall(f or error))
  out[#out + 1] = text:gsub("\n", " ") .. " => " .. (results[1] and showAll(count, results) or "error")
end
for _, a in ipairs(numbers) do
  for _, b in ipairs(numbers) do
    for _, operator in ipairs(operators) do chunk("return " .. a .. " " .. operator .. " " .. b) end
  end
  chunk("return -" .. a)
  chunk("return not " .. a)
  chunk("return #" .. a)
  chunk("local n = 0 for i = " .. a .. ", 4 do n = n + i if n > 50 then break end end return n")
  chunk("local n = 0 for i = 1, 4, " .. a .. " do n = n + 1 if n > 50 then break end end return n")
  chunk("local t = {} t[" .. a .. "] = 1 return t[" .. a .. "], next(t)")
end
for _, text in ipairs {
  "return coroutine.running()", "return coroutine.status(coroutine.create(print))", "return type(coroutine.running)",
  "local co = coroutine.wrap(function() return type(coroutine.running()) end) return co()",
  "return coroutine.resume(coroutine.create(function(...) return ... end), 1, 2)",
  "return coroutine.resume(coroutine.create(function() error({}) end))",
  "local f = coroutine.wrap(function() coroutine.yield(1) end) f() f() return pcall(f)",
  "return select('#'), select(-1, 1, 2), select(2, 'a', 'b')", "return ('x'):gsub('x', '50% off')",
  "return ('abc'):gsub('%w', '%0%0')", "return ('a\\0b'):find('\\0', 1, true)", "return ('a\\0b'):find('%z')", "return #('a\\0b'):gsub('%z', '')",
  "local t = {1,2,3} return table.remove(t, 0), #t", "local t = {1,2,3} return table.remove(t, 7), #t",
  "local t = {} table.insert(t, 50, 1) return t[50]", "return 1 % #{}", "return 5 % 0 ~= 5 % 0",
  "local t = {3,1,2,5,4,9,8,7} table.sort(t, function(a, b) return a >= b end) return #t",
  "return string.format('%d', 3.5)", "return string.format('%5.2s|', 'abc')", "return tostring(1e15), tostring(2^53), tostring(-0.0)",
  "return 1e15, 1e14, 123456789012345", "return 10 / 2, 3 * 1.0, 2^2, 7 - 0.0", "return 1 .. '', 2.0 .. ''", "return tostring(3) == tostring(3.0)",
  "local t = {} t[1.0] = 'a' t[2^53] = 'b' return t[1], t[2^53]", "return math.huge > 1, -math.huge < 1, math.pi > 3",
  "return unpack({1, 2, nil, 4}, 1, 4)", "return next({})", "return type(next), type(_G), _VERSION", "return rawequal('a', 'a')",
  "return tonumber('10', 2), tonumber('zz', 36), tonumber('8', 8)", "return tonumber('0x'), tonumber(''), tonumber('1e')",
  "return pcall(error)", "return pcall(error, nil)", "return select(2, pcall(error, 'x', 0))", "return (select(2, pcall(error, {})))",
  "local t = setmetatable({}, {__index = function(_, k) return k .. '!' end}) return t.a, rawget(t, 'a')",
  "local t = setmetatable({}, {__call = function(_, a) return a end}) return t(5)", "local t = setmetatable({}, {__len = function() return 9 end}) return type(#t)",
  "local t = setmetatable({}, {__metatable = 'no'}) return getmetatable(t), pcall(setmetatable, t, {})",
  "local a = setmetatable({}, {__concat = function() return 'c' end}) return a .. 'x', 'x' .. a, 1 .. a",
  "local mt = {__eq = function() return true end} return setmetatable({}, mt) == setmetatable({}, mt)",
  "local mt = {__lt = function() return true end} return setmetatable({}, mt) < setmetatable({}, mt)",
  "local mt = {__lt = function() return false end} return setmetatable({}, mt) <= setmetatable({}, mt)",
  "local p = newproxy(true) getmetatable(p).__len = function() return 4 end return #p", "return type(newproxy())",
  "local f = loadstring('return ...') return f(1, 2)", "return loadstring('x =') == nil", "return load(function() return nil end) ~= nil",
  "local n = 0 return type(load(function() n = n + 1 return ({'return ', '5'})[n] end)())", "return xpcall(function() error('a', 0) end, function(m) return m .. 'b' end)",
  "local function f() return 1 end return getfenv(f) == getfenv(1), setfenv(f, {}) == f", "return table.foreach({1, 2}, function(k, v) if v == 2 then return k end end)",
  "return string.gfind == nil or type(string.gfind)", "return math.random() < 1, math.random(1) == 1, math.random(3, 3)", 
  "return type(math.random(1.5)), math.random(2.0, 2.9)", "math.randomseed(1.5) return 1", "math.randomseed('5') return 1", "math.randomseed(-1e10) return 1",
  "return os.time({year = 2000, month = 1, day = 1, hour = 12}) ~= nil, os.date('!%Y-%m-%d', 86400)", "return type(os.clock()), type(os.date()), os.getenv('NO_SUCH_NAME')",
  "return os.date('!*t', 0).year, os.date('!*t', 0).wday, os.date('!*t', 0).isdst", "return os.difftime(10, 5)", 
  "return os.time({year = '2000', month = '1', day = 1.0, hour = 12}) ~= nil", "return string.rep('ab', 3.7), ('x'):rep(-1), ('x'):rep(0)",
  "return ('abc'):sub(2.7), ('abc'):sub('2'), ('abc'):byte(1.2)", "return ('a,b,,c'):find(',', 3.5, true)", "return ('x'):format()", "return ('%s'):format(nil)", "return ('%s %s'):format(true, {} ~= nil)",
  "return string.format('%s', setmetatable({}, {__tostring = function() return 'T' end}))", "return string.format('%q', 'a\\nb\\0c\\r\"')", "return string.format('%c%c', 65, 66.5)", "return string.format('%5s|%-5s|', 1, 2)",
  "local s = 0 for k, v in pairs({10, 20, x = 30}) do s = s + v end return s", "local s = '' for i, v in ipairs({1, 2, nil, 4}) do s = s .. i end return s", "for w in ('one two'):gmatch('%a+') do return w end",
  "local t = {} for k, v in ('a=1, b=2'):gmatch('(%w+)=(%w+)') do t[#t + 1] = k .. v end return unpack(t)", "local n = 0 for _ in (''):gmatch('x*') do n = n + 1 end return n", "local n = 0 for _ in ('abc'):gmatch('') do n = n + 1 end return n",
  "return ('hello'):gsub('', '-')", "return ('abc'):gsub('b*', 'x')", "return ('hello world'):gsub('o', {o = false})", "return ('abc'):gsub('(a)(b)', '%2%1')", "return ('abc'):gsub('a', '%')", "return ('abc'):gsub('a', '%9')", "return ('abc'):gsub('a', 'x', 1.5)", "return ('aaa'):gsub('a', 'x', -1)",
  "return math.floor(-3.5), math.ceil(-3.5), math.floor(2^40 + 0.5), math.fmod(-6, 4), -6 % 4, -6 % -4, 5.5 % -2", "return math.modf(3.7), math.modf(-3.7), math.modf(1/0)", "return math.max(1, 2.5), math.min(3, '2')", "return math.fmod(5, 0) ~= math.fmod(5, 0)",
  "return bit and bit.band(2^31, 0xffffffff) or -2147483648", "return #arg >= 0",
  "return type(package.loaded), type(package.preload), type(package.path), type(package.cpath), type(package.loaders), type(package.config)",
  "return package.loaded.string == string, package.loaded._G == _G, package.loaded.package == package, package.loaded.table == table", "return require('string') == string, require('math') == math, require('_G') == _G, require('package') == package",
  "return (pcall(require, 'no.such.module'))", "x_y = 5 return _G.x_y, _G['x_y'], rawget(_G, 'x_y')", "_G.z_z = 6 return z_z", "_G['z z'] = 7 return _G['z z']", "return _G._G == _G, _G.print == print, _G.string == string, rawget(_G, 'print') == print",
  "return getmetatable(_G)", "local seen setmetatable(_G, {__newindex = function(t, k, v) rawset(t, k, v + 1) end, __index = function(_, k) return k end}) n_1 = 1 local u = undefined_x setmetatable(_G, nil) return n_1, u, undefined_x",
  "local info = debug.getinfo(1, 'Sl') return info.currentline, info.what, type(info.source), type(info.short_src)", "local info = debug.getinfo(print) return info.what, info.short_src, info.currentline, info.source", "local function f() end local info = debug.getinfo(f) return info.func == f, info.what, info.linedefined, info.lastlinedefined, info.nups",
  "local function f() return debug.getinfo(1, 'n').name end local r = f() return r", "return debug.getinfo(100)", "local function g() local d = debug.getinfo(2, 'S') return d.what end local r = g() return r", "return type(debug.traceback()), debug.traceback('m', 1):match('^m\\nstack traceback:') ~= nil",
} do
  chunk(text)
end

return table.concat(out, "\n") .. "\n"
