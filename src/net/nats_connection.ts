// The connection to a NATS server: NATS-002 to NATS-018. It is kept up until it is closed.
import {
  type Authenticator,
  connect,
  type NatsConnection as Nats,
  type Subscription,
} from "@nats-io/transport-node";
import { within } from "../common/wait.ts";
import { NatsInbox, type Pausable } from "./nats_inbox.ts";
import { turns } from "./turns.ts";

/** Pause after an attempt to connect that failed, and before one to connect again, in milliseconds. */
const RETRY_PAUSE = 1_000;
const RECONNECT_PAUSE = 200;
const CONNECT_TIMEOUT = 5_000;
/** A server that leaves two pings unanswered is given up: after 3 to 6 s. NATS-012. */
const PING_INTERVAL = 2_000;
const CLOSE_TIMEOUT = 300;
/** Bytes of a message before the server has said how many it takes. */
const DEFAULT_MAX_PAYLOAD = 1024 * 1024;

interface NatsOptions {
  /** `nats://host:port` or `tls://host:port`, or `host:port`. */
  readonly servers: readonly string[];
  /** Of this client, in the server's lists. */
  readonly name: string;
  readonly user?: string;
  readonly password?: string;
  readonly authenticator?: Authenticator;
  /** File of certificates that the server's is checked against. */
  readonly ca?: string;
}

interface NatsEvents {
  /** It is there, for the first time or again: subscriptions are in place. */
  onConnected(server: string): void;
  onDisconnected(): void;
  /** The bytes are the receiver's. */
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

  /** Connects in the background, again and again. */
  constructor(options: NatsOptions, events: NatsEvents) {
    this.#options = options;
    this.#events = events;
    this.#run();
  }

  /** Bytes of a message. */
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

  /** Resolves when the server has taken all that was published; rejects if the connection ends. */
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
      // it is gone, or does not answer
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
      reconnectTimeWait: RECONNECT_PAUSE,
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

  /** The client has no way to read less; undefined if its parts have other names some day. */
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
      const timer = setTimeout(resolve, RETRY_PAUSE);
      this.#wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** The message of an error, and of what caused it if that says more. */
function causeOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error && cause.message !== message
    ? `${message} (${cause.message})`
    : message;
}
