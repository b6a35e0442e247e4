// A session without a network, and messages as text.
import assert from "node:assert/strict";
import type { AmfValue } from "../../src/amf/mod.ts";
import { toHex } from "../../src/bytes/hex.ts";
import { FlashServer } from "../../src/flash/flash_server.ts";
import { flowMessage, readMessage } from "../../src/tc/format/messages.ts";
import { commandOf, messageText } from "../tc/message_text.ts";
import { readTcMetadata, writeTcMetadata } from "../../src/tc/format/metadata.ts";
import type { SendFlowHandler } from "../../src/rtmfp/flow/handlers.ts";
import type { CloseReason } from "../../src/rtmfp/session/handlers.ts";
import type { FlashConnection } from "../../src/flash/flash_connection.ts";
import type { NetConnection } from "../../src/tc/net_connection.ts";
import type {
  FlashSession,
  FlowOptions,
  FlowReceiver,
  InFlow,
  OutFlow,
} from "../../src/flash/transport.ts";
import { portable } from "../../src/rtmfp/crypto/portable.ts";
import { type Steps, world } from "../media/fakes.ts";

export class FakeOutFlow implements OutFlow {
  handler: SendFlowHandler | undefined;
  closed = false;
  queuedBytes = 0;
  queuedMessages = 0;
  firstPending = 1;
  ackedBytes = 0;
  sentFragments = 0;
  lostFragments = 0;
  unsent = 0;
  readonly messages: Uint8Array[] = [];
  readonly reliable: boolean[] = [];
  get lastMessage() {
    return this.messages.length;
  }
  constructor(
    readonly session: FakeSession,
    readonly metadata: Uint8Array,
    readonly options: FlowOptions,
  ) {}
  write(message: Uint8Array, options?: { reliable?: boolean }) {
    if (this.closed) return;
    this.messages.push(message);
    this.reliable.push(options?.reliable ?? true);
    this.session.log.push(`${this.name}: ${textOf(message, this.metadata)}`);
  }
  abandonUnsent() {
    return this.unsent;
  }
  close() {
    if (this.closed) return;
    this.closed = true;
    this.session.log.push(`${this.name}: end`);
  }
  /** The client rejects the flow, which closes it. */
  reject() {
    this.closed = true;
    this.handler?.onException?.(0);
  }
  /** By stream and order of opening: `control`, `stream 1`, `stream 1 b`, `group`. */
  get name(): string {
    const tc = readTcMetadata(this.metadata);
    const same = this.session.flows.filter((flow) => toHex(flow.metadata) === toHex(this.metadata));
    const letter = same.indexOf(this) === 0 ? "" : ` ${"abcdefgh"[same.indexOf(this)]}`;
    return `${!tc ? "group" : tc.stream === 0 ? "control" : `stream ${tc.stream}`}${letter}`;
  }
}

export class FakeInFlow implements InFlow {
  bufferCapacity = 0;
  receivedFragments = 0;
  lostFragments = 0;
  rejected = false;
  receiver: FlowReceiver | null = null;
  constructor(readonly metadata: Uint8Array, readonly association: undefined) {}
  reject() {
    this.rejected = true;
  }
  /** A message arrives; the bytes are overwritten afterwards, as a real flow may do. */
  deliver(message: Uint8Array) {
    this.receivedFragments++;
    const view = message.slice();
    this.receiver!.onMessage(view);
    view.fill(0xee);
  }
  end() {
    this.receiver!.onEnd?.();
  }
}

export class FakeSession implements FlashSession {
  readonly flows: FakeOutFlow[] = [];
  /** Sent messages, in order: `flow: message`. */
  readonly log: string[] = [];
  readonly peerId: Uint8Array;
  address = { hostname: "192.0.2.1", port: 4000 };
  rtt = 40;
  lastReceived = 1000;
  queuedBytes = 0;
  queuedMessages = 0;
  /** The server's connection of this session. */
  transport!: FlashConnection;
  closed = 0;
  #open = true;
  constructor(id: number | Uint8Array) {
    this.peerId = typeof id === "number" ? new Uint8Array(32).fill(id) : id;
  }
  openFlow(metadata: Uint8Array, options: FlowOptions = {}) {
    const flow = new FakeOutFlow(this, metadata, options);
    this.flows.push(flow);
    return flow;
  }
  ping() {
    this.log.push("ping");
  }
  close() {
    this.closed++;
    this.ended("closed", true);
  }
  /** The session has ended. */
  ended(reason: CloseReason, orderly: boolean) {
    if (!this.#open) return;
    this.#open = false;
    this.log.push("session closed");
    for (const flow of this.flows) flow.closed = true;
    this.transport.onClose(reason, orderly);
  }
  take() {
    return this.log.splice(0);
  }
}

/** A Flash client at the other end of a {@link FakeSession}. */
export class FakeClient {
  readonly session: FakeSession;
  readonly control: FakeInFlow;
  /** @param id 32 bytes, or one byte that is repeated 32 times */
  constructor(readonly server: FlashServer, id: number | Uint8Array) {
    this.session = new FakeSession(id);
    this.session.transport = server.onSession(this.session);
    this.control = this.flow(writeTcMetadata(0));
  }
  get connection(): NetConnection {
    return this.session.transport.connection;
  }
  /** A flow to the server; its receiver is null if it was rejected. */
  flow(metadata: Uint8Array): FakeInFlow {
    const flow = new FakeInFlow(metadata, undefined);
    flow.receiver = this.session.transport.onFlow(flow);
    return flow;
  }
  stream(id: number): FakeInFlow {
    return this.flow(writeTcMetadata(id));
  }
  connect(told: Record<string, AmfValue> = {}, transaction = 1, ...more: AmfValue[]) {
    const object = {
      app: "live",
      tcUrl: "rtmfp://127.0.0.1/live",
      objectEncoding: 3,
      ...told,
    };
    this.control.deliver(command("connect", transaction, object, ...more));
    return this.session.take();
  }
  /** Sends a command on the control flow; returns the server's immediate messages. */
  call(name: string, transaction: number, ...values: AmfValue[]) {
    this.control.deliver(command(name, transaction, null, ...values));
    return this.session.take();
  }
}

/** A command for a flow: the first of the values is its command object. */
export const command = (...args: Parameters<typeof commandOf>): Uint8Array =>
  flowMessage(commandOf(...args));

export function flashWorld(steps: Steps = {}) {
  const here = world(steps);
  const server = new FlashServer(here.hub, {
    keepAliveServer: 15_000,
    keepAlivePeer: 10_000,
    sha256: (bytes) => portable.sha256(bytes),
    resolve: (name) => name === "known.example" ? "203.0.113.9" : undefined,
  });
  let last = 0;
  return {
    ...here,
    server,
    flash: (id: number | Uint8Array = ++last) => new FakeClient(server, id),
    /** A client that has connected. */
    connected: (byte = ++last) => {
      const client = new FakeClient(server, byte);
      client.connect();
      assert.equal(client.connection.state, "connected");
      here.events();
      return client;
    },
  };
}

/** A message of a flow in one line. */
export function textOf(message: Uint8Array, metadata: Uint8Array = writeTcMetadata(0)): string {
  return readTcMetadata(metadata) ? messageText(readMessage(message)!) : toHex(message);
}
