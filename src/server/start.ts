// The server as a program: from its command line to its exit code.
import { UsageError } from "../common/arguments.ts";
import { ConfigError } from "../config/config_error.ts";
import { Log } from "../log/log.ts";
import { LuaApplications } from "../script/api/applications.ts";
import { parseCommandLine, usage } from "./command_line.ts";
import { notWritable } from "./folders.ts";
import { ScriptHost } from "./host.ts";
import { closeDebugger } from "./debugger.ts";
import { lastLine, reloading } from "./reload.ts";
import { Server } from "./server.ts";
import { type Program, Setup } from "./setup.ts";
import { SAME_SIGNAL_TIMEOUT, SIGNALS } from "./signals.ts";
import { StartError } from "./start_error.ts";
import { Watchdog } from "./watchdog.ts";

/** State of a start, for the handling of its failure. */
interface Run {
  log: Log;
  watchdog: Watchdog | undefined;
}

/**
 * Serves until a signal ends it.
 *
 * @returns the exit code: 0, 1 if the server could not start, 2 for a wrong command line
 */
export async function runServer(args: readonly string[], program: Program): Promise<number> {
  const run: Run = { log: new Log({ level: 6, format: "text" }), watchdog: undefined };
  try {
    const options = parseCommandLine(args, Deno.build.os === "windows");
    if (options.help || options.version) {
      console.log(options.help ? usage() : program.version);
      return 0;
    }
    if (options.umask !== undefined && Deno.build.os !== "windows") Deno.umask(options.umask);
    await serve(new Setup(options, program), run);
    return 0;
  } catch (error) {
    return exitCode(error, run.log);
  } finally {
    run.watchdog?.close();
  }
}

/** Serves until a signal ends it. */
async function serve(setup: Setup, run: Run): Promise<void> {
  const { options, configuration, home } = setup;
  const written = setup.logOptions(configuration);
  const log = run.log = new Log(written);
  for (const line of setup.prepared) log.note(line);
  for (const warning of configuration.warnings) log.warn(warning);
  making(`${home}www`, (www) => Deno.mkdirSync(www, { recursive: true })); // CFG-032
  watchForBugs(log);
  const signalled = firstSignal(log);
  const watchdog = run.watchdog = new Watchdog(
    configuration.config["script.watchdog"],
    lastLine(written),
    (reason) => log.warn(`No watchdog for the event loop: ${reason}`),
  );
  const { server, host } = await startServer(setup, log, watchdog);
  signalled.then(() => server.stop());
  if (options.pidfile) await writePidFile(options.pidfile, server);
  host?.prepare(configuration);
  onSignal("SIGUSR2", () => server.restartApplications("SIGUSR2"));
  onSignal("SIGUSR1", () => {
    closeDebugger(() => log.warn("SIGUSR1: Deno opened its debugger, now closed; use SIGUSR2"));
    server.restartApplications("SIGUSR1");
  });
  onSignal("SIGHUP", reloading({ setup, log, server, host, watchdog }));
  await server.finished;
  host?.close();
  if (options.pidfile) removeFile(options.pidfile);
  log.close();
}

async function startServer(
  { options, configuration, home, program }: Setup,
  log: Log,
  { heartbeat }: Watchdog,
): Promise<{ server: Server; host: ScriptHost | undefined }> {
  let host: ScriptHost | undefined;
  const server = await Server.start({
    configuration,
    log,
    version: program.version,
    port: options.port,
    dump: options.dump,
    scripts: (services) => {
      host = new ScriptHost(configuration, home, log, services, heartbeat);
      return new LuaApplications(host, services.hub);
    },
    www: `${home}www`,
    listens: (port) => host?.listens(port) ?? false,
    connects: (ip, port, name) => host?.connects(ip, port, name) ?? false,
    onStopping: () => host?.stopMail(),
    refusals: () => host?.refusals ?? {},
  });
  return { server, host };
}

/** Reports why the server could not start. @returns the exit code */
function exitCode(error: unknown, log: Log): number {
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
}

async function writePidFile(pidfile: string, server: Server): Promise<void> {
  try {
    making(pidfile, (path) => Deno.writeTextFileSync(path, `${Deno.pid}\n`));
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** Creates a file or folder. @throws {StartError} if that fails */
function making(path: string, make: (path: string) => void): void {
  try {
    make(path);
  } catch (error) {
    throw new StartError(notWritable(path, error));
  }
}

/**
 * Resolves after the first signal to stop the server. CFG-077. Signals within `SAME_SIGNAL_TIMEOUT` of it count as
 * the same request. The next one ends the process, even while a script blocks the loop: by the watchdog,
 * or without a watchdog by the system's default action.
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
        }, SAME_SIGNAL_TIMEOUT);
      },
    }));
    for (const { signal, listener } of listeners) Deno.addSignalListener(signal, listener);
  });
}

/** Handles a signal, except on Windows, which has none of these. */
function onSignal(signal: "SIGHUP" | "SIGUSR1" | "SIGUSR2", action: () => void): void {
  if (Deno.build.os !== "windows") Deno.addSignalListener(signal, action);
}

function removeFile(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // removed already
  }
}

/** Logs uncaught exceptions and rejections, which are bugs of the server; the server continues. */
function watchForBugs(log: Log): void {
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    log.bug("Uncaught rejection", event.reason);
  });
  addEventListener("error", (event) => {
    event.preventDefault();
    log.bug("Uncaught exception", event.error);
  });
}
