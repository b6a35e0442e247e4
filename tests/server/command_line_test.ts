import assert from "node:assert/strict";
import { UsageError } from "../../src/common/arguments.ts";
import { parseCommandLine, usage } from "../../src/server/command_line.ts";

Deno.test("parseCommandLine() accepts every spelling of the options", () => {
  assert.deepEqual(parseCommandLine([]), {});
  assert.deepEqual(parseCommandLine(["--ini", "a.ini", "--port=1936", "--log", "debug"]), {
    ini: "a.ini",
    port: 1936,
    log: 7,
  });
  assert.deepEqual(parseCommandLine(["-l8"]), { log: 8 });
  assert.deepEqual(parseCommandLine(["-l", "8"]), { log: 8 });
  assert.deepEqual(parseCommandLine(["-l=8"]), { log: 8 });
  assert.deepEqual(parseCommandLine(["--dump"]), { dump: "clients" });
  assert.deepEqual(parseCommandLine(["-dall"]), { dump: "all" });
  assert.deepEqual(parseCommandLine(["--dump=middle", "-h"]), { dump: "middle", help: true });
  assert.deepEqual(parseCommandLine(["--umask=027", "--pidfile=/run/c.pid"]), {
    umask: 0o27,
    pidfile: "/run/c.pid",
  });
  assert.deepEqual(parseCommandLine(["/port=0", "/version"], true), { port: 0, version: true });
});

Deno.test("CFG-079 parseCommandLine() throws a usage error that names an unknown option or invalid value", () => {
  const wrong: [string[], RegExp][] = [
    [["--prot=1"], /unknown option --prot=1/],
    [["-x"], /unknown option -x/],
    [["file"], /file: expected an option/],
    [["/port=1"], /\/port=1: expected an option/],
    [["--port"], /--port needs a value: N/],
    [["--port=65536"], /--port=65536: expected 0 to 65535/],
    [["--log=9"], /--log=9: expected 0 to 8/],
    [["--dump=some"], /--dump=some: expected middle, all/],
    [["--umask=9"], /octal/],
    [["--help=yes"], /--help takes no value/],
  ];
  for (const [args, message] of wrong) {
    assert.throws(() => parseCommandLine(args), (error) => {
      assert.ok(error instanceof UsageError);
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("CFG-072, 073, 075, 076 parseCommandLine() explains options of the original that it does not support", () => {
  for (const option of ["--cirrus=host:1935", "-chost:1935", "--middle", "-m", "--daemon"]) {
    assert.throws(() => parseCommandLine([option]), UsageError);
  }
  assert.throws(() => parseCommandLine(["--registerService"], true), /sc\.exe/);
});

Deno.test("CFG-074 usage() names every option in lines of at most 80 characters", () => {
  for (const name of ["ini", "dir", "port", "log", "dump", "pidfile", "umask", "version", "help"]) {
    assert.match(usage(), new RegExp(`--${name}\\b`));
  }
  for (const line of usage().split("\n")) assert.ok(line.length <= 80, line);
  assert.match(usage("CumulusServer"), /^Usage: CumulusServer \[OPTIONS\]$/m);
});
