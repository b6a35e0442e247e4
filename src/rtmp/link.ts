// One end of an RTMP connection below its commands: handshake, chunks, acknowledgements, pings.
// RTMP 1.0 §5; RTMP-201 to RTMP-220. Client and server differ only by their role in the handshake.
import { Reader } from "../bytes/reader.ts";
import { WireError } from "../bytes/wire_error.ts";
import { readUserControl, UserControl, userControlMessage } from "../tc/format/messages.ts";
import { ChunkReader, LIMITS } from "./chunk_reader.ts";
import type { OutgoingMessage } from "./chunk_writer.ts";
import {
  CONTROL_CHUNK_STREAM,
  ControlType,
  readAggregate,
  type RtmpMessage,
  writePeerBandwidth,
  writeU32,
} from "./control.ts";
import type { Hmac } from "./digest.ts";
import { type Role, RtmpHandshake } from "./handshake.ts";
import { type Lane, OutQueue } from "./out_queue.ts";
import { RtmpError } from "./rtmp_error.ts";

/** Acknowledgement window and chunk size of this end in bytes. RTMP-206. */
export const WINDOW = 2_500_000;
const CHUNK_SIZE = 65_536;
/** Maximum bytes received between two acknowledgements. */
const MAX_ACK_INTERVAL = 1 << 20;
/** Minimum bytes received between two acknowledgements, even if the far end requests fewer. */
const MIN_ACK_INTERVAL = 1 << 10;

export interface LinkHost {
  readonly hmac: Hmac;
  random(length: number): Uint8Array;
  /** Monotonic time in milliseconds of the event being processed. */
  readonly now: number;
  /** The handshake is complete. */
  onOpen?(): void;
  /** A message besides protocol control and pings; its payload is the host's own. */
  onMessage(message: RtmpMessage): void;
  /** The far end has acknowledged this total of bytes. */
  onAcknowledged?(bytes: number): void;
  /** A user control event; the link answers pings itself. */
  onUserControl?(event: number, values: readonly number[]): void;
  /** There is something to send. */
  onWritable(): void;
}

export class RtmpLink {
  readonly #host: LinkHost;
  /** Undefined once it is complete. */
  #handshake: RtmpHandshake | undefined;
  readonly #reader: ChunkReader;
  readonly #out = new OutQueue();
  #received = 0;
  #acknowledged = 0;
  #ackInterval = MAX_ACK_INTERVAL;
  /** Total bytes that the far end has acknowledged, not modulo 2^32. */
  #farAcknowledged = 0;
  #lastReceived: number;
  #pinged: number | undefined;
  #rtt = 0;
  #closed = false;

  constructor(role: Role, host: LinkHost) {
    this.#host = host;
    this.#lastReceived = host.now;
    this.#reader = new ChunkReader((message) => this.#onMessage(message));
    if (role === "responder") this.#reader.limits = LIMITS.stranger;
    this.#handshake = new RtmpHandshake(role, {
      hmac: host.hmac,
      random: (length) => host.random(length),
      send: (bytes) => {
        this.#out.raw(bytes);
        host.onWritable();
      },
    });
  }

  /** Whether the handshake is complete. */
  get open(): boolean {
    return this.#handshake === undefined;
  }

  /** Time (ms) of the last received byte. */
  get lastReceived(): number {
    return this.#lastReceived;
  }

  /** Round trip of the last ping in milliseconds; 0 until one is answered. */
  get rtt(): number {
    return this.#rtt;
  }

  /** Time (ms) of the unanswered ping; undefined if there is none. */
  get pinged(): number | undefined {
    return this.#pinged;
  }

  get bytesReceived(): number {
    return this.#received;
  }

  get bytesHandedOut(): number {
    return this.#out.handedOut;
  }

  /** Bytes of messages of which nothing was handed out. */
  get queuedBytes(): number {
    return this.#out.queuedBytes;
  }

  /** Total bytes that the far end has acknowledged; 0 if it never does. */
  get bytesAcknowledged(): number {
    return this.#farAcknowledged;
  }

  /** Whether messages other than media wait; see {@link OutQueue.pressing}. */
  get pressing(): boolean {
    return this.#out.pressing;
  }

  /** Whether no bytes wait to be handed out. */
  get drained(): boolean {
    return this.#out.empty;
  }

  /** Time since which the oldest message other than media has waited; undefined: no such message. */
  get reliableSince(): number | undefined {
    return this.#out.reliableSince;
  }

  /** Time (ms) since which the oldest message of a lane waits untouched; undefined: there is none. */
  waitingSince(lane: Lane): number | undefined {
    return this.#out.waitingSince(lane);
  }

  /** Bytes of incomplete messages from the far end. */
  get partialBytes(): number {
    return this.#reader.partialBytes;
  }

  /** Allows the far end longer messages; see {@link LIMITS}. */
  trust(as: "connected" | "streaming"): void {
    this.#reader.limits = LIMITS[as];
  }

  /** Ignores all later input. */
  close(): void {
    this.#closed = true;
  }

  /**
   * Takes bytes from the far end, in pieces of any size.
   * @throws {RtmpError} the caller must close the connection
   */
  receive(bytes: Uint8Array): void {
    this.#lastReceived = this.#host.now;
    this.#received += bytes.length;
    let at = 0;
    if (this.#handshake) {
      at = this.#handshake.receive(bytes);
      if (this.#handshake.done) this.#onOpen();
    }
    if (at < bytes.length && !this.#closed) {
      this.#reader.receive(at === 0 ? bytes : bytes.subarray(at));
    }
    if (this.#received - this.#acknowledged >= this.#ackInterval && this.open && !this.#closed) {
      this.#acknowledged = this.#received;
      this.#control(ControlType.acknowledgement, writeU32(this.#received % 0x100000000));
    }
  }

  /**
   * Writes as many waiting bytes as fit into a block.
   * @returns the number of bytes written
   */
  fill(block: Uint8Array): number {
    return this.#out.fill(block);
  }

  /** Queues a message; see {@link OutQueue.send}. */
  send(message: OutgoingMessage, lane: Lane): void {
    this.#out.send(message, lane, this.#host.now);
    this.#host.onWritable();
  }

  /** Drops messages of a lane; see {@link OutQueue.abandon}. */
  abandon(lane: Lane): number {
    return this.#out.abandon(lane);
  }

  /** Window, bandwidth and chunk size of this end and StreamBegin 0, in the order of RTMP-220. */
  sendServerLimits(): void {
    this.#control(ControlType.windowAckSize, writeU32(WINDOW));
    this.#control(ControlType.setPeerBandwidth, writePeerBandwidth(WINDOW));
    this.#control(ControlType.setChunkSize, writeU32(CHUNK_SIZE));
    this.#userControl(UserControl.streamBegin, 0);
  }

  /** Sends window and chunk size, the limits that a client must announce. */
  sendClientLimits(): void {
    this.#control(ControlType.windowAckSize, writeU32(WINDOW));
    this.#control(ControlType.setChunkSize, writeU32(CHUNK_SIZE));
  }

  /** Pings the far end, unless an answer is pending. RTMP-214. */
  ping(): void {
    if (this.#pinged !== undefined) return;
    this.#pinged = this.#host.now;
    this.#userControl(UserControl.pingRequest, pingTime(this.#pinged));
  }

  #onOpen(): void {
    this.#handshake = undefined;
    this.#out.open = true;
    this.#host.onOpen?.();
    this.#host.onWritable();
  }

  #control(type: number, payload: Uint8Array): void {
    const chunkStream = CONTROL_CHUNK_STREAM;
    this.#out.urgent({ chunkStream, type, timestamp: 0, stream: 0, payload });
    this.#host.onWritable();
  }

  #userControl(event: number, value: number): void {
    this.#control(ControlType.userControl, userControlMessage(event, value).payload);
  }

  #onMessage(message: RtmpMessage): void {
    if (this.#closed) return;
    try {
      this.#dispatch(message);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      throw new RtmpError("chunk", error.message);
    }
  }

  #dispatch(message: RtmpMessage): void {
    const { type, payload } = message;
    switch (type) {
      case ControlType.setChunkSize:
        return this.#onChunkSize(new Reader(payload).u32());
      case ControlType.abort:
        return this.#reader.abort(new Reader(payload).u32());
      case ControlType.acknowledgement:
        return this.#onAcknowledgement(new Reader(payload).u32());
      case ControlType.userControl:
        return this.#onUserControl(payload);
      case ControlType.windowAckSize: {
        const window = new Reader(payload).u32();
        this.#ackInterval = Math.max(MIN_ACK_INTERVAL, Math.min(window, MAX_ACK_INTERVAL));
        return;
      }
      case ControlType.setPeerBandwidth:
        return; // ignored: TCP limits the bytes in flight
      case ControlType.aggregate:
        return this.#onAggregate(message);
      default:
        return this.#host.onMessage(message);
    }
  }

  /** Processes the complete messages of an aggregate, and drops the rest. */
  #onAggregate(message: RtmpMessage): void {
    for (const part of readAggregate(message)) {
      if (!this.#closed) this.#host.onMessage(part);
    }
  }

  #onChunkSize(size: number): void {
    if (size >= 0x80000000) throw new RtmpError("chunk", `Cannot take chunks of ${size} bytes`);
    this.#reader.chunkSize = size;
  }

  /** Takes a count modulo 2^32; ignores one that decreases or exceeds the bytes sent. */
  #onAcknowledgement(count: number): void {
    const ahead = (count - this.#farAcknowledged % 0x100000000) >>> 0;
    if (ahead >= 0x80000000) return;
    const bytes = Math.min(this.#farAcknowledged + ahead, this.#out.handedOut);
    if (bytes <= this.#farAcknowledged) return;
    this.#farAcknowledged = bytes;
    this.#host.onAcknowledged?.(bytes);
  }

  #onUserControl(payload: Uint8Array): void {
    const { event, values } = readUserControl(payload);
    if (event === UserControl.pingRequest) {
      this.#userControl(UserControl.pingResponse, values[0] ?? 0);
    } else if (event === UserControl.pingResponse) this.#onPong(values[0]);
    else this.#host.onUserControl?.(event, values);
  }

  #onPong(value: number | undefined): void {
    if (this.#pinged === undefined || value !== pingTime(this.#pinged)) return;
    this.#rtt = this.#host.now - this.#pinged;
    this.#pinged = undefined;
  }
}

/** The u32 of a ping: milliseconds. */
const pingTime = (now: number): number => Math.floor(now) % 0x100000000;
