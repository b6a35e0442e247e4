// io and os give an application access to its allowed files only. DECISIONS 20.
import assert from "node:assert/strict";
import { LuaFile } from "../../src/script/api/lua_file.ts";
import { formatTime } from "../../src/script/api/strftime.ts";
import { timeFields } from "../../src/script/api/time_fields.ts";
import { Machine } from "./machine.ts";

Deno.test("io writes and reads files in the application's own folder", () => {
  const machine = new Machine();
  const said = machine.run(`
    local f = assert(io.open("notes.txt", "w"))
    f:write("one\\n", 2, "\\nthree"):write("\\0\\255")
    INFO(io.type(f), f:close(), io.type(f), io.type(5), tostring(f))
    for line in io.lines("notes.txt") do INFO((line:gsub("[^%w]", "."))) end
    f = io.open("notes.txt")
    INFO(f:read("*l"), f:read("n"), f:read("l"), #f:read("*a"), f:read("*a"), f:read("*l"))
    INFO(f:seek("set", 1), f:read(2), f:seek(), f:read(0), f:seek("end"), f:read(0), f:read(1))
    f:seek("set") INFO(f:read("L", "l", "*a"))
    f:close()
    f = io.open("notes.txt", "r+") f:read("*l") f:write("X") f:seek("set") INFO((f:read("*a"):sub(1, 5):gsub("\\n", "/"))) f:close()
    f = io.open("notes.txt", "a+b") f:write("end") f:seek("set") INFO((f:read("*a"):sub(-3))) f:close()
    for a, b in io.lines("notes.txt", 1, 2) do INFO(a, b) break end`);
  assert.deepEqual(said, [
    "file(true)closed file(null)file (closed)",
    ...["one", "2", "three.."],
    "one27(null)",
    "1ne313(null)(null)",
    "one\n2three\u0000\ufffd",
    "one/X",
    "end",
    "one",
  ]);
});

Deno.test("io refuses files outside the folder, and reports missing ones", () => {
  const machine = new Machine({
    "main.lua": "",
    "a/main.lua": `
      for _, path in ipairs { "../main.lua", "/etc/passwd", "/srv/www/main.lua", "b/../../main.lua", "a\\0b", "" } do
        INFO((select(2, io.open(path))))
        INFO((select(2, os.remove(path))))
      end
      INFO((select(2, os.rename("x", "/srv/www/main.lua"))))
      INFO(pcall(io.lines, "../main.lua"))
      INFO(io.open("none"))
      INFO(io.open("/srv/www/a/main.lua") ~= nil)`,
  }).start();
  machine.connect("/a");
  const said = machine.said();
  assert.equal(said.length, 16);
  for (const line of [...said.slice(0, 8), said[12]]) {
    assert.match(
      line,
      /: Permission denied: without \[script\] files, an application may use only its own folder$/,
    );
  }
  for (const line of said.slice(8, 10)) assert.match(line, /: Invalid argument$/);
  for (const line of said.slice(10, 12)) assert.equal(line, ": No such file or directory");
  assert.match(said[13], /^\(false\).*Permission denied/);
  assert.equal(said[14], "(null)none: No such file or directory1");
  assert.equal(said[15], "(true)");
});

Deno.test("io allows the folders of [script] files instead of the application's folder", () => {
  const elsewhere = "Permission denied: no folder of [script] files contains it";
  const machine = new Machine();
  machine.host.folders = ["/var/data/"];
  machine.host.files.write("/var/data/x.txt", "data");
  assert.deepEqual(
    machine.run(
      "INFO(io.open('/var/data/x.txt'):read('*a')) INFO(io.open('main.lua')) INFO(io.open('/var/database'))",
    ),
    ["data", ...["main.lua", "/var/database"].map((path) => `(null)${path}: ${elsewhere}1`)],
  );
});

Deno.test("A script loads scripts of other applications only from the folders of [script] files", () => {
  const machine = new Machine({
    "main.lua": "",
    "b/secret.lua": "password = 'x'",
    "a/main.lua": `
      function onConnection()
        INFO((select(2, loadfile("../b/secret.lua"))))
        INFO((select(2, pcall(dofile, "/srv/www/b/secret.lua"))))
        INFO((select(2, pcall(require, "/srv/www/b/secret"))))
        INFO(loadfile("main.lua") ~= nil, loadfile("long.lua"))
      end`,
  }).start();
  machine.write("a/long.lua", " ".repeat((4 << 20) + 1));
  machine.connect("/a");
  const refused = machine.said();
  for (const line of refused.slice(0, 2)) assert.match(line, /Permission denied/);
  assert.match(refused[2], /module '[^']*' not found/);
  assert.match(refused[3], /^\(true\)\(null\)cannot open long.lua: File too large/);
  machine.host.folders = ["/srv/www/"];
  machine.connect("/a");
  const said = machine.said();
  assert.doesNotMatch(said[0] ?? "", /Permission denied/);
});

Deno.test("io limits the number of open files, and closes files when they are collected or the application stops", () => {
  const machine = new Machine();
  assert.deepEqual(
    machine.run(`
      for i = 1, 1000 do assert(io.open("f" .. i, "w")) if i % 100 == 0 then collectgarbage() end end
      local kept, n = {}, 0
      for i = 1, 1000 do local f, why = io.open("f1") if not f then INFO(why) break end kept[i] = f n = i end
      INFO(n)`),
    ["f1: Too many open files", "256"],
  );
  const { owned } = machine.applications.open("")!;
  assert.equal(owned.size, 256);
  machine.applications.stop();
  assert.equal(owned.size, 0);
});

Deno.test("LuaFile.line() returns a line longer than the limit in pieces", () => {
  let left = 50_000; // bytes of a file without a line feed
  const file = new LuaFile({
    read: (into) => {
      const count = Math.min(left, into.length);
      left -= count;
      return count;
    },
    write: () => undefined,
    seek: () => 0,
    truncate: () => undefined,
    flush: () => {},
    close: () => {},
  }, () => {});
  const pieces: number[] = [];
  for (let piece = file.line(false, 20_000); piece; piece = file.line(false, 20_000)) {
    pieces.push(piece.length);
  }
  assert.deepEqual(pieces, [24_576, 24_576, 848]); // the limit in blocks of 8,192 bytes
});

Deno.test("io.write and io.stdout write to the standard output, and writing to a closed file raises an error", () => {
  const machine = new Machine();
  assert.deepEqual(
    machine.run(`
      io.write("a", 1) io.stdout:write("b\\n") INFO(io.read())
      local f = io.open("x", "w") f:close()
      INFO(pcall(f.read, f)) INFO(pcall(f.write, 5)) INFO(pcall(io.open, "x", "q"))
      INFO(io.popen, os.execute, os.exit, os.getenv("HOME"), debug.getlocal, package.loadlib)`),
    [
      "(null)",
      "(false)www/main.lua:4: attempt to use a closed file",
      "(false)www/main.lua:4: bad argument #1 (file expected)",
      "(false)www/main.lua:4: bad argument #2 to 'open' (invalid mode)",
      "(null)(null)(null)(null)(null)(null)",
    ],
  );
  assert.equal(machine.host.printed, "a1b\n");
});

Deno.test("file:seek refuses unknown options, also names of properties of objects", () => {
  const machine = new Machine();
  assert.deepEqual(
    machine.run(`
      local f = io.open("x", "w")
      for _, whence in ipairs { "middle", "constructor", "__proto__" } do INFO(pcall(f.seek, f, whence)) end`),
    ["middle", "constructor", "__proto__"].map((whence) =>
      `(false)www/main.lua:3: bad argument #1 to 'seek' (invalid option '${whence}')`
    ),
  );
});

Deno.test("os removes and renames files, and returns time and dates", () => {
  const machine = new Machine();
  assert.deepEqual(
    machine.run(`
      io.open("a", "w"):close()
      INFO(os.rename("a", "b"), os.remove("b"), (os.remove("b")))
      INFO(os.time(), math.type(os.time()), os.difftime(5, 3), type(os.clock()))
      local now = os.date("!*t", 905989690)
      INFO(now.year, " ", now.month, " ", now.day, " ", now.hour, " ", now.min, " ", now.sec, " ", now.wday, " ", now.yday, now.isdst)
      INFO(os.date("!%Y-%m-%d %H:%M:%S %a %A %b %B %j %p %y %%", 905989690))
      INFO(os.time(os.date("*t", 905989690)), os.time { year = 1998, month = 9, day = 16 } == os.time { year = 1998, month = 9, day = 16, hour = 12 })
      INFO(select(2, pcall(os.time, {}))) INFO(select(2, pcall(os.date, "%Q")))
      INFO(os.setlocale(), os.setlocale("de_DE"), os.tmpname():sub(1, 13))`),
    [
      "(true)(true)(null)",
      "1700000000integer2number",
      "1998 9 16 23 48 10 4 259(false)",
      "1998-09-16 23:48:10 Wed Wednesday Sep September 259 PM 98 %",
      "905989690(true)",
      "www/main.lua:9: field 'year' missing in date table",
      "www/main.lua:9: bad argument #1 to 'date' (invalid conversion specifier)",
      "C(null)/srv/www/lua_",
    ],
  );
});

Deno.test("os.date formats weeks of the year as strftime does", () => {
  const at = (text: string) => timeFields(Date.parse(`${text}T12:00:00Z`), true)!;
  const weeks = (text: string) => formatTime("%G-%V %g %U %W %u %w", at(text));
  // ISO 8601: 2009-12-31 is a Thursday in week 53, 2010-01-03 the Sunday of the same week.
  assert.equal(weeks("2009-12-31"), "2009-53 09 52 52 4 4");
  assert.equal(weeks("2010-01-03"), "2009-53 09 01 00 7 0");
  assert.equal(weeks("2010-01-04"), "2010-01 10 01 01 1 1");
  assert.equal(weeks("2008-12-29"), "2009-01 09 52 52 1 1");
  assert.equal(
    formatTime("%c|%x|%X|%r|%R|%e|%I|%z|%Z", at("2010-01-04")),
    "Mon Jan  4 12:00:00 2010|01/04/10|12:00:00|12:00:00 PM|12:00| 4|12|+0000|UTC",
  );
});
