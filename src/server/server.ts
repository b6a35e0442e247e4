// A running server: all rooms put together.
import { MemoryTrimmer } from "./memory_trimmer.ts";
import { StatusSource } from "./status_source.ts";
import { HostNames } from "./host_names.ts";
import { addressText } from "../common/address.ts";
import { canonicalIp } from "../common/ip.ts";
import { LogLevel } from "../common/log_level.ts";
import { sleep, waitAtMost } from "../common/wait.ts";
import { FlashServer } from "../flash/flash_server.ts";
import { Hub } from "../media/hub.ts";
import type { DatagramSocket } from "../net/datagram_socket.ts";
import { serverCertificate } from "../rtmfp/crypto/certificate.ts";
import { RELAXED, STRICT } from "../rtmfp/crypto/protection.ts";
import type { HttpServer } from "../net/http.ts";
import { tcpError } from "../net/tcp.ts";
import { Endpoint } from "../rtmfp/endpoint.ts";
import type { ServerBus } from "./bus.ts";
import { type Cryptography, openCryptography, openSocket, trimming } from "./backends.ts";
import { Cluster } from "./cluster.ts";
import type { Configuration } from "../config/config.ts";
import { hmacSha256 } from "./digests.ts";
import { Doors } from "./doors.ts";
import { dumping, hexDump } from "./dump.ts";
import { entrances, pagesIn } from "./entrances.ts";
import { PreparedKeyAgreement } from "./key_agreement.ts";
import type { Log } from "../log/log.ts";
import { Loop } from "./loop.ts";
import { openRecordings } from "./recordings.ts";
import { Relays } from "./relays.ts";
import type { Scripts } from "./scripts.ts";
import type { Config } from "../config/settings.ts";
import type { SharedObjectFiles } from "./shared_object_files.ts";
import { openSharedObjectFiles, sharedObjectBounds } from "./shared_objects.ts";
import type { Store } from "../store/store.ts";
import { StartError } from "./start_error.ts";

export interface ServerOptions {
  readonly configuration: Configuration;
  readonly log: Log;
  /** Instead of the configured one; 0 takes any that is free. */
  readonly port?: number;
  /** Packets of clients, or what goes between servers (`middle`), or all of it is logged. */
  readonly dump?: "clients" | "middle" | "all";
  readonly version: string;
  /** Makes the applications; what they will need of the server exists by their first event. */
  readonly scripts: (server: Services) => Scripts | Promise<Scripts>;
  /** The folder of the applications, whose pages the web door shows. */
  readonly www?: string;
  /** Whether a script's TCP server listens on a port. */
  readonly listens?: (port: number) => boolean;
  /** Whether the server may connect to an address by TCP, to which a host name may have led. */
  readonly connects?: (ip: string, port: number, name?: string) => boolean;
  /** Clients are gone and applications stop next. */
  readonly onStopping?: () => void;
  /** Steps of scripts that the sandbox refused, by rule. */
  readonly refusals?: () => Readonly<Record<string, number>>;
}

/** What the applications may use of the server. */
export interface Services {
  /** Runs what happens to a script besides what clients do; what it writes goes out. */
  input(what: string, action: () => void): void;
  /** The links to other servers; not before the first event. */
  cluster(): Cluster;
  /** Streams to and from other servers; not before the first event. */
  relays(): Relays;
}

const clock = () => performance.now();
const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));

/** How long clients have to hear that the server stops, in milliseconds. */
const STOP_WITHIN = 500;
/** How long recordings have to be ended, in milliseconds. */
const RECORDINGS_WITHIN = 5_000;

export class Server {
  /** The UDP port that is listened on. */
  readonly port: number;
  readonly status: StatusSource;
  readonly #options: ServerOptions;
  readonly #scripts: Scripts;
  readonly #socket: DatagramSocket;
  readonly #hub: Hub;
  readonly #sharedObjects: SharedObjectFiles;
  readonly #flash: FlashServer;
  readonly #agreement: PreparedKeyAgreement;
  readonly #endpoint: Endpoint;
  readonly #doors: Doors;
  readonly #store: Store;
  readonly #relays: Relays;
  readonly #cluster: Cluster;
  readonly #loop: Loop;
  #bus: ServerBus | undefined;
  readonly #memoryTrimmer: MemoryTrimmer;
  #config: Config;
  #finished = Promise.resolve();
  #http: HttpServer | undefined;
  #clients = 0;
  #stopping = false;

  /**
   * Opens the port and starts the root application.
   *
   * @throws {StartError} if the port, or another thing that the configuration asks for, cannot
   *   be had
   */
  static async start(options: ServerOptions): Promise<Server> {
    const { configuration: { config }, log } = options;
    const cryptography = await openCryptography(config["rtmfp.native"], log);
    let socket: DatagramSocket | undefined;
    let server: Server;
    try {
      socket = await openSocket(config, options.port ?? config.port, log);
      const late: { server?: Server } = {};
      const scripts = await options.scripts({
        input: (what, action) => late.server!.#loop.input(what, action),
        cluster: () => late.server!.#cluster,
        relays: () => late.server!.#relays,
      });
      server = late.server = new Server(options, cryptography, socket, scripts);
    } catch (error) {
      socket?.close();
      cryptography.powers.close();
      throw error;
    }
    await server.#begin();
    return server;
  }

  private constructor(
    options: ServerOptions,
    { backend, powers }: Cryptography,
    socket: DatagramSocket,
    scripts: Scripts,
  ) {
    const { configuration: { config }, log } = options;
    this.#options = options;
    this.#config = config;
    const current = () => this.#config;
    this.#socket = socket;
    this.#scripts = scripts;
    this.port = socket.address.port;
    const names = new HostNames(clock, log.warn);
    this.#sharedObjects = openSharedObjectFiles({
      config: current,
      www: options.www ?? "www",
      log,
    });
    this.#hub = new Hub(scripts, {
      sharedObjects: sharedObjectBounds(current),
      sharedObjectStore: this.#sharedObjects,
      sendQueue: config["rtmfp.sendQueue"] << 20,
      recent: config["media.gop"] << 20,
      names: () => ({
        publisherTimeout: current()["media.publisherTimeout"] * 1_000,
        takeOver: current()["media.takeOver"],
      }),
      random: (below) => Math.floor(Math.random() * below),
      log: (level, text) => {
        const { file, line } = scripts.place ?? { file: "", line: 0 };
        log.write(LogLevel[level], text, file || "Hub", line);
      },
      ip: canonicalIp,
    });
    this.#flash = new FlashServer(this.#hub, {
      get keepAliveServer() {
        return current().keepAliveServer * 1_000;
      },
      get keepAlivePeer() {
        return current().keepAlivePeer * 1_000;
      },
      get rebase() {
        return current()["rtmfp.rebase"] === "on";
      },
      sha256: (bytes) => backend.sha256(bytes),
      resolve: (name) => names.resolve(name),
    });
    const groups = config["rtmfp.groups"];
    this.#agreement = new PreparedKeyAgreement(powers, {
      random,
      groups,
      now: clock,
      settle: () => this.#loop.input("Cannot end an agreement", () => {}),
      log: log.error,
    });
    this.#endpoint = new Endpoint({
      crypto: options.dump && options.dump !== "middle"
        ? dumping(backend, (header, bytes) => this.#dump(header, bytes))
        : backend,
      keyAgreement: this.#agreement,
      random,
      identity: {
        certificate: serverCertificate(random, groups),
        policy: config["rtmfp.require"] === "hmac" ? STRICT : RELAXED,
      },
      limits: {
        sessions: config["rtmfp.sessions"] || Infinity,
        sessionsOfAddress: config["rtmfp.sessionsOfAddress"] || Infinity,
      },
      handler: {
        onFull: (of, { hostname }) => {
          const key = of === "all" ? "sessions" : "sessionsOfAddress";
          const who = of === "all" ? "Clients" : `Clients at ${hostname}`;
          log.warn(`${who} are refused: [rtmfp] ${key} = ${this.#endpoint.context.limits[key]}`);
        },
        onHello: (epd, from, attempts) => {
          this.status.helloFrom(from.hostname);
          return this.#flash.onHello(epd, from, attempts);
        },
        onSession: (session) => this.#flash.onSession(session),
        onUrgent: (session) => this.#loop.sendNow((out) => this.#endpoint.sendData(session, out)),
        onPeerUnknown: (hello) =>
          this.#bus?.find(hello) ? "later" : this.#flash.onPeerUnknown(hello),
        peerAddresses: (session) => this.#flash.peerAddresses(session),
        blocked: (address) => {
          const blocked = this.#flash.blocked(address);
          if (blocked) log.info(() => `Blacklisted ${address.hostname} is ignored`); // API-123
          return blocked;
        },
        onBug: (error, session) =>
          log.bug(
            session ? `The session of ${addressText(session.address)} is closed` : "Endpoint",
            error,
          ),
      },
    });
    const { store, totals } = openRecordings({
      hub: this.#hub,
      log,
      www: options.www ?? "www",
      config: current,
      input: (what, action) => this.#loop.input(what, action),
    });
    this.#store = this.#hub.recordings = store;
    this.#relays = new Relays({
      hub: this.#hub,
      log,
      config: current,
      connects: options.connects ?? (() => true),
      random,
      input: (what, action) => this.#loop.input(what, action),
    });
    this.#doors = new Doors(
      this.#endpoint,
      [this.#hub.waiting, store, this.#hub.sharedObjects],
      this.#relays,
    );
    this.#loop = new Loop(this.#doors, socket, {
      clock,
      setNow: (now) => this.#hub.now = now,
      tick: () => this.#tick(),
      bug: (what, error, from) => log.bug(from ? `${what} from ${addressText(from)}` : what, error),
    });
    this.#memoryTrimmer = new MemoryTrimmer(trimming(config["rtmfp.native"]));
    this.#cluster = this.#link();
    this.status = new StatusSource({
      version: options.version,
      crypto: backend.name,
      publicAddress: config.publicAddress,
      config: current,
      socket,
      endpoint: this.#endpoint,
      flash: this.#flash,
      hub: this.#hub,
      cluster: this.#cluster,
      scripts,
      sharedObjects: this.#sharedObjects,
      recordings: totals,
      refusals: options.refusals ?? (() => ({})),
      doors: this.#doors,
      relays: this.#relays,
      bus: () => this.#bus,
    });
    log.info(
      `Cryptography by ${backend.name}, Diffie-Hellman by ${powers.name}, ` +
        `datagrams by ${socket.name}`,
    );
  }

  async #begin(): Promise<void> {
    const { log } = this.#options;
    log.note(`RTMFP server starts on UDP port ${this.port} (${addressText(this.#socket.address)})`);
    this.#loop.input("Cannot start the applications", () => this.#scripts.start(this.#hub));
    this.#finished = this.#loop.run().then(() => this.#sharedObjects.close());
    await this.#openDoors();
    await this.#joinBus();
    const { configuration: { config } } = this.#options;
    let door = `[servers] port = ${config["servers.port"]}`;
    try {
      this.#cluster.start();
      door = `[http] address = ${config["http.address"]}, port = ${config["http.port"]}`;
      if (config["http.port"] > 0) this.#http = await this.#serveNumbers();
    } catch (error) {
      await this.stop();
      throw new StartError(`${door}: it cannot be opened: ${tcpError(error)}`);
    }
    const pages = pagesIn(this.#options.www ?? "www");
    for (const line of entrances(config, this.port, pages)) log.note(line);
  }

  async #openDoors(): Promise<void> {
    try {
      await this.#doors.open({
        hub: this.#hub,
        log: this.#options.log,
        www: this.#options.www ?? "www",
        listens: this.#options.listens ?? (() => false),
        seek: async (name) => await this.#bus?.seek(name),
        config: () => this.#config,
        now: clock,
        random,
        input: (what, action) => this.#loop.input(what, action),
      });
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Meets other servers on a bus, if the configuration names one; what that takes is loaded only then. */
  async #joinBus(): Promise<void> {
    const { configuration: { config }, log } = this.#options;
    if (config["bus.servers"].length === 0) return;
    try {
      const { ServerBus } = await import("./bus.ts");
      this.#bus = new ServerBus({
        config,
        log,
        hub: this.#hub,
        endpoint: this.#endpoint,
        cluster: this.#cluster,
        scripts: this.#scripts,
        now: clock,
        random,
        input: (what, action) => this.#loop.input(what, action),
        lag: () => this.status.lag,
        rendezvousUnknown: (hello) =>
          this.#endpoint.redirectPeer(hello, this.#flash.onPeerUnknown(hello) ?? [], clock()),
      });
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** What it needs is loaded only where it is asked for. */
  async #serveNumbers(): Promise<HttpServer> {
    const { configuration: { config }, log } = this.#options;
    const [{ Monitor }, { serveHttp }] = await Promise.all([
      import("../monitor/handler.ts"),
      import("../net/http.ts"),
    ]);
    const current = () => this.#config;
    const monitor = new Monitor({
      source: this.status,
      get token() {
        return current()["http.token"];
      },
      get hosts() {
        return current()["http.hosts"];
      },
      healthy: () => !this.#stopping,
    });
    const address = config["http.address"];
    const server = await serveHttp(
      { hostname: address, port: config["http.port"] },
      (request) => monitor.handle(request),
    );
    log.note(
      `StatusSource are shown at http://${addressText({ hostname: address, port: server.port })}/`,
    );
    return server;
  }

  /** Resolves when the server has stopped. */
  get finished(): Promise<void> {
    return this.#finished;
  }

  /** Takes over what may change without a restart. */
  reload(config: Config): void {
    this.#config = config;
    this.#doors.reload();
    this.#scripts.limit?.(config["script.time"], config["script.memory"] << 20);
  }

  /** Tells clients, then applications, and stops. API-042, CFG-077. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    const { log } = this.#options;
    log.note("RTMFP server stops");
    this.#loop.input("Cannot close the sessions", () => this.#endpoint.close());
    const doors = this.#doors.stop();
    this.#loop.input("Cannot stop the mail", () => this.#options.onStopping?.());
    this.#loop.input("Cannot stop the applications", () => this.#scripts.stop());
    const bus = this.#bus?.close();
    this.#cluster.close();
    // A request that does not end does not keep the server from stopping.
    const http = this.#http && waitAtMost(this.#http.close(), STOP_WITHIN);
    await doors;
    await this.#recordingsEnd();
    await this.#loop.stop(STOP_WITHIN);
    this.#agreement.close();
    await Promise.all([bus, http, this.#finished]);
  }

  /** Publishers are gone: waits until what waits of their recordings is on the disk. */
  async #recordingsEnd(): Promise<void> {
    const end = clock() + RECORDINGS_WITHIN;
    while (this.#store.recordings > 0 && clock() < end) await sleep(5);
  }

  /** Every 2 s, in the order of API-650. */
  #tick(): void {
    this.#hub.manage();
    this.#cluster.tick(clock());
    const clients = this.#hub.clients.size;
    if (clients !== this.#clients) {
      this.#clients = clients;
      this.#options.log.info(clients === 1 ? "1 client" : `${clients} clients`);
    }
    this.status.tick(this.#loop.takeLag());
    this.#memoryTrimmer.tick(clock(), this.#endpoint.counters.sessions);
    this.#options.log.settle();
  }

  #dump(header: string, bytes: Uint8Array): void {
    this.#options.log.write(LogLevel.info, `${header}\n${hexDump(bytes)}`, "dump", 0, Infinity);
  }

  #link(): Cluster {
    const { configuration: { config }, log, dump } = this.#options;
    const scripts = this.#scripts;
    const event = (action: () => void) => this.#loop.input("Cannot tell of a server", action);
    return new Cluster({
      port: config["servers.port"],
      targets: config["servers.targets"],
      publicAddress: config.publicAddress,
      rtmfpPort: this.port,
      secret: new TextEncoder().encode(config["servers.secret"]),
      hmac: hmacSha256,
      random,
      allows: (ip) => this.#config["servers.allow"].some((rule) => rule.matches(ip, 0)),
      now: clock,
      loadOf: (publicAddress) => this.#bus?.servers.at(publicAddress)?.load,
    }, {
      paths: () => scripts.paths(),
      onConnection: (peer) =>
        event(() => {
          this.#bus?.servers.linked(peer.publicAddress);
          scripts.onServerConnection(peer);
        }),
      onDisconnection: (peer) =>
        event(() => {
          scripts.onServerDisconnection(peer);
          this.#bus?.servers.unlinked(peer.publicAddress);
        }),
      onMessage: (peer, handler, payload) =>
        event(() => scripts.onServerMessage(peer, handler, payload)),
      onRunning: (paths) => event(() => scripts.onServerRunning(paths)),
      log: (level, text) => log.write(LogLevel[level], text, "Cluster", 0),
      ...dump && dump !== "clients" && {
        dump: (header: string, bytes: Uint8Array) => this.#dump(header, bytes),
      },
    });
  }
}
