// Every key of CumulusServer.ini: CFG-010 to CFG-032, and our own; one file per subject. The shipped
// file, its check and the documentation are made from this table.
import type { Setting } from "./setting.ts";
import { general } from "./settings/general.ts";
import { links } from "./settings/links.ts";
import { logs } from "./settings/logs.ts";
import { media } from "./settings/media.ts";
import { monitor } from "./settings/monitor.ts";
import { rtmfp } from "./settings/rtmfp.ts";
import { rtmp } from "./settings/rtmp.ts";
import { sandbox } from "./settings/sandbox.ts";
import { script } from "./settings/script.ts";
import { sharedObjects } from "./settings/shared_objects.ts";
import { web } from "./settings/web.ts";

/** The settings by their names in the file, in its order. */
export const settings = {
  ...general,
  ...rtmfp,
  ...media,
  ...logs,
  ...links,
  ...script,
  ...monitor,
  ...rtmp,
  ...web,
  ...sharedObjects,
  ...sandbox,
} satisfies Record<string, Setting<unknown>>;

/** The value of every key, by its name in the file: `config["servers.port"]`. */
export type Config = {
  readonly [K in keyof typeof settings]: typeof settings[K] extends Setting<infer T> ? T : never;
};

/** The problem of the keys of [bus] taken together, if there is one. */
export function busFault(config: Config): string | undefined {
  if (config["bus.servers"].length === 0 || config.publicAddress !== "") return undefined;
  return "[bus] servers requires publicAddress: the host:port at which clients reach this server";
}

/** Keys of former versions and the warning about each: CFG-040, CFG-041. */
export const obsolete: Record<string, string> = {
  "edges.activated": "edge servers were removed; see [servers] port and targets",
  "edges.port": "edge servers were removed; see [servers] port and targets",
  "edges.attemptsbeforefallback": "edge servers were removed; see [servers] port and targets",
  "auth.whitelist": "the white list was removed; refuse clients in onConnection",
};
