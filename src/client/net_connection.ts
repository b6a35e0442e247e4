import type { AmfObject, AmfReader, AmfValue } from "../amf/mod.ts";
import { concat } from "../bytes/concat.ts";
import { fromHex, toHex } from "../bytes/hex.ts";
import { toUtf8 } from "../bytes/text.ts";
import { WireError } from "../bytes/wire_error.ts";
import { addressText } from "../common/address.ts";
import { sleep } from "../common/wait.ts";
import { type Command, readCommand } from "../tc/format/commands.ts";
import {
  flowMessage,
  type Message,
  MessageType,
  readMessage,
  readUserControl,
  UserControl,
} from "../tc/format/messages.ts";
import { readSharedObject } from "../tc/format/shared_object.ts";
import {
  GROUP_METADATA,
  isGroupMetadata,
  readTcMetadata,
  writeTcMetadata,
} from "../tc/format/metadata.ts";
import type { FlowReceiver } from "../rtmfp/flow/handlers.ts";
import type { ReceiveFlow } from "../rtmfp/flow/receive_flow.ts";
import type { SendFlow } from "../rtmfp/flow/send_flow.ts";
import type { SessionHandler } from "../rtmfp/session/handlers.ts";
import type { Session } from "../rtmfp/session/session.ts";
import { writeEpd } from "../rtmfp/wire/epd.ts";
import { type ClientHost, ClientLoop, type LoopOptions } from "./client_loop.ts";
import { callMessage, encodeValues, type ObjectEncoding } from "../tc/format/calls.ts";
import { readStatus, type Status } from "../tc/format/status.ts";
import { type DirectPublication, DirectStream } from "./direct.ts";
import { NetGroup } from "./net_group.ts";
import { ignoringBadMessages, NetStream, type StreamHost } from "./net_stream.ts";
import { resolve } from "./resolve.ts";
import { SharedObject, type SharedObjectHandler, type SharedObjectHost } from "./shared_object.ts";
import { ConnectionError, StatusError } from "./status.ts";
import { parseRtmfpUrl, type RtmfpUrl } from "./url.ts";

/** Events for the owner of a connection. */
interface NetConnectionHandler {
  onStatus?(status: Status): void;
  /** The server calls a function of the client. The returned value is the answer, if the server requests one. */
  onCall?(name: string, args: AmfValue[]): AmfValue | void;
  /** The connection has ended, by either end. Called once. */
  onClose?(reason: string): void;
}

export interface ConnectOptions extends LoopOptions {
  /** 3, the default, or 0. */
  readonly objectEncoding?: ObjectEncoding;
  /** Arguments of connect for the application. */
  readonly parameters?: readonly AmfValue[];
  /** Further members of the connect object; they replace those of Flash Player with the same name. */
  readonly properties?: AmfObject;
  readonly swfUrl?: string;
  readonly pageUrl?: string;
  readonly flashVersion?: string;
  readonly handler?: NetConnectionHandler;
  /** Time-out (ms) of the attempt; default 10,000. */
  readonly timeout?: number;
  /** An endpoint to share; without it the connection creates its own. */
  readonly loop?: ClientHost;
}

/** Minimum keep-alive interval (ms) that a server can set. RFC 7425 §5.3.4. */
const MIN_KEEP_ALIVE = 5000;
/** Maximum time (ms) of an orderly close. */
const CLOSE_TIMEOUT = 1500;

interface Call {
  resolve(value: AmfValue): void;
  reject(error: Error): void;
}

/** A connection to a server, as ActionScript's NetConnection. */
export class NetConnection implements StreamHost, SharedObjectHost {
  handler: NetConnectionHandler;
  readonly encoding: ObjectEncoding;
  readonly #options: ConnectOptions;
  readonly #session: Session;
  readonly #control: SendFlow;
  #far: ReceiveFlow | undefined;
  #lastTransaction = 0;
  readonly #calls = new Map<number, Call>();
  readonly #streams = new Map<number, NetStream>();
  /** By name and persistence; see `keyOf`. */
  readonly #sharedObjects = new Map<string, SharedObject>();
  readonly #groups = new Map<SendFlow, NetGroup>();
  #info: AmfValue = null;
  #ended: string | undefined;

  /**
   * Connects to an application.
   *
   * @throws {UrlError} if the URL is invalid
   * @throws {ConnectionError} if no server answers, or it closes
   * @throws {StatusError} if the server refuses
   */
  static async connect(
    url: string | RtmfpUrl,
    options: ConnectOptions = {},
  ): Promise<NetConnection> {
    const target = typeof url === "string" ? parseRtmfpUrl(url) : url;
    const { timeout = 10_000 } = options;
    const addresses = await resolve(target);
    const loop = options.loop ?? await ClientLoop.open(options);
    let timer: ReturnType<typeof setTimeout> | undefined;
    let connection: NetConnection | undefined;
    try {
      return await new Promise<NetConnection>((resolve, reject) => {
        const epd = writeEpd({ ancillary: toUtf8(target.href) });
        const opening = loop.endpoint.connect(epd, addresses, {
          onOpen(session) {
            connection = new NetConnection(session, loop, options);
            connection.#connect(target).then(() => resolve(connection!), reject);
            return connection.#sessionHandler();
          },
          onFail(reason) {
            const why = reason === "keying" ? "no group or protection in common" : "no answer";
            reject(new ConnectionError(`Cannot connect to ${addressText(target)}: ${why}`));
          },
        });
        timer = setTimeout(() => {
          const what = connection ? "no answer to connect" : "no answer";
          const seconds = timeout / 1000;
          reject(
            new ConnectionError(
              `Cannot connect to ${addressText(target)}: ${what} within ${seconds} s`,
            ),
          );
          opening.cancel();
        }, timeout);
        loop.wake();
      });
    } catch (error) {
      await connection?.close();
      if (!options.loop) await loop.close();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  private constructor(session: Session, readonly loop: ClientHost, options: ConnectOptions) {
    this.#session = session;
    this.#options = options;
    this.handler = options.handler ?? {};
    this.encoding = options.objectEncoding ?? 3;
    this.#control = session.openFlow(writeTcMetadata(0), { priority: 2 });
  }

  /** Round trip in milliseconds; 0 while it is unknown. */
  get ping(): number {
    return this.#session.rtt;
  }

  /** The own peer id, 64 hexadecimal digits. */
  get nearId(): string {
    return toHex(this.loop.peerId);
  }

  /** The server's peer id, 64 hexadecimal digits. */
  get farId(): string {
    return toHex(this.#session.peerId);
  }

  /** The answer to connect: level, code, description and members that the application adds. */
  get info(): AmfValue {
    return this.#info;
  }

  get session(): Session {
    return this.#session;
  }

  get closed(): boolean {
    return this.#ended !== undefined;
  }

  /**
   * Calls a function of the application.
   *
   * @returns its first result
   * @throws {StatusError} if the call fails there
   * @throws {ConnectionError} if the connection ends first
   * @throws {WireError} if an argument cannot be written
   */
  call(name: string, ...args: AmfValue[]): Promise<AmfValue> {
    return this.#call(this.encoding, name, encodeValues(this.encoding, [null, ...args]));
  }

  /** Calls a function of the application without an answer. @throws {WireError} as {@link call} */
  send(name: string, ...args: AmfValue[]): void {
    const values = encodeValues(this.encoding, [null, ...args]);
    this.sendControl(callMessage(this.encoding, name, 0, values));
    this.wake();
  }

  /** @throws {StatusError} if the server refuses */
  async createStream(): Promise<NetStream> {
    const id = await this.call("createStream");
    if (typeof id !== "number" || !(id > 0)) {
      throw new ConnectionError(`The server answered createStream with ${id}`);
    }
    const stream = new NetStream(this, id);
    this.#streams.set(id, stream);
    return stream;
  }

  /**
   * Publishes to peers directly: they reach this client by {@link nearId}.
   *
   * @throws {RangeError} if this client publishes that name already
   */
  publishDirect(name: string): DirectPublication {
    return this.loop.peers.publications.add(name);
  }

  /**
   * A stream to play from a peer that is connected to the same server.
   *
   * @param peerId 64 hexadecimal digits
   * @throws {ConnectionError} if the peer is not reached within `timeout` ms
   */
  openDirect(peerId: string, timeout?: number): Promise<DirectStream> {
    const { loop, encoding } = this;
    const id = fromHex(peerId);
    return DirectStream.open(loop.peers, id, [this.#session.address], encoding, timeout);
  }

  /**
   * Joins a group, and opens sessions with the members that the server names.
   *
   * @param name its 32 bytes of id, or its specification
   * @throws {RangeError} if this client has joined it already
   */
  joinGroup(name: Uint8Array | string): NetGroup {
    const flow = this.#session.openFlow(GROUP_METADATA, { association: this.#far });
    const group = new NetGroup(flow, name, {
      peers: this.loop.peers,
      introducers: () => [this.#session.address],
      wake: () => this.wake(),
    });
    this.#groups.set(flow, group);
    return group;
  }

  /**
   * Uses a remote shared object of the application; its `ready` settles when its slots have arrived.
   *
   * @throws {RangeError} if this connection uses it already
   */
  sharedObject(
    name: string,
    { persistent = false, handler }: { persistent?: boolean; handler?: SharedObjectHandler } = {},
  ): SharedObject {
    const key = keyOf(name, persistent);
    if (this.#sharedObjects.has(key)) throw new RangeError(`${name} is used already`);
    const object = new SharedObject(this, name, persistent, handler);
    this.#sharedObjects.set(key, object);
    if (this.#ended !== undefined) object.ended(this.#ended);
    return object;
  }

  /** Closes the connection in order; close its streams before. */
  async close(): Promise<void> {
    if (this.#ended === undefined) this.#end("closed");
    const until = performance.now() + CLOSE_TIMEOUT;
    while (this.#session.state === "nearClose" && performance.now() < until) {
      await sleep(5);
    }
    if (!this.#options.loop) await this.loop.close();
  }

  // For streams

  openFlow(metadata: Uint8Array, options: { priority: number; timeCritical: boolean }): SendFlow {
    return this.#session.openFlow(metadata, { ...options, association: this.#far });
  }

  sendControl(message: Message): void {
    if (this.#ended === undefined) this.#control.write(flowMessage(message));
  }

  sendShared(message: Message): void {
    this.sendControl(message);
    this.wake();
  }

  forgetShared({ name, persistent }: SharedObject): void {
    this.#sharedObjects.delete(keyOf(name, persistent));
  }

  wake(): void {
    this.loop.wake();
  }

  forget(stream: NetStream): void {
    this.#streams.delete(stream.id);
  }

  // Connecting

  async #connect({ href, app, query }: RtmfpUrl): Promise<void> {
    const { swfUrl, pageUrl, flashVersion = "WIN 32,0,0,465", parameters = [] } = this.#options;
    const object: AmfObject = {
      app: query === "" ? app : `${app}?${query}`,
      flashVer: flashVersion,
      swfUrl,
      tcUrl: href,
      fpad: false,
      capabilities: 235,
      audioCodecs: 3575,
      videoCodecs: 252,
      videoFunction: 1,
      pageUrl,
      objectEncoding: this.encoding,
      ...this.#options.properties,
    };
    const values = encodeValues(0, [object]);
    const all = concat([values, encodeValues(this.encoding, parameters)]);
    this.#info = await this.#call(0, "connect", all); // always in the AMF0 form
    this.send("setPeerInfo", ...this.loop.localAddresses());
  }

  #call(encoding: ObjectEncoding, name: string, values: Uint8Array): Promise<AmfValue> {
    if (this.#ended !== undefined) return Promise.reject(new ConnectionError(this.#ended));
    const transaction = ++this.#lastTransaction;
    return new Promise((resolve, reject) => {
      this.#calls.set(transaction, { resolve, reject });
      this.sendControl(callMessage(encoding, name, transaction, values));
      this.wake();
    });
  }

  // Received messages

  #sessionHandler(): SessionHandler {
    return {
      onFlow: (flow) => this.#onFlow(flow),
      onClose: (reason) => this.#end(`The connection has ended: ${reason}`),
    };
  }

  #onFlow(flow: ReceiveFlow): FlowReceiver | null {
    if (flow.association === undefined) return null;
    if (isGroupMetadata(flow.metadata)) {
      return this.#groups.get(flow.association)?.receiver() ?? null;
    }
    const metadata = readTcMetadata(flow.metadata);
    if (!metadata || flow.association !== this.#control) return null;
    if (metadata.stream !== 0) return this.#streams.get(metadata.stream)?.accept(flow) ?? null;
    this.#far ??= flow;
    return {
      onMessage: (message) => ignoringBadMessages(() => this.#onMessage(message)),
      onEnd: () => {
        if (flow === this.#far) this.#end("The server has ended the connection");
      },
    };
  }

  #onMessage(bytes: Uint8Array): void {
    const message = readMessage(bytes);
    if (!message) return;
    if (message.type === MessageType.userControl) {
      const { event, values: [server, peer] } = readUserControl(message.payload);
      if (event !== UserControl.setKeepAlive) return;
      if (server !== undefined) this.#session.keepAlive = Math.max(server, MIN_KEEP_ALIVE);
      if (peer !== undefined) this.loop.peers.keepAlive = Math.max(peer, MIN_KEEP_ALIVE);
      return;
    }
    const amf3 = message.type === MessageType.sharedObjectAmf3;
    if (amf3 || message.type === MessageType.sharedObject) {
      const read = readSharedObject(message.payload, amf3, Infinity);
      return this.#sharedObjects.get(keyOf(read.name, read.persistent))?.receive(read);
    }
    const command = readCommand(message);
    if (command) this.#onCommand(command);
  }

  #onCommand({ name, transaction, object, values }: Command): void {
    switch (name) {
      case "_result":
      case "_error": {
        const call = this.#calls.get(transaction);
        this.#calls.delete(transaction);
        const value = first(values);
        if (name === "_result") return call?.resolve(value);
        return call?.reject(new StatusError(readStatus(value)));
      }
      case "onStatus":
        return this.handler.onStatus?.(readStatus(first(values) ?? object));
      case "close":
        return this.#end("The server has closed the connection");
      default:
        return this.#onCall(name, transaction, values);
    }
  }

  #onCall(name: string, transaction: number, values: AmfReader): void {
    const args: AmfValue[] = [];
    while (!values.done) args.push(values.readValue());
    const result = this.handler.onCall?.(name, args);
    if (transaction === 0) return;
    const answer = encodeValues(this.encoding, [null, result ?? null]);
    this.sendControl(callMessage(this.encoding, "_result", transaction, answer));
  }

  #end(reason: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    const error = new ConnectionError(reason);
    for (const call of this.#calls.values()) call.reject(error);
    this.#calls.clear();
    for (const stream of this.#streams.values()) stream.end();
    this.#streams.clear();
    for (const group of this.#groups.values()) group.end();
    this.#groups.clear();
    for (const object of this.#sharedObjects.values()) object.ended(reason);
    this.#sharedObjects.clear();
    if (this.#session.state === "open") this.#session.close();
    this.wake();
    this.handler.onClose?.(reason);
  }
}

function first(values: AmfReader): AmfValue {
  try {
    return values.done ? null : values.readValue();
  } catch (error) {
    if (error instanceof WireError) return null;
    throw error;
  }
}

const keyOf = (name: string, persistent: boolean): string => `${persistent} ${name}`;
