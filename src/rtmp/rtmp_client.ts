// The client's end of an RTMP connection: connect, calls, streams. RTMP-401 to RTMP-405.
import type { AmfObject, AmfReader, AmfValue } from "../amf/mod.ts";
import { WireError } from "../bytes/wire_error.ts";
import type { ChannelKind } from "../tc/channel.ts";
import { callMessage, encodeValues, type ObjectEncoding } from "../tc/format/calls.ts";
import { type Command, readCommand } from "../tc/format/commands.ts";
import { readStatus, type Status } from "../tc/format/status.ts";
import type { OutgoingMessage } from "./chunk_writer.ts";
import type { RtmpMessage } from "./control.ts";
import { Delivery } from "./delivery.ts";
import type { Hmac } from "./digest.ts";
import { type LinkHost, RtmpLink, WINDOW } from "./link.ts";
import type { Lane } from "./out_queue.ts";
import { type ChannelHost, RtmpChannel } from "./rtmp_channel.ts";
import type { RtmpTarget } from "./url.ts";

/** Time (ms) without data after which the server is pinged. */
const PING_INTERVAL = 5_000;

/** Interface of the owner of a client. */
export interface ClientHost {
  readonly hmac: Hmac;
  random(length: number): Uint8Array;
  /** Monotonic time in milliseconds of the event being processed. */
  readonly now: number;
  /** Bytes wait: the owner must call {@link RtmpClient.fill} soon. */
  onWritable(): void;
  /** A message of a stream; its payload is the owner's. */
  onStreamMessage(message: RtmpMessage): void;
  /** A command of the connection besides answers. */
  onCommand?(command: Command): void;
}

/** Receives the result of a call: its first value, or the error. */
type Answer = (error: Status | undefined, value: AmfValue) => void;

/** A connection to a server, as its client. */
export class RtmpClient implements LinkHost, ChannelHost {
  readonly link: RtmpLink;
  /** The client may send AMF3 from the start. */
  readonly connectAnswered = true;
  readonly objectEncoding: ObjectEncoding;
  readonly #host: ClientHost;
  readonly #control: RtmpChannel;
  readonly #channels = new Set<RtmpChannel>();
  readonly #delivery = new Delivery(WINDOW);
  readonly #calls = new Map<number, Answer>();
  #lastTransaction = 0;

  constructor(host: ClientHost, objectEncoding: ObjectEncoding = 0) {
    this.#host = host;
    this.objectEncoding = objectEncoding;
    this.link = new RtmpLink("initiator", this);
    this.link.trust("streaming");
    this.#control = this.open(0, "command");
  }

  /**
   * Sends connect for an application, after the handshake.
   *
   * @param object members of the command object besides `app` and `tcUrl`
   * @param parameters further arguments for the application
   */
  connect(
    { app, tcUrl }: RtmpTarget,
    object: AmfObject,
    parameters: readonly AmfValue[],
    answer: Answer,
  ): void {
    const transaction = this.#expect(answer);
    const values = encodeValues(0, [{ app, tcUrl, ...object }, ...parameters]);
    this.#control.write(callMessage(0, "connect", transaction, values)); // always AMF0
  }

  /**
   * Calls a function of the server.
   *
   * @param answer receives the result; undefined: the call requests no answer
   * @throws {WireError} if an argument cannot be written
   */
  call(name: string, args: readonly AmfValue[], answer?: Answer): void {
    const values = encodeValues(this.objectEncoding, [null, ...args]);
    const transaction = answer ? this.#expect(answer) : 0;
    this.#control.write(callMessage(this.objectEncoding, name, transaction, values));
  }

  /** Answers a call of the server. */
  result(transaction: number, value: AmfValue): void {
    const values = encodeValues(this.objectEncoding, [null, value]);
    this.#control.write(callMessage(this.objectEncoding, "_result", transaction, values));
  }

  /** Sends a command of a stream. */
  command(channel: RtmpChannel, name: string, ...args: readonly AmfValue[]): void {
    const values = encodeValues(0, [null, ...args]);
    channel.write(callMessage(0, name, ++this.#lastTransaction, values));
  }

  /** A channel of messages to the server on a message stream. */
  open(stream: number, kind: ChannelKind): RtmpChannel {
    const channel = new RtmpChannel(stream, kind, this);
    this.#channels.add(channel);
    return channel;
  }

  /** Takes bytes of the server. @throws {RtmpError} the owner must close the connection */
  receive(bytes: Uint8Array): void {
    this.link.receive(bytes);
  }

  /**
   * Fills a block with waiting bytes; the system has accepted all blocks before it.
   * @returns the number of bytes written into the block
   */
  fill(block: Uint8Array): number {
    this.#delivery.taken(this.link.bytesHandedOut);
    this.#tellDelivered();
    return this.link.fill(block);
  }

  /**
   * Call from time to time: pings a silent server.
   * @returns milliseconds since the last received byte
   */
  manage(): number {
    const silence = this.#host.now - this.link.lastReceived;
    if (this.link.open && silence >= PING_INTERVAL) this.link.ping();
    return silence;
  }

  // LinkHost and ChannelHost

  get hmac(): Hmac {
    return this.#host.hmac;
  }

  get now(): number {
    return this.#host.now;
  }

  get bytesHandedOut(): number {
    return this.link.bytesHandedOut;
  }

  random(length: number): Uint8Array {
    return this.#host.random(length);
  }

  send(message: OutgoingMessage, lane: Lane): void {
    this.link.send(message, lane);
  }

  abandon(lane: Lane): number {
    return this.link.abandon(lane);
  }

  waitingSince(lane: Lane): number | undefined {
    return this.link.waitingSince(lane);
  }

  onChannelClosed(channel: RtmpChannel): void {
    this.#channels.delete(channel);
  }

  onOpen(): void {
    this.link.sendClientLimits();
  }

  onWritable(): void {
    this.#host.onWritable();
  }

  onAcknowledged(bytes: number): void {
    this.#delivery.acknowledged(bytes);
    this.#tellDelivered();
  }

  onMessage(message: RtmpMessage): void {
    if (message.stream !== 0) return this.#host.onStreamMessage(message);
    const command = readCommand(message);
    if (!command) return;
    const { name, transaction, values } = command;
    if (name !== "_result" && name !== "_error") return this.#host.onCommand?.(command);
    const answer = this.#calls.get(transaction);
    this.#calls.delete(transaction);
    const value = firstOf(values);
    answer?.(name === "_error" ? readStatus(value) : undefined, value);
  }

  #expect(answer: Answer): number {
    const transaction = ++this.#lastTransaction;
    this.#calls.set(transaction, answer);
    return transaction;
  }

  #tellDelivered(): void {
    for (const channel of this.#channels) {
      if (channel.media) channel.arrived(this.#delivery.bytes);
    }
  }
}

/** The first of some values; null if it cannot be read or is missing. */
function firstOf(values: AmfReader): AmfValue {
  try {
    return values.done ? null : values.readValue();
  } catch (error) {
    if (error instanceof WireError) return null;
    throw error;
  }
}
