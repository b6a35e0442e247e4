// Every key that the server reads from CumulusServer.ini: CFG-010 to CFG-032, and our own. The
// shipped file, its check and the documentation are made from this table, a file for each subject.
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

/** Name, as in the file, to what it may be; in the order of the file. */
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

/** The value of every key. Keys are those of the file: `config["servers.port"]`. */
export type Config = {
  readonly [K in keyof typeof settings]: typeof settings[K] extends Setting<infer T> ? T : never;
};

/** What the keys of [bus] lack besides what each of them may be; undefined: nothing. */
export function busFault(config: Config): string | undefined {
  if (config["bus.servers"].length === 0 || config.publicAddress !== "") return undefined;
  return "[bus] servers needs publicAddress: the host:port that clients of this server are told";
}

/** Keys of former versions, and what to say of them: CFG-040, CFG-041. */
export const obsolete: Record<string, string> = {
  "edges.activated": "edge servers are gone: see [servers] port and targets",
  "edges.port": "edge servers are gone: see [servers] port and targets",
  "edges.attemptsbeforefallback": "edge servers are gone: see [servers] port and targets",
  "auth.whitelist": "there is no white list: refuse clients in onConnection",
};
