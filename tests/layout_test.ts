// Reads every import under src/ and holds it against the table of rooms in ARCHITECTURE.md.
import assert from "node:assert/strict";

const root = new URL("../", import.meta.url);

/** Room → the rooms it may import from, out of the table in ARCHITECTURE.md. */
function readTable(): Map<string, string[]> {
  const text = Deno.readTextFileSync(new URL("ARCHITECTURE.md", root));
  const table = new Map<string, string[]>();
  for (const [, room, rooms] of text.matchAll(/^\| `([\w/.]+)` *\|[^|]*\| ([^|]*) \|$/gm)) {
    table.set(room, [...rooms.matchAll(/`([\w/.]+)`/g)].map((match) => match[1]));
  }
  return table;
}

function* files(folder: URL): Generator<URL> {
  for (const entry of Deno.readDirSync(folder)) {
    if (entry.isDirectory) yield* files(new URL(`${entry.name}/`, folder));
    else if (entry.name.endsWith(".ts")) yield new URL(entry.name, folder);
  }
}

const table = readTable();
const src = new URL("src/", root);
const sources = [...files(src)].map((url) => ({
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

/** Packages, and the only rooms that may import them. */
const packages: Record<string, string[]> = {
  "@noble/": ["rtmfp/crypto"],
  "@nats-io/": ["net"],
  "mpegts.js": ["web"],
  "nodemailer": ["net"],
  "wasmoon": ["script/vm"],
  "ws": ["net"],
};

Deno.test("The table of rooms is read", () => {
  assert.ok(table.size >= 12, `only ${table.size} rooms found in ARCHITECTURE.md`);
  assert.ok(sources.length > 10, `only ${sources.length} source files found`);
});

Deno.test("Every source file belongs to a room, and imports what its room may", () => {
  const wrong: string[] = [];
  for (const { path, url, text } of sources) {
    const room = roomOf(path);
    if (!room) {
      wrong.push(`${path} is in no room`);
      continue;
    }
    for (const specifier of importsOf(text)) {
      if (!specifier.startsWith(".")) {
        const rule = Object.keys(packages).find((name) => specifier.startsWith(name));
        if (rule && !packages[rule].includes(room)) wrong.push(`${path} imports ${specifier}`);
        continue;
      }
      const whole = new URL(specifier, url).href;
      // The client library for pages is a file of its own that the web door gives out.
      if (room === "web" && whole === new URL("clients/js/cumulus.js", root).href) continue;
      const target = whole.slice(src.href.length);
      const other = roomOf(target);
      if (other === room) continue;
      if (!other || !table.get(room)!.includes(other)) wrong.push(`${path} imports ${target}`);
    }
  }
  assert.deepEqual(wrong, []);
});

Deno.test("Pure rooms have no clock, timer, await, console, randomness or Deno", () => {
  const pure = /^(bytes|amf|flv|rtmfp|media|store|tc|flash|rtmp|rtws|web|bus|cluster)\//;
  const impure =
    /\bawait\b|\basync\b|\bDeno\.|\bconsole\.|\bset(Timeout|Interval)\b|\bDate\.now\b|\bnew Date\(\)|\bperformance\.|\bMath\.random\b|\bcrypto\.getRandomValues\b|\brandomBytes\b/;
  const wrong: string[] = [];
  for (const { path, text } of sources) {
    if (!pure.test(path)) continue;
    const code = text.replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, " "))
      .replace(/(^|\s)\/\/.*$/gm, "");
    for (const [i, line] of code.split("\n").entries()) {
      const match = impure.exec(line);
      if (match) wrong.push(`${path}:${i + 1} ${match[0]}`);
    }
  }
  assert.deepEqual(wrong, []);
});
