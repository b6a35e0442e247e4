// Relays of streams to and from other RTMP servers, and their connections.
import { addressText } from "../common/address.ts";
import type { Hub } from "../media/hub.ts";
import type { RelayRow, RelayTraffic } from "../monitor/snapshot.ts";
import type { StreamSocket } from "../net/stream_socket.ts";
import { tcpError } from "../net/tcp.ts";
import type { Relay, RelayHost, RelayState } from "../rtmp/relay.ts";
import { parseRtmpStreamUrl, type RtmpStreamUrl } from "../rtmp/url.ts";
import type { StreamRelay } from "../script/api/host.ts";
import { hmacSha256 } from "./digests.ts";
import type { OpenDoor } from "./doors.ts";
import type { Log } from "../log/log.ts";
import type { RelayEntry } from "../config/relay_entry.ts";
import type { Config } from "../config/settings.ts";

/** Interval (ms) of checks for configured relays and for time-outs. */
const MANAGE_INTERVAL = 500;
/** Maximum ms for an address to accept a connection. */
const DIAL_TIMEOUT = 10_000;
/** Maximum bytes of one write. */
const BLOCK = 65_536;
/** Maximum number of relays of the configuration and of all scripts together. */
const MAX_RELAYS = 1_024;

interface RelaysHost {
  readonly hub: Hub;
  readonly log: Log;
  readonly config: () => Config;
  /** Whether `[sandbox] connect` allows an address, to which a host name may have led. */
  readonly connects: (ip: string, port: number, name?: string) => boolean;
  readonly random: (length: number) => Uint8Array;
  /** Processes an input from outside, then calls {@link Relays.flush}. */
  readonly input: (what: string, action: () => void) => void;
}

export class Relays implements OpenDoor {
  readonly #host: RelaysHost;
  readonly #entries = new Set<Entry>();
  readonly #dirty = new Set<RelayWire>();
  /** Relays of the configuration, by direction, name and URL. */
  readonly #configured = new Map<string, Entry>();
  /** Bytes of relays that have closed. */
  #past: RelayTraffic = { bytesIn: 0, bytesOut: 0 };
  #manageAt = Infinity;
  #stopped = false;

  constructor(host: RelaysHost) {
    this.#host = host;
    this.reload();
  }

  /**
   * Starts a relay.
   *
   * @param publisher id of the only stream to push; undefined: any publisher of the name
   * @returns the relay, or the reason of a failure, without any part of the URL
   */
  add(
    direction: "push" | "pull",
    name: string,
    url: string,
    publisher?: number,
  ): StreamRelay | string {
    if (this.#stopped) return "the server stops";
    if (this.#entries.size >= MAX_RELAYS) return `there are ${MAX_RELAYS} relays already`;
    try {
      const entry = new Entry(direction, name, parseRtmpStreamUrl(url));
      this.#start(entry, publisher);
      return entry;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return `the URL cannot be used: ${error.message}`;
    }
  }

  // For the monitor

  get size(): number {
    return this.#entries.size;
  }

  /** All relays, in the order of their start. */
  *rows(): Iterable<RelayRow> {
    const { now } = this.#host.hub;
    for (const { direction, name, url: target, state, relay } of this.#entries) {
      if (state === "closed") continue;
      yield {
        direction,
        name,
        target,
        state,
        age: relay?.age ?? 0,
        bytesIn: relay?.bytesIn ?? 0,
        bytesOut: relay?.bytesOut ?? 0,
        reconnects: relay?.reconnects ?? 0,
        lastError: relay?.error
          ? { at: Date.now() - (now - relay.failedAt), text: relay.error }
          : null,
      };
    }
  }

  /** Bytes of all relays since the start. */
  traffic(): RelayTraffic {
    let traffic = this.#past;
    for (const { relay } of this.#entries) traffic = withRelay(traffic, relay);
    return traffic;
  }

  // OpenDoor

  flush(now: number): void {
    if (now >= this.#manageAt) {
      for (const { relay } of [...this.#entries]) relay?.manage();
      this.#manageAt = this.#entries.size > 0 ? now + MANAGE_INTERVAL : Infinity;
    }
    for (const wire of this.#dirty) {
      this.#dirty.delete(wire);
      wire.pump();
    }
  }

  get deadline(): number {
    return this.#manageAt;
  }

  /** Closes relays that the configuration no longer has, and starts new ones. */
  reload(): void {
    const config = this.#host.config();
    const wanted = new Map<string, [direction: "push" | "pull", entry: RelayEntry]>();
    for (const direction of ["push", "pull"] as const) {
      for (const entry of config[`relay.${direction}`]) {
        wanted.set(`${direction} ${entry.name} ${entry.url}`, [direction, entry]);
      }
    }
    for (const [key, entry] of this.#configured) {
      if (wanted.has(key)) continue;
      this.#configured.delete(key);
      entry.close();
    }
    for (const [key, [direction, { name, url }]] of wanted) {
      if (this.#configured.has(key)) continue;
      const made = this.add(direction, name, url);
      if (made instanceof Entry) this.#configured.set(key, made);
      else this.#host.log.error(`[relay] ${direction} of ${name}: ${made}`);
    }
  }

  // deno-lint-ignore require-await -- closing relays sends at once
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#host.input("Cannot close relays", () => {
      for (const entry of [...this.#entries]) entry.close();
    });
  }

  // For wires

  wake(wire: RelayWire): void {
    this.#dirty.add(wire);
  }

  input(action: () => void): void {
    this.#host.input("Cannot relay a stream", action);
  }

  /** Starts a relay; the first one loads the modules. */
  #start(entry: Entry, publisher: number | undefined): void {
    this.#entries.add(entry);
    const { hub, log, random } = this.#host;
    const host: RelayHost = {
      hub,
      hmac: hmacSha256,
      random,
      dial: (relay) => void this.#dial(relay),
      log: (level, text) => log[level](text),
      onClosed: (relay) => {
        if (this.#entries.delete(entry)) this.#past = withRelay(this.#past, relay);
        entry.close();
      },
    };
    Promise.all([
      import("../rtmp/relay.ts"),
      entry.direction === "push" ? import("../rtmp/push.ts") : import("../rtmp/pull.ts"),
    ]).then(([{ Relay }, sides]) => {
      if (entry.closed) return this.#entries.delete(entry);
      const side = "Push" in sides
        ? new sides.Push(entry.name, hub, publisher)
        : new sides.Pull(entry.name, hub);
      this.input(() => {
        entry.relay = new Relay(entry.target, side, host);
        entry.relay.manage();
        this.#manageAt = Math.min(this.#manageAt, hub.now + MANAGE_INTERVAL);
      });
    });
  }

  async #dial(relay: Relay): Promise<void> {
    const { protocol, hostname, port } = relay.url;
    try {
      const [{ resolve }, { dialStream }] = await Promise.all([
        import("../net/sandbox/resolve.ts"),
        import("../net/dial.ts"),
      ]);
      const found = await resolve(hostname);
      const allowed = found.filter((ip) => this.#host.connects(ip, port, hostname));
      if (allowed.length === 0) {
        throw new Error(`${addressText(relay.url)} is not allowed by [sandbox] connect`);
      }
      const addresses = allowed.map((ip) => ({ hostname: ip, port }));
      const tls = protocol === "rtmps" ? hostname : undefined;
      const socket = await dialStream(addresses, DIAL_TIMEOUT, tls);
      this.input(() => {
        const wire = new RelayWire(this, relay, socket);
        if (relay.opened(wire)) wire.start();
        else socket.end();
      });
    } catch (error) {
      this.input(() => relay.failed(tcpError(error)));
    }
  }
}

const withRelay = (
  { bytesIn, bytesOut }: RelayTraffic,
  relay: Relay | undefined,
): RelayTraffic => ({
  bytesIn: bytesIn + (relay?.bytesIn ?? 0),
  bytesOut: bytesOut + (relay?.bytesOut ?? 0),
});

/** A relay for its owner, the configuration or a script. */
class Entry implements StreamRelay {
  relay: Relay | undefined;
  closed = false;
  onClosed: (() => void) | undefined;

  constructor(
    readonly direction: "push" | "pull",
    readonly name: string,
    readonly target: RtmpStreamUrl,
  ) {}

  get url(): string {
    return this.target.shown;
  }

  get state(): RelayState {
    return this.closed ? "closed" : this.relay?.state ?? "idle";
  }

  get error(): string {
    return this.relay?.error ?? "";
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.relay?.close();
    this.onClosed?.();
  }
}

/** The connection of a relay, for one attempt. */
class RelayWire {
  readonly #relays: Relays;
  readonly #relay: Relay;
  readonly #socket: StreamSocket;
  readonly #block = new Uint8Array(BLOCK);

  constructor(relays: Relays, relay: Relay, socket: StreamSocket) {
    this.#relays = relays;
    this.#relay = relay;
    this.#socket = socket;
  }

  start(): void {
    const relays = this.#relays;
    this.#socket.start({
      onData: (bytes) => relays.input(() => this.#relay.receive(bytes)),
      onWritten: () => relays.input(() => this.pump()),
      onEnd: (error) => relays.input(() => this.#relay.gone(error)),
    });
    this.pump();
  }

  wake(): void {
    this.#relays.wake(this);
  }

  /** Ends the connection after the waiting bytes that fit into one write. */
  end(): void {
    this.pump();
    this.#socket.end();
  }

  pump(): void {
    while (!this.#socket.writing) {
      const length = this.#relay.fill(this.#block);
      if (length === 0 || !this.#socket.write(this.#block, length)) return;
    }
  }
}
