// A running server: its start, its ticks, and its end.
import { addressText } from "../common/address.ts";
import { sleep, waitAtMost } from "../common/wait.ts";
import type { Config } from "../config/settings.ts";
import type { DatagramSocket } from "../net/datagram_socket.ts";
import type { HttpServer } from "../net/http.ts";
import { tcpError } from "../net/tcp.ts";
import { openCryptography, openSocket, trimming } from "./backends.ts";
import { entrances, pagesIn } from "./entrances.ts";
import { MemoryTrimmer } from "./memory_trimmer.ts";
import type { Scripts } from "./scripts.ts";
import { linkEvents } from "./server_links.ts";
import { clock, random, type ServerOptions, ServerParts } from "./server_parts.ts";
import { StartError } from "./start_error.ts";
import { StatusSource } from "./status_source.ts";

/** Maximum ms for clients to acknowledge that the server stops. */
const STOP_TIMEOUT = 500;
/** Maximum ms to close recordings. */
const RECORDINGS_TIMEOUT = 5_000;

const MIB = 1 << 20;

export class Server {
  /** The UDP port that the server listens on. */
  readonly port: number;
  readonly status: StatusSource;
  readonly #options: ServerOptions;
  readonly #parts: ServerParts;
  readonly #scripts: Scripts;
  readonly #memoryTrimmer: MemoryTrimmer;
  #finished = Promise.resolve();
  #monitor: HttpServer | undefined;
  #clients = 0;
  #stopping = false;

  /**
   * Opens the port and starts the root application.
   *
   * @throws {StartError} if the port, or another resource of the configuration, cannot be opened
   */
  static async start(options: ServerOptions): Promise<Server> {
    const { configuration: { config }, log } = options;
    const cryptography = await openCryptography(config["rtmfp.native"], log);
    let socket: DatagramSocket | undefined;
    let server: Server;
    try {
      socket = await openSocket(config, options.port ?? config.port, log);
      const parts = new ServerParts(options, cryptography, socket);
      const scripts = parts.scripts = await options.scripts(parts);
      parts.hub.serve(scripts);
      server = new Server(parts, scripts);
    } catch (error) {
      socket?.close();
      cryptography.powers.close();
      throw error;
    }
    await server.#begin();
    return server;
  }

  private constructor(parts: ServerParts, scripts: Scripts) {
    const { options, socket, cryptography: { backend, powers } } = parts;
    this.#options = options;
    this.#parts = parts;
    this.#scripts = scripts;
    this.port = socket.address.port;
    this.#memoryTrimmer = new MemoryTrimmer(trimming(parts.config["rtmfp.native"]));
    this.status = new StatusSource({
      version: options.version,
      crypto: backend.name,
      publicAddress: parts.config.publicAddress,
      config: () => parts.config,
      socket,
      endpoint: parts.rtmfp.endpoint,
      flash: parts.rtmfp.flash,
      hub: parts.hub,
      cluster: parts.cluster,
      scripts,
      reachability: parts.reachability,
      sharedObjects: parts.sharedObjects,
      recordings: parts.recordings,
      refusals: options.refusals ?? (() => ({})),
      doors: parts.doors,
      relays: parts.relays,
      bus: () => parts.bus,
    });
    options.log.info(
      `Cryptography by ${backend.name}, Diffie-Hellman by ${powers.name}, ` +
        `datagrams by ${socket.name}`,
    );
  }

  async #begin(): Promise<void> {
    const { log } = this.#options;
    const { loop, doors, socket, sharedObjects, config } = this.#parts;
    log.note(`RTMFP server starts on UDP port ${this.port} (${addressText(socket.address)})`);
    loop.input("Cannot start the applications", () => this.#scripts.start());
    this.#finished = loop.run(doors, () => this.#tick()).then(() => sharedObjects.close());
    try {
      await this.#openDoors();
      await this.#joinBus();
      await this.#link();
    } catch (error) {
      await this.stop();
      throw error;
    }
    const pages = pagesIn(this.#options.www ?? "www");
    for (const line of entrances(config, this.port, pages)) log.note(line);
  }

  async #openDoors(): Promise<void> {
    const { log, www = "www", listens = () => false } = this.#options;
    const parts = this.#parts;
    await parts.doors.open({
      hub: parts.hub,
      log,
      www,
      listens,
      seek: async (name) => await parts.bus?.seek(name),
      config: () => parts.config,
      now: clock,
      random,
      input: (what, action) => parts.input(what, action),
    });
  }

  /** Joins the bus if the configuration names one; loads its modules only then. */
  async #joinBus(): Promise<void> {
    const { log } = this.#options;
    const parts = this.#parts;
    const { config, hub, cluster, rtmfp } = parts;
    if (config["bus.servers"].length === 0) return;
    const { ServerBus } = await import("./bus.ts");
    parts.bus = new ServerBus({
      config,
      log,
      hub,
      endpoint: rtmfp.endpoint,
      cluster,
      scripts: this.#scripts,
      now: clock,
      random,
      input: (what, action) => parts.input(what, action),
      lag: () => this.status.lag,
      rendezvousUnknown: (hello) => rtmfp.rendezvousUnknown(hello, clock()),
    });
  }

  /** Opens the links to other servers, and the monitor's port if the configuration has one. */
  async #link(): Promise<void> {
    const { log, dump } = this.#options;
    const parts = this.#parts;
    const { config, cluster, loop } = parts;
    const shown = dump && dump !== "clients"
      ? (header: string, bytes: Uint8Array) => parts.dump(header, bytes)
      : undefined;
    let door = `[servers] port = ${config["servers.port"]}`;
    try {
      cluster.start(linkEvents(this.#scripts, loop, log, () => parts.bus, shown));
      door = `[http] address = ${config["http.address"]}, port = ${config["http.port"]}`;
      if (config["http.port"] === 0) return;
      const { serveMonitor } = await import("./monitor_server.ts");
      this.#monitor = await serveMonitor(this.status, () => parts.config, log, {
        healthy: () => !this.#stopping,
        restart: () => this.restartApplications("POST /api/reload"),
      });
    } catch (error) {
      throw new StartError(`${door}: cannot be opened: ${tcpError(error)}`);
    }
  }

  /** Resolves when the server has stopped. */
  get finished(): Promise<void> {
    return this.#finished;
  }

  /** Applies the keys that may change without a restart. */
  reload(config: Config): void {
    this.#parts.config = config;
    this.#parts.doors.reload();
    this.#scripts.limit?.(config["script.time"], config["script.memory"] * MIB);
  }

  /**
   * Restarts all applications from their current files; clients stay. API-046
   *
   * @param by origin of the request, for the log
   */
  restartApplications(by: string): void {
    this.#parts.input("Cannot restart the applications", () => this.#scripts.restart?.());
    const count = [...this.#scripts.paths()].length;
    this.#options.log.note(
      `${by}: ${count} application${count === 1 ? "" : "s"} restarted`,
    );
  }

  /** Closes all sessions, then stops the applications, then the loop. API-042, CFG-077. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#options.log.note("RTMFP server stops");
    const { loop, rtmfp, doors, bus, cluster } = this.#parts;
    loop.input("Cannot close the sessions", () => rtmfp.endpoint.close());
    const clients = doors.stop();
    loop.input("Cannot stop the mail", () => this.#options.onStopping?.());
    loop.input("Cannot stop the applications", () => this.#scripts.stop());
    const left = bus?.close();
    cluster.close();
    // A request that does not end does not keep the server from stopping.
    const monitor = this.#monitor && waitAtMost(this.#monitor.close(), STOP_TIMEOUT);
    await clients;
    await this.#recordingsEnd();
    await loop.stop(STOP_TIMEOUT);
    rtmfp.close();
    await Promise.all([left, monitor, this.#finished]);
  }

  /** Waits until the recordings of publishers that have gone are on the disk. */
  async #recordingsEnd(): Promise<void> {
    const end = clock() + RECORDINGS_TIMEOUT;
    while (this.#parts.store.recordings > 0 && clock() < end) await sleep(5);
  }

  /** Every 2 s, in the order of API-650. */
  #tick(): void {
    const { hub, cluster, loop, rtmfp } = this.#parts;
    hub.manage();
    cluster.tick(clock());
    const clients = hub.clients.size;
    if (clients !== this.#clients) {
      this.#clients = clients;
      this.#options.log.info(clients === 1 ? "1 client" : `${clients} clients`);
    }
    this.status.tick(loop.takeLag());
    this.#memoryTrimmer.tick(clock(), rtmfp.endpoint.counters.sessions);
    this.#options.log.settle();
  }
}
