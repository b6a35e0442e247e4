// A client of RTWebSocket, on the server's RtwsSession.
import { WebSocket } from "ws";
import type { AmfValue } from "../../src/amf/mod.ts";
import { SharedObject } from "../../src/client/shared_object.ts";
import type { SendFlow } from "../../src/rtws/send_flow.ts";
import { RtwsSession } from "../../src/rtws/session.ts";
import { callMessage, encodeValues } from "../../src/tc/format/calls.ts";
import { readCommand } from "../../src/tc/format/commands.ts";
import {
  flowMessage,
  type Message,
  MessageType,
  readMessage,
} from "../../src/tc/format/messages.ts";
import { readTcMetadata, writeTcMetadata } from "../../src/tc/format/metadata.ts";
import { readSharedObject } from "../../src/tc/format/shared_object.ts";

/** Time-out (ms) of an answer, and interval (ms) between two flushes of the session. */
const ANSWER_TIMEOUT = 10_000;
const FLUSH_INTERVAL = 200;

interface Call {
  resolve(value: AmfValue): void;
  reject(error: Error): void;
}

export class RtwsClient {
  readonly encoding = 3;
  onMedia: () => void = () => {};
  readonly #socket: WebSocket;
  readonly #session: RtwsSession;
  readonly #flows = new Map<string, SendFlow>();
  readonly #calls = new Map<number, Call>();
  readonly #objects = new Map<string, SharedObject>();
  readonly #timer: ReturnType<typeof setInterval>;
  #lastTransaction = 0;

  /** @throws {Error} if the server refuses or does not answer */
  static async connect(url: string, app: string): Promise<RtwsClient> {
    const socket = new WebSocket(url);
    await new Promise((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("error", reject);
    });
    const client = new RtwsClient(socket);
    const object = { app, tcUrl: url, objectEncoding: 3 };
    await client.#call("connect", 0, encodeValues(0, [object]));
    return client;
  }

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    const session = this.#session = new RtwsSession({
      send: (bytes) => socket.send(bytes),
      writable: true,
      wake: () => queueMicrotask(() => session.flush(performance.now())),
    }, performance.now());
    session.handler = {
      onFlow: (flow) => {
        const stream = readTcMetadata(flow.metadata)?.stream;
        if (stream === undefined) return null;
        return { onMessage: (bytes) => this.#receive(stream, bytes) };
      },
      onClose: () => this.#end(),
    };
    socket.on("message", (bytes: Uint8Array) => {
      session.receive(bytes, performance.now());
      session.flush(performance.now());
    });
    socket.on("error", () => {}); // a close follows
    socket.on("close", () => session.close());
    session.start(performance.now());
    this.#timer = setInterval(() => session.flush(performance.now()), FLUSH_INTERVAL);
  }

  call(name: string, ...args: AmfValue[]): Promise<AmfValue> {
    return this.#call(name, 3, encodeValues(3, [null, ...args]));
  }

  streamCommand(stream: number, name: string, ...args: AmfValue[]): void {
    const values = encodeValues(3, [null, ...args]);
    this.#flow(stream, "command").write(flowMessage(callMessage(3, name, 0, values)));
  }

  sendVideo(stream: number, timestamp: number, payload: Uint8Array): void {
    this.#flow(stream, "video").write(
      flowMessage({ type: MessageType.video, timestamp, payload }),
    );
  }

  sharedObject(name: string): SharedObject {
    const object = new SharedObject(this, name, false);
    this.#objects.set(name, object);
    return object;
  }

  // Interface for SharedObject

  sendShared(message: Message): void {
    this.#flow(0, "command").write(flowMessage(message));
  }

  forgetShared({ name }: SharedObject): void {
    this.#objects.delete(name);
  }

  /** Closes session and WebSocket, and waits for the server's close. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#socket.once("close", resolve));
    this.#session.close();
    this.#socket.close(1000);
    await closed;
  }

  /** Resets the TCP connection without closing the WebSocket. */
  vanish(): void {
    this.#session.close();
    this.#socket.terminate();
  }

  #call(name: string, encoding: 0 | 3, values: Uint8Array): Promise<AmfValue> {
    const transaction = ++this.#lastTransaction;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer to ${name}`)), ANSWER_TIMEOUT);
      this.#calls.set(transaction, {
        resolve: (value) => (clearTimeout(timer), resolve(value)),
        reject: (error) => (clearTimeout(timer), reject(error)),
      });
      this.#flow(0, "command").write(flowMessage(callMessage(encoding, name, transaction, values)));
    });
  }

  #flow(stream: number, kind: "command" | "video"): SendFlow {
    const key = `${stream} ${kind}`;
    let flow = this.#flows.get(key);
    if (!flow) {
      flow = this.#session.openFlow(writeTcMetadata(stream));
      this.#flows.set(key, flow);
    }
    return flow;
  }

  #receive(stream: number, bytes: Uint8Array): void {
    const message = readMessage(bytes);
    if (!message) return;
    if (stream !== 0) return this.onMedia();
    const amf3 = message.type === MessageType.sharedObjectAmf3;
    if (amf3 || message.type === MessageType.sharedObject) {
      const shared = readSharedObject(message.payload, amf3, Infinity);
      return this.#objects.get(shared.name)?.receive(shared);
    }
    const command = readCommand(message);
    if (command?.name !== "_result" && command?.name !== "_error") return;
    const call = this.#calls.get(command.transaction);
    this.#calls.delete(command.transaction);
    if (command.name === "_error") call?.reject(new Error("the server refused a call"));
    else call?.resolve(command.values.done ? command.object : command.values.readValue());
  }

  #end(): void {
    clearInterval(this.#timer);
    for (const { reject } of this.#calls.values()) reject(new Error("the connection has ended"));
    this.#calls.clear();
    for (const object of this.#objects.values()) object.ended("the connection has ended");
  }
}
