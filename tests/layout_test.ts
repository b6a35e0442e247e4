// Reads every file under src/ and compares its imports and used powers with the two tables in
// ARCHITECTURE.md.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";

const root = new URL("../", import.meta.url);

const architecture = Deno.readTextFileSync(new URL("ARCHITECTURE.md", root));
const names = (cell: string) => [...cell.matchAll(/`([\w/.]+)`/g)].map((match) => match[1]);

/** Room → the rooms it may import from, in the order of the table of rooms. */
const table = new Map(
  [...architecture.matchAll(/^\| `([\w/.]+)` *\|[^|]*\| ([^|]*) \|$/gm)]
    .map(([, room, rooms]) => [room, names(rooms)]),
);

/** Power → the rooms and files that may have it, of the table of powers. */
const powers = new Map(
  [...architecture.matchAll(/^\| (\w+) *\|[^|]*\| ([^|]*) \|$/gm)]
    .filter(([, power]) => power !== "Room" && power !== "Power")
    .map(([, power, rooms]) => [power, names(rooms)]),
);

function* files(folder: URL): Generator<URL> {
  for (const entry of Deno.readDirSync(folder)) {
    if (entry.isDirectory) yield* files(new URL(`${entry.name}/`, folder));
    else if (/\.(ts|js)$/.test(entry.name)) yield new URL(entry.name, folder);
  }
}

const src = new URL("src/", root);
// Code in a folder `page` runs in browsers.
const sources = [...files(src)].filter(({ pathname }) => !pathname.includes("/page/")).map((
  url,
) => ({
  path: url.href.slice(src.href.length),
  url,
  text: Deno.readTextFileSync(url),
}));

/** The longest room that holds a path, such as `rtmfp/wire` for `rtmfp/wire/address.ts`. */
function roomOf(path: string): string | undefined {
  return [...table.keys()].filter((room) => path === room || path.startsWith(`${room}/`))
    .sort((a, b) => b.length - a.length)[0];
}

function importsOf(text: string): string[] {
  const pattern =
    /(?:^|\n)\s*(?:import|export)\b[^;"']*?from\s*["']([^"']+)["']|import\s*\(?\s*["']([^"']+)["']/g;
  return [...text.matchAll(pattern)].map((match) => match[1] ?? match[2]);
}

/** Patterns of powers in code. */
const POWERS: Record<string, RegExp> = {
  network:
    /\bDeno\.(connect|listen|startTls)\w*\(|"node:(http|https|net)"|from "(ws|nodemailer|@nats-io\/[\w-]+)"|\bfetch\(|\bnew WebSocket\(/,
  names: /"node:dns|\bDeno\.resolveDns\b/,
  disk:
    /\bDeno\.(open|create|stat|lstat|read|write|mkdir|remove|rename|copyFile|chmod|realPath|truncate|make|watchFs)\w*\(|"node:fs/,
  libraries: /\bDeno\.(dlopen|UnsafePointer)\b/,
  cryptography: /"(@noble\/|node:crypto)|\bcrypto\.subtle\b|\bopenLibcrypto\(/,
  randomness: /\bMath\.random\b|\bcrypto\.(getRandomValues|randomUUID)\b|\brandomBytes\b/,
  clock: /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b/,
  timers: /(?<!")\bset(Timeout|Interval|Immediate)\b/,
  workers: /\bnew Worker\(/,
  process:
    /\bDeno\.(exit|env|args|cwd|addSignalListener|hostname|memoryUsage|networkInterfaces|umask)\b|"node:process"/,
  console: /\bconsole\.|\bDeno\.std(in|out|err)\b/,
  lua: /"(npm:)?wasmoon\b/,
};

/** Patterns that no pure room may contain, besides every power. */
const IMPURE = /\bawait\b|\basync\b|\bDeno\.|\bperformance\./;

/** The rooms of the sentence "Pure rooms". */
const pure = names(/\*\*Pure rooms\.\*\*([\s\S]*?) have\b/.exec(architecture)?.[1] ?? "");

const isIn = (path: string, room: string) => path === room || path.startsWith(`${room}/`);

/** Code without the text of its comments; lines keep their numbers. */
const codeOf = (text: string): string =>
  text.replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, " "))
    .replace(/(^|\s)\/\/.*$/gm, "");

/** The powers that a file uses without permission, with their lines. */
function faultsOf(path: string, text: string): string[] {
  const faults: string[] = [];
  const isPure = pure.some((room) => isIn(path, room));
  for (const [i, line] of codeOf(text).split("\n").entries()) {
    for (const [power, pattern] of Object.entries(POWERS)) {
      const match = pattern.exec(line);
      if (match && !powers.get(power)?.some((room) => isIn(path, room))) {
        faults.push(`${path}:${i + 1} ${power}: ${match[0]}`);
      }
    }
    const match = isPure ? IMPURE.exec(line) : null;
    if (match) faults.push(`${path}:${i + 1} pure: ${match[0]}`);
  }
  return faults;
}

/** The imports of a file that the table of rooms does not allow. */
function wrongImports(path: string, text: string): string[] {
  const room = roomOf(path);
  if (!room) return [`${path} is in no room`];
  const wrong: string[] = [];
  for (const specifier of importsOf(text)) {
    if (!specifier.startsWith(".")) {
      if (!packages.some(({ name, rooms }) => specifier.startsWith(name) && rooms.includes(room))) {
        wrong.push(`${path} imports ${specifier}`);
      }
      continue;
    }
    const whole = new URL(specifier, new URL(path, src)).href;
    // The client library for pages is a file of its own that the web door gives out.
    if (room === "web" && whole === new URL("clients/js/cumulus.js", root).href) continue;
    const target = whole.slice(src.href.length);
    const other = roomOf(target);
    const waits = target === "common/wait.ts" && pure.some((room) => isIn(path, room));
    if (other === room && !waits) continue;
    if (waits || !other || !table.get(room)!.includes(other)) {
      wrong.push(`${path} imports ${target}`);
    }
  }
  return wrong;
}

/** Packages and modules of Node, and the only rooms that may import them. */
const packages = [
  { name: "@noble/", rooms: ["rtmfp/crypto"] },
  { name: "@nats-io/", rooms: ["net"] },
  { name: "mpegts.js", rooms: ["web"] },
  { name: "node:", rooms: ["net", "server", "client"] },
  { name: "nodemailer", rooms: ["net"] },
  { name: "wasmoon", rooms: ["script/vm"] },
  { name: "ws", rooms: ["net"] },
];

Deno.test("The layout test reads both tables and the list of pure rooms of ARCHITECTURE.md", () => {
  assert.ok(table.size >= 25, `only ${table.size} rooms found in ARCHITECTURE.md`);
  assert.ok(sources.length > 300, `only ${sources.length} source files found`);
  assert.deepEqual([...powers.keys()].sort(), Object.keys(POWERS).sort());
  assert.ok(pure.length >= 12, `only ${pure.length} pure rooms found in ARCHITECTURE.md`);
  const known = [...table.keys()].concat(sources.map(({ path }) => path));
  for (const room of [...powers.values(), pure].flat()) {
    assert.ok(known.some((one) => isIn(one, room)), `no room ${room}`);
  }
});

Deno.test("Every source file belongs to a room, and imports only permitted rooms", () => {
  assert.deepEqual(sources.flatMap(({ path, text }) => wrongImports(path, text)), []);
});

Deno.test("The table of rooms lists for each room only rooms above it, and no unused one", () => {
  const rooms = [...table.keys()];
  const wrong: string[] = [];
  for (const [room, allowed] of table) {
    const used = new Set(
      sources.filter(({ path }) => roomOf(path) === room).flatMap(({ path, text }) =>
        importsOf(text).filter((one) => one.startsWith("."))
          .map((one) => roomOf(new URL(one, new URL(path, src)).href.slice(src.href.length)))
      ),
    );
    for (const other of allowed) {
      if (rooms.indexOf(other) >= rooms.indexOf(room)) wrong.push(`${room}: ${other} is not above`);
      if (!used.has(other)) wrong.push(`${room} does not import from ${other}`);
    }
  }
  assert.deepEqual(wrong, []);
});

Deno.test("Rooms have only the powers of the table, and pure rooms have no power", () => {
  assert.deepEqual(sources.flatMap(({ path, text }) => faultsOf(path, text)), []);
});

Deno.test("The table of powers gives no room a power that it does not use", () => {
  const unused: string[] = [];
  for (const [power, rooms] of powers) {
    for (const room of rooms) {
      const used = sources.some(({ path, text }) =>
        isIn(path, room) && POWERS[power].test(codeOf(text))
      );
      if (!used) unused.push(`${room}: ${power}`);
    }
  }
  assert.deepEqual(unused, []);
});

Deno.test("The checks of powers and imports detect violations", () => {
  const samples: Record<string, string> = {
    network: "await Deno.connect(address)",
    names: 'import { lookup } from "node:dns/promises"',
    disk: "Deno.readTextFileSync(path)",
    libraries: "Deno.dlopen(name, symbols)",
    cryptography: 'import { sha256 } from "@noble/hashes/sha2.js"',
    randomness: "crypto.getRandomValues(bytes)",
    clock: "const now = performance.now();",
    timers: "setTimeout(action, 5)",
    workers: "new Worker(url)",
    process: "Deno.exit(1)",
    console: "console.log(text)",
    lua: 'import { LuaFactory } from "wasmoon"',
  };
  for (const power of Object.keys(POWERS)) {
    const [fault] = faultsOf("web/made_up.ts", `// one\n${samples[power]}`);
    assert.match(fault ?? "", new RegExp(`^web/made_up.ts:2 ${power}:`), power);
    assert.deepEqual(faultsOf("web/made_up.ts", `/** ${samples[power]} */`), []);
  }
  for (const code of ["async function later() {}", "await promise", "Deno.build.os"]) {
    assert.equal(faultsOf("bytes/made_up.ts", code).length, 1, code);
    assert.equal(faultsOf("server/made_up.ts", code).length, 0, code);
  }
  const wrong = (path: string, specifier: string) =>
    wrongImports(path, `import { a } from "${specifier}";`).length;
  assert.equal(wrong("bytes/made_up.ts", "../amf/mod.ts"), 1);
  assert.equal(wrong("amf/made_up.ts", "../bytes/reader.ts"), 0);
  assert.equal(wrong("media/made_up.ts", "../common/wait.ts"), 1);
  assert.equal(wrong("net/made_up.ts", "../common/wait.ts"), 0);
  assert.equal(wrong("media/made_up.ts", "ws"), 1);
  assert.equal(wrong("made_up.ts", "./bytes/reader.ts"), 1);
});

Deno.test("Every room that implements the Transport of tc runs the contract suite of doors", () => {
  const doors = new Set(
    sources.filter(({ text }) =>
      /\bimplements [^{]*\bTransport\b|\bextends FlowTransport\b/.test(text)
    )
      .map(({ path }) => roomOf(path)!).filter((room) => room !== "tc"),
  );
  assert.ok(doors.size >= 3, `only ${[...doors].join(", ")} found`);
  const missing = [...doors].filter((door) => {
    const path = new URL(`tests/${door}/contract_test.ts`, root);
    return !existsSync(path) || !Deno.readTextFileSync(path).includes("testDoor(");
  });
  assert.deepEqual(
    missing,
    [],
    `no tests/${missing.join(", tests/")}/contract_test.ts calls testDoor()`,
  );
});
