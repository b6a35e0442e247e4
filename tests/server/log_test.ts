import assert from "node:assert/strict";
import { escape, Log } from "../../src/server/log.ts";
import { LogFile } from "../../src/server/log_file.ts";
import { redactor } from "../../src/server/redact.ts";
import { Level, levelOf } from "../../src/server/log_level.ts";

const decoder = new TextDecoder();

function capture(options: { level?: number; format?: "text" | "json"; file?: LogFile } = {}) {
  const lines: string[] = [];
  const clock = { now: new Date(2023, 10, 23, 6, 49, 55, 234) };
  const log = new Log({
    level: options.level ?? 6,
    format: options.format ?? "text",
    file: options.file,
    console: (bytes) => lines.push(decoder.decode(bytes)),
    clock: () => clock.now,
  });
  return { log, lines, clock };
}

Deno.test("CFG-092 console lines, and the place they come from", () => {
  const { log, lines } = capture();
  log.write(Level.note, "ROOT start", "www/main.lua", 2);
  log.info("started");
  assert.equal(lines[0], "NOTE  www/main.lua[2] ROOT start\n");
  assert.match(lines[1], /^INFO {2}log_test\[\d+\] started\n$/);
});

Deno.test("CFG-070 a level that is off costs no text", () => {
  const { log, lines } = capture({ level: Level.warn });
  log.info(() => assert.fail("made a text that nobody sees"));
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

Deno.test("Lines as JSON", () => {
  const { log, lines, clock } = capture({ format: "json" });
  log.write(Level.error, 'a "quoted"\nline', "www/main.lua", 3);
  assert.deepEqual(JSON.parse(lines[0]), {
    time: clock.now.toISOString(),
    level: "ERROR",
    file: "www/main.lua",
    line: 3,
    text: 'a "quoted"\nline',
  });
  assert.equal(lines[0].indexOf("\n"), lines[0].length - 1);
});

Deno.test("Nothing in a text can forge a record or steer a terminal", () => {
  assert.equal(escape("a\nFATAL  b"), "a\n\tFATAL  b");
  assert.equal(escape("\x1b[2J\r\x00\x7f\x9b\u202e"), "\\x1B[2J\\x0D\\x00\\x7F\\x9B\\u202E");
  assert.equal(escape("tab\tüñ日本 🎥"), "tab\tüñ日本 🎥");
});

Deno.test("A line that repeats is held back and summed up", () => {
  const { log, lines, clock } = capture();
  for (let i = 0; i < 1000; i++) log.write(Level.info, "again", "a", 1);
  assert.equal(lines.length, 20);
  log.write(Level.info, "another", "a", 1);
  assert.equal(lines.length, 21);
  clock.now = new Date(clock.now.getTime() + 15_000);
  log.settle();
  assert.equal(lines.at(-1), "INFO  a[1] (980 more of the same) again\n");
  log.write(Level.info, "again", "a", 1);
  assert.equal(lines.at(-1), "INFO  a[1] again\n");
  log.close();
});

Deno.test("CFG-090, CFG-091 the file: its lines, appending, and ten that went before", () => {
  const directory = Deno.makeTempDirSync();
  try {
    const { log } = capture({ file: new LogFile(`${directory}/logs`, "log") });
    log.write(Level.note, "ROOT start", "www/main.lua", 2);
    log.close();
    const first = Deno.readTextFileSync(`${directory}/logs/log.0`);
    assert.equal(
      first,
      `23/11 06:49:55.2  NOTE\tRTMFPServer(${Deno.pid})\twww/main.lua[2]  ROOT start\n`,
    );
    const again = capture({ file: new LogFile(`${directory}/logs`, "log") }).log;
    for (let i = 0; i < 130; i++) again.write(Level.info, `${i} `.padEnd(100_000, "x"), "a", 1);
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

Deno.test("A folder that cannot be written costs the file, not the console, and says so once", () => {
  const directory = Deno.makeTempDirSync();
  try {
    Deno.writeTextFileSync(`${directory}/logs`, "a file where the folder should be");
    const { log, lines } = capture({ file: new LogFile(`${directory}/logs`, "log") });
    for (let i = 0; i < 3; i++) log.write(Level.info, `line ${i}`, "a", 1);
    log.close();
    assert.equal(lines.length, 4);
    assert.match(lines[0], /^ERROR {2}log_file\[0\] Cannot write .*log\.0/);
    assert.equal(lines[3], "INFO  a[1] line 2\n");
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

Deno.test("Secrets, and what URLs carry besides their path, stand in no line", () => {
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
