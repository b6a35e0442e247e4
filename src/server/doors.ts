// The doors that clients come in by besides the UDP port. A new one is a line in DOORS.
import type { Address } from "../common/address.ts";
import type { Hub } from "../media/hub.ts";
import type { Outbox } from "../rtmfp/outbox.ts";
import type { Config } from "../config/settings.ts";
import type { DoorRow } from "../monitor/snapshot.ts";
import type { Log } from "../log/log.ts";
import type { Machine } from "./loop.ts";

/** What a door needs of the server. */
export interface DoorHost {
  readonly hub: Hub;
  readonly log: Log;
  /** The folder of the applications. */
  readonly www: string;
  /** Whether a script's TCP server listens on a port. */
  readonly listens: (port: number) => boolean;
  readonly config: () => Config;
  /**
   * Waits until a name that another server publishes is played here, or none has it.
   * @returns to be called when its listener is there, or there will be none
   */
  readonly seek?: (name: string) => Promise<(() => void) | undefined>;
  /** Monotonic time in milliseconds. */
  readonly now: () => number;
  readonly random: (length: number) => Uint8Array;
  /** Processes what has come from outside; then {@link OpenDoor.flush} of all doors is called. */
  readonly input: (what: string, action: () => void) => void;
}

/** A door that listens. */
export interface OpenDoor {
  /** Sends what is due. */
  flush(now: number): void;
  /** When {@link flush} is wanted if nothing comes in before, in milliseconds. */
  readonly deadline: number;
  /** The configuration has been read again. */
  reload?(): void;
  /** Numbers for metrics and the page that shows them. */
  row?(): DoorRow;
  /** Accepts nobody any more, and ends the sessions there are in good order. */
  stop(): Promise<void>;
}

/**
 * Bytes that the system keeps for a client by TCP: about what is on its way. RTMP-761. Undefined: as
 * many as it likes, since it cannot be told.
 */
export const sendBufferOf = (config: Config): number | undefined =>
  config["rtmfp.native"] === "off" ? undefined : 262_144;

/**
 * Opens a door, if the configuration asks for it.
 *
 * @throws {StartError} if it cannot be opened
 */
type Door = (host: DoorHost) => Promise<OpenDoor | undefined>;

/** What a door needs is loaded only where it is open. */
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

/** The UDP port's endpoint, all doors, and what writes to clients of all, as the loop drives them. */
export class Doors implements Machine {
  readonly #endpoint: Machine;
  readonly #first: readonly Flushed[];
  readonly #relays: OpenDoor;
  #open: readonly OpenDoor[];

  /**
   * @param first write into the channels of all doors, and so go first: calls that
   *   waited, recordings, shared objects
   * @param relays are open from the start
   */
  constructor(endpoint: Machine, first: readonly Flushed[], relays: OpenDoor) {
    this.#endpoint = endpoint;
    this.#first = first;
    this.#relays = relays;
    this.#open = [relays];
  }

  /** @throws {StartError} if one of them cannot be opened; those that are open are stopped */
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
