// The sub-command `check`: the configuration is read and all scripts are compiled; nothing runs.
import { Lua } from "../script/vm/lua.ts";
import { sourceOfFile } from "../script/vm/source_file.ts";
import { parseCommandLine, usage, UsageError } from "./command_line.ts";
import { readConfig } from "./config.ts";
import { ConfigError } from "./config_error.ts";
import { facts } from "./facts.ts";
import { absolute, asFolder, findFolders } from "./folders.ts";
import { readIni } from "./ini_file.ts";
import { escape } from "./log.ts";
import { sandboxPolicy } from "./sandbox_policy.ts";
import { StartError } from "./start_error.ts";

/**
 * Prints what is wrong, a line each, and a line that sums it up.
 *
 * @param args what follows `check` on the command line
 * @param program the path of the executable
 * @returns the exit code: 0, 1 if the server would not start or a script does not compile, 2 for a
 *   wrong command line
 */
export function check(
  args: readonly string[],
  program: string,
  print: (line: string) => void = console.log,
): number {
  try {
    const options = parseCommandLine(args, Deno.build.os === "windows");
    if (options.help) {
      print(usage());
      return 0;
    }
    const folders = findFolders(options, program.replace(/[^/\\]*$/, ""));
    const { text, warning } = readIni(folders.ini, options.ini !== undefined);
    const configuration = readConfig(text, folders.ini, facts(program, folders.home));
    const { config, warnings } = configuration;
    sandboxPolicy(config);
    for (const line of [...warning ? [warning] : [], ...warnings]) {
      print(`Warning: ${escape(line)}`);
    }
    const home = options.dir || !config["application.dir"]
      ? folders.home
      : asFolder(absolute(config["application.dir"], folders.home));
    const scripts = scriptsIn(`${home}www`, "www");
    const lua = new Lua({ clock: () => performance.now(), now: () => Date.now() });
    let broken = 0;
    for (const { path, name } of scripts) {
      const error = lua.load(sourceOfFile(Deno.readFileSync(path)), `@${name}`);
      if (!error) lua.pop();
      else {
        broken++;
        print(`Error: ${escape(error.message)}`);
      }
    }
    const ini = text === "" ? "the default configuration" : folders.ini;
    print(
      `Checked ${ini}, and ${scripts.length} scripts in ${home}www: ` +
        (broken === 0 ? "no errors" : `${broken} of them cannot be compiled`),
    );
    return broken === 0 ? 0 : 1;
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`${error.message}\nSee --help.`);
      return 2;
    }
    if (!(error instanceof ConfigError || error instanceof StartError)) throw error;
    print(`Error: ${escape(error.message)}`);
    return 1;
  }
}

/** All Lua files in a folder and its folders, in order of their names. */
function scriptsIn(folder: string, name: string, depth = 0): { path: string; name: string }[] {
  let entries: Deno.DirEntry[];
  try {
    entries = [...Deno.readDirSync(folder)].sort((a, b) => a.name < b.name ? -1 : 1);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound && depth === 0) return [];
    throw new StartError(`${folder} cannot be read: ${(error as Error).message}`);
  }
  return entries.flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    const inner = `${name}/${entry.name}`;
    if (entry.isDirectory && depth < 32) return scriptsIn(path, inner, depth + 1);
    return !entry.isDirectory && entry.name.endsWith(".lua") ? [{ path, name: inner }] : [];
  });
}
