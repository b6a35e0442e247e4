import type { AmfObject } from "../amf/mod.ts";
import { toHex } from "../bytes/hex.ts";
import { WireError } from "../bytes/wire_error.ts";
import type { Client } from "../media/client.ts";
import type { Connection } from "../media/connection.ts";
import type { Hub } from "../media/hub.ts";
import { MustWait, UnknownApplication } from "../media/refused.ts";
import type { ManagedSession } from "../media/sessions.ts";
import type { WaitingApplication } from "../media/waiting_input.ts";
import type { Channel, ChannelHandler, ChannelKind, Transport } from "./channel.ts";
import { ClientStreams } from "./client_streams.ts";
import {
  acceptance,
  clientInfo,
  failedMessage,
  membersOf,
  redirection,
  refusal,
  textOf,
  wantsAnswer,
} from "./command_answers.ts";
import { runCommand } from "./connection_commands.ts";
import { CommandWriter } from "./command_writer.ts";
import { ControlOutput } from "./control_output.ts";
import type { Accepting, Door } from "./door.ts";
import { type Command, readCommand } from "./format/commands.ts";
import {
  commandMessage,
  type Message,
  MessageType,
  readUserControl,
  UserControl,
  userControlMessage,
} from "./format/messages.ts";
import { ClientSharedObjects, type SharedObjectHost } from "./shared_objects.ts";
import { RecordingRequests } from "./recording_requests.ts";
import { connectTarget } from "./target.ts";

/** Time (ms) after which a session without `connect` is closed. rtmfp-wire §6.12. */
const CONNECT_TIMEOUT = 10_000;
/** Time (ms) for a refused client to read the answer. API-637. */
const REFUSED_LINGER = 2_000;
/** Maximum number of bytes that wait in all channels of a client. */
const MAX_QUEUED = 128 << 20;
/** Memory of a waiting message besides its bytes, in bytes. */
const MESSAGE = 300;
const NOTHING = new Uint8Array(0);
const NO_WRITERS: ReadonlySet<CommandWriter> = new Set();

/**
 * - `new`: before `connect`
 * - `connected`: its client was accepted
 * - `refused`: its client was refused; its messages are ignored until it closes
 * - `ended`
 */
type State = "new" | "connected" | "refused" | "ended";

/**
 * The server's side of a NetConnection, over the {@link Transport} of any door, and the commands of
 * its message stream 0. RFC 7425 §5, rtmfp-wire §3.4 to §3.7 and §6.2, §6.3, API-230 to API-237,
 * API-701 to API-707.
 */
export class NetConnection implements Connection, ManagedSession, ChannelHandler, SharedObjectHost {
  /** Set by the answer to `connect`. */
  objectEncoding: 0 | 3 = 3;
  #state: State = "new";
  #client: Client | undefined;
  /** Undefined before {@link begin}. */
  #output: ControlOutput | undefined;
  readonly streams = new ClientStreams(this);
  #since: number;
  /** Time (ms) at which the session of a refused client is closed. */
  #closeAt: number | undefined;
  #sharedObjects: ClientSharedObjects | undefined;
  #recordings: RecordingRequests | undefined;

  constructor(readonly transport: Transport, readonly door: Door, readonly hub: Hub) {
    this.#since = hub.now;
    hub.sessions.add(this);
  }

  get state(): State {
    return this.#state;
  }

  /** The client; only valid while connected. */
  get client(): Client {
    return this.#client!;
  }

  /** The client's requests of recordings; undefined: the server has no recordings. */
  get recordings(): RecordingRequests | undefined {
    const { recordings } = this.hub;
    return this.#recordings ??= recordings && new RecordingRequests(recordings);
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
    return this.#out.main;
  }

  get writers(): ReadonlySet<CommandWriter> {
    return this.#output?.writers ?? NO_WRITERS;
  }

  newWriter(): CommandWriter {
    if (this.#state !== "ended") return this.#out.newWriter();
    const writer = new CommandWriter(this.transport.open(0, "command"), this.#out);
    writer.end();
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

  // Calls from the transport

  /** Opens the channel of message stream 0: the transport can send now. */
  begin(): void {
    // Earlier changes of shared objects are sent before a command: SO-005.
    const before = () => this.#sharedObjects?.flush();
    this.#output = new ControlOutput(this.transport, this.hub, this, before);
  }

  /**
   * A message on message stream 0 has arrived.
   * @param message its payload is valid until the call returns
   */
  receive(message: Message): void {
    if (this.#isBanned()) return this.fail("its address is blacklisted");
    if (this.#state === "refused" || this.#state === "ended") return;
    this.#output?.renew();
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
      if (command) this.#run(command);
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

  /** Whether input of this client must wait: earlier input waits, or its application is busy. */
  waits(what: "call" | "audio" | "video"): boolean {
    return this.hub.waiting.holds(this) ||
      (this.#client?.application.waits?.(what) ?? false);
  }

  /** Queues input after earlier waiting input. @param bytes number of bytes that `run` keeps in memory */
  later(
    bytes: number,
    run: () => void,
    application: WaitingApplication = this.hub.waiting.applicationOf(this) ??
      this.client.application,
  ): void {
    if (this.hub.waiting.add(application, this, bytes, run)) return;
    this.fail("it sends more than its application takes");
  }

  #later(message: Message, application?: WaitingApplication): void {
    const payload = message.payload.slice();
    this.later(payload.length, () => this.#take({ ...message, payload }), application);
  }

  /** The client rejects the main channel, as before hanging up. */
  onRejected(): void {
    if (this.#state === "connected") this.#output?.rejected();
    else this.close();
  }

  /**
   * The transport has ended.
   * @param failure the reason, if it has failed. API-639.
   */
  ended(failure?: string): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#output?.keepChannel();
    this.hub.waiting.drop(this);
    try {
      if (this.#client) this.hub.disconnect(this.#client, failure);
    } finally {
      this.#recordings?.end();
      this.streams.end();
      this.#output?.end();
      this.hub.sessions.delete(this);
    }
  }

  // ManagedSession

  /** Bytes that wait only for this client, including the memory for keeping messages; bytes of media are shared. */
  get waiting(): number {
    const { queuedMessages, partialBytes = 0 } = this.transport;
    return MESSAGE * queuedMessages + partialBytes + (this.#output?.queuedBytes ?? 0);
  }

  manage(): void {
    const { now } = this.hub;
    this.#output?.renew();
    if (this.#closeAt !== undefined && now >= this.#closeAt) return this.close();
    if (this.#state === "new" && now - this.#since >= CONNECT_TIMEOUT) return this.close();
    if (this.#output?.mainClosed) return this.fail("the main writer was closed");
    if (this.#isBanned()) return this.fail("its address is blacklisted");
    this.streams.manage();
    if (this.transport.queuedBytes > MAX_QUEUED) {
      this.fail("the client reads too slowly");
    }
  }

  /** Ends the session with an error for the application. */
  fail(reason: string): void {
    if (this.#client) this.hub.disconnect(this.#client, reason);
    this.close();
  }

  // Output

  /** A channel of a stream to the client. */
  open(stream: number, kind: ChannelKind): Channel {
    return this.transport.open(stream, kind);
  }

  /** Sends a user control message. */
  control(event: number, ...values: number[]): void {
    this.send(userControlMessage(event, ...values));
  }

  sendShared(message: Message): void {
    if (this.#state === "connected") this.#out.write(this.writer, message, true);
  }

  // The commands on message stream 0

  /** @throws {MustWait} the requested application is busy */
  #run(command: Command): void {
    const { name, transaction } = command;
    if (name === "_result" || name === "_error") return; // the server has called nothing
    if (name === "connect") return this.#connect(command);
    if (this.#state !== "connected") {
      if (!wantsAnswer(command)) return;
      return this.send(
        failedMessage(transaction, `Connect first, before calling '${name}'`),
      );
    }
    if (!this.door.command?.(this, command)) runCommand(this, command);
  }

  #connect({ transaction, object, values }: Command): void {
    if (this.#state !== "new") return this.send(failedMessage(transaction, "Already connected"));
    const told = membersOf(object);
    const encoding = told.objectEncoding === 3 ? 3 : 0;
    const url = textOf(told.tcUrl);
    const target = connectTarget(url, textOf(told.app));
    this.objectEncoding = encoding;
    const elsewhere = this.door.redirect?.(target);
    if (elsewhere) return this.#refuse(redirection(transaction, elsewhere));
    this.#out.hold(); // until the answer is written: API-260
    try {
      if (target.path === undefined) throw new UnknownApplication(url);
      const { client, members } = this.hub.connect(
        clientInfo(this.transport.rawId, told, target.path, target.properties),
        this,
        values,
      );
      this.#accept(client, told, (more) => acceptance(transaction, encoding, members, more));
    } catch (error) {
      if (error instanceof MustWait) {
        this.#out.release(); // no application was asked: sends the messages written meanwhile
        throw error;
      }
      this.#refuse(refusal(transaction, error));
    }
  }

  /** Accepts the client: sends the messages of the door first, then the answer, then the held messages. */
  #accept(client: Client, told: AmfObject, answer: (more: Accepting) => Message): void {
    this.#client = client;
    if (this.#state === "ended") return this.hub.disconnect(client);
    this.#state = "connected";
    const more = this.#out.unheld(() => this.door.accepting?.(this, told) ?? {});
    this.#answer(answer(more));
  }

  /** Refuses the client: sends the answer, and closes the session. §6.2. */
  #refuse(answer: Message): void {
    if (this.#state === "ended") return;
    this.#state = "refused";
    this.#answer(answer);
    const { channel } = this.writer;
    channel.handler = { onClosed: () => this.close(), onRejected: () => this.close() };
    channel.write(commandMessage("close", 0, NOTHING));
    this.writer.end();
    for (const writer of this.writers) this.#out.endWriter(writer);
    channel.close();
    // Does not reject its flow: a client that reads the rejection first rejects the answer.
    this.#closeAt = this.hub.now + REFUSED_LINGER;
  }

  #answer(message: Message): void {
    this.writer.channel.write(message);
    this.#out.release();
  }

  /** Sends a message on message stream 0. */
  send(message: Message): void {
    this.#out.send(this.writer, message, true);
  }

  /** @param values the id of a stream, and the length of its buffer in milliseconds */
  #setBuffer([id, milliseconds]: readonly number[]): void {
    if (id !== undefined && milliseconds !== undefined) {
      this.streams.get(id)?.setBuffer(milliseconds);
    }
  }

  get #out(): ControlOutput {
    if (!this.#output) throw new Error("nothing can be written before begin()");
    return this.#output;
  }

  /** Whether its address is banned, by a later ban or after the client has moved. */
  #isBanned(): boolean {
    return this.hub.blacklist.size > 0 && this.hub.blacklist.has(this.hostname);
  }
}

const isSharedObject = ({ type }: Message): boolean =>
  type === MessageType.sharedObject || type === MessageType.sharedObjectAmf3;
