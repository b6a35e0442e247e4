import { AmfReader, type AmfValue } from "../amf/mod.ts";
import { WireError } from "../bytes/wire_error.ts";
import { readCommand } from "../tc/format/commands.ts";
import {
  flowMessage,
  type Message,
  MessageType,
  readMessage,
  readUserControl,
  UserControl,
  userControlMessage,
  valuesOf,
} from "../tc/format/messages.ts";
import { readTcMetadata, writeTcMetadata } from "../tc/format/metadata.ts";
import type { FlowReceiver, WriteOptions } from "../rtmfp/flow/handlers.ts";
import type { ReceiveFlow } from "../rtmfp/flow/receive_flow.ts";
import type { SendFlow } from "../rtmfp/flow/send_flow.ts";
import { callMessage, encodeValues, type ObjectEncoding, sentData } from "../tc/format/calls.ts";
import { readStatus, type Status } from "../tc/format/status.ts";
import { FlowSync, type SyncedFlow } from "./flow_sync.ts";
import { ConnectionError, StatusError } from "./status.ts";

/** A data message: a call by `NetStream.send`, or metadata. */
export interface StreamData {
  /** The handler's name, such as "onMetaData". */
  readonly name: string;
  /** Milliseconds. */
  readonly timestamp: number;
  /** AMF of the name and the arguments: the body of an FLV data tag. A view. */
  readonly payload: Uint8Array;
  /** The arguments. @throws {WireError} if they cannot be read */
  values(): AmfValue[];
}

/** Events for the owner of a stream. Bytes are views, valid until the call returns. */
export interface NetStreamHandler {
  onStatus?(status: Status): void;
  /** @param timestamp milliseconds @param data the body of an FLV tag */
  onAudio?(timestamp: number, data: Uint8Array): void;
  onVideo?(timestamp: number, data: Uint8Array): void;
  onData?(data: StreamData): void;
  /** A command other than onStatus. */
  onCommand?(name: string, values: AmfReader): void;
  /** The connection has ended; no message follows. */
  onClose?(): void;
}

/** Interface of the connection for a stream. */
export interface StreamHost {
  readonly encoding: ObjectEncoding;
  /** A flow that answers the peer's control flow. */
  openFlow(
    metadata: Uint8Array,
    options: { priority: number; timeCritical: boolean },
  ): SendFlow;
  /** Sends on the connection's control flow. */
  sendControl(message: Message): void;
  /** Schedules sending of written messages. */
  wake(): void;
  /** The stream has closed. */
  forget(stream: NetStream): void;
}

const Priority = { audio: 3, command: 2, video: 1 } as const;
type FlowKind = keyof typeof Priority;
/** Receive window of a flow in bytes. */
const BUFFER = 4 << 20;
/** The buffer time (ms) that Flash sends after play by default. */
const BUFFER_TIME = 100;

/** Handles a message; ignores a malformed one. */
export function ignoringBadMessages(handle: () => void): void {
  try {
    handle();
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
  }
}

/** A flow of the peer that belongs to a stream. */
interface Incoming {
  readonly flow: ReceiveFlow;
  /** It has carried commands, and so stays open when playing ends. */
  commands: boolean;
}

/** One direction of media over a NetConnection, as ActionScript's NetStream. */
export class NetStream {
  handler: NetStreamHandler = {};
  readonly #host: StreamHost;
  readonly #flows = new Map<FlowKind, SendFlow>();
  readonly #incoming = new Set<Incoming>();
  #drained: (() => void)[] = [];
  readonly #sync = new FlowSync();
  #expecting: {
    accepts: string;
    about: string;
    settle(error: Error | null, status?: Status): void;
  }[] = [];
  #closed = false;
  #ended = false;
  readonly #finishing = new Set<() => void>();

  /** @param id the number that createStream gave */
  constructor(host: StreamHost, readonly id: number) {
    this.#host = host;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Bytes written that have not been sent. */
  get queuedBytes(): number {
    let bytes = 0;
    for (const flow of this.#flows.values()) bytes += flow.queuedBytes;
    return bytes;
  }

  /**
   * Publishes under a name.
   *
   * @param type "live", "record" or "append"
   * @throws {StatusError} if the server refuses
   */
  publish(name: string, type = "live"): Promise<Status> {
    const answer = this.#expect("NetStream.Publish.Start", "NetStream.Publish.");
    this.command("publish", name, type);
    return answer;
  }

  /**
   * Plays a name.
   *
   * @param start -2 live or recorded, -1 live, from 0 recorded (milliseconds); -3000 live and unreliable
   * @throws {StatusError} if the server refuses
   */
  play(name: string, start = -2, length = -1, reset = true): Promise<Status> {
    const answer = this.#expect("NetStream.Play.Start", "NetStream.Play.");
    this.command("play", name, start, length, reset);
    this.#host.sendControl(
      userControlMessage(UserControl.setBufferLength, this.id, BUFFER_TIME),
    );
    this.#host.wake();
    return answer;
  }

  pause(paused = true, position = 0): void {
    this.command("pause", paused, position);
  }

  receiveAudio(wanted: boolean): void {
    this.command("receiveAudio", wanted);
  }

  receiveVideo(wanted: boolean): void {
    this.command("receiveVideo", wanted);
  }

  seek(milliseconds: number): void {
    this.command("seek", milliseconds);
  }

  /** @param data the body of an FLV tag, not copied: it must not change any more */
  sendAudio(timestamp: number, data: Uint8Array, options?: WriteOptions): void {
    this.#write("audio", { type: MessageType.audio, timestamp, payload: data }, options);
  }

  /** @see sendAudio */
  sendVideo(timestamp: number, data: Uint8Array, options?: WriteOptions): void {
    this.#write("video", { type: MessageType.video, timestamp, payload: data }, options);
  }

  /** @param payload AMF0 of the handler's name and the arguments: the body of an FLV tag */
  sendData(timestamp: number, payload: Uint8Array): void {
    this.#write("command", sentData(this.#host.encoding, timestamp, payload));
  }

  /** Calls a handler at the other end. @throws {WireError} if a value cannot be written */
  send(name: string, ...values: AmfValue[]): void {
    const { encoding } = this.#host;
    this.#write("command", sentData(encoding, 0, encodeValues(encoding, [name, ...values])));
  }

  /** Sends a command of the stream without awaiting an answer. */
  command(name: string, ...values: AmfValue[]): void {
    const { encoding } = this.#host;
    const encoded = encodeValues(encoding, [null, ...values]);
    this.#write("command", callMessage(encoding, name, 0, encoded));
  }

  /** Ends publishing or playing; the stream can publish or play again. */
  closeStream(): void {
    this.command("closeStream");
  }

  /** Number of fragments received on the open flows of the peer. */
  get receivedFragments(): number {
    let fragments = 0;
    for (const { flow } of this.#incoming) fragments += flow.receivedFragments;
    return fragments;
  }

  /**
   * Ends playing, and resolves when all messages that the peer had written have arrived: it then ends the
   * flows of media after their last messages. Also resolves when the connection has ended.
   */
  drain(): Promise<void> {
    return new Promise((resolve) => {
      this.#drained.push(resolve);
      if (!this.#closed) this.closeStream();
      this.#tellDrained();
    });
  }

  /**
   * Ends the stream after all sent messages have arrived, on any flow; returns early if the connection
   * ends.
   */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#finish("audio", "video");
    if (this.#ended) return;
    if (this.#flows.has("command")) this.farewell();
    await this.#finish("command");
    if (this.#ended) return;
    const values = encodeValues(0, [null, this.id]);
    this.#host.sendControl(callMessage(this.#host.encoding, "deleteStream", 0, values));
    this.#host.wake();
    this.#host.forget(this);
    this.#settleAll(new ConnectionError("The stream was closed"));
  }

  /** Sends a message of another kind on the flow of commands. */
  control(message: Message): void {
    this.#write("command", message);
  }

  /** Sends the last message, after all media has arrived. */
  protected farewell(): void {
    const { encoding } = this.#host;
    this.#write("command", callMessage(encoding, "closeStream", 0, encodeValues(0, [null])));
  }

  /** A flow of the peer that belongs to this stream. */
  accept(flow: ReceiveFlow): FlowReceiver {
    flow.bufferCapacity = BUFFER;
    const incoming: Incoming = { flow, commands: false };
    this.#incoming.add(incoming);
    const synced: SyncedFlow = this.#sync.join((message) =>
      ignoringBadMessages(() => this.#deliver(message, synced, incoming))
    );
    const inOrder = !readTcMetadata(flow.metadata)?.networkOrder;
    return {
      onMessage: (message) => inOrder ? synced.push(message) : synced.deliver(message),
      onEnd: () =>
        synced.end(() => {
          this.#incoming.delete(incoming);
          this.#tellDrained();
        }),
    };
  }

  /** The connection has ended. */
  end(): void {
    this.#closed = this.#ended = true;
    this.#settleAll(new ConnectionError("The connection has ended"));
    for (const ended of this.#finishing) ended();
    this.#tellDrained();
    this.handler.onClose?.();
  }

  #write(kind: FlowKind, message: Message, options?: WriteOptions): void {
    let flow = this.#flows.get(kind);
    if (this.#ended) return;
    if (!flow || flow.closed) {
      const metadata = writeTcMetadata(this.id);
      const timeCritical = kind !== "command";
      flow = this.#host.openFlow(metadata, { priority: Priority[kind], timeCritical });
      this.#flows.set(kind, flow);
    }
    flow.write(flowMessage(message), options);
    this.#host.wake();
  }

  /** Ends flows and waits until the peer has acknowledged all their messages. */
  async #finish(...kinds: FlowKind[]): Promise<void> {
    const closing = kinds.map((kind) => this.#flows.get(kind)).filter((flow) => flow !== undefined);
    await Promise.all(closing.map((flow) =>
      new Promise<void>((resolve) => {
        const ended = () => {
          this.#finishing.delete(ended);
          resolve();
        };
        if (flow.state === "closed") return ended();
        this.#finishing.add(ended);
        flow.handler = { ...flow.handler, onClosed: ended };
        flow.close();
        this.#host.wake();
      })
    ));
    for (const kind of kinds) this.#flows.delete(kind);
  }

  #tellDrained(): void {
    const open = [...this.#incoming].some(({ commands }) => !commands);
    if (!open || this.#ended) { for (const drained of this.#drained.splice(0)) drained(); }
  }

  #deliver(bytes: Uint8Array, flow: SyncedFlow, incoming: Incoming): void {
    const message = readMessage(bytes);
    if (!message) return;
    switch (message.type) {
      case MessageType.audio:
        return this.handler.onAudio?.(message.timestamp, message.payload);
      case MessageType.video:
        return this.handler.onVideo?.(message.timestamp, message.payload);
      case MessageType.data:
      case MessageType.dataAmf3:
        return this.#data(message);
      case MessageType.command:
      case MessageType.commandAmf3:
        incoming.commands = true;
        return this.#command(message);
      case MessageType.userControl: {
        const { event, values: [id, count] } = readUserControl(message.payload);
        if (event !== UserControl.flowSync || id === undefined || count === undefined) return;
        if (count > 0) flow.arrive(id, count);
      }
    }
  }

  #data(message: Message): void {
    const data = readStreamData(message);
    if (data) this.handler.onData?.(data);
  }

  #command(message: Message): void {
    const command = readCommand(message);
    if (!command) return;
    if (command.name !== "onStatus") {
      this.handler.onCommand?.(command.name, command.values);
      return;
    }
    const status = readStatus(command.values.done ? command.object : command.values.readValue());
    this.#settle(status);
    this.handler.onStatus?.(status);
  }

  #expect(accepts: string, about: string): Promise<Status> {
    if (this.#closed) return Promise.reject(new ConnectionError("The stream is closed"));
    return new Promise((resolve, reject) => {
      this.#expecting.push({
        accepts,
        about,
        settle: (error, status) => error ? reject(error) : resolve(status!),
      });
    });
  }

  /** Settles the request that a status answers. A CumulusServer refuses a name in use with level "status". */
  #settle(status: Status): void {
    const { level, code } = status;
    const expected = this.#expecting.find(({ accepts, about }) =>
      code === accepts || (level === "error" && code.startsWith(about)) ||
      (code === "NetStream.Publish.BadName" && code.startsWith(about))
    );
    if (!expected) return;
    this.#expecting = this.#expecting.filter((one) => one !== expected);
    expected.settle(code === expected.accepts ? null : new StatusError(status), status);
  }

  #settleAll(error: Error): void {
    for (const { settle } of this.#expecting.splice(0)) settle(error);
  }
}

/**
 * Decodes a data message.
 * @returns undefined if it does not start with a name
 * @throws {WireError} if the name is cut off
 */
export function readStreamData(message: Message): StreamData | undefined {
  const reader = valuesOf(message);
  if (!reader) return undefined;
  const payload = message.payload.subarray(reader.raw.at);
  const name = reader.readValue();
  if (typeof name !== "string") return undefined;
  const values = () => {
    const values: AmfValue[] = [];
    const all = new AmfReader(payload);
    for (all.readValue(); !all.done;) values.push(all.readValue());
    return values;
  };
  return { name, timestamp: message.timestamp, payload, values };
}
