/**
 * Makes the binaries that users download: `deno task compile [--target NAME]… [--output DIR]`.
 *
 * Without `--target` it makes all five. A binary contains the program, Lua, the workers and the files of a
 * first start (see src/server/first_start.ts). It reads www and CumulusServer.ini from its own folder, or
 * from the folder of `--dir`.
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import config from "../deno.json" with { type: "json" };

/** Deno's name of a target → the name of the file. */
const TARGETS: Record<string, string> = {
  "x86_64-unknown-linux-gnu": "CumulusServer-linux-x64",
  "aarch64-unknown-linux-gnu": "CumulusServer-linux-arm64",
  "x86_64-apple-darwin": "CumulusServer-macos-x64",
  "aarch64-apple-darwin": "CumulusServer-macos-arm64",
  "x86_64-pc-windows-msvc": "CumulusServer-windows-x64.exe",
};

/**
 * Permissions of the server: network; files; environment; libcrypto and system calls; name, folders and
 * addresses of the system. It may not start programs.
 */
const PERMISSIONS = [
  "--allow-net",
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-ffi",
  "--allow-sys",
];

/** The V8 flags of `deno task start`. */
const V8_FLAGS = config.tasks.start.split(" ").filter((word) => word.startsWith("--v8-flags="));

/** Modules that the program loads by name at run time. */
const WORKERS = [
  "src/net/sandbox/socket_worker.ts",
  "src/server/dh_worker.ts",
  "src/server/watchdog_worker.ts",
];

const root = new URL("../", import.meta.url);

/**
 * Writes a configuration with only the packages that the program imports, since `deno compile` embeds all
 * packages of the configuration.
 *
 * @returns its folder
 */
function writeConfig(): string {
  // `deno info` lists only packages that are in the cache.
  new Deno.Command(Deno.execPath(), { args: ["cache", "--quiet", "main.ts"], cwd: root })
    .outputSync();
  const { success, stdout, stderr } = new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "main.ts"],
    cwd: root,
  }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as {
    modules: { specifier: string }[];
  };
  const needed = ([name]: [string, string]) =>
    !name.startsWith("@types/") &&
    modules.some(({ specifier }) => specifier.startsWith(`npm:/${name.replace(/\/$/, "")}@`));
  const imports = Object.fromEntries(Object.entries(config.imports).filter(needed));
  // Within the project, since names in the binary are relative to the common folder of all embedded files.
  Deno.mkdirSync(new URL("dist/", root), { recursive: true });
  const folder = Deno.makeTempDirSync({ dir: fileURLToPath(new URL("dist/", root)) });
  const { compilerOptions, unstable } = config;
  const text = JSON.stringify({ imports, compilerOptions, unstable });
  Deno.writeTextFileSync(`${folder}/deno.json`, text);
  Deno.copyFileSync(new URL("deno.lock", root), `${folder}/deno.lock`);
  return folder;
}

async function compile(target: string, folder: string, configFolder: string): Promise<boolean> {
  const output = `${folder}/${TARGETS[target]}`;
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "compile",
      ...V8_FLAGS,
      "--no-check",
      "--no-prompt",
      "--config",
      `${configFolder}/deno.json`,
      ...PERMISSIONS,
      ...WORKERS.flatMap((path) => ["--include", path]),
      "--target",
      target,
      "--output",
      output,
      "main.ts",
    ],
    cwd: root,
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) {
    console.error(`${target}: ${new TextDecoder().decode(stderr).trim()}`);
    return false;
  }
  const { size } = await Deno.stat(new URL(output, root));
  console.log(`${output}  ${(size / 1e6).toFixed(0)} MB  version ${config.version}`);
  return true;
}

const { values } = parseArgs({
  args: Deno.args,
  options: {
    target: { type: "string", multiple: true },
    output: { type: "string", default: "dist" },
    help: { type: "boolean", short: "h" },
  },
});
const targets = values.target ?? Object.keys(TARGETS);
const unknown = targets.filter((target) => !(target in TARGETS));
if (values.help || unknown.length > 0) {
  if (unknown.length > 0) console.error(`Unknown target ${unknown.join(", ")}`);
  console.log(
    `deno task compile [--target NAME]… [--output DIR]\n  ${Object.keys(TARGETS).join("\n  ")}`,
  );
  Deno.exit(unknown.length > 0 ? 2 : 0);
}
const configFolder = writeConfig();
let made = 0;
for (const target of targets) if (await compile(target, values.output, configFolder)) made++;
Deno.removeSync(configFolder, { recursive: true });
if (made < targets.length) Deno.exit(1);
