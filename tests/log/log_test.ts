import { RepeatFilter } from "../../src/log/repeat_filter.ts";
import assert from "node:assert/strict";
import { levelOf, LogLevel } from "../../src/common/log_level.ts";
import { escape, Log, stamp } from "../../src/log/log.ts";
import { LogFile } from "../../src/log/log_file.ts";
import { redactor } from "../../src/log/redact.ts";

const decoder = new TextDecoder();
const encoder = new TextEncoder();

function capture(options: { level?: number; format?: "text" | "json"; file?: LogFile } = {}) {
  const lines: string[] = [];
  const clock = { now: new Date(2023, 10, 23, 6, 49, 55, 234), monotonic: 0 };
  const log = new Log({
    level: options.level ?? 6,
    format: options.format ?? "text",
    file: options.file,
    console: (bytes) => lines.push(decoder.decode(bytes)),
    clock: () => clock.now,
    now: () => clock.monotonic,
  });
  return { log, lines, clock };
}

Deno.test("CFG-092 Log writes each console line with its level, file and line number", () => {
  const { log, lines } = capture();
  log.write(LogLevel.note, "ROOT start", "www/main.lua", 2);
  log.info("started");
  assert.equal(lines[0], "NOTE  www/main.lua[2] ROOT start\n");
  assert.match(lines[1], /^INFO {2}log_test\[\d+\] started\n$/);
});

Deno.test("CFG-070 Log builds no text for a level that is off", () => {
  const { log, lines } = capture({ level: LogLevel.warn });
  log.info(() => assert.fail("made the text of a line that is not logged"));
  log.warn(() => "seen");
  assert.equal(lines.length, 1);
  assert.match(lines[0], /seen/);
  const silent = capture({ level: 0 });
  silent.log.fatal("anything");
  assert.deepEqual(silent.lines, []);
  assert.equal(levelOf("8"), 8);
  assert.equal(levelOf("Debug"), 7);
  assert.equal(levelOf("9"), undefined);
  assert.equal(levelOf("loud"), undefined);
});

Deno.test("Log colours text lines of a terminal, and never JSON", () => {
  const lines: string[] = [];
  const console = (bytes: Uint8Array) => void lines.push(decoder.decode(bytes));
  for (const format of ["text", "json"] as const) {
    const log = new Log({ level: 8, format, console, colours: true });
    log.write(LogLevel.error, "\x1b[31mforged", "www/main.lua", 3);
  }
  assert.equal(
    lines[0],
    "\x1b[31mERROR\x1b[0m  \x1b[2mwww/main.lua[3]\x1b[0m \\x1B[31mforged\n",
  );
  assert.equal(JSON.parse(lines[1]).level, "ERROR");
  lines.length = 0;
  const log = new Log({ level: 8, format: "text", console, colours: true });
  log.write(LogLevel.note, "at http://localhost:8080/ and rtmfp://a/", "server", 1);
  assert.equal(
    lines[0],
    "\x1b[32mNOTE\x1b[0m  \x1b[2mserver[1]\x1b[0m at \x1b[36mhttp://localhost:8080/\x1b[0m and " +
      "\x1b[36mrtmfp://a/\x1b[0m\n",
  );
});

Deno.test("Log writes each record as one line of JSON if the format is json", () => {
  const { log, lines, clock } = capture({ format: "json" });
  log.write(LogLevel.error, 'a "quoted"\nline', "www/main.lua", 3);
  assert.deepEqual(JSON.parse(lines[0]), {
    time: clock.now.toISOString(),
    level: "ERROR",
    file: "www/main.lua",
    line: 3,
    text: 'a "quoted"\nline',
  });
  assert.equal(lines[0].indexOf("\n"), lines[0].length - 1);
});

Deno.test("escape() escapes line breaks and control characters of a text", () => {
  assert.equal(escape("a\nFATAL  b"), "a\n\tFATAL  b");
  assert.equal(escape("\x1b[2J\r\x00\x7f\x9b\u202e"), "\\x1B[2J\\x0D\\x00\\x7F\\x9B\\u202E");
  assert.equal(escape("tab\tüñ日本 🎥"), "tab\tüñ日本 🎥");
});

Deno.test("Log limits one place in the code to 600,000 characters, then 40,000 a second, and logs other places meanwhile", () => {
  const { log, lines, clock } = capture();
  const flood = () => {
    for (let i = 0; i < 1_000; i++) {
      log.write(LogLevel.warn, `${lines.length} ${i} `.padEnd(2_000, "x"), "a", 1);
    }
  };
  const characters = () => lines.reduce((sum, { length }) => sum + length, 0);
  flood();
  const burst = lines.length;
  assert.ok(burst > 200 && characters() < 600_000, `${burst} lines of ${characters()} characters`);
  log.write(LogLevel.warn, "another place", "a", 2);
  assert.equal(lines.at(-1), "WARN  a[2] another place\n");
  clock.monotonic = 10_000;
  log.settle(true);
  assert.match(lines.at(-1)!, /^WARN {2}a\[1\] \(\d+ lines left out, the last one\) \d+ 999 x/);
  const before = characters();
  flood();
  const refilled = characters() - before;
  assert.ok(refilled > 300_000 && refilled < 400_000, `${refilled} characters after 10 s`);
});

Deno.test("Log limits a script to at most 270 of 400 lines of 16,000 characters", () => {
  const { log, lines } = capture();
  const write = (i: number) =>
    log.write(LogLevel.note, `${i}`.padEnd(16_000, "x"), "www/a/main", 1, 16_384);
  for (let i = 0; i < 200; i++) write(i);
  assert.equal(lines.length, 200);
  for (let i = 200; i < 400; i++) write(i);
  assert.ok(lines.length < 270, `${lines.length} lines`);
});

Deno.test("Log limits neither DEBUG nor TRACE lines, and gives 2,000 unknown places one shared limit", () => {
  const { log, lines, clock } = capture({ level: LogLevel.trace });
  for (let i = 0; i < 1_000; i++) log.write(LogLevel.debug, `${i}`.padEnd(2_000, "x"), "a", 1);
  assert.equal(lines.length, 1_000);
  for (let i = 0; i < 2_000; i++) log.write(LogLevel.note, `${i}`.padEnd(2_000, "x"), `b${i}`, 1);
  const written = lines.length - 1_000;
  assert.ok(written > 512 && written < 1_000, `${written} lines`);
  clock.monotonic = 20_000; // idle places have made room
  log.settle(true);
  const before = lines.length;
  for (let i = 0; i < 200; i++) log.write(LogLevel.note, `${i}`.padEnd(2_000, "x"), `c${i}`, 1);
  assert.equal(lines.length - before, 200);
});

Deno.test("Log holds back repeats of a line after 20, and logs their number after 15 s", () => {
  const { log, lines, clock } = capture();
  for (let i = 0; i < 1000; i++) log.write(LogLevel.info, "again", "a", 1);
  assert.equal(lines.length, 20);
  log.write(LogLevel.info, "another", "a", 1);
  assert.equal(lines.length, 21);
  clock.now = new Date(clock.now.getTime() - 3_600_000); // the wall clock is set back: no matter
  clock.monotonic += 15_000;
  log.settle();
  assert.equal(lines.at(-1), "INFO  a[1] (980 repeats) again\n");
  log.write(LogLevel.info, "again", "a", 1);
  assert.equal(lines.at(-1), "INFO  a[1] again\n");
  log.close();
});

Deno.test("CFG-090, CFG-091 Log appends its lines to a file, and keeps ten older files", () => {
  const directory = Deno.makeTempDirSync();
  try {
    const { log, clock } = capture({ file: new LogFile(`${directory}/logs`, "log") });
    log.write(LogLevel.note, "ROOT start", "www/main.lua", 2);
    log.close();
    const first = Deno.readTextFileSync(`${directory}/logs/log.0`);
    assert.equal(
      first,
      `${stamp(clock.now)}  NOTE\tRTMFPServer(${Deno.pid})\twww/main.lua[2]  ROOT start\n`,
    );
    const again = new LogFile(`${directory}/logs`, "log");
    for (let i = 0; i < 130; i++) again.write(encoder.encode(`${i} `.padEnd(100_000, "x")));
    again.close();
    assert.ok(Deno.readTextFileSync(`${directory}/logs/log.0`).length <= 1_000_000);
    for (let number = 1; number <= 10; number++) {
      const { size } = Deno.statSync(`${directory}/logs/log.${number}`);
      assert.ok(size > 1_000_000 && size < 1_200_000, `log.${number} has ${size} bytes`);
    }
    assert.throws(() => Deno.statSync(`${directory}/logs/log.11`), Deno.errors.NotFound);
    assert.ok(!Deno.readTextFileSync(`${directory}/logs/log.10`).includes("ROOT start"));
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

Deno.test("CFG-091 Log writes local times with their zone in ISO 8601 to the file", () => {
  const at = (iso: string, ahead: number) => {
    const date = new Date(iso);
    date.getTimezoneOffset = () => -ahead;
    return stamp(date);
  };
  assert.equal(at("2026-11-23T05:49:55.234Z", 60), "2026-11-23T06:49:55.234+01:00");
  assert.equal(at("2026-01-01T01:00:00.007Z", -210), "2025-12-31T21:30:00.007-03:30");
  assert.equal(at("2026-06-01T18:30:00.000Z", 345), "2026-06-02T00:15:00.000+05:45");
  assert.equal(at("2026-06-01T18:30:00.000Z", 0), "2026-06-01T18:30:00.000+00:00");
  const now = new Date();
  assert.equal(new Date(stamp(now)).getTime(), now.getTime());
});

Deno.test("Log reports an unwritable folder once, and continues on the console", () => {
  const directory = Deno.makeTempDirSync();
  try {
    Deno.writeTextFileSync(`${directory}/logs`, "a file where the folder should be");
    const { log, lines } = capture({ file: new LogFile(`${directory}/logs`, "log") });
    for (let i = 0; i < 3; i++) log.write(LogLevel.info, `line ${i}`, "a", 1);
    log.close();
    assert.equal(lines.length, 4);
    assert.match(lines[0], /^ERROR {2}log_file\[0\] Cannot write .*log\.0/);
    assert.equal(lines[3], "INFO  a[1] line 2\n");
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

Deno.test("redactor() removes secrets, and user, query and fragment of URLs", () => {
  const redact = redactor(["hunter22", "ter", "hunt"]);
  assert.equal(redact("password hunter22, hunter"), "password …, …er");
  assert.equal(
    redact("from https://a.example/b?key=1&k=2#x (http://tom:pw@b.example:80/c), rtmfp://c?d"),
    "from https://a.example/b?… (http://…@b.example:80/c), rtmfp://c?…",
  );
  assert.equal(redact("what? user@example.org #1"), "what? user@example.org #1");
  const lines: string[] = [];
  for (const format of ["text", "json"] as const) {
    const console = (bytes: Uint8Array) => void lines.push(decoder.decode(bytes));
    const log = new Log({ level: 8, format, secrets: ["hunter22"], console });
    log.info("hunter22 at http://x/?a=b");
  }
  assert.equal(lines.length, 2);
  for (const line of lines) assert.match(line, /… at http:\/\/x\/\?…/);
});

Deno.test("Log truncates a line to 2,048 characters, a script's line to 16,384", () => {
  for (const format of ["text", "json"] as const) {
    const { log, lines } = capture({ format });
    for (let i = 0; i < 130; i++) {
      log.write(LogLevel.info, `${i} ${"\n".repeat(1 << 20)}`, "f".repeat(1 << 20), 1);
    }
    log.info(() => "é".repeat(1 << 20));
    log.write(LogLevel.info, "s".repeat(1 << 20), "www/main.lua", 1, 16_384);
    assert.equal(lines.length, 132);
    for (const line of lines.slice(0, 131)) {
      assert.ok(line.length < 2 * 2_048 + 512, line.slice(0, 80));
    }
    assert.equal(lines[131].match(/s/g)!.length, 16_384);
  }
});

Deno.test("RepeatFilter remembers at most 2^20 characters of lines", () => {
  const repeats = new RepeatFilter<number>();
  for (let i = 0; i < 512; i++) assert.ok(repeats.pass(`${i}`.padEnd(5_000, "x"), i, 0));
  assert.ok(repeats.characters <= 1 << 20, `${repeats.characters}`);
  const long = "y".repeat(5_000);
  for (let i = 0; i < 30; i++) repeats.pass(long, i, 100_000);
  assert.equal([...repeats.held()][0]?.count, 10, "room for others was made");
  assert.equal(repeats.characters, long.length);
});

Deno.test("Log leaves no part of a secret or of a URL's user in a truncated line", () => {
  const lines: string[] = [];
  const console = (bytes: Uint8Array) => void lines.push(decoder.decode(bytes));
  const log = new Log({ level: 8, format: "text", secrets: ["hunter22"], console });
  for (let before = 2_030; before < 2_050; before++) {
    log.info(`${"x".repeat(before)}hunter22${"y".repeat(99)}`);
    log.info(`${"x".repeat(before)} http://tommy:password@b.example/`);
  }
  assert.equal(lines.length, 40);
  for (const line of lines) assert.doesNotMatch(line, /hun|tom|pass/);
});

Deno.test("Log creates its file again after the file was moved or its folder removed", () => {
  const directory = Deno.makeTempDirSync();
  try {
    const { log, clock } = capture({ file: new LogFile(`${directory}/logs`, "log") });
    log.write(LogLevel.info, "first", "a", 1);
    Deno.removeSync(`${directory}/logs`, { recursive: true });
    clock.monotonic += 15_000;
    log.write(LogLevel.info, "second", "a", 1);
    assert.match(Deno.readTextFileSync(`${directory}/logs/log.0`), /second/);
    Deno.renameSync(`${directory}/logs/log.0`, `${directory}/logs/elsewhere`);
    clock.monotonic += 15_000;
    log.settle();
    log.write(LogLevel.info, "third", "a", 1);
    assert.match(Deno.readTextFileSync(`${directory}/logs/log.0`), /third/);
    log.close();
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

Deno.test("redactor() finds nested URLs and URLs with users in one pass, never inside words", () => {
  const redact = redactor([]);
  assert.equal(redact("x://y/http://u:p@b/c?d#e f"), "x://y/http://…@b/c?… f");
  assert.equal(redact("http://u:p@ss@host/"), "http://…@host/");
  assert.equal(redact("a://b://c?d"), "a://b://c?…");
  assert.equal(redact("://x?y ://"), "://x?y ://");
  assert.equal(redact("http://a?"), "http://a?");
});
