import { type Few, minus, NONE, plus } from "../media/few.ts";
import { Frame } from "../media/frame.ts";
import type { Hub } from "../media/hub.ts";
import type { ChannelKind, Transport } from "../tc/channel.ts";
import { type Message, MessageType, userControlMessage } from "../tc/format/messages.ts";
import { NetConnection } from "../tc/net_connection.ts";
import type { OutgoingMessage } from "./chunk_writer.ts";
import type { RtmpMessage } from "./control.ts";
import { Delivery } from "./delivery.ts";
import type { Hmac } from "./digest.ts";
import { EarlyMetadata } from "./early_metadata.ts";
import { type LinkHost, RtmpLink, WINDOW } from "./link.ts";
import type { Lane } from "./out_queue.ts";
import { RtmpChannel } from "./rtmp_channel.ts";
import { RtmpDoor } from "./rtmp_door.ts";
import { type CloseReason, RtmpError } from "./rtmp_error.ts";

/** Time-out (ms) of the handshake, and of `connect`. RTMP-018. */
const HANDSHAKE_TIMEOUT = 5_000;
const CONNECT_TIMEOUT = 10_000;
/** Interval (ms) of pings, and maximum silence of a publisher before the first. RTMP-214, RTMP-506. */
const PING_INTERVAL = 5_000;
/** Time-outs (ms) of silence: of a publisher, and of other clients. */
const PUBLISHER_TIMEOUT = 9_000;
const SILENCE_TIMEOUT = 30_000;
/** Maximum time (ms) that a command waits for a client that does not read. RTMP-762. */
const COMMAND_TIMEOUT = 30_000;
/** Time (ms) for a refused encoder to close the connection itself. RTMP-504. */
const REFUSED_LINGER = 500;
/** Time (ms) for a closed session to read the written bytes. */
const CLOSE_TIMEOUT = 2_000;

/** The TCP connection under a session. */
export interface Wire {
  /** Bytes wait: the owner must call {@link RtmpSession.fill} soon. */
  wake(): void;
  /** Ends the connection after the bytes already handed out. */
  end(): void;
}

/** Origin of an accepted connection. */
export interface Accepted {
  readonly protocol: "rtmp" | "rtmps";
  /** `ip:port`, or `[ip]:port`. */
  readonly address: string;
  /** The IP address alone, in its canonical form. */
  readonly hostname: string;
}

/** The part of the door that its sessions use. */
interface SessionHost {
  readonly hub: Hub;
  readonly options: { readonly hmac: Hmac; random(length: number): Uint8Array };
  /** The client's `connect` will be accepted. */
  onConnected(session: RtmpSession): void;
  /** The client has left the hub; its last messages may still wait. */
  onEnded(session: RtmpSession, reason: CloseReason | undefined, text: string): void;
  /** The wire was ended, or has ended. */
  onOver(session: RtmpSession): void;
}

/** Reasons of failures as text for `onFailed`. API-639. */
const FAILURES: Partial<Record<CloseReason, string>> = {
  "silent": "received nothing, not even an answer to a ping, for too long",
  "not reading": "the client reads too slowly",
};

/** A client's RTMP connection: a transport of its NetConnection, on one queue for all channels. */
export class RtmpSession implements Transport, LinkHost {
  readonly rawId: Uint8Array;
  readonly connection: NetConnection;
  readonly link: RtmpLink;
  readonly #host: SessionHost;
  readonly #accepted: Accepted;
  readonly #wire: Wire;
  readonly #door: RtmpDoor;
  readonly #since: number;
  #channels: Few<RtmpChannel> = NONE;
  readonly #delivery = new Delivery(WINDOW);
  readonly #early = new EarlyMetadata();
  #pingedAt = 0;
  /** Total bytes that the system has taken, and the time (ms) at which it last took some. */
  #taken = 0;
  #takenAt = 0;
  #closeAt = Infinity;
  #endAfterQueue = false;
  #closed = false;
  #wireEnded = false;

  constructor(wire: Wire, host: SessionHost, accepted: Accepted) {
    this.#wire = wire;
    this.#host = host;
    this.#accepted = accepted;
    this.#since = host.hub.now;
    // RTMP has no peer ids: RTMP-326. V8 keeps a copy of 32 bytes within its object.
    this.rawId = host.options.random(32).slice();
    this.link = new RtmpLink("responder", this);
    this.#door = new RtmpDoor(this);
    this.connection = new NetConnection(this, this.#door, host.hub);
  }

  // Transport

  /** 0: the session itself ends a silent connection. */
  readonly publisherTimeout = 0;

  get protocol(): "rtmp" | "rtmps" {
    return this.#accepted.protocol;
  }

  get address(): string {
    return this.#accepted.address;
  }

  get hostname(): string {
    return this.#accepted.hostname;
  }

  get ping(): number {
    return this.link.rtt;
  }

  get lastReceived(): number {
    return this.link.lastReceived;
  }

  get partialBytes(): number {
    return this.link.partialBytes;
  }

  get queuedBytes(): number {
    let bytes = 0;
    for (const channel of this.#channels) bytes += channel.queuedBytes;
    return bytes;
  }

  get queuedMessages(): number {
    let messages = 0;
    for (const channel of this.#channels) messages += channel.queuedMessages;
    return messages;
  }

  open(stream: number, kind: ChannelKind): RtmpChannel {
    const channel = new RtmpChannel(stream, kind, this);
    if (this.#closed) channel.end();
    else this.#channels = plus(this.#channels, channel);
    return channel;
  }

  probe(): void {
    this.link.ping();
  }

  close(): void {
    this.end(undefined, "closed");
  }

  // ChannelHost and LinkHost

  get now(): number {
    return this.#host.hub.now;
  }

  get hmac(): Hmac {
    return this.#host.options.hmac;
  }

  random(length: number): Uint8Array {
    return this.#host.options.random(length);
  }

  get objectEncoding(): 0 | 3 {
    return this.connection.objectEncoding;
  }

  /** Whether the answer to `connect` was written; until then all values are AMF0. RTMP-301. */
  connectAnswered = false;

  get bytesHandedOut(): number {
    return this.link.bytesHandedOut;
  }

  send(message: OutgoingMessage, lane: Lane): void {
    this.link.send(message, lane);
    if (message.type === MessageType.command) this.connectAnswered = true;
  }

  abandon(lane: Lane): number {
    return this.link.abandon(lane);
  }

  waitingSince(lane: Lane): number | undefined {
    return this.link.waitingSince(lane);
  }

  /** Set for a refused connection, to detect when the client has read the answer. */
  onChannelClosed(channel: RtmpChannel): void {
    if (channel.stream === 0 && channel.handler?.onClosed) this.#endAfterQueue = true;
    else if (channel.queuedMessages === 0) this.#channels = minus(this.#channels, channel);
    this.#wire.wake();
  }

  onWritable(): void {
    this.#wire.wake();
  }

  onOpen(): void {
    this.connection.begin();
  }

  onMessage(message: RtmpMessage): void {
    if (message.stream === 0) return this.#onControl(message);
    const stream = this.connection.streams.get(message.stream);
    if (!stream || this.connection.state !== "connected") return;
    const { type, timestamp, payload } = message;
    if (stream.takesMedia) {
      const early = this.#early.take();
      if (early) stream.receive(early, this);
    }
    if (type === MessageType.audio || type === MessageType.video) {
      if (!stream.takesMedia) return;
      const kind = type === MessageType.audio ? "audio" : "video";
      const reception = { received: 1, lost: 0, ping: this.ping };
      return stream.media(new Frame(kind, timestamp, payload), reception);
    }
    if (this.#early.isMetadata(message)) {
      if (!stream.takesMedia) return this.#early.keep(message);
      if (this.#early.isRepeated(message)) return;
    }
    stream.receive(message, this);
  }

  #onControl(message: Message): void {
    if (this.#early.isMetadata(message)) return this.#early.keep(message);
    this.connection.receive(message);
  }

  onUserControl(event: number, values: readonly number[]): void {
    if (this.link.open) this.connection.receive(userControlMessage(event, ...values));
  }

  onAcknowledged(bytes: number): void {
    this.#delivery.acknowledged(bytes);
    this.#tellDelivered();
  }

  // Calls from the wire

  /**
   * Takes received bytes.
   * @throws any exception that is a bug of the server, after ending the session
   */
  receive(bytes: Uint8Array): void {
    if (this.#closed) return;
    try {
      this.link.receive(bytes);
    } catch (error) {
      if (error instanceof RtmpError) return this.end(error.reason, error.message, true);
      this.end("internal error", "an internal error of the server", true);
      throw error;
    }
  }

  /**
   * Fills a block with waiting bytes; the system has accepted all blocks before it.
   * @returns the number of bytes written into the block
   */
  fill(block: Uint8Array): number {
    const taken = this.link.bytesHandedOut;
    if (taken > this.#taken) this.#takenAt = this.now;
    this.#taken = taken;
    this.#delivery.taken(taken);
    this.#tellDelivered();
    if (this.#wireEnded) return 0;
    const length = this.link.fill(block);
    if (length > 0) return length;
    if (this.#endAfterQueue && !this.#closed) this.close();
    if (this.#closed && !this.#wireEnded && this.link.drained) this.#endWire();
    return 0;
  }

  /** Whether {@link fill} has something to do after a write. */
  get waits(): boolean {
    return !this.link.drained || this.#closed || this.#endAfterQueue;
  }

  /** Whether the wire should call {@link fill} at once: messages other than media wait. */
  get pressing(): boolean {
    return this.link.pressing || this.#closed || this.#endAfterQueue;
  }

  /** The connection has ended. */
  gone(): void {
    if (this.#wireEnded) return;
    this.#wireEnded = true;
    this.end(undefined, "gone");
    this.#host.onOver(this);
  }

  /** Called several times a second: enforces time-outs, and pings silent clients. */
  manage(): void {
    const { now, link, connection } = this;
    if (this.#closed) {
      if (now >= this.#closeAt) this.#endWire();
      return;
    }
    if (now >= this.#closeAt) return this.end("refused", "it may not publish");
    const age = now - this.#since;
    if (!link.open) {
      if (age >= HANDSHAKE_TIMEOUT) this.end("handshake timeout", "no handshake", true);
      return;
    }
    if (connection.state === "new") {
      if (age >= CONNECT_TIMEOUT) this.end("connect timeout", "no connect");
      return;
    }
    const waiting = link.reliableSince;
    if (waiting !== undefined && now - waiting >= COMMAND_TIMEOUT) {
      return this.end("not reading", "a command has waited for 30 s", true);
    }
    this.#manageSilence();
  }

  /** The client will be accepted. */
  accepted(): void {
    this.#host.onConnected(this);
    this.link.trust("connected");
    this.link.sendServerLimits();
  }

  /** The server stops. */
  leave(): void {
    const { connection } = this;
    if (this.#door.reconnects && connection.state === "connected") {
      connection.writer.status("Connect.ReconnectRequest", "The server stops");
    }
    this.close();
  }

  /** Ends the session after a moment, for a refused encoder. */
  letGo(): void {
    this.#closeAt = Math.min(this.#closeAt, this.now + REFUSED_LINGER);
  }

  /**
   * Ends the session.
   * @param reason counted; undefined: in order
   * @param atOnce drops waiting messages
   */
  end(reason: CloseReason | undefined, text: string, atOnce = false): void {
    if (this.#closed) return;
    this.#closed = true;
    this.link.close();
    try {
      this.connection.ended(reason && FAILURES[reason]);
    } finally {
      for (const channel of this.#channels) channel.end();
      this.#closeAt = this.now + CLOSE_TIMEOUT;
      this.#host.onEnded(this, reason, text);
      if (atOnce) this.#endWire();
      else this.#wire.wake();
    }
  }

  /** A silent player counts as alive as long as it reads the data sent to it. RTMP-214, RTMP-506. */
  #manageSilence(): void {
    const { now, link } = this;
    const isGone = this.#door.publishes
      ? now - link.lastReceived >= PUBLISHER_TIMEOUT
      : now - Math.max(link.lastReceived, this.#takenAt) >= SILENCE_TIMEOUT;
    if (isGone) return this.end("silent", "received nothing for too long", true);
    if (now - this.#pingedAt < PING_INTERVAL) return;
    this.#pingedAt = now;
    link.ping();
  }

  #tellDelivered(): void {
    for (const channel of this.#channels) {
      if (channel.media) channel.arrived(this.#delivery.bytes);
    }
  }

  #endWire(): void {
    if (this.#wireEnded) return;
    this.#wireEnded = true;
    this.#wire.end();
    this.#host.onOver(this);
  }
}
