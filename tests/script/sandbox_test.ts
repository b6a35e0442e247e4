// Limits that protect the server and other applications from a script: DECISIONS 20.
import assert from "node:assert/strict";
import { locate } from "../../src/script/vm/locate.ts";
import { measure, rehearse } from "../../src/script/vm/pattern.ts";
import { cpuTime } from "../support/cpu_time.ts";
import { Machine } from "./machine.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("Lua has no functions that access files, processes or native libraries", () => {
  const machine = new Machine();
  assert.deepEqual(
    machine.run(`
      INFO(os.execute, os.exit, io.popen, io.tmpfile, package.loadlib, super.package, warn)
      local names = {} for name in pairs(debug) do names[#names + 1] = name end table.sort(names) INFO(table.concat(names, " "))
      INFO(_G.debug == debug, os.getenv("PATH"))`),
    ["(null)(null)(null)(null)(null)(null)(null)", "getinfo traceback", "(true)(null)"],
  );
});

Deno.test("Lua refuses bytecode in every form", () => {
  const machine = new Machine({ "code.lua": "" });
  machine.run("local f = io.open('code.lua', 'wb') f:write(string.dump(function() end)) f:close()");
  assert.deepEqual(
    machine.run(`
      local code = string.dump(function() return 1 end)
      for _, f in ipairs {
        function() return load(code) end,
        function() return load(code, "x", "b") end,
        function() return load(code, "x", "bt") end,
        function() return load(code, "x", "b", {}) end,
        function() local done return load(function() if not done then done = true return code end end) end,
        function() return loadstring(code) end,
        function() return loadfile("code.lua") end,
        function() return loadfile("code.lua", "b") end,
        function() return pcall(dofile, "code.lua") end,
        function() return pcall(require, "code") end,
      } do
        local result, why = f()
        INFO(not result and type(why) == "string")
      end`),
    Array(10).fill("(true)"),
  );
});

/** Scripts that do not end. */
const ENDLESS: Record<string, string> = {
  "a loop": "while true do end",
  "pcall": "while true do pcall(function() while true do end end) end",
  "xpcall and its handler":
    "while true do xpcall(function() while true do end end, function() while true do end end) end",
  "a handler after an error": "xpcall(error, function() while true do end end)",
  "an error in a handler": "while true do xpcall(error, function() error('again') end) end",
  "coroutines of coroutines":
    "while true do coroutine.wrap(function() local c = coroutine.wrap(function() while true do pcall(function() while true do end end) end end) while true do pcall(c) end end)() end",
  "many coroutines":
    "while true do local c = coroutine.create(function() while true do end end) coroutine.resume(c) end",
  "a global coroutine": `
    kept = kept or coroutine.create(function() while true do coroutine.yield() for i = 1, 1e12 do end end end)
    while true do coroutine.resume(kept) end`,
  "a variable that is closed":
    "local function f() local x <close> = setmetatable({}, { __close = function() while true do end end }) error('x') end while true do pcall(f) end",
  "a metamethod":
    "local t = setmetatable({}, { __index = function(t, k) return t[k + 1] .. '' end }) while true do pcall(function() return t[1] end) end",
  "tail calls": "local function f() return f() end f()",
  "a finalizer of a proxy of a proxy": `
    for i = 1, 100 do
      local proxy = newproxy(true)
      getmetatable(proxy).__gc = function() while true do end end
      newproxy(proxy)
    end
    collectgarbage() collectgarbage() while true do end`,
  "a finalizer of a module": `
    held = setmetatable({}, { __gc = function() while true do end end })
    local function f() module("held", package.seeall) end
    f() held, package.loaded.held = nil, nil
    collectgarbage() collectgarbage() while true do end`,
  "moving what has no end":
    "table.move(setmetatable({}, { __len = function() return 1 << 53 end }), 1, 1 << 52, 1, {})",
  "inserting where the length changes":
    "local n = 0 table.insert(setmetatable({}, { __len = function() n = n + 1 return n == 1 and 0 or 1 << 60 end }), 1, 5) while true do end",
  "joining what functions of C give":
    "table.concat(setmetatable({}, { __index = rawlen }), '', 1, 1 << 50)",
  "sorting long strings":
    "local s, t = ('a'):rep(1e7), {} for i = 1, 9000 do t[i] = s end table.sort(t)",
  "looking for a long part everywhere":
    "local s, part = ('a'):rep(2e6), ('a'):rep(1e6) .. 'b' while true do s:find(part, 1, true) s:find(part) end",
  "gsub with a table": "while true do ('a'):rep(2e7):gsub('.', { a = '' }) end",
  "gsub with a function of C": "while true do ('a'):rep(2e7):gsub('.', math.type) end",
  "a reader of load that is a function of C": "while true do load(('a '):rep(1e7):gmatch(' ')) end",
  "splitting":
    "local s, part = ('a,'):rep(1e5), ('b'):rep(1e7) while true do cumulus:split(s, ',') pcall(cumulus.split, cumulus, part, part .. 'c') end",
  "digests": "local s = ('a'):rep(1e7) while true do cumulus:md5(s, s, s, s, s, s, s, s) end",
  "a variable that is closed in a coroutine":
    "coroutine.wrap(function() local x <close> = setmetatable({}, { __close = function() while true do end end }) while true do end end)()",
  "what closes a loop in a coroutine":
    "coroutine.wrap(function() for i in function() while true do end end, nil, nil, setmetatable({}, { __close = function() while true do end end }) do end end)()",
  "a coroutine in a coroutine that is closed":
    "coroutine.wrap(function() coroutine.wrap(function() local x <close> = setmetatable({}, { __close = function() while true do end end }) while true do end end)() end)()",
  "closing a coroutine that time has ended": `
    if dead then coroutine.close(dead) end
    dead = coroutine.create(function()
      local x <close> = setmetatable({}, { __close = function() while true do end end })
      while true do end
    end)
    local x <close> = setmetatable({}, { __close = function() coroutine.close(dead) end })
    coroutine.resume(dead)`,
  "loading files by gsub": "while true do ('x'):rep(9e5):gsub('.', loadfile) end",
  "opening files by gsub": "while true do ('x'):rep(9e5):gsub('.', io.open) end",
  "a finalizer": `
    for i = 1, 100 do setmetatable({}, { __gc = function() while true do end end }) end
    collectgarbage() collectgarbage() while true do end`,
  "a reader of load": "load(function() return ' ' end)",
  "gsub with a function": "('x'):rep(1e6):gsub('x', function() while true do end end)",
  "sort with a function":
    "local t = {} for i = 1, 1e5 do t[i] = i end while true do pcall(table.sort, t, function(a, b) for i = 1, 1e6 do end end) end",
  "long strings": "local s = ('x'):rep(1e7) while true do local t = s .. s end",
  "comparing long strings":
    "local a, b = ('x'):rep(2e7) .. 'a', ('x'):rep(2e7) .. 'a' while true do local c = a == b end",
  "collecting garbage":
    "local t = {} for i = 1, 1e5 do t[i] = {} end while true do collectgarbage() end",
  "string.rep": "while true do ('x'):rep(1e7) end",
  "patterns": "while true do pcall(string.find, ('a'):rep(20000), '.-.-.-.-b') end",
  "sorting":
    "local t = {} for i = 1, 3e5 do t[i] = (i * 7919) % 3e5 end while true do pcall(table.sort, t) end",
  "walks over API objects": "while true do for i, c in cumulus.clients:pairs() do end end",
  "an event inside a call":
    "while true do pcall(function() local p = cumulus:publish('x') p:close() end) end",
};

for (const [name, source] of Object.entries(ENDLESS)) {
  Deno.test(`The time limit stops a script with ${name}, and the client's next call works`, () => {
    const machine = new Machine({
      "main.lua":
        `function onConnection(client) function client:go() ${source} end function client:sum(a, b) local n = 0 for i = a, b do n = n + i end return n end end`,
    });
    machine.host.time = 20;
    machine.host.now = cpuTime;
    machine.start();
    const guest = machine.connect();
    for (let i = 0; i < 2; i++) {
      const begun = cpuTime();
      const result = guest.call("go");
      const took = cpuTime() - begun;
      assert.ok(typeof result === "object" && "error" in result, String(result));
      assert.match(result.error, /ran longer than 20 ms and was stopped/);
      assert.ok(took < 3000, `took ${took} ms`);
      assert.deepEqual(guest.call("sum", 1, 20_000), ["_result(200010000)"]);
    }
  });
}

/** Scripts with one slow instruction, or beyond a limit, and their errors. */
const TOO_MUCH: Record<string, RegExp> = {
  "('').rep('', 1e15) error('no')": /no$/,
  "('x'):rep(1e15)": /resulting string too large|not enough memory/,
  "('x'):rep(1e9)": /not enough memory/,
  "table.move({}, 1, 1e15, 2)": /too many elements to move/,
  "local n = 0 table.sort(setmetatable({}, { __index = type, __newindex = type, __len = function() n = n + 1 return n == 1 and 3 or 2e9 end })) error('sorted 3')":
    /sorted 3$/,
  "('b'):rep(1e6):find('[' .. ('a'):rep(1e6) .. ']')": /pattern takes too long/,
  "table.sort(setmetatable({}, { __len = function() return 2e9 end }))":
    /too many elements to sort/,
  "table.concat(setmetatable({}, { __len = function() return 1e15 end, __index = table }))":
    /invalid value \(nil\) at index 1/,
  "unpack({}, 1, 1e9)": /too many results to unpack/,
  "string.char(unpack({}, 1, 1e6))": /too many results|bad argument|stack overflow/,
  "('a'):rep(30):match(('a?'):rep(30) .. ('a'):rep(30) .. 'b')": /pattern takes too long/,
  "('a'):rep(50000):match('.-.-.-.-b')": /pattern takes too long/,
  "('a'):rep(50000):gsub('.-.-.-.-b', '')": /pattern takes too long/,
  "for _ in ('a'):rep(50000):gmatch('.-.-.-.-b') do end": /pattern takes too long/,
  "cumulus:split(('x,'):rep(1e6), ',')": /too many tokens/,
  "local t = {} while true do t[#t + 1] = {} end": /not enough memory/,
  "local s = 'x' while true do s = s .. s end": /not enough memory/,
  "local function f() return f() + 1 end f()": /stack overflow|not enough memory/,
  "local function f() return (('x'):gsub('x', f)) end f()": /C stack overflow/,
  "local t = {} for i = 1, 1e7 do t = { t } end cumulus:toAMF(t)": /deep|not enough memory/,
  "string.format('%99999d', 1)": /invalid (format|conversion)/,
};

for (const [source, text] of Object.entries(TOO_MUCH)) {
  Deno.test(`Lua raises an error within 5 s for ${source}`, () => {
    const machine = new Machine({
      "main.lua":
        `function onConnection(client) function client:go() ${source} end function client:ok() return "ok" end end`,
    });
    machine.host.time = 10_000;
    machine.host.now = cpuTime;
    machine.start();
    const guest = machine.connect();
    const begun = cpuTime();
    const result = guest.call("go");
    assert.ok(typeof result === "object" && "error" in result, String(result));
    assert.match(result.error, text);
    assert.ok(cpuTime() - begun < 5000);
    assert.deepEqual(guest.call("ok"), ['_result("ok")']);
  });
}

Deno.test("The server completes its steps while one application's data fills the memory", () => {
  const machine = new Machine({
    "main.lua": `
      function onConnection(client) function client:fill() kept = {} while true do kept[#kept + 1] = ("x"):rep(100) .. #kept end end
        function client:free() kept = nil collectgarbage() return "ok" end function client:hello() return "hello" end end
      function onPublish(client, publication) INFO("publish") end
      function onVideoPacket(client, publication, time, packet) local copy = packet .. "x" end`,
  });
  machine.host.memory = 4 << 20;
  machine.start();
  const guest = machine.connect();
  assert.match(JSON.stringify(guest.call("fill")), /not enough memory/);
  const { lua } = machine.applications.api;
  for (let i = 0; i < 300; i++) {
    // With and without errors the server throws no exception, and leaves no value on the stack.
    guest.client.application.video(
      guest.client,
      machine.hub.publications.get("p")!,
      i,
      bytes("x".repeat(i)),
    );
    assert.equal(lua.top, 0);
  }
  for (let i = 0; i < 50; i++) guest.call("hello", "y".repeat(60_000));
  assert.deepEqual(guest.call("free"), ['_result("ok")']);
  assert.deepEqual(guest.call("hello"), ['_result("hello")']);
  machine.publish(guest, "p");
  assert.equal(machine.logged("info").at(-1), "publish");
});

Deno.test("The application that fills the memory restarts, and others continue", () => {
  const machine = new Machine({
    "main.lua": `
      root = "root" held = {}
      for i = 1, 1000 do held[i] = { i } end
      function onConnection(client) function client:hello() local s = ("x"):rep(5e5) return root end end
      function onManage() local s = {} for i = 1, 2e4 do s[i] = i end end`,
    "a/main.lua": `
      function onStart() INFO("starts") end
      function onConnection(client) function client:fill(n) kept = kept or {} for i = 1, n do kept[#kept + 1] = ("x"):rep(1000) .. #kept end end end`,
  });
  machine.host.memory = 8 << 20;
  machine.start();
  const [guest, hog] = [machine.connect(), machine.connect("/a")];
  for (let i = 0; i < 70; i++) {
    hog.call("fill", 100);
    machine.applications.manage();
  }
  guest.call("hello"); // may fail, as the memory is full
  assert.deepEqual(guest.call("hello"), ['_result("root")']);
  assert.ok(machine.applications.open("")!.errors < 5);
  const said = machine.logged("info");
  assert.ok(said.length > 1 && said.every((text) => text === "starts"), String(said));
  const holds = machine.host.lines.filter(({ text }) => text.startsWith("restarts: the memory"));
  assert.ok(holds.length > 0 && holds.every(({ file }) => file === "www/a/main.lua"));
});

Deno.test("The server completes an outer event when an event inside it runs out of memory", () => {
  const machine = new Machine({
    "main.lua": `
      function onConnection(client)
        function client:ban() local ok, why = pcall(cumulus.addToBlacklist, cumulus, client.address:match("[^:]+")) return ok end
        function client:hello() return "hello" end
      end
      function onDisconnection(client) local t = {} while true do t[#t + 1] = {} end end`,
  });
  machine.host.memory = 4 << 20;
  machine.start();
  const [one, two] = [machine.connect(), machine.connect()];
  two.connection.hostname = "192.0.2.2";
  one.call("ban");
  assert.equal(one.client.state, "gone");
  assert.deepEqual(machine.logged("error"), ["not enough memory"]);
  assert.deepEqual(two.call("hello"), ['_result("hello")']);
});

Deno.test("A script that replaces shared functions does not affect the server's code", () => {
  const machine = new Machine({
    "main.lua": `
      for _, library in ipairs { string, table, math, coroutine } do
        for name in pairs(library) do library[name] = function() error("mine") end end
      end
      for _, name in ipairs { "pcall", "error", "type", "tostring", "rawget", "select", "setmetatable", "getmetatable" } do _G[name] = nil end`,
    "a/main.lua":
      "x = 1 function onConnection(client) INFO(x, super ~= nil, cumulus.clients.count) end",
  }).start();
  machine.connect("/a");
  machine.applications.manage();
  assert.deepEqual(machine.logged("error"), []);
  assert.deepEqual(machine.said(), ["1(true)0"]);
});

Deno.test("The error of a call that took too long has the line of the script", () => {
  for (
    const source of [
      "while true do string.format('%5u', 7.5) end",
      "while true do getfenv(1) end",
      "while true do table.move(setmetatable({}, {}), 1, 1e6, 2) end",
    ]
  ) {
    const machine = new Machine({ "main.lua": `function onConnection(client)\n${source}\nend` });
    machine.host.time = 50;
    machine.host.now = cpuTime;
    machine.start();
    assert.equal(machine.refused(), "ran longer than 50 ms and was stopped");
    assert.match(machine.logged("error").at(-1)!, /^www\/main\.lua:2: ran longer/, source);
  }
});

Deno.test("Scripts cannot replace the built-in parts of objects", () => {
  const machine = new Machine();
  assert.deepEqual(
    machine.run(`
      local clients = cumulus.clients
      rawset(cumulus, "clients", 5) rawset(clients, "count", 7) rawset(cumulus, "mine", 6)
      INFO(cumulus.clients == clients, clients.count, cumulus.mine)
      local t = setmetatable({}, { __newindex = error })
      INFO(rawset(t, "x", 1) == t, t.x)`),
    ["(true)06", "(true)1"],
  );
  assert.equal(machine.logged("warn").length, 2);
});

Deno.test("Scripts cannot change how garbage is collected", () => {
  const machine = new Machine();
  assert.deepEqual(
    machine.run(`
      INFO(collectgarbage("stop"), collectgarbage("isrunning"), collectgarbage("setpause", 1), collectgarbage("generational"))
      INFO(collectgarbage("count") > 0, collectgarbage(), collectgarbage("step"), gcinfo() > 0)`),
    ["0(true)00", "(true)0(true)(true)"],
  );
});

Deno.test("rehearse() counts the steps of a pattern as Lua matches it", () => {
  const machine = new Machine().start();
  const { lua } = machine.applications.api;
  const { globals } = machine.applications.api;
  const patterns = [
    ...[
      "a",
      "^a",
      "a*",
      "a-b",
      "a+b?",
      "(a*)(b)",
      "(.)%1",
      "%b()",
      "%f[%a]%a+",
      "[^%s]+",
      "[a-c]",
      "[]]",
    ],
    ...[
      "[^]]",
      "[%]]",
      "[a-]",
      "()",
      "a$",
      "^$",
      "%d+%.%d*",
      "%S%w%p",
      "%%",
      ".-x",
      "x*$",
      "[%a_][%w_]*",
    ],
  ];
  const texts = [
    "",
    "a",
    "aab",
    "xaabb",
    "f(a(b)c)d",
    "THE (quick) fox",
    "1.5 a-b]",
    "aa bb",
    "%x",
  ];
  for (const pattern of patterns) {
    assert.ok(measure(bytes(pattern)) >= 0);
    for (const text of texts) {
      lua.pushRef(globals);
      lua.getField(-1, "string");
      lua.getField(-1, "find");
      const find = lua.ref();
      lua.pop(2);
      const base = lua.enter();
      lua.pushRef(find);
      lua.pushText(text);
      lua.pushText(pattern);
      assert.equal(lua.run(base, 2), undefined, pattern);
      const end = lua.type(base + 1) === 0 ? -1 : lua.toNumber(base + 2);
      lua.leave(base);
      lua.unref(find);
      assert.equal(rehearse(bytes(text), bytes(pattern), 1, false), end, `${text} ${pattern}`);
    }
  }
});

Deno.test("Library functions change, join and sort tables with a metatable like other tables", () => {
  const machine = new Machine();
  assert.deepEqual(
    machine.run(`
      for _, meta in ipairs { false, {} } do
        local t = { 3, 1, 2 }
        if meta then setmetatable(t, meta) end
        table.insert(t, 5) table.insert(t, 2, 4) -- 3 4 1 2 5
        local removed = table.remove(t, 1) -- 4 1 2 5
        local last = table.remove(t) -- 4 1 2
        local none = table.remove(setmetatable({}, meta or nil))
        table.sort(t) local up = table.concat(t, ",")
        table.sort(t, function(a, b) return a > b end)
        table.move(t, 1, 2, 2) -- 4 4 2
        INFO(removed, last, none, up, " ", table.concat(t), table.concat(t, "-", 2, 3), #table.move(t, 1, 3, 1, {}))
        INFO((select(2, pcall(function() table.insert(t, 9, 1) end))))
        INFO((select(2, pcall(function() table.remove(t, 9) end))))
        INFO((select(2, pcall(function() local text = table.concat(setmetatable({ 1, true }, meta or nil)) end))))
        INFO((select(2, pcall(function() table.sort(setmetatable({ 1, "x" }, meta or nil)) end))))
        INFO((select(2, pcall(function() table.sort(t, function() error("mine") end) end))))
      end`),
    Array(2).fill([
      "35(null)1,2,4 4424-23",
      "(null)",
      "(null)",
      "www/main.lua:15: invalid value (boolean) at index 2 in table for 'concat'",
      "www/main.lua:16: attempt to compare string with number",
      "www/main.lua:17: mine",
    ]).flat(),
  );
});

Deno.test("string.find and locate() find a long plain text where Lua finds it", () => {
  const machine = new Machine();
  assert.deepEqual(
    machine.run(`
      local part = ("ab"):rep(20) .. "c"
      for _, text in ipairs { ("ab"):rep(2000000) .. "c", part .. ("ab"):rep(2000000), ("ab"):rep(2000000) } do
        INFO((text:find(part)), " ", (text:find(part, 1, true)), " ", (text:find(part, 30, true)), " ", (select(2, text:find(part, -41))))
      end`),
    ["3999961 3999961 3999961 4000001", "1 1 (null) (null)", "(null) (null) (null) (null)"],
  );
  for (
    const [text, part, first] of [["", "", 1], ["", "", 2], ["aab", "ab", 0], [
      "aab",
      "b",
      -1,
    ]] as const
  ) {
    const expected = first > text.length + 1
      ? -1
      : text.indexOf(part, first < 0 ? text.length + first : first - 1);
    assert.equal(locate(bytes(text), bytes(part), first), expected, `${text} ${part} ${first}`);
  }
});

Deno.test("The error of a malformed pattern has the line of the script", () => {
  const machine = new Machine();
  assert.deepEqual(
    machine.run(`
      for _, pattern in ipairs { "%", "[a", "[^", "%b", "%bx", "%fa", "(a", "a)", "[%" } do
        local ok, why = pcall(function() local found = ("text"):find(pattern) end)
        INFO(why)
      end
      for _, bad in ipairs { function() table.insert(nil, 1) end, function() table.sort(5) end, function() table.insert(setmetatable({}, {}), "x", 1) end, function() local x = ("x"):find() end, function() local x = string.match(nil, "x") end, function() local x = ("x"):gsub("x", true) end } do
        INFO((select(2, pcall(bad))))
      end`),
    [
      "www/main.lua:3: malformed pattern (ends with '%')",
      "www/main.lua:3: malformed pattern (missing ']')",
      "www/main.lua:3: malformed pattern (missing ']')",
      "www/main.lua:3: malformed pattern (missing arguments to '%b')",
      "www/main.lua:3: malformed pattern (missing arguments to '%b')",
      "www/main.lua:3: missing '[' after '%f' in pattern",
      "www/main.lua:3: unfinished capture",
      "www/main.lua:3: invalid pattern capture",
      "www/main.lua:3: malformed pattern (missing ']')",
      "www/main.lua:6: bad argument #1 to 'insert' (table expected, got no value)",
      "www/main.lua:6: bad argument #1 to 'sort' (table expected, got number)",
      "www/main.lua:6: bad argument #2 to 'insert' (number expected, got string)",
      "www/main.lua:6: bad argument #2 to 'find' (string expected, got no value)",
      "www/main.lua:6: bad argument #1 to 'match' (string expected, got no value)",
      "www/main.lua:6: bad argument #3 to 'gsub' (string/function/table expected, got boolean)",
    ],
  );
});

Deno.test("Library functions check the time limit before they process long arguments", () => {
  for (
    const call of [
      "tonumber(text)",
      "tonumber(text, 16)",
      "string.byte(text, 1, 10)",
      "table.concat({ text, text })",
      "table.concat(list)",
    ]
  ) {
    const machine = new Machine({
      "main.lua": `local text, list = ("1"):rep(20000), {}
        for i = 1, 2000 do list[i] = "" end
        INFO("late") ${call} INFO("after")`,
    });
    const { host } = machine;
    host.log = ((log) => (level: number, text: string, file: string, line: number) => {
      if (text === "late") host.ahead += 2 * host.time;
      log.call(host, level, text, file, line);
    })(host.log);
    machine.start();
    assert.deepEqual(machine.logged("info"), ["late"], call);
    assert.match(machine.logged("error")[0], /ran longer than/, call);
  }
});

Deno.test("load limits the name of a chunk to 4,096 bytes, and shortens it in messages", () => {
  const machine = new Machine();
  const said = machine.run(`
    local text = "x = " .. ("1 "):rep(100)
    INFO((select(2, load(text))))
    INFO(#debug.getinfo(load("return 1" .. (" "):rep(1000)), "S").source)
    INFO((select(2, pcall(load, "return 1", ("n"):rep(4097)))))`);
  assert.match(said[0], /^\[string "x = 1 1 1 .*\.\.\."\]:1: /);
  assert.equal(said[1], "256");
  assert.match(said[2], /the name of the chunk is too long$/);
});

Deno.test("Library functions refuse arguments beyond their maximum length in bytes", () => {
  const machine = new Machine();
  const cases = {
    "os.date(('x'):rep(1025))": "bad argument #1 to 'date' (longer than 1024 characters)",
    "string.packsize(('b'):rep(65537))": "bad argument #1 to 'packsize' (longer than 65536 bytes)",
    "string.pack(('x'):rep(65537))": "bad argument #1 to 'pack' (longer than 65536 bytes)",
    "string.unpack(('x'):rep(65537), '')": "bad argument #1 to 'unpack' (longer than 65536 bytes)",
    "utf8.len(('x'):rep(16777217))": "bad argument #1 to 'len' (longer than 16777216 bytes)",
    "load((' '):rep(4194305))": "the chunk is too long",
    "loadstring((' '):rep(4194305))": "the chunk is too long",
    "require(('x'):rep(257))": "the name of the module is too long",
    "package.path = ('x'):rep(4097) require('x')": "'package.path' is too long",
  };
  for (const [source, message] of Object.entries(cases)) {
    const [said] = machine.run(`local _, message = pcall(function() ${source} end) INFO(message)`);
    assert.equal(said.replace(/^\S+:\d+: /, ""), message, source);
  }
});

Deno.test("require searches at most 64 templates of package.path", () => {
  const machine = new Machine();
  let reads = 0;
  machine.host.files.read = ((read) => (path: string, limit: number) => {
    reads++;
    return read(path, limit);
  })(machine.host.files.read);
  machine.run("package.path = ('?;'):rep(2000) pcall(require, 'nothing')");
  assert.ok(reads <= 66, `${reads} reads`);
});
