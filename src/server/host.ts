import type { Services } from "./server_parts.ts";
import type { Roster } from "../cluster/roster.ts";
import type { LogLevel } from "../common/log_level.ts";
import { Mailer, type MailerOptions } from "../net/mailer.ts";
import { DEFAULT_SOCKET_LIMITS, type RuleName, type SocketLimits } from "../net/sandbox/policy.ts";
import { ScriptSockets } from "../net/sandbox/script_sockets.ts";
import { SocketHost } from "../net/sandbox/socket_host.ts";
import type { Host, Mail, SocketMemory, Sockets } from "../script/api/host.ts";
import type { Configuration } from "../config/config.ts";
import { md5, prepareDigests, sha256 } from "./digests.ts";
import { expectedSockets } from "./expected_sockets.ts";
import { absolute, asFolder } from "./folders.ts";
import type { LoopHeartbeat } from "./heartbeat.ts";
import { type Log, standardOutput } from "../log/log.ts";
import { mayMail, sandboxPolicy } from "./sandbox_policy.ts";
import type { Config } from "../config/settings.ts";
import { scriptFiles } from "./script_files.ts";

const MIB = 1 << 20;
/** Maximum characters of a line that a script logs. */
const MAX_SCRIPT_TEXT = 16_384;

/** Services of the outside world for scripts. */
export class ScriptHost implements Host {
  readonly files = scriptFiles;
  readonly md5 = md5;
  readonly sha256 = sha256;
  readonly www: string;
  unknown!: "reject" | "nearest";
  folders: readonly string[] | undefined;
  positions!: boolean;
  time!: number;
  memory!: number;
  readonly configs: Configuration["scripts"];
  readonly publicAddress: string;
  readonly print: (bytes: Uint8Array) => void = standardOutput();
  readonly #home: string;
  readonly #log: Log;
  readonly #services: Services;
  readonly #heartbeat: LoopHeartbeat | undefined;
  readonly #sockets: SocketHost;
  /** The text of the lists from which the policy was made. */
  #lists: string;
  readonly #mailer: Mailer;

  /**
   * @param home the folder of www, absolute
   * @throws {ConfigError} if the sandbox lists cannot be enforced
   */
  constructor(
    { config, scripts }: Configuration,
    home: string,
    log: Log,
    services: Services,
    heartbeat?: LoopHeartbeat,
  ) {
    this.#home = home;
    this.#heartbeat = heartbeat;
    this.#log = log;
    this.#services = services;
    this.www = `${home.replaceAll("\\", "/")}www/`;
    this.configs = scripts;
    this.publicAddress = config.publicAddress;
    this.#sockets = new SocketHost(sandboxPolicy(config), limitsOf(config));
    this.#lists = listsOf(config);
    this.#mailer = new Mailer(mailOptions(config));
    this.#take(config);
    prepareDigests(); // so that it does not count as time of `onStart`
  }

  /** Starts the workers of sockets that the configuration mentions, before the first client. */
  prepare({ texts }: Configuration): void {
    try {
      this.#sockets.prepare(expectedSockets(texts));
    } catch (error) {
      this.#log.bug("Cannot start the workers of sockets", error); // the script gets an error
    }
  }

  /**
   * Applies the keys that may change without a restart, except the limits of time and memory, which
   * {@link Server.reload} passes to the applications.
   *
   * @throws {ConfigError} if the sandbox lists cannot be enforced; nothing is changed
   */
  reload(config: Config): void {
    const lists = listsOf(config);
    const policy = lists === this.#lists ? this.#sockets.policy : sandboxPolicy(config);
    this.#sockets.reload(policy, limitsOf(config));
    this.#lists = lists;
    this.#mailer.reload(mailOptions(config));
    this.#take(config);
  }

  #take(config: Config): void {
    this.unknown = config["application.unknown"];
    const folders = config["script.files"];
    this.folders = folders.length === 0
      ? undefined
      : folders.map((folder) => asFolder(absolute(folder, this.#home)).replaceAll("\\", "/"));
    this.positions = config["script.positions"] === "on";
    this.time = config["script.time"];
    this.memory = config["script.memory"] * MIB;
  }

  log(level: number, text: string, file: string, line: number): void {
    this.#log.write(level as LogLevel, text, file || "script", line, MAX_SCRIPT_TEXT);
  }

  now(): number {
    return performance.now();
  }

  epochTime(): number {
    return Date.now();
  }

  input(what: string, action: () => void): void {
    this.#services.input(what, action);
  }

  timer(milliseconds: number, action: () => void): () => void {
    const timer = setTimeout(() => this.input("Cannot run timeouts", action), milliseconds);
    return () => clearTimeout(timer);
  }

  sockets(memory: SocketMemory): Sockets {
    return new ScriptSockets(this.#sockets, memory);
  }

  /** Whether a script's TCP server listens on a port. */
  listens(port: number): boolean {
    return this.#sockets.openPorts.has(port);
  }

  /** Whether `[sandbox] connect` allows an address. */
  connects(ip: string, port: number, name?: string): boolean {
    return this.#sockets.policy.connect(ip, port, name);
  }

  relay(direction: "push" | "pull", name: string, url: string, publisher?: number) {
    return this.#services.relays.add(direction, name, url, publisher);
  }

  mail(mail: Mail, done: (error: string | undefined) => void): void {
    this.#mailer.send(mail, done);
  }

  get roster(): Roster {
    return this.#services.cluster.roster;
  }

  onEnter(path: string | undefined, name: string): void {
    this.#heartbeat?.enter(path, name);
  }

  announce(path: string): void {
    this.#services.cluster.announce(path);
  }

  onBug(error: unknown): void {
    this.#log.bug("A function for scripts failed", error);
  }

  /** Number of requests of scripts that the sandbox refused, by rule. */
  get refusals(): Record<RuleName, number> {
    return { ...this.#sockets.refusals, mail: this.#mailer.refused };
  }

  /** Fails all unsent mails before the server stops, while scripts can still handle the errors. */
  stopMail(): void {
    this.#mailer.close();
  }

  /** Closes everything that scripts left open. */
  close(): void {
    this.#sockets.close();
    this.#mailer.close();
  }
}

const listsOf = (config: Config): string =>
  (["sandbox.connect", "sandbox.udp", "sandbox.listen"] as const)
    .map((list) => config[list].map(({ text }) => text)).join(";");

function limitsOf(config: Config): SocketLimits {
  return {
    ...DEFAULT_SOCKET_LIMITS,
    sockets: config["script.sockets"],
    buffered: config["script.buffered"] * MIB,
  };
}

function mailOptions(config: Config): MailerOptions {
  return {
    host: config["smtp.host"],
    port: config["smtp.port"],
    timeout: config["smtp.timeout"],
    ...config["smtp.user"] && { user: config["smtp.user"], password: config["smtp.password"] },
    tls: config["smtp.tls"],
    allows: (recipient) => mayMail(config["sandbox.mail"], recipient),
  };
}
