import type { AmfObject } from "../amf/mod.ts";
import { toHex } from "../bytes/hex.ts";
import { WireError } from "../bytes/wire_error.ts";
import type { Client } from "../media/client.ts";
import type { Connection } from "../media/connection.ts";
import type { Hub } from "../media/hub.ts";
import { MustWait } from "../media/refused.ts";
import type { ManagedSession } from "../media/sessions.ts";
import type { Patient } from "../media/waiting_input.ts";
import type { Channel, ChannelHandler, ChannelKind, Transport } from "./channel.ts";
import { CommandWriter, type WriterHost } from "./command_writer.ts";
import { ControlCommands } from "./control_commands.ts";
import type { Accepting, Door } from "./door.ts";
import { readCommand } from "./format/commands.ts";
import {
  commandMessage,
  FIRST_PEER_STREAM,
  type Message,
  MessageType,
  readUserControl,
  UserControl,
  userControlMessage,
} from "./format/messages.ts";
import { NetStream } from "./net_stream.ts";
import { ClientSharedObjects, type SharedObjectHost } from "./shared_objects.ts";

/** Sessions are closed that have not connected by then. rtmfp-wire §6.12. */
const CONNECT_WITHIN = 10_000;
/** How long a client that rejects the channel of stream 0 has to close the session, if it hangs up. */
const HANG_UP_WITHIN = 1_000;
/** How long a refused client has to take the answer. API-637. */
const REFUSED_LINGER = 2_000;
/** Bytes that may wait in all channels of a client. */
const MOST_QUEUED = 128 << 20;
/** What a message that waits costs besides its bytes. */
const MESSAGE = 300;
const MAX_STREAMS = 128;
const NOTHING = new Uint8Array(0);
const NO_WRITERS: ReadonlySet<CommandWriter> = new Set();

/**
 * - `new`: `connect` has not come
 * - `connected`: its client was accepted
 * - `refused`: its client was not; what it sends is ignored until it is gone
 * - `ended`
 */
type State = "new" | "connected" | "refused" | "ended";

/**
 * The server's side of a NetConnection, over the {@link Transport} of any door. RFC 7425 §5,
 * rtmfp-wire §3.4 to §3.7 and §6.2, §6.3.
 */
export class NetConnection
  implements Connection, ManagedSession, ChannelHandler, WriterHost, SharedObjectHost {
  /** Set by the answer to `connect`. */
  objectEncoding: 0 | 3 = 3;
  #state: State = "new";
  #client: Client | undefined;
  #commands: ControlCommands;
  #writer: CommandWriter | undefined;
  /** Besides the main one; few clients have others. */
  #writers: Set<CommandWriter> | undefined;
  /** Undefined before the first one. */
  #streams: Map<number, NetStream> | undefined;
  #lastStream = 0;
  #since: number;
  /** When a refused client is let go. */
  #closeAt: number | undefined;
  /** When the client's rejection of the main channel is known to be no hang-up. */
  #renewAt: number | undefined;
  /** Messages that wait for the answer to `connect`, or for a channel in place of a rejected one. */
  #held: (() => void)[] | undefined;
  #writerClosed = false;
  #sharedObjects: ClientSharedObjects | undefined;

  constructor(readonly transport: Transport, readonly door: Door, readonly hub: Hub) {
    this.#since = hub.now;
    this.#commands = new ControlCommands(this);
    hub.sessions.add(this);
  }

  get state(): State {
    return this.#state;
  }

  /** Only while connected. */
  get client(): Client {
    return this.#client!;
  }

  // Connection

  get protocol(): string {
    return this.transport.protocol;
  }

  get address(): string {
    return this.transport.address;
  }

  get hostname(): string {
    return this.transport.hostname;
  }

  get ping(): number {
    return this.transport.ping;
  }

  get elapsedFromReception(): number {
    return Math.max(0, this.hub.now - this.transport.lastReceived);
  }

  get writer(): CommandWriter {
    return this.#writer!;
  }

  get writers(): ReadonlySet<CommandWriter> {
    return this.#writers ?? NO_WRITERS;
  }

  newWriter(): CommandWriter {
    const channel = this.transport.open(0, "command");
    const writer = new CommandWriter(channel, this);
    if (this.#state === "ended") {
      writer.end();
      return writer;
    }
    (this.#writers ??= new Set()).add(writer);
    channel.handler = { onRejected: () => this.#endWriter(writer) };
    return writer;
  }

  get publisherTimeout(): number | undefined {
    return this.transport.publisherTimeout;
  }

  probe(): void {
    this.transport.probe?.();
  }

  close(): void {
    this.transport.close(); // calls `ended`
  }

  // What the transport tells

  /** The client can be written to: opens the channel of message stream 0. */
  begin(): void {
    this.#writer = new CommandWriter(this.#openMain(), this);
  }

  /**
   * A message on message stream 0 has come.
   * @param message its payload is good until the call returns
   */
  receive(message: Message): void {
    if (this.#isBanned()) return this.fail("its address is blacklisted");
    if (this.#state === "refused" || this.#state === "ended") return;
    this.#renew();
    if (message.type !== MessageType.userControl && this.waits("call")) return this.#later(message);
    this.#take(message);
  }

  #take(message: Message): void {
    try {
      if (message.type === MessageType.userControl) {
        const { event, values } = readUserControl(message.payload);
        if (event === UserControl.setBufferLength) this.#setBuffer(values);
        this.door.userControl?.(this, event, values);
        return;
      }
      if (isSharedObject(message)) {
        if (this.#state !== "connected") return;
        this.#sharedObjects ??= new ClientSharedObjects(this, this.hub.sharedObjects);
        return this.#sharedObjects.receive(message);
      }
      const command = readCommand(message);
      if (command) this.#commands.run(command);
    } catch (error) {
      if (error instanceof MustWait) return this.#later(message, error.application);
      if (!(error instanceof WireError)) throw error;
      const peer = toHex(this.transport.rawId).slice(0, 8);
      this.hub.log(
        "debug",
        `Cannot read a message of ${peer} at ${this.address}: ${error.message}`,
      );
    }
  }

  /** Whether something of this client waits already, or its application lets others go first. */
  waits(what: "call" | "audio" | "video"): boolean {
    return this.hub.waiting.holds(this) ||
      (this.#client?.application.waits?.(what) ?? false);
  }

  /** Keeps input until its turn comes, behind what waits already. @param bytes that `run` keeps alive */
  later(
    bytes: number,
    run: () => void,
    application: Patient = this.hub.waiting.applicationOf(this) ?? this.client.application,
  ): void {
    if (this.hub.waiting.add(application, this, bytes, run)) return;
    this.fail("it sends more than its application takes");
  }

  #later(message: Message, application?: Patient): void {
    const payload = message.payload.slice();
    this.later(payload.length, () => this.#take({ ...message, payload }), application);
  }

  /**
   * The client rejects the main channel. One that hangs up closes the session next; librtmfp
   * rejects every flow that brings what it does not know, and stays: it gets another channel.
   * rtmfp-wire trap 21.
   */
  onRejected(): void {
    if (this.#state !== "connected") return this.close();
    this.#renewAt = this.hub.now + HANG_UP_WITHIN;
    this.#held ??= [];
  }

  /**
   * The transport is over.
   * @param failure why, if that was not in good order. API-639.
   */
  ended(failure?: string): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#renewAt = undefined;
    this.hub.waiting.drop(this);
    try {
      if (this.#client) this.hub.disconnect(this.#client, failure);
    } finally {
      for (const stream of this.streams()) stream.delete();
      for (const writer of this.writers) writer.end();
      this.#streams = this.#writers = undefined;
      this.#writer?.end();
      this.#held = undefined;
      this.hub.sessions.delete(this);
    }
  }

  // ManagedSession

  /** Bytes that wait for this client alone, with what it costs to keep messages: those of media are shared. */
  get waiting(): number {
    let bytes = MESSAGE * this.transport.queuedMessages + (this.#writer?.channel.queuedBytes ?? 0);
    for (const { channel } of this.writers) bytes += channel.queuedBytes;
    return bytes;
  }

  manage(): void {
    const { now } = this.hub;
    this.#renew();
    if (this.#closeAt !== undefined && now >= this.#closeAt) return this.close();
    if (this.#state === "new" && now - this.#since >= CONNECT_WITHIN) return this.close();
    if (this.#writerClosed) return this.fail("the main writer was closed");
    if (this.#isBanned()) return this.fail("its address is blacklisted");
    for (const stream of this.streams()) stream.manage();
    if (this.transport.queuedBytes > MOST_QUEUED) {
      this.fail("it takes too little of what it is sent");
    }
  }

  /** Ends the session for a reason that the application is told. */
  fail(reason: string): void {
    if (this.#client) this.hub.disconnect(this.#client, reason);
    this.close();
  }

  // What the commands do

  /** Begins to hold back what is written, until the answer to `connect` is. API-260. */
  hold(): void {
    this.#held = [];
  }

  /** Nobody was asked: what was written goes out in its place. */
  release(): void {
    const held = this.#held;
    this.#held = undefined;
    for (const write of held ?? []) write();
  }

  /** The client was accepted: what the door says leaves first, then the answer, then what is held. */
  accept(client: Client, told: AmfObject, answer: (more: Accepting) => Message): void {
    this.#client = client;
    if (this.#state === "ended") return this.hub.disconnect(client);
    this.#state = "connected";
    const held = this.#held;
    this.#held = undefined;
    const message = answer(this.door.accepting?.(this, told) ?? {});
    this.#held = held;
    this.#answer(message);
  }

  /** The client was refused: it is told, and let go. §6.2. */
  refuse(answer: Message): void {
    if (this.#state === "ended") return;
    this.#state = "refused";
    this.#answer(answer);
    const { channel } = this.writer;
    channel.handler = { onClosed: () => this.close(), onRejected: () => this.close() };
    channel.write(commandMessage("close", 0, NOTHING));
    this.writer.end();
    for (const writer of this.writers) this.#endWriter(writer);
    channel.close();
    // Its own flow is not rejected: a client that reads that first rejects what answers the flow.
    this.#closeAt = this.hub.now + REFUSED_LINGER;
  }

  // Streams

  stream(id: number): NetStream | undefined {
    return this.#streams?.get(id);
  }

  streams(): Iterable<NetStream> {
    return this.#streams?.values() ?? [];
  }

  /** A new stream of the client; undefined if it has too many. */
  createStream(): NetStream | undefined {
    const streams = this.#streams ??= new Map();
    if (streams.size >= MAX_STREAMS || this.#lastStream + 1 >= FIRST_PEER_STREAM) return undefined;
    const stream = new NetStream(++this.#lastStream, this.hub.newStreamId(), this);
    streams.set(stream.id, stream);
    return stream;
  }

  deleteStream(id: number): void {
    this.#streams?.get(id)?.delete();
    this.#streams?.delete(id);
  }

  /** A channel of a stream to the client. */
  open(stream: number, kind: ChannelKind): Channel {
    return this.transport.open(stream, kind);
  }

  // What is written on message stream 0

  /** Sends a user control message. */
  control(event: number, ...values: number[]): void {
    this.send(this.writer, userControlMessage(event, ...values), true);
  }

  send(writer: CommandWriter, message: Message, reliable: boolean): void {
    this.#sharedObjects?.flush(); // what happened before it is told before it: SO-005
    this.#write(writer, message, reliable);
  }

  #write(writer: CommandWriter, message: Message, reliable: boolean): void {
    this.#renew();
    if (this.#held) this.#held.push(() => writer.channel.write(message, reliable));
    else writer.channel.write(message, reliable);
  }

  sendShared(message: Message): void {
    if (this.#state === "connected") this.#write(this.writer, message, true);
  }

  onWriterClosed(writer: CommandWriter): void {
    if (writer === this.#writer) this.#writerClosed = true; // at the next tick: API-257
    else this.#endWriter(writer);
  }

  /** @param values the id of a stream, and the milliseconds it keeps ahead */
  #setBuffer([id, milliseconds]: readonly number[]): void {
    if (milliseconds !== undefined) this.stream(id)?.setBuffer(milliseconds);
  }

  #answer(message: Message): void {
    this.writer.channel.write(message);
    this.#release();
  }

  #release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const write of held) write();
  }

  #openMain(): Channel {
    const channel = this.transport.open(0, "command");
    channel.handler = this;
    return channel;
  }

  /** Opens a channel in place of the one that a client has rejected that stays. */
  #renew(): void {
    if (this.#renewAt === undefined || this.hub.now < this.#renewAt) return;
    this.#renewAt = undefined;
    this.writer.channel = this.#openMain();
    this.#release();
  }

  #endWriter(writer: CommandWriter): void {
    writer.end();
    writer.channel.close();
    this.#writers?.delete(writer);
  }

  /** A ban may come after the session has opened, or the client move to a banned address. */
  #isBanned(): boolean {
    return this.hub.blacklist.size > 0 && this.hub.blacklist.has(this.hostname);
  }
}

const isSharedObject = ({ type }: Message): boolean =>
  type === MessageType.sharedObject || type === MessageType.sharedObjectAmf3;
