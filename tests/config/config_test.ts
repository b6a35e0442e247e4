import assert from "node:assert/strict";
import { readConfig } from "../../src/config/config.ts";
import { ConfigError } from "../../src/config/config_error.ts";
import { expand } from "../../src/config/ini.ts";
import { settings } from "../../src/config/settings.ts";
import { configurationPage, shippedIni } from "../../src/config/shipped_ini.ts";

const read = (text: string, facts?: Record<string, string>) => readConfig(text, "test.ini", facts);

/** A tree without its null prototypes, which deepEqual distinguishes. */
const plain = (value: unknown) => JSON.parse(JSON.stringify(value));

Deno.test("CFG-001 readConfig() gives every key its default without a file", () => {
  const { config, scripts, warnings } = read("");
  assert.equal(config.port, 1935);
  assert.equal(config.udpBufferSize, 0);
  assert.equal(config.keepAliveServer, 15);
  assert.equal(config.keepAlivePeer, 10);
  assert.equal(config.publicAddress, "");
  assert.equal(config["servers.port"], 0);
  assert.deepEqual(config["servers.targets"], []);
  assert.equal(config["smtp.host"], "localhost");
  assert.equal(config["smtp.port"], 25);
  assert.equal(config["smtp.timeout"], 60);
  assert.equal(config["logs.directory"], "logs");
  assert.equal(config["logs.name"], "log");
  assert.equal(config["application.unknown"], "reject");
  assert.deepEqual(plain(scripts), {});
  assert.deepEqual(warnings, []);
});

Deno.test("CFG-002 readConfig() reads sections, comments, blanks, and names in any case", () => {
  const { config, warnings } = read(
    "\uFEFF; a comment\r\n# another\r\n PORT\t=  1936 \r\n\r\n[SMTP]\r\nHost=mail.example.org\r\n",
  );
  assert.equal(config.port, 1936);
  assert.equal(config["smtp.host"], "mail.example.org");
  assert.deepEqual(warnings, []);
});

Deno.test("readConfig() accepts ;, # and = in a value", () => {
  const { config, scripts } = read(
    "[servers]\ntargets = 192.0.2.7:1936?type=master&x=1,2;192.0.2.8:1936\n[my]\nkey = a # b ; c = d",
  );
  assert.deepEqual(
    config["servers.targets"].map(({ address, properties }) => [address, ...properties]),
    [["192.0.2.7:1936", ["type", "master"], ["x", "1,2"]], ["192.0.2.8:1936"]],
  );
  assert.deepEqual(plain(scripts).my, { key: "a # b ; c = d" });
});

Deno.test("CFG-003 readConfig() replaces ${other.key} by that key's value", () => {
  const { config, scripts } = read(
    "base = /srv\n[logs]\ndirectory = ${BASE}/logs\nname = ${application.baseName}\n[a]\n" +
      "b = ${logs.directory}/x\nc = ${nothing}",
    { "application.baseName": "CumulusServer" },
  );
  assert.equal(config["logs.directory"], "/srv/logs");
  assert.equal(config["logs.name"], "CumulusServer");
  assert.deepEqual(plain(scripts).a, { b: "/srv/logs/x", c: "${nothing}" });
  assert.throws(() => read("a = ${b}\nb = ${A}"), /a = \$\{b\}|b = \$\{A\}|cycle/);
});

Deno.test("CFG-012 readConfig() clamps keep-alive periods to 5 to 255 s with a warning", () => {
  const { config, warnings } = read("keepAliveServer = 2\nkeepAlivePeer = 1000");
  assert.equal(config.keepAliveServer, 5);
  assert.equal(config.keepAlivePeer, 255);
  assert.deepEqual(warnings, [
    "test.ini:1: keepAliveServer: 2 is outside 5 to 255 seconds; using 5",
    "test.ini:2: keepAlivePeer: 1000 is outside 5 to 255 seconds; using 255",
  ]);
});

Deno.test("CFG-010 readConfig() names section, key, value and allowed values of an invalid value", () => {
  const refused: [string, string][] = [
    ["port = 0", "test.ini:1: port = 0: expected an integer from 1 to 65535"],
    ["port = abc", "test.ini:1: port = abc: expected an integer from 1 to 65535"],
    ["port = 1935.5", "port = 1935.5"],
    ["port =", "port = : expected"],
    ["[servers]\nport = 65536", "test.ini:2: [servers] port = 65536"],
    ["[servers]\ntargets = nowhere", "[servers] targets = nowhere: expected host:port"],
    ["[rtmfp]\nnative = maybe", "[rtmfp] native = maybe: expected auto, on or off"],
    ["[rtmfp]\ngroups = 2, 5", "[rtmfp] groups = 2, 5: expected a comma-separated list"],
    ["[rtmfp]\ngroups =", "[rtmfp] groups = : expected a comma-separated list"],
    ["[logs]\nname = a/b", "[logs] name = a/b: expected a file name"],
    ["[logs]\nlevel = loud", "[logs] level = loud: expected a level from 0 to 8, or its name"],
    ["[sandbox]\nconnect = 10.0.0.0/33", "[sandbox] connect = 10.0.0.0/33"],
    ["publicAddress = a b", "publicAddress = a b: expected host:port, a host for port 1935"],
    ["[rtmfp]\naddress = 1.2.3", "[rtmfp] address = 1.2.3: expected an IP address of this machine"],
    ["[http]\naddress = cafe", "[http] address = cafe: expected an IP address of this machine"],
    ["[http]\naddress =", "[http] address = : expected an IP address of this machine"],
  ];
  for (const [text, message] of refused) {
    assert.throws(() => read(text), (error) => {
      assert.ok(error instanceof ConfigError, text);
      assert.ok(error.message.includes(message), error.message);
      return true;
    });
  }
});

Deno.test("readConfig() accepts any name for a key of scripts", () => {
  const { warnings, scripts } = readConfig("constructor = me\n", "test.ini");
  assert.deepEqual(warnings, []);
  assert.equal(scripts.constructor, "me");
});

/** The problems of a text that is refused. */
function problemsOf(text: string): readonly string[] {
  try {
    read(text);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

Deno.test("readConfig() refuses an invalid line without printing a possible password", () => {
  const refused: [string, string][] = [
    ["[script", 'test.ini:1: section without "]": [script'],
    ["[script] time = 5", 'test.ini:1: section with text after "]": [script]'],
    ["\n\nport 1935", 'test.ini:3: not a "key = value" line: port …'],
    ["nonsense", 'test.ini:1: not a "key = value" line: nonsense'],
    ["= 5", 'test.ini:1: "key = value" line without a key'],
    ["<<<<<<< HEAD", 'test.ini:1: not a "key = value" line: <<<<<<< …'],
    ["[http]\ntoken hunter2", 'test.ini:2: not a "key = value" line: token …'],
    ["[my]\ncity = K\uFFFDln", "test.ini:2: not UTF-8"],
  ];
  for (const [text, problem] of refused) assert.deepEqual(problemsOf(text), [problem]);
});

Deno.test("readConfig() reports all errors together in order of their lines", () => {
  const problems = problemsOf("port = 0\nnonsense\n[a]\nb = ${a.b}\n[http]\nport = x\n[broken");
  assert.deepEqual(problems, [
    "test.ini:1: port = 0: expected an integer from 1 to 65535",
    'test.ini:2: not a "key = value" line: nonsense',
    "test.ini:4: [a] b = ${a.b}: expected a value without a cycle through ${a.b}",
    "test.ini:6: [http] port = x: expected an integer from 0 to 65535",
    'test.ini:7: section without "]": [broken',
  ]);
});

Deno.test("readConfig() warns of unknown keys in the server's sections, obsolete keys and repeated keys", () => {
  const { warnings, config } = read(
    "port = 1\nport = 2\nfoo = 1\n[servers]\nprot = 3\nx = 4\n[edges]\nactivated = true\n[my]\nx = 1\nx = 2",
  );
  assert.equal(config.port, 2);
  assert.deepEqual(warnings, [
    "test.ini:2: port overrides its value in line 1",
    "test.ini:11: [my] x overrides its value in line 10",
    "test.ini:5: unknown key [servers] prot; did you mean [servers] port?",
    "test.ini:6: unknown key [servers] x; [servers] has port, targets, secret, allow",
    "test.ini:8: [edges] activated has no effect: edge servers were removed; see [servers] port and targets",
  ]);
});

Deno.test("readConfig() warns of a near misspelling of a key in any section", () => {
  const doubts: [string, string | undefined][] = [
    ["prot = 1936", "only scripts see the key prot; did you mean port?"],
    ["publicAdress = a", "only scripts see the key publicAdress; did you mean publicAddress?"],
    ["[server]\nport = 1", "only scripts see the key [server] port; did you mean [servers] port?"],
    ["[log]\nlevel = 7", "only scripts see the key [log] level; did you mean [logs] level?"],
    ["[script]\nlevel = 7", "unknown key [script] level; did you mean [logs] level?"],
    ["[rtmfp]\nport = 1", "unknown key [rtmfp] port; did you mean port above the first section?"],
    [
      "[sharedObjects]\nfoo = 1",
      "unknown key [sharedObjects] foo; [sharedObjects] has enabled, persist, folder, objects, " +
      "objectsOfClient, slots, slotName, value, object, events, send",
    ],
    [
      "[sharedObjects]\nslot = 1",
      "unknown key [sharedObjects] slot; did you mean [sharedObjects] slots?",
    ],
    ["[http]\ntokn = a", "unknown key [http] tokn; did you mean [http] token?"],
    ["[log]\nmine = 7", undefined],
    ["[my]\nprot = 7", undefined],
    ["report = 1\nname = x\nx = y", undefined],
  ];
  for (const [text, doubt] of doubts) {
    const line = text.split("\n").length;
    assert.deepEqual(read(text).warnings, doubt ? [`test.ini:${line}: ${doubt}`] : [], text);
  }
});

Deno.test("CFG-060 to CFG-065 readConfig() builds the tree of cumulus.configs for scripts", () => {
  const { scripts } = read(
    "Port = 42\nflag = false\nyes = true\n[myGroup]\nmyConfig = test\n[mygroup.Inner]\na = 1\n" +
      "[x]\ny = value\n[x.y]\nz = 2\n[__proto__]\npolluted = 1",
    { "application.dir": "/srv/", "system.pid": "7" },
  );
  assert.deepEqual(Object.entries(plain(scripts)).find(([name]) => name === "__proto__"), [
    "__proto__",
    { polluted: "1" },
  ]);
  delete scripts["__proto__"];
  assert.deepEqual(plain(scripts), {
    Port: "42",
    flag: false,
    yes: "true",
    myGroup: { myConfig: "test", Inner: { a: "1" } },
    x: { y: { z: "2" } },
    application: { dir: "/srv/" },
    system: { pid: "7" },
  });
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
});

Deno.test("The shipped CumulusServer.ini has every key with comment and default", () => {
  const text = Deno.readTextFileSync(new URL("../../CumulusServer.ini", import.meta.url));
  assert.equal(text, shippedIni(), "write it anew: deno task ini");
  const shipped = read(text);
  assert.deepEqual(shipped.warnings, []);
  assert.equal(shipped.config["application.unknown"], "nearest");
  // With every default that is commented out taken as written, nothing changes.
  const active = text.replace(/^;(\w+ =|\[)/gm, "$1");
  const { config, warnings } = read(active);
  assert.deepEqual(warnings, []);
  assert.deepEqual(plain(config), plain(shipped.config));
  for (const name of Object.keys(settings)) {
    assert.match(text, new RegExp(`^;?${name.split(".").at(-1)} =`, "m"), name);
  }
});

Deno.test("docs/configuration.md has every key with its allowed values", () => {
  const page = Deno.readTextFileSync(new URL("../../docs/configuration.md", import.meta.url));
  const cells = (text: string) =>
    text.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| ---"))
      .map((line) => line.replace(/ +/g, " "));
  assert.deepEqual(cells(page), cells(configurationPage()), "write it anew: deno task ini");
  assert.equal(
    cells(page).filter((row) => row.startsWith("| `")).length,
    Object.keys(settings).length,
  );
});

Deno.test("readConfig() returns a configuration or throws ConfigError for any text", () => {
  let seed = 1;
  const random = (n: number) => (seed = (seed * 48271) % 0x7fffffff) % n;
  const parts = ["port", "[", "]", "=", ";", "#", "${", "}", "servers", ".", "\n", " ", "1", "\0"];
  for (let round = 0; round < 3000; round++) {
    const text = Array.from({ length: random(25) }, () => parts[random(parts.length)]).join("");
    try {
      read(text);
    } catch (error) {
      assert.ok(error instanceof ConfigError, `${JSON.stringify(text)}: ${error}`);
    }
  }
});

Deno.test("readConfig() refuses a value whose references double its length 20 times", () => {
  const lines = Array.from({ length: 20 }, (_, i) => `a${i} = \${a${i + 1}}\${a${i + 1}}`);
  assert.throws(() => read(`${lines.join("\n")}\na20 = x`), /65,536 characters/);
});

Deno.test("readConfig() refuses references to empty values that double 20 times", () => {
  const lines = Array.from({ length: 20 }, (_, i) => `a${i} = \${a${i + 1}}\${a${i + 1}}`);
  assert.throws(() => read(`${lines.join("\n")}\na20 =`), /65,536 characters/);
});

Deno.test("expand() takes linear time for a value of unfinished or nested references", () => {
  const unfinished = "${a=".repeat(250_000);
  for (const [value, most] of [[unfinished, 0], [`${unfinished}}`, 1]] as const) {
    let lookUps = 0;
    const lookUp = () => void lookUps++;
    assert.throws(() => expand("a", value, lookUp), /65,536 characters/);
    assert.equal(lookUps, most);
  }
  assert.equal(expand("a", "${a=${b=}", () => undefined), "${a=${b=}");
});
