import { toHex } from "../bytes/hex.ts";
import { WireError } from "../bytes/wire_error.ts";
import type { Client } from "../media/client.ts";
import type { Connection } from "../media/connection.ts";
import type { Hub } from "../media/hub.ts";
import type { CloseReason, SessionHandler } from "../rtmfp/session/handlers.ts";
import { type Address, addressText } from "../rtmfp/wire/address.ts";
import { ControlCommands } from "./control_commands.ts";
import { FlashWriter, type WriterHost } from "./flash_writer.ts";
import {
  type Message,
  MessageType,
  readMessage,
  readUserControl,
  UserControl,
  writeCommand,
  writeUserControl,
} from "../tc/format/messages.ts";
import {
  FIRST_PEER_STREAM,
  GROUP_METADATA,
  isGroupMetadata,
  readTcMetadata,
  writeTcMetadata,
} from "./metadata.ts";
import { type GroupHost, NetGroup } from "./net_group.ts";
import { NetStream, type StreamHost } from "./net_stream.ts";
import { readCommand } from "../tc/format/commands.ts";
import {
  type FlashSession,
  type FlowReceiver,
  type InFlow,
  type OutFlow,
  Priority,
  type SendFlowHandler,
} from "./transport.ts";

export interface FlashOptions {
  /** How often clients are to ping this server, and their peers, in milliseconds. CFG-012, CFG-013. */
  readonly keepAliveServer: number;
  readonly keepAlivePeer: number;
  sha256(bytes: Uint8Array): Uint8Array;
  /**
   * The IP address of a name that a script sends clients to; undefined as long as it is not
   * known, until the client asks again.
   */
  resolve(name: string): string | undefined;
}

/** Sessions are closed that have not connected by then. rtmfp-wire §6.12. */
const CONNECT_WITHIN = 10_000;
/** How long a refused client has to take the answer. API-637. */
const REFUSED_LINGER = 2_000;
/** Bytes that may wait in all flows of a client. */
const MOST_QUEUED = 128 << 20;
/** What a message that waits costs besides its bytes. */
const MESSAGE = 300;
const MAX_STREAMS = 128;
const MAX_GROUP_FLOWS = 32;
const CONTROL = writeTcMetadata(0);
const NOTHING = new Uint8Array(0);
const NOWHERE: readonly Address[] = [];
const NO_WRITERS: ReadonlySet<FlashWriter> = new Set();

/**
 * - `new`: `connect` has not come
 * - `connected`: its client was accepted
 * - `refused`: its client was not; what it sends is ignored until it is gone
 * - `ended`
 */
type State = "new" | "connected" | "refused" | "ended";

/** Why sessions end, in words for `onFailed`. API-639. */
const FAILURES: Partial<Record<CloseReason, string>> = {
  "timeout": "no packet has come for 2 minutes, and no keep-alive was answered",
  "no acknowledgement": "a message could not be delivered",
  "overridden": "the client has started another session in its place",
  "limit": "the client has sent what is out of bounds",
  "aborted": "the session was given up",
  "idle": "nothing has come for too long",
};

/**
 * A session of a Flash client: the server's side of a NetConnection. RFC 7425 §5, rtmfp-wire
 * §3.4 to §3.7 and §6.2, §6.3.
 */
export class NetConnection
  implements
    Connection,
    SessionHandler,
    FlowReceiver,
    SendFlowHandler,
    WriterHost,
    StreamHost,
    GroupHost {
  /** Set by the answer to `connect`. */
  objectEncoding: 0 | 3 = 3;
  /** What `setPeerInfo` reported. */
  farAddresses: readonly Address[] = NOWHERE;
  #state: State = "new";
  #client: Client | undefined;
  #commands: ControlCommands;
  #control: InFlow | undefined;
  #writer: FlashWriter | undefined;
  /** Besides the main one; few clients have others. */
  #writers: Set<FlashWriter> | undefined;
  /** Undefined before the first one. */
  #streams: Map<number, NetStream> | undefined;
  #lastStream = 0;
  #groupFlows = 0;
  #since: number;
  #closeAt = Infinity;
  /** Messages that wait for the answer to `connect`. */
  #held: (() => void)[] | undefined;
  #writerClosed = false;

  constructor(
    readonly session: FlashSession,
    readonly hub: Hub,
    readonly options: FlashOptions,
    readonly whenOver: (connection: NetConnection) => void,
  ) {
    this.#since = hub.now;
    this.#commands = new ControlCommands(this);
  }

  get state(): State {
    return this.#state;
  }

  /** Only while connected. */
  get client(): Client {
    return this.#client!;
  }

  // Connection

  get address(): string {
    return addressText(this.session.address);
  }

  get hostname(): string {
    return this.session.address.hostname;
  }

  get ping(): number {
    return this.session.rtt;
  }

  get elapsedFromReception(): number {
    return Math.max(0, this.hub.now - this.session.lastReceived);
  }

  get writer(): FlashWriter {
    return this.#writer!;
  }

  get writers(): ReadonlySet<FlashWriter> {
    return this.#writers ?? NO_WRITERS;
  }

  newWriter(): FlashWriter {
    const flow = this.session.openFlow(CONTROL, {
      association: this.#control,
      priority: Priority.command,
    });
    const writer = new FlashWriter(flow, this);
    if (this.#state === "ended") {
      writer.end();
      return writer;
    }
    (this.#writers ??= new Set()).add(writer);
    flow.handler = { onException: () => this.#endWriter(writer) };
    return writer;
  }

  close(): void {
    this.session.close(); // calls onClose
  }

  // What the session tells

  /** A flow from the client. §3.4. */
  onFlow(flow: InFlow): FlowReceiver | null {
    if (isGroupMetadata(flow.metadata)) return this.#onGroupFlow(flow);
    const metadata = readTcMetadata(flow.metadata);
    if (!metadata) return null;
    const { stream } = metadata;
    if (stream === 0) return this.#onControlFlow(flow);
    if (stream >= FIRST_PEER_STREAM || this.#state !== "connected") return null;
    return this.#streams?.get(stream)?.receiver(flow) ?? null;
  }

  /** The client has ended its first control flow, which is the connection. */
  onEnd(): void {
    this.close();
  }

  /** The client rejects the own control flow, as one does that hangs up, before it closes the session. */
  onException(): void {
    this.close();
  }

  /** The session is over. */
  onClose(reason: CloseReason, orderly: boolean): void {
    if (this.#state === "ended") return;
    const failure = orderly ? undefined : FAILURES[reason];
    this.#state = "ended";
    try {
      if (this.#client) this.hub.disconnect(this.#client, failure);
    } finally {
      if (this.#streams) { for (const stream of this.#streams.values()) stream.delete(); }
      for (const writer of this.writers) writer.end();
      this.#streams = this.#writers = undefined;
      this.#writer?.end();
      this.#held = undefined;
      this.whenOver(this);
    }
  }

  /** Bytes that wait for this client alone, with what it costs to keep messages: those of media are shared. */
  get waiting(): number {
    let bytes = MESSAGE * this.session.queuedMessages + (this.#writer?.flow.queuedBytes ?? 0);
    for (const { flow } of this.writers) bytes += flow.queuedBytes;
    return bytes;
  }

  /** Every 2 s. */
  manage(): void {
    const { now } = this.hub;
    if (now >= this.#closeAt) return this.close();
    if (this.#state === "new" && now - this.#since >= CONNECT_WITHIN) return this.close();
    if (this.#writerClosed) return this.fail("the main writer was closed");
    if (this.#isBanned()) return this.fail("its address is blacklisted");
    if (this.session.queuedBytes > MOST_QUEUED) this.fail("it takes too little of what it is sent");
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

  /** The client was accepted. */
  accept(client: Client, answer: Uint8Array): void {
    this.#client = client;
    if (this.#state === "ended") return this.hub.disconnect(client);
    this.#state = "connected";
    this.#answer(answer);
  }

  /** The client was refused: it is told, and let go. §6.2. */
  refuse(answer: Uint8Array): void {
    if (this.#state === "ended") return;
    this.#state = "refused";
    this.#answer(answer);
    const { flow } = this.writer;
    flow.handler = { onClosed: () => this.close(), onException: () => this.close() };
    flow.write(writeCommand("close", 0, NOTHING));
    this.writer.end();
    for (const writer of this.writers) this.#endWriter(writer);
    flow.close();
    // Its own flow is not rejected: a client that reads that first rejects what answers the flow.
    this.#closeAt = this.hub.now + REFUSED_LINGER;
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

  /** Sends a user control message on the control flow. */
  control(event: number, ...values: number[]): void {
    this.send(this.writer.flow, writeUserControl(event, ...values), true);
  }

  // What streams, groups and writers need

  openStreamFlow(stream: number, priority: number, timeCritical: boolean): OutFlow {
    return this.session.openFlow(writeTcMetadata(stream), {
      association: this.#control, // the client's control flow, not that of its stream: §3.6
      priority,
      timeCritical,
    });
  }

  openGroupFlow(association: InFlow): OutFlow {
    return this.session.openFlow(GROUP_METADATA, { association, priority: Priority.group });
  }

  sha256(bytes: Uint8Array): Uint8Array {
    return this.options.sha256(bytes);
  }

  send(flow: OutFlow, message: Uint8Array, reliable: boolean): void {
    const write = () => flow.write(message, reliable ? undefined : { reliable });
    if (this.#held) this.#held.push(write);
    else write();
  }

  onWriterClosed(writer: FlashWriter): void {
    if (writer === this.#writer) this.#writerClosed = true; // at the next tick: API-257
    else this.#endWriter(writer);
  }

  #answer(message: Uint8Array): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    this.writer.flow.write(message);
    for (const write of held) write();
  }

  #endWriter(writer: FlashWriter): void {
    writer.end();
    writer.flow.close();
    this.#writers?.delete(writer);
  }

  /**
   * The first flow of stream 0 is the connection's. Others that answer our own carry the same
   * messages; a second connection in one session there is not.
   */
  #onControlFlow(flow: InFlow): FlowReceiver | null {
    if (this.#control) {
      return flow.association ? { onMessage: (bytes) => this.onMessage(bytes) } : null;
    }
    this.#control = flow;
    // Open before the client can answer it. §3.4
    const sending = this.session.openFlow(CONTROL, {
      association: flow,
      priority: Priority.command,
    });
    this.#writer = new FlashWriter(sending, this);
    sending.handler = this;
    return this;
  }

  #onGroupFlow(flow: InFlow): FlowReceiver | null {
    if (this.#state !== "connected" || this.#groupFlows >= MAX_GROUP_FLOWS) return null;
    this.#groupFlows++;
    return new NetGroup(this, flow, () => this.#groupFlows--);
  }

  /** A ban may come after the session has opened, or the client move to a banned address. */
  #isBanned(): boolean {
    return this.hub.blacklist.size > 0 && this.hub.blacklist.has(this.hostname);
  }

  /** What comes in control flows. */
  onMessage(bytes: Uint8Array): void {
    if (this.#isBanned()) return this.fail("its address is blacklisted");
    const message = readMessage(bytes);
    if (!message || this.#state === "refused" || this.#state === "ended") return;
    try {
      if (message.type === MessageType.userControl) return this.#onUserControl(message);
      const command = readCommand(message);
      if (command) this.#commands.run(command);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      const peer = toHex(this.session.peerId).slice(0, 8);
      this.hub.log(
        "debug",
        `Cannot read a message of ${peer} at ${this.address}: ${error.message}`,
      );
    }
  }

  /** Cumulus answers the length of a buffer with the begin of the stream. §6.6. */
  #onUserControl({ payload }: Message): void {
    const { event, values } = readUserControl(payload);
    if (event !== UserControl.setBufferLength || !this.#streams?.has(values[0])) return;
    this.control(UserControl.streamBegin, values[0]);
  }
}
