import { configChanges, type Configuration } from "../config/config.ts";
import type { Log, LogOptions } from "../log/log.ts";
import type { ScriptHost } from "./host.ts";
import type { Server } from "./server.ts";
import type { Setup } from "./setup.ts";
import type { ToWatchdog, Watchdog } from "./watchdog.ts";

/** Parts of a running server to which a new configuration is applied. */
export interface Reloaded {
  readonly setup: Setup;
  readonly log: Log;
  readonly server: Server;
  readonly host: ScriptHost | undefined;
  readonly watchdog: Watchdog;
}

/** Makes the handler of SIGHUP: it reopens the log, and applies the keys that may change without a restart. */
export function reloading({ setup, log, server, host, watchdog }: Reloaded): () => void {
  let applied = setup.configuration;
  const apply = (next: Configuration) => {
    host?.reload(next.config);
    server.reload(next.config);
    const { live } = configChanges(applied, next);
    const { restart } = configChanges(setup.configuration, next);
    applied = next;
    for (const warning of next.warnings) log.warn(warning);
    return { live, restart };
  };
  return () => {
    let failure = "";
    let changes: { live: readonly string[]; restart: readonly string[] } = {
      live: [],
      restart: [],
    };
    try {
      changes = apply(setup.read());
    } catch (error) {
      failure = (error as Error).message;
    }
    const options = setup.logOptions(applied);
    log.reopen(options);
    watchdog.reload(applied.config["script.watchdog"], lastLine(options));
    if (failure) log.error(`SIGHUP: keeping the old configuration: ${failure}`);
    const { live, restart } = changes;
    log.note(
      "SIGHUP: log reopened" +
        (failure ? "" : `; now in effect: ${live.join(", ") || "no changes"}`) +
        (restart.length > 0 ? `; after a restart: ${restart.join(", ")}` : ""),
    );
  };
}

/** Options with which the watchdog logs its last line, from its own thread. */
export const lastLine = ({ level, format, file }: LogOptions): ToWatchdog["log"] =>
  file && { level, format, directory: file.directory, name: file.name };
