import type { AmfValue } from "../amf/mod.ts";
import { addressText } from "../common/address.ts";
import { within } from "../common/wait.ts";
import { dialStream } from "../net/dial.ts";
import type { StreamSocket } from "../net/stream_socket.ts";
import { tcpError } from "../net/tcp.ts";
import { portable } from "../rtmfp/crypto/portable.ts";
import type { RtmpMessage } from "../rtmp/control.ts";
import { type ClientHost, RtmpClient } from "../rtmp/rtmp_client.ts";
import { RtmpError } from "../rtmp/rtmp_error.ts";
import type { RtmpTarget } from "../rtmp/url.ts";
import type { Command } from "../tc/format/commands.ts";
import type { Status } from "../tc/format/status.ts";
import type { ConnectOptions } from "./net_connection.ts";
import { resolve } from "./resolve.ts";
import { RtmpStream, type RtmpStreamHost } from "./rtmp_stream.ts";
import { ConnectionError, StatusError } from "./status.ts";

/** Maximum length of one write in bytes. */
const BLOCK = 65_536;
/** Time (ms) between two checks of a connection. */
const MANAGE_INTERVAL = 1_000;
/** Maximum time (ms) without data from the server. */
const SILENCE_TIMEOUT = 30_000;

/** A connection to a server over TCP or TLS, like `NetConnection` over RTMFP. */
export class RtmpConnection implements ClientHost, RtmpStreamHost {
  readonly client: RtmpClient;
  readonly hmac = (key: Uint8Array, bytes: Uint8Array) =>
    portable.hmacSha256(key).digest(bytes, 0, bytes.length).slice();
  readonly #socket: StreamSocket;
  readonly #options: ConnectOptions;
  readonly #block = new Uint8Array(BLOCK);
  readonly #streams = new Map<number, RtmpStream>();
  readonly #waiting = new Set<(error: Error) => void>();
  #drained: (() => void)[] = [];
  #pumping = false;
  #ended: string | undefined;
  readonly #timer: ReturnType<typeof setInterval>;

  /**
   * Connects to an application.
   *
   * @throws {ConnectionError} if no server answers, or it closes
   * @throws {StatusError} if the server refuses
   */
  static async connect(target: RtmpTarget, options: ConnectOptions): Promise<RtmpConnection> {
    const { timeout = 10_000, parameters = [], objectEncoding = 3 } = options;
    const { protocol, hostname } = target;
    const place = addressText(target);
    const fail = (why: string) => new ConnectionError(`Cannot connect to ${place}: ${why}`);
    const addresses = await resolve(target);
    let socket: StreamSocket;
    try {
      socket = await dialStream(addresses, timeout, protocol === "rtmps" ? hostname : undefined);
    } catch (error) {
      throw fail(tcpError(error));
    }
    const connection = new RtmpConnection(socket, options);
    const object = {
      flashVer: options.flashVersion ?? "WIN 32,0,0,465",
      swfUrl: options.swfUrl,
      fpad: false,
      capabilities: 235,
      audioCodecs: 3575,
      videoCodecs: 252,
      videoFunction: 1,
      pageUrl: options.pageUrl,
      objectEncoding,
      ...options.properties,
    };
    const late = `no answer to connect within ${timeout / 1000} s`;
    try {
      const asked = connection.#ask((answer) =>
        connection.client.connect(target, object, parameters, answer)
      );
      await within(asked, timeout, late);
      return connection;
    } catch (error) {
      await connection.close();
      throw (error as Error).message === late ? fail(late) : error;
    }
  }

  private constructor(socket: StreamSocket, options: ConnectOptions) {
    this.#socket = socket;
    this.#options = options;
    this.client = new RtmpClient(this, options.objectEncoding ?? 3);
    this.#timer = setInterval(() => this.#manage(), MANAGE_INTERVAL);
    socket.start({
      onData: (bytes) => this.#receive(bytes),
      onWritten: () => this.#pump(),
      onEnd: (error) => this.#end(error ?? "The server has ended the connection"),
    });
    this.#pump();
  }

  get closed(): boolean {
    return this.#ended !== undefined;
  }

  /** Round trip in milliseconds; 0 while it is unknown. */
  get ping(): number {
    return this.client.link.rtt;
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
    return this.#ask((answer) => this.client.call(name, args, answer));
  }

  /** @throws {StatusError} if the server refuses */
  async createStream(): Promise<RtmpStream> {
    const id = await this.call("createStream");
    if (typeof id !== "number" || !(id > 0)) {
      throw new ConnectionError(`The server answered createStream with ${id}`);
    }
    const stream = new RtmpStream(this, id);
    this.#streams.set(id, stream);
    return stream;
  }

  /** Resolves when the system has taken all written data. */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#drained.push(resolve);
      this.#pump();
    });
  }

  /** Ends the connection after all written messages are sent. */
  // deno-lint-ignore require-await -- like the one of NetConnection
  async close(): Promise<void> {
    this.#end("closed");
  }

  // ClientHost

  get now(): number {
    return performance.now();
  }

  random(length: number): Uint8Array {
    return crypto.getRandomValues(new Uint8Array(length));
  }

  onWritable(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    queueMicrotask(() => {
      this.#pumping = false;
      this.#pump();
    });
  }

  onStreamMessage(message: RtmpMessage): void {
    this.#streams.get(message.stream)?.receive(message);
  }

  onCommand({ name, transaction, values }: Command): void {
    if (name === "onStatus" || name === "close") return;
    const args: AmfValue[] = [];
    while (!values.done) args.push(values.readValue());
    const result = this.#options.handler?.onCall?.(name, args);
    if (transaction !== 0) this.client.result(transaction, result ?? null);
  }

  #ask(call: (answer: (error: Status | undefined, value: AmfValue) => void) => void) {
    if (this.#ended !== undefined) return Promise.reject(new ConnectionError(this.#ended));
    return new Promise<AmfValue>((resolve, reject) => {
      this.#waiting.add(reject);
      call((error, value) => {
        this.#waiting.delete(reject);
        if (error) reject(new StatusError(error));
        else resolve(value);
      });
    });
  }

  #receive(bytes: Uint8Array): void {
    try {
      this.client.receive(bytes);
    } catch (error) {
      if (!(error instanceof RtmpError)) throw error;
      this.#end(`The connection has ended: ${error.message}`);
    }
  }

  #pump(): void {
    while (true) {
      if (this.#socket.writing || this.#ended !== undefined) return;
      const length = this.client.fill(this.#block);
      if (length === 0) break;
      this.#socket.write(this.#block, length);
    }
    for (const drained of this.#drained.splice(0)) drained();
  }

  #manage(): void {
    if (this.client.manage() >= SILENCE_TIMEOUT) this.#end("received nothing for 30 s");
  }

  #end(reason: string): void {
    if (this.#ended !== undefined) return;
    this.#pump();
    this.#ended = reason;
    clearInterval(this.#timer);
    this.client.link.close();
    this.#socket.end();
    const error = new ConnectionError(reason);
    for (const reject of this.#waiting) reject(error);
    for (const stream of this.#streams.values()) stream.end();
    for (const drained of this.#drained.splice(0)) drained();
    this.#options.handler?.onClose?.(reason);
  }
}
