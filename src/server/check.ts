// The sub-command `check`: reads the configuration and compiles all scripts, without running them.
import { fromUtf8 } from "../bytes/text.ts";
import { UsageError } from "../common/arguments.ts";
import { misspelledInSource } from "../script/api/event_names.ts";
import { MAX_SOURCE } from "../script/api/loading.ts";
import { Lua } from "../script/vm/lua.ts";
import { sourceOfFile } from "../script/vm/source_file.ts";
import { parseCommandLine, usage } from "./command_line.ts";
import { readConfig } from "../config/config.ts";
import { ConfigError } from "../config/config_error.ts";
import { facts } from "./facts.ts";
import { absolute, asFolder, findFolders, type Folders, systemReason } from "./folders.ts";
import { readIni } from "./ini_file.ts";
import { escape } from "../log/log.ts";
import { sandboxPolicy } from "./sandbox_policy.ts";
import { busFault, type Config } from "../config/settings.ts";
import { StartError } from "./start_error.ts";

/**
 * Prints one line per problem, and a summary.
 *
 * @param args arguments after `check` on the command line
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
    const text = readIni(folders.ini, options.ini !== undefined);
    let errors = 0;
    const complain = (text: string) => {
      errors++;
      print(`Error: ${escape(text)}`);
    };
    const config = checkConfig(text ?? "", folders, program, print, complain);
    const home = options.dir || !config?.["application.dir"]
      ? folders.home
      : asFolder(absolute(config["application.dir"], folders.home));
    const scripts = scriptsIn(`${home}www`, "www", complain);
    const lua = new Lua({ clock: () => performance.now() });
    for (const { path, name } of scripts) {
      try {
        const { isFile, size } = Deno.statSync(path);
        if (!isFile) throw new Error("not a file"); // reading a pipe may block for ever
        if (size > MAX_SOURCE) throw new Error(`File too large (more than ${MAX_SOURCE} bytes)`);
        const source = sourceOfFile(Deno.readFileSync(path));
        const error = lua.load(source, `@${name}`);
        if (error) complain(error.message);
        else lua.pop();
        for (const { line, text } of misspelledInSource(fromUtf8(source))) {
          print(`Warning: ${escape(`${name}:${line}: ${text}`)}`);
        }
      } catch (error) {
        complain(`${name} cannot be read: ${systemReason(error)}`);
      }
    }
    const ini = text === undefined ? "the default configuration" : folders.ini;
    const count = errors === 1 ? "1 error" : `${errors || "no"} errors`;
    const number = scripts.length === 1 ? "1 script" : `${scripts.length} scripts`;
    print(`Checked ${ini}, and ${number} in ${home}www: ${count}`);
    return errors === 0 ? 0 : 1;
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`${error.message}\nSee --help.`);
      return 2;
    }
    if (!(error instanceof StartError)) throw error;
    print(`Error: ${escape(error.message)}`);
    return 1;
  }
}

/** @returns undefined if the configuration has errors, which are passed to `complain` */
function checkConfig(
  text: string,
  { ini, home }: Folders,
  program: string,
  print: (line: string) => void,
  complain: (text: string) => void,
): Config | undefined {
  try {
    const { config, warnings } = readConfig(text, ini, facts(program, home));
    for (const line of warnings) print(`Warning: ${escape(line)}`);
    sandboxPolicy(config);
    const fault = busFault(config);
    if (fault !== undefined) complain(fault);
    return config;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    error.problems.forEach(complain);
    return undefined;
  }
}

interface ScriptFile {
  readonly path: string;
  /** The path as shown in messages. */
  readonly name: string;
}

/**
 * All Lua files in a folder and its folders, in order of their names; links are followed.
 *
 * @param complain called for folders and files that cannot be read, which are skipped
 * @param above real paths of the folders that contain this one
 */
function scriptsIn(
  folder: string,
  name: string,
  complain: (text: string) => void,
  above: readonly string[] = [],
): ScriptFile[] {
  try {
    const real = Deno.realPathSync(folder);
    if (above.includes(real)) return [];
    const entries = [...Deno.readDirSync(folder)].sort((a, b) => a.name < b.name ? -1 : 1);
    return entries.flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      const inner = `${name}/${entry.name}`;
      if (!isFolder(path)) return entry.name.endsWith(".lua") ? [{ path, name: inner }] : [];
      return scriptsIn(path, inner, complain, [...above, real]);
    });
  } catch (error) {
    if (above.length > 0 || !(error instanceof Deno.errors.NotFound)) {
      complain(`${name} cannot be read: ${systemReason(error)}`);
    }
    return [];
  }
}

/** Follows links; false for a path that does not exist. */
function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
