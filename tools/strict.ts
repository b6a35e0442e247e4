/**
 * Checks the rooms of {@link ROOMS} with `noUncheckedIndexedAccess`: a value read by index or key may be
 * undefined there.
 * `deno check` applies one configuration to all files, so this makes another one and omits its errors in
 * other rooms.
 */
const ROOMS = [
  "amf",
  "bus",
  "bytes",
  "client",
  "cluster",
  "common",
  "config",
  "flash",
  "flv",
  "log",
  "media",
  "monitor",
  "net",
  "openssl",
  "rtmfp",
  "rtmp",
  "rtws",
  "script/api",
  "script/vm",
  "server",
  "store",
  "tc",
  "wasm",
  "web",
];

const root = new URL("../", import.meta.url);
const config = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
const { imports, unstable, compilerOptions } = config;
const file = await Deno.makeTempFile({ suffix: ".json" });
await Deno.writeTextFile(
  file,
  JSON.stringify({
    imports,
    unstable,
    compilerOptions: { ...compilerOptions, noUncheckedIndexedAccess: true },
  }),
);
const { stderr } = await new Deno.Command(Deno.execPath(), {
  args: ["check", "--quiet", "--no-lock", "--config", file, "main.ts", ...ROOMS.map(folder)],
  cwd: root,
  env: { NO_COLOR: "1" },
}).output();
await Deno.remove(file);

/** An error each, with the file that it is in. */
const errors = new TextDecoder().decode(stderr).split(/\n(?=TS\d+ \[ERROR\])/)
  .filter((error) => ROOMS.some((room) => error.includes(new URL(`${folder(room)}/`, root).href)));
for (const error of errors) console.error(`${error.trim()}\n`);
if (errors.length > 0) {
  console.error(`${errors.length} errors with noUncheckedIndexedAccess`);
  Deno.exit(1);
}

function folder(room: string): string {
  return `src/${room}`;
}
