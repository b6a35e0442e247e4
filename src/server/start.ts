// The server as a program: from its command line to its exit code.
import { parseCommandLine, usage, UsageError } from "./command_line.ts";
import { LuaApplications } from "../script/api/applications.ts";
import { readConfig } from "./config.ts";
import { ConfigError } from "./config_error.ts";
import { facts } from "./facts.ts";
import { prepareFolder } from "./first_start.ts";
import { absolute, asFolder, findFolders } from "./folders.ts";
import { ScriptHost } from "./host.ts";
import { Log } from "./log.ts";
import { LogFile } from "./log_file.ts";
import { Server } from "./server.ts";
import { StartError } from "./start_error.ts";

/** What the program knows of itself. */
export interface Program {
  readonly version: string;
  /** The path of the executable, or of main.ts. */
  readonly path: string;
  /** The text of www/main.lua, for a folder that is still empty. */
  readonly rootScript: string;
}

/**
 * Serves until a signal ends it.
 *
 * @returns the exit code: 0, 1 if the server could not start, 2 for a wrong command line
 */
export async function runServer(args: readonly string[], program: Program): Promise<number> {
  let log = new Log({ level: 6, format: "text" });
  try {
    const options = parseCommandLine(args, Deno.build.os === "windows");
    if (options.help || options.version) {
      console.log(options.help ? usage() : program.version);
      return 0;
    }
    if (options.umask !== undefined && Deno.build.os !== "windows") Deno.umask(options.umask);
    const folders = findFolders(options, program.path.replace(/[^/\\]*$/, ""));
    const prepared = options.ini ? [] : prepareFolder(folders.home, program.rootScript);
    const { text, warning } = readIni(folders.ini, options.ini !== undefined);
    const configuration = readConfig(text, folders.ini, facts(program.path, folders.home));
    const { config, scripts } = configuration;
    const home = options.dir || !config["application.dir"]
      ? folders.home
      : asFolder(absolute(config["application.dir"], folders.home));
    if (typeof scripts.application === "object") scripts.application.dir = home;
    log = new Log({
      level: options.log ?? config["logs.level"],
      format: config["logs.format"],
      file: new LogFile(absolute(config["logs.directory"], home), config["logs.name"]),
    });
    for (const line of prepared) log.note(line);
    if (warning) log.warn(warning);
    for (const warning of configuration.warnings) log.warn(warning);
    Deno.mkdirSync(`${home}www`, { recursive: true }); // CFG-032
    watchForBugs(log);
    const signalled = firstSignal(log);
    let host: ScriptHost | undefined;
    const server = await Server.start({
      configuration,
      log,
      version: program.version,
      port: options.port,
      dump: options.dump,
      scripts: (services) =>
        new LuaApplications(host = new ScriptHost(configuration, home, log, services)),
      refusals: () => host?.refusals ?? {},
    });
    if (options.pidfile) Deno.writeTextFileSync(options.pidfile, `${Deno.pid}\n`);
    signalled.then(() => server.stop());
    await server.finished;
    host?.close();
    if (options.pidfile) Deno.removeSync(options.pidfile);
    log.close();
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`${error.message}\nSee --help.`);
      return 2;
    }
    if (!(error instanceof ConfigError || error instanceof StartError)) {
      log.bug("Cannot start", error);
      return 1;
    }
    log.fatal(error.message);
    log.close();
    return 1;
  }
}

/** @throws {StartError} if the file must be there, and cannot be read */
function readIni(path: string, needed: boolean): { text: string; warning?: string } {
  try {
    return { text: Deno.readTextFileSync(path) };
  } catch (error) {
    if (needed) {
      throw new StartError(`--ini=${path}: it cannot be read: ${(error as Error).message}`);
    }
    if (error instanceof Deno.errors.NotFound) return { text: "" }; // CFG-001
    return { text: "", warning: `${path} cannot be read: ${(error as Error).message}` };
  }
}

/** Resolves at the first signal that is to stop the server; the second ends it at once. CFG-077. */
function firstSignal(log: Log): Promise<void> {
  const signals: Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT", "SIGBREAK"]
    : ["SIGINT", "SIGTERM", "SIGQUIT"];
  let stopping = false;
  return new Promise((resolve) => {
    for (const signal of signals) {
      Deno.addSignalListener(signal, () => {
        if (stopping) Deno.exit(1);
        stopping = true;
        log.info(`${signal}: stopping`);
        resolve();
      });
    }
  });
}

/** What nobody caught is a bug of ours: it is logged, and the server goes on. */
function watchForBugs(log: Log): void {
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    log.bug("Nobody caught", event.reason);
  });
  addEventListener("error", (event) => {
    event.preventDefault();
    log.bug("Nobody caught", event.error);
  });
}
