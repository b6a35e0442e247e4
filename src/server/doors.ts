// The doors with TCP ports of their own: each is an entry in DOORS. RTWebSocket and the other protocols on the
// web port are parts of the web door, web_door.ts.
import type { Address } from "../common/address.ts";
import type { Hub } from "../media/hub.ts";
import type { Outbox } from "../rtmfp/outbox.ts";
import type { Config } from "../config/settings.ts";
import type { DoorRow } from "../monitor/snapshot.ts";
import type { Log } from "../log/log.ts";
import type { Machine } from "./loop.ts";

/** Services of the server for a door. */
export interface DoorHost {
  readonly hub: Hub;
  readonly log: Log;
  /** The folder of the applications. */
  readonly www: string;
  /** Whether a script's TCP server listens on a port. */
  readonly listens: (port: number) => boolean;
  readonly config: () => Config;
  /**
   * Waits until another server's publication is relayed here, or no server has it.
   *
   * @returns a function that releases the relay: call it after adding a listener, or giving up
   */
  readonly seek?: (name: string) => Promise<(() => void) | undefined>;
  /** Monotonic time in milliseconds. */
  readonly now: () => number;
  readonly random: (length: number) => Uint8Array;
  /** Processes an input from outside, then calls {@link OpenDoor.flush} of all doors. */
  readonly input: (what: string, action: () => void) => void;
}

/** A door that listens. */
export interface OpenDoor {
  /** Sends due output. */
  flush(now: number): void;
  /** Monotonic time (ms) of the next {@link flush} if no input comes before. */
  readonly deadline: number;
  /** Applies the configuration, which was read again. */
  reload?(): void;
  /** Counters for metrics and the monitor page. */
  row?(): DoorRow;
  /** Stops accepting, and closes the existing sessions normally. */
  stop(): Promise<void>;
}

/**
 * Size (bytes) of the system's send buffer of a TCP client: about the data in flight. RTMP-761.
 * Undefined if the size cannot be set: the system decides.
 */
export const sendBufferOf = (config: Config): number | undefined =>
  config["rtmfp.native"] === "off" ? undefined : 262_144;

/**
 * Opens a door, if the configuration enables it.
 *
 * @throws {StartError} if it cannot be opened
 */
type Door = (host: DoorHost) => Promise<OpenDoor | undefined>;

/** All doors. The modules of a door are loaded only if the configuration enables it. */
const DOORS: readonly Door[] = [
  async (host) =>
    host.config()["rtmp.port"] > 0 || host.config()["rtmp.tlsPort"] > 0
      ? await (await import("./rtmp_door.ts")).openRtmpDoor(host)
      : undefined,
  async (host) =>
    host.config()["web.port"] > 0
      ? await (await import("./web_door.ts")).openWebDoor(host)
      : undefined,
];

type Flushed = Pick<OpenDoor, "flush" | "deadline">;

/** The machine that the loop drives: the UDP port's endpoint, all doors, and writers to clients of all doors. */
export class Doors implements Machine {
  readonly #endpoint: Machine;
  readonly #first: readonly Flushed[];
  readonly #relays: OpenDoor;
  #open: readonly OpenDoor[];

  /**
   * @param first flushed before the doors, into whose channels they write: calls that waited, recordings, shared
   *   objects
   * @param relays the relays, which are open from the start
   */
  constructor(endpoint: Machine, first: readonly Flushed[], relays: OpenDoor) {
    this.#endpoint = endpoint;
    this.#first = first;
    this.#relays = relays;
    this.#open = [relays];
  }

  /** @throws {StartError} if a door cannot be opened, after stopping the open ones */
  async open(host: DoorHost): Promise<void> {
    const open: OpenDoor[] = [this.#relays];
    try {
      for (const door of DOORS) {
        const one = await door(host);
        if (one) open.push(one);
      }
    } catch (error) {
      await Promise.all(open.map((door) => door.stop()));
      throw error;
    }
    this.#open = open;
  }

  receive(datagram: Uint8Array, from: Address, now: number): void {
    this.#endpoint.receive(datagram, from, now);
  }

  flush(now: number, out: Outbox): void {
    for (const one of this.#first) one.flush(now);
    this.#endpoint.flush(now, out);
    for (const door of this.#open) door.flush(now);
  }

  get deadline(): number {
    let deadline = this.#endpoint.deadline;
    for (const one of this.#first) deadline = Math.min(deadline, one.deadline);
    for (const door of this.#open) deadline = Math.min(deadline, door.deadline);
    return deadline;
  }

  rows(): DoorRow[] {
    return this.#open.map((door) => door.row?.()).filter((row) => row !== undefined);
  }

  reload(): void {
    for (const door of this.#open) door.reload?.();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#open.map((door) => door.stop()));
  }
}
