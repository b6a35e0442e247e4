// The server as a program: from its command line to its exit code.
import { UsageError } from "../common/arguments.ts";
import { parseCommandLine, usage } from "./command_line.ts";
import { LuaApplications } from "../script/api/applications.ts";
import { changesOf, type Configuration, readConfig, secretsOf } from "../config/config.ts";
import { ConfigError } from "../config/config_error.ts";
import { facts } from "./facts.ts";
import { prepareFolder } from "./first_start.ts";
import { absolute, asFolder, exists, findFolders, notWritable } from "./folders.ts";
import { ScriptHost } from "./host.ts";
import { readIni } from "./ini_file.ts";
import { Log, type LogOptions } from "../log/log.ts";
import { LogFile } from "../log/log_file.ts";
import { Server } from "./server.ts";
import { SAME_SIGNAL, SIGNALS } from "./signals.ts";
import { StartError } from "./start_error.ts";
import { type ToWatchdog, Watchdog } from "./watchdog.ts";

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
  let watchdog: Watchdog | undefined;
  try {
    const options = parseCommandLine(args, Deno.build.os === "windows");
    if (options.help || options.version) {
      console.log(options.help ? usage() : program.version);
      return 0;
    }
    if (options.umask !== undefined && Deno.build.os !== "windows") Deno.umask(options.umask);
    const folders = findFolders(options, program.path.replace(/[^/\\]*$/, ""));
    const prepared = options.ini ? [] : prepareFolder(folders.home, program.rootScript);
    const needed = options.ini !== undefined || exists(folders.ini);
    const read = () =>
      readConfig(
        readIni(folders.ini, needed) ?? "",
        folders.ini,
        facts(program.path, folders.home),
      );
    const configuration = read();
    const { config, scripts, warnings } = configuration;
    const home = options.dir || !config["application.dir"]
      ? folders.home
      : asFolder(absolute(config["application.dir"], folders.home));
    if (typeof scripts.application === "object") scripts.application.dir = home;
    const logOptions = (configuration: Configuration): LogOptions => ({
      level: options.log ?? configuration.config["logs.level"],
      format: configuration.config["logs.format"],
      file: new LogFile(
        absolute(configuration.config["logs.directory"], home),
        configuration.config["logs.name"],
      ),
      secrets: secretsOf(configuration),
    });
    const written = logOptions(configuration);
    log = new Log(written);
    for (const line of prepared) log.note(line);
    for (const warning of warnings) log.warn(warning);
    making(`${home}www`, (www) => Deno.mkdirSync(www, { recursive: true })); // CFG-032
    watchForBugs(log);
    const signalled = firstSignal(log);
    watchdog = new Watchdog(
      config["script.watchdog"],
      lastLine(written),
      (reason) => log.warn(`Nothing ends the server when it stands: ${reason}`),
    );
    const { heartbeat } = watchdog;
    let host: ScriptHost | undefined;
    const server = await Server.start({
      configuration,
      log,
      version: program.version,
      port: options.port,
      dump: options.dump,
      scripts: (services) =>
        new LuaApplications(
          host = new ScriptHost(configuration, home, log, services, heartbeat),
          services.hub,
        ),
      www: `${home}www`,
      listens: (port) => host?.listens(port) ?? false,
      connects: (ip, port, name) => host?.connects(ip, port, name) ?? false,
      onStopping: () => host?.stopMail(),
      refusals: () => host?.refusals ?? {},
    });
    signalled.then(() => server.stop());
    if (options.pidfile) {
      try {
        making(options.pidfile, (path) => Deno.writeTextFileSync(path, `${Deno.pid}\n`));
      } catch (error) {
        await server.stop();
        throw error;
      }
    }
    host?.prepare(configuration);
    let applied = configuration;
    onSignal("SIGUSR1", () => server.restartApplications("SIGUSR1"));
    onSignal("SIGHUP", () => {
      let failure = "";
      const changes = { live: [] as string[], restart: [] as string[] };
      try {
        const next = read();
        host?.reload(next.config);
        server.reload(next.config);
        changes.live = changesOf(applied, next).live;
        changes.restart = changesOf(configuration, next).restart;
        applied = next;
        for (const warning of next.warnings) log.warn(warning);
      } catch (error) {
        failure = (error as Error).message;
      }
      const written = logOptions(applied);
      log.reopen(written);
      watchdog?.reload(applied.config["script.watchdog"], lastLine(written));
      if (failure) log.error(`SIGHUP: the configuration stays as it was: ${failure}`);
      log.note(
        "SIGHUP: the log is reopened" +
          (failure ? "" : `; now in effect: ${changes.live.join(", ") || "nothing new"}`) +
          (changes.restart.length > 0 ? `; after a restart: ${changes.restart.join(", ")}` : ""),
      );
    });
    await server.finished;
    host?.close();
    if (options.pidfile) removeFile(options.pidfile);
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
    for (const problem of error instanceof ConfigError ? error.problems : [error.message]) {
      log.fatal(problem);
    }
    if (error instanceof ConfigError && error.problems.length > 1) {
      log.fatal(`${error.problems.length} errors in the configuration: the server does not start`);
    }
    log.close();
    return 1;
  } finally {
    watchdog?.close();
  }
}

/** How the watchdog logs, from its own thread. */
const lastLine = ({ level, format, file }: LogOptions): ToWatchdog["log"] =>
  file && { level, format, directory: file.directory, name: file.name };

/** @throws {StartError} if a file or folder that the server needs cannot be made */
function making(path: string, make: (path: string) => void): void {
  try {
    make(path);
  } catch (error) {
    throw new StartError(notWritable(path, error));
  }
}

/**
 * Resolves after the first signal that is to stop the server. CFG-077. What comes within
 * `SAME_SIGNAL` of it is the same wish. The next one ends the process, even while a script does not
 * end: the watchdog sees to it, and where it cannot, signals are the system's again.
 */
function firstSignal(log: Log): Promise<void> {
  const signals = Object.keys(SIGNALS) as Deno.Signal[];
  return new Promise((resolve) => {
    let stopping = false;
    const listeners = signals.map((signal) => ({
      signal,
      listener: () => {
        if (stopping) return;
        stopping = true;
        log.info(`${signal}: stopping`);
        setTimeout(() => {
          for (const { signal, listener } of listeners) Deno.removeSignalListener(signal, listener);
          resolve();
        }, SAME_SIGNAL);
      },
    }));
    for (const { signal, listener } of listeners) Deno.addSignalListener(signal, listener);
  });
}

/** Windows has neither SIGHUP nor SIGUSR1. */
function onSignal(signal: "SIGHUP" | "SIGUSR1", action: () => void): void {
  if (Deno.build.os !== "windows") Deno.addSignalListener(signal, action);
}

function removeFile(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // somebody was quicker
  }
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
