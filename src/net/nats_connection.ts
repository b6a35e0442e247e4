// The connection to a NATS server, which reconnects until it is closed. NATS-002 to NATS-018.
import {
  type Authenticator,
  connect,
  type NatsConnection as Nats,
  type Subscription,
} from "@nats-io/transport-node";
import { within } from "../common/wait.ts";
import { NatsInbox, type Pausable } from "./nats_inbox.ts";
import { turns } from "./turns.ts";

/** Time (ms) before the next attempt when connecting failed, and when a connection ended. */
const RETRY_INTERVAL = 1_000;
const RECONNECT_INTERVAL = 200;
const CONNECT_TIMEOUT = 5_000;
/** Time (ms) between two pings; two unanswered ones end the connection, after 3 to 6 s. NATS-012. */
const PING_INTERVAL = 2_000;
const CLOSE_TIMEOUT = 300;
/** Maximum length of a message in bytes until the server has sent its own. */
const DEFAULT_MAX_PAYLOAD = 1024 * 1024;

interface NatsOptions {
  /** `nats://host:port` or `tls://host:port`, or `host:port`. */
  readonly servers: readonly string[];
  /** Name of this client in the server's lists. */
  readonly name: string;
  readonly user?: string;
  readonly password?: string;
  readonly authenticator?: Authenticator;
  /** File with the certificates that verify the server's. */
  readonly ca?: string;
}

interface NatsEvents {
  /** It is connected, for the first time or again, with all subscriptions. */
  onConnected(server: string): void;
  onDisconnected(): void;
  /** The receiver may keep the bytes. */
  onMessage(subject: string, bytes: Uint8Array): void;
  /** An attempt to connect failed, or the server refuses something. */
  onError(error: string): void;
}

export class NatsConnection {
  readonly #options: NatsOptions;
  readonly #events: NatsEvents;
  readonly #subscriptions = new Map<string, Subscription | undefined>();
  readonly #inbox = new NatsInbox(turns, () => this.#socket());
  #nats: Nats | undefined;
  #connected = false;
  #closed = false;
  #wakeUp: () => void = () => {};

  /** Connects in the background, and reconnects. */
  constructor(options: NatsOptions, events: NatsEvents) {
    this.#options = options;
    this.#events = events;
    this.#run();
  }

  /** Maximum length of a message in bytes. */
  get maxPayload(): number {
    return this.#nats?.info?.max_payload ?? DEFAULT_MAX_PAYLOAD;
  }

  /** Messages that were dropped because too many waited. */
  get overflowed(): number {
    return this.#inbox.dropped;
  }

  /** @returns false if the message cannot be sent */
  publish(subject: string, bytes: Uint8Array): boolean {
    if (!this.#nats || !this.#connected) return false;
    try {
      this.#nats.publish(subject, bytes);
      return true;
    } catch (error) {
      this.#events.onError((error as Error).message);
      return false;
    }
  }

  /** Resolves when the server has received all published messages; rejects if the connection ends. */
  async flush(): Promise<void> {
    await this.#nats?.flush();
  }

  subscribe(subject: string): void {
    if (!this.#subscriptions.has(subject)) {
      this.#subscriptions.set(subject, this.#nats && this.#subscribe(this.#nats, subject));
    }
  }

  unsubscribe(subject: string): void {
    try {
      this.#subscriptions.get(subject)?.unsubscribe();
    } catch {
      // the connection has ended
    }
    this.#subscriptions.delete(subject);
  }

  /** Sends the published messages, and closes. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#wakeUp();
    const nats = this.#nats;
    if (!nats) return;
    try {
      if (this.#connected) await within(nats.flush(), CLOSE_TIMEOUT, "no answer");
    } catch {
      // the server has disconnected, or does not answer
    }
    this.#setConnected(false);
    await within(nats.close(), CLOSE_TIMEOUT, "no answer").catch(() => {});
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      try {
        const nats = await connect(this.#connectOptions());
        if (this.#closed) return await nats.close();
        this.#nats = nats;
        for (const subject of this.#subscriptions.keys()) {
          this.#subscriptions.set(subject, this.#subscribe(nats, subject));
        }
        this.#setConnected(true);
        this.#watch(nats);
        const error = await nats.closed();
        if (error) this.#events.onError(error.message);
      } catch (error) {
        this.#events.onError(causeOf(error));
      }
      this.#setConnected(false);
      this.#nats = undefined;
      if (!this.#closed) await this.#pause();
    }
  }

  #connectOptions() {
    const { servers, name, user, password, authenticator, ca } = this.#options;
    const isTls = ca !== undefined || servers.some((server) => server.startsWith("tls://"));
    return {
      servers: servers.map((server) => server.replace(/^\w+:\/\//, "")),
      name,
      timeout: CONNECT_TIMEOUT,
      maxReconnectAttempts: -1,
      reconnectTimeWait: RECONNECT_INTERVAL,
      pingInterval: PING_INTERVAL,
      maxPingOut: 2,
      noEcho: true,
      ...user !== undefined && { user, pass: password ?? "" },
      ...authenticator && { authenticator },
      ...isTls && { tls: ca === undefined ? {} : { caFile: ca } },
    };
  }

  async #watch(nats: Nats): Promise<void> {
    for await (const status of nats.status()) {
      if (status.type === "disconnect") this.#setConnected(false);
      else if (status.type === "reconnect") this.#setConnected(true);
      else if (status.type === "error") this.#events.onError(status.error.message);
    }
  }

  #subscribe(nats: Nats, subject: string): Subscription {
    return nats.subscribe(subject, {
      callback: (error, message) => {
        if (error) return this.#events.onError(error.message);
        const { subject, data } = message;
        this.#inbox.add(data, (data) => this.#closed || this.#events.onMessage(subject, data));
      },
    });
  }

  /** The socket inside the client, which itself cannot pause; undefined if a later version renames its parts. */
  #socket(): Pausable | undefined {
    const client = this.#nats as { protocol?: { transport?: { socket?: Pausable } } } | undefined;
    return client?.protocol?.transport?.socket;
  }

  #setConnected(connected: boolean): void {
    if (this.#connected === connected) return;
    this.#connected = connected;
    if (connected) this.#events.onConnected(this.#nats!.getServer());
    else this.#events.onDisconnected();
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, RETRY_INTERVAL);
      this.#wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** The message of an error, and of its cause if that differs. */
function causeOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error && cause.message !== message
    ? `${message} (${cause.message})`
    : message;
}
