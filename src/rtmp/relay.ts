// Sends a stream to another RTMP server, or receives one from it, while it is wanted. It reconnects after
// every end, with growing pauses.
import type { AmfObject } from "../amf/mod.ts";
import { WireError } from "../bytes/wire_error.ts";
import type { Hub } from "../media/hub.ts";
import { readCommand } from "../tc/format/commands.ts";
import { MessageType } from "../tc/format/messages.ts";
import { readStatus, type Status } from "../tc/format/status.ts";
import type { RtmpMessage } from "./control.ts";
import type { Hmac } from "./digest.ts";
import { RtmpChannel } from "./rtmp_channel.ts";
import { type ClientHost, RtmpClient } from "./rtmp_client.ts";
import { RtmpError } from "./rtmp_error.ts";
import type { Wire } from "./rtmp_session.ts";
import type { RtmpStreamUrl } from "./url.ts";

/** Pause (ms) before the second attempt; it doubles for each further one. */
const FIRST_PAUSE = 1_000;
/** Maximum pause (ms) between two attempts. */
const MAX_PAUSE = 60_000;
/** Minimum duration (ms) of a stream after which the pauses begin at the first again. */
const MIN_STEADY = 10_000;
/** Maximum time (ms) from the begin of an attempt to the stream. */
const OPEN_TIMEOUT = 15_000;
/** Maximum time (ms) without data from the server. */
const SILENCE_TIMEOUT = 30_000;

/** `idle`: not wanted now; `waiting`: for the next attempt. */
export type RelayState = "idle" | "connecting" | "running" | "waiting" | "closed";

export interface RelayHost {
  readonly hub: Hub;
  readonly hmac: Hmac;
  random(length: number): Uint8Array;
  /** Opens a connection, and then calls {@link Relay.opened} or {@link Relay.failed}, never during the call. */
  dial(relay: Relay): void;
  log(level: "note" | "warn", text: string): void;
  /** It has closed for good. */
  onClosed(relay: Relay): void;
}

/** One direction of a relay: push or pull. */
export interface RelaySide {
  /** Such as `push of cam to`, before the URL. */
  readonly words: string;
  /** Members of the object of `connect`. */
  readonly object: AmfObject;
  /** Whether the stream is wanted now; undefined: never again. */
  wanted(): boolean | undefined;
  /** Sends publish or play, once the message stream is created. */
  begin(client: RtmpClient, commands: RtmpChannel, name: string): void;
  /** @returns true: the stream is running; a text: the reason of a failure; undefined: neither */
  onStatus(status: Status, relay: Relay): true | string | undefined;
  onMedia(message: RtmpMessage, relay: Relay): void;
  /** The connection has ended. */
  end(): void;
}

export class Relay implements ClientHost {
  /** Reason of the end of the last attempt; "" if none has ended. Never contains the stream's name. */
  error = "";
  /** Time (ms) of that end. */
  failedAt = 0;
  /** Number of reconnects. */
  reconnects = 0;
  #state: RelayState = "idle";
  readonly #host: RelayHost;
  readonly #side: RelaySide;
  #client: RtmpClient | undefined;
  #wire: Wire | undefined;
  /** Time (ms) at which it entered its state. */
  #since = 0;
  #pause = FIRST_PAUSE;
  /** Bytes of connections that have ended. */
  #past = { in: 0, out: 0 };
  /** The last logged error. */
  #told = "";

  constructor(readonly url: RtmpStreamUrl, side: RelaySide, host: RelayHost) {
    this.#side = side;
    this.#host = host;
  }

  get state(): RelayState {
    return this.#state;
  }

  get hub(): Hub {
    return this.#host.hub;
  }

  /** Round trip in milliseconds; 0 while it is unknown. */
  get ping(): number {
    return this.#client?.link.rtt ?? 0;
  }

  /** Milliseconds in its state. */
  get age(): number {
    return this.now - this.#since;
  }

  /** Bytes of all its connections. */
  get bytesIn(): number {
    return this.#past.in + (this.#client?.link.bytesReceived ?? 0);
  }

  get bytesOut(): number {
    return this.#past.out + (this.#client?.link.bytesHandedOut ?? 0);
  }

  /** Called several times a second. */
  manage(): void {
    const wanted = this.#side.wanted();
    const { age } = this;
    if (wanted === undefined) return this.close();
    switch (this.#state) {
      case "idle":
        if (wanted) this.#dial();
        return;
      case "waiting":
        if (age < this.#pause) return;
        if (!wanted) return this.#enter("idle");
        this.reconnects++;
        return this.#dial();
      case "connecting":
        if (!wanted) return this.#rest();
        if (age >= OPEN_TIMEOUT) this.#lost("no answer");
        return;
      case "running":
        if (!wanted) return this.#rest();
        if (age >= MIN_STEADY) this.#pause = FIRST_PAUSE;
        if (this.#client!.manage() >= SILENCE_TIMEOUT) this.#lost("received nothing for 30 s");
    }
  }

  /** Ends it for good. */
  close(): void {
    if (this.#state === "closed") return;
    this.#disconnect();
    this.#enter("closed");
    this.#host.onClosed(this);
  }

  // Calls from the connection

  /** @returns whether the connection is still wanted */
  opened(wire: Wire): boolean {
    if (this.#state !== "connecting") return false;
    this.#wire = wire;
    const client = this.#client = new RtmpClient(this);
    client.connect(this.url, this.#side.object, [], (error) => {
      if (error) return this.#lost(`refused: ${error.code || "connect"}`);
      client.call("createStream", [], (error, id) => {
        if (error || typeof id !== "number" || !(id > 0)) {
          return this.#lost(`refused: ${error?.code || "createStream"}`);
        }
        this.#side.begin(client, client.open(id, "command"), this.url.name);
      });
    });
    return true;
  }

  failed(why: string): void {
    if (this.#state === "connecting") this.#lost(why);
  }

  receive(bytes: Uint8Array): void {
    try {
      this.#client?.receive(bytes);
    } catch (error) {
      if (!(error instanceof RtmpError)) throw error;
      this.#lost(error.message);
    }
  }

  fill(block: Uint8Array): number {
    return this.#client?.fill(block) ?? 0;
  }

  /** The far end has closed. */
  gone(why: string | undefined): void {
    if (this.#state === "connecting" || this.#state === "running") {
      this.#lost(why ?? "the server has closed the connection");
    }
  }

  // ClientHost

  get hmac(): Hmac {
    return this.#host.hmac;
  }

  get now(): number {
    return this.#host.hub.now;
  }

  random(length: number): Uint8Array {
    return this.#host.random(length);
  }

  onWritable(): void {
    this.#wire?.wake();
  }

  onStreamMessage(message: RtmpMessage): void {
    const { type } = message;
    if (type !== MessageType.command && type !== MessageType.commandAmf3) {
      return this.#side.onMedia(message, this);
    }
    const status = statusOf(message);
    if (!status) return;
    const outcome = this.#side.onStatus(status, this);
    if (outcome === undefined) return;
    if (outcome !== true) return this.#lost(outcome);
    if (this.#state !== "connecting") return;
    this.#enter("running");
    this.#told = "";
    this.#host.log("note", `The ${this.#side.words} ${this.url.shown} runs`);
  }

  /** The attempt has ended; another will follow. */
  #lost(why: string): void {
    this.error = why;
    this.failedAt = this.now;
    if (this.#state === "running") this.#pause = this.#settledPause();
    else if (this.#state === "connecting" && this.#told !== "") {
      this.#pause = Math.min(2 * this.#pause, MAX_PAUSE);
    }
    this.#disconnect();
    this.#enter("waiting");
    if (this.#told !== why) {
      this.#host.log("warn", `The ${this.#side.words} ${this.url.shown}: ${why}`);
    }
    this.#told = why;
  }

  #settledPause(): number {
    if (this.age >= MIN_STEADY) return FIRST_PAUSE;
    return Math.min(2 * this.#pause, MAX_PAUSE);
  }

  /** The stream is not wanted for now. */
  #rest(): void {
    this.#disconnect();
    this.#pause = FIRST_PAUSE;
    this.#enter("idle");
  }

  #dial(): void {
    this.#enter("connecting");
    this.#host.dial(this);
  }

  #disconnect(): void {
    const wire = this.#wire;
    this.#wire = undefined;
    this.#client?.link.close();
    this.#side.end();
    wire?.end(); // after the last messages of the side
    this.#past = { in: this.bytesIn, out: this.bytesOut };
    this.#client = undefined;
  }

  #enter(state: RelayState): void {
    this.#state = state;
    this.#since = this.now;
  }
}

/** The status in a command; undefined if it is another command. */
function statusOf(message: RtmpMessage): Status | undefined {
  try {
    const command = readCommand(message);
    if (command?.name !== "onStatus") return undefined;
    return readStatus(command.values.done ? command.object : command.values.readValue());
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
