import type { Config } from "../config/settings.ts";
import { LogLevel } from "../common/log_level.ts";
import type { Log } from "../log/log.ts";
import type { ServerBus } from "./bus.ts";
import { Cluster, type ClusterEvents } from "./cluster.ts";
import { hmacSha256 } from "./digests.ts";
import type { Loop } from "./loop.ts";
import type { Scripts } from "./scripts.ts";

interface ServerLinksHost {
  readonly config: () => Config;
  /** The UDP port that the server listens on. */
  readonly port: number;
  readonly clock: () => number;
  readonly random: (length: number) => Uint8Array;
  /** Returns undefined without a bus. */
  readonly bus: () => ServerBus | undefined;
}

/** Makes the links to other servers from the configuration. */
export function serverLinks({ config, port, random, clock, bus }: ServerLinksHost): Cluster {
  const now = config();
  return new Cluster({
    port: now["servers.port"],
    targets: now["servers.targets"],
    publicAddress: now.publicAddress,
    rtmfpPort: port,
    secret: new TextEncoder().encode(now["servers.secret"]),
    hmac: hmacSha256,
    random,
    allows: (ip) => config()["servers.allow"].some((rule) => rule.matches(ip, 0)),
    now: clock,
    loadOf: (publicAddress) => bus()?.servers.at(publicAddress)?.load,
  });
}

/** Handlers that pass events of links to the applications, and the log. */
export function linkEvents(
  scripts: Scripts,
  loop: Loop,
  log: Log,
  bus: () => ServerBus | undefined,
  dump: ((header: string, bytes: Uint8Array) => void) | undefined,
): ClusterEvents {
  const event = (action: () => void) =>
    loop.input("Cannot process an event of a server link", action);
  return {
    paths: () => scripts.paths(),
    onConnection: (peer) =>
      event(() => {
        bus()?.servers.linked(peer.publicAddress);
        scripts.onServerConnection(peer);
      }),
    onDisconnection: (peer) =>
      event(() => {
        scripts.onServerDisconnection(peer);
        bus()?.servers.unlinked(peer.publicAddress);
      }),
    onMessage: (peer, handler, payload) => {
      let readable = true;
      event(() => readable = scripts.onServerMessage(peer, handler, payload) !== false);
      return readable;
    },
    onRunning: (paths) => event(() => scripts.onServerRunning(paths)),
    log: (level, text) => log.write(LogLevel[level], text, "Cluster", 0),
    ...dump && { dump },
  };
}
