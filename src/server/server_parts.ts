import { canonicalIp } from "../common/ip.ts";
import { addressText } from "../common/address.ts";
import { LogLevel } from "../common/log_level.ts";
import type { Configuration } from "../config/config.ts";
import type { Config } from "../config/settings.ts";
import type { Log } from "../log/log.ts";
import { Hub } from "../media/hub.ts";
import type { RecordingTotals } from "../monitor/snapshot.ts";
import type { DatagramSocket } from "../net/datagram_socket.ts";
import type { Store } from "../store/store.ts";
import type { Cryptography } from "./backends.ts";
import type { ServerBus } from "./bus.ts";
import type { Cluster } from "./cluster.ts";
import { Doors } from "./doors.ts";
import { hexDump } from "./dump.ts";
import { Loop } from "./loop.ts";
import { Reachability } from "./reachability.ts";
import { openRecordings } from "./recordings.ts";
import { Relays } from "./relays.ts";
import { RtmfpPort } from "./rtmfp_port.ts";
import type { Scripts } from "./scripts.ts";
import { serverLinks } from "./server_links.ts";
import type { SharedObjectFiles } from "./shared_object_files.ts";
import { openSharedObjectFiles, sharedObjectBounds } from "./shared_objects.ts";

export interface ServerOptions {
  readonly configuration: Configuration;
  readonly log: Log;
  /** UDP port, instead of the configured one; 0: any free port. */
  readonly port?: number;
  /** Bytes to log: packets of clients, bytes between servers (`middle`), or both. */
  readonly dump?: "clients" | "middle" | "all";
  readonly version: string;
  /** Makes the applications. */
  readonly scripts: (server: Services) => Scripts | Promise<Scripts>;
  /** The folder of the applications, whose pages the web door shows. */
  readonly www?: string;
  /** Whether a script's TCP server listens on a port. */
  readonly listens?: (port: number) => boolean;
  /** Whether the server may connect to a TCP address. @param name the host name that was resolved to it, if any */
  readonly connects?: (ip: string, port: number, name?: string) => boolean;
  /** Called when clients have gone, before the applications stop. */
  readonly onStopping?: () => void;
  /** Number of requests of scripts that the sandbox refused, by rule. */
  readonly refusals?: () => Readonly<Record<string, number>>;
}

/** Services of the server for the applications. */
export interface Services {
  readonly hub: Hub;
  /** Runs an event of a script that no client caused, then sends its output. */
  input(what: string, action: () => void): void;
  /** The links to other servers. */
  readonly cluster: Cluster;
  /** Relays of streams to and from other servers. */
  readonly relays: Relays;
}

/** Monotonic time in milliseconds. */
export const clock = (): number => performance.now();

export const random = (length: number): Uint8Array<ArrayBuffer> =>
  crypto.getRandomValues(new Uint8Array(length));

/**
 * The parts of a server, each built from earlier ones; the applications are built from them. The server neither
 * receives nor sends before the loop runs.
 */
export class ServerParts implements Services {
  /** The configuration as last read. */
  config: Config;
  /** The applications; undefined while they are being made. */
  scripts: Scripts | undefined;
  /** The bus; undefined without one, and before the server has joined it. */
  bus: ServerBus | undefined;
  readonly sharedObjects: SharedObjectFiles;
  readonly hub: Hub;
  readonly loop: Loop;
  readonly reachability = new Reachability();
  readonly rtmfp: RtmfpPort;
  readonly store: Store;
  readonly recordings: () => RecordingTotals;
  readonly relays: Relays;
  readonly doors: Doors;
  readonly cluster: Cluster;

  constructor(
    readonly options: ServerOptions,
    readonly cryptography: Cryptography,
    readonly socket: DatagramSocket,
  ) {
    const { configuration, log, www = "www", dump } = options;
    this.config = configuration.config;
    const config = () => this.config;
    const input = this.input.bind(this);
    const shown = (header: string, bytes: Uint8Array) => this.dump(header, bytes);
    this.sharedObjects = openSharedObjectFiles({ config, www, log });
    this.hub = makeHub(config, log, this.sharedObjects, () => this.scripts?.place);
    this.loop = new Loop(socket, {
      clock,
      setNow: (now) => this.hub.now = now,
      bug: (what, error, from) => log.bug(from ? `${what} from ${addressText(from)}` : what, error),
    });
    this.rtmfp = new RtmfpPort({
      ...this.#common(),
      loop: this.loop,
      cryptography,
      reachability: this.reachability,
      clock,
      seek: (hello) => this.bus?.find(hello) ?? false,
      ...dump && dump !== "middle" && { dump: shown },
    });
    const recordings = openRecordings({ ...this.#common(), www, input });
    this.store = this.hub.recordings = recordings.store;
    this.recordings = recordings.totals;
    this.relays = new Relays({
      ...this.#common(),
      connects: options.connects ?? (() => true),
      input,
    });
    this.doors = new Doors(
      this.rtmfp.endpoint,
      [this.hub.waiting, this.store, this.hub.sharedObjects],
      this.relays,
    );
    this.cluster = serverLinks({
      config,
      port: socket.address.port,
      clock,
      random,
      bus: () => this.bus,
    });
  }

  input(what: string, action: () => void): void {
    this.loop.input(what, action);
  }

  dump(header: string, bytes: Uint8Array): void {
    this.options.log.write(LogLevel.info, `${header}\n${hexDump(bytes)}`, "dump", 0, Infinity);
  }

  #common() {
    return { hub: this.hub, log: this.options.log, config: () => this.config, random };
  }
}

function makeHub(
  config: () => Config,
  log: Log,
  sharedObjectStore: SharedObjectFiles,
  place: () => Scripts["place"],
): Hub {
  return new Hub({
    sharedObjects: sharedObjectBounds(config),
    sharedObjectStore,
    sendQueue: config()["rtmfp.sendQueue"] << 20,
    recent: config()["media.gop"] << 20,
    names: () => ({
      publisherTimeout: config()["media.publisherTimeout"] * 1_000,
      takeOver: config()["media.takeOver"],
    }),
    random: (below) => Math.floor(Math.random() * below),
    log: (level, text) => {
      const { file, line } = place() ?? { file: "", line: 0 };
      log.write(LogLevel[level], text, file || "Hub", line);
    },
    ip: canonicalIp,
  });
}
