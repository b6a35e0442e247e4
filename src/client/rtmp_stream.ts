import type { AmfValue } from "../amf/mod.ts";
import type { RtmpMessage } from "../rtmp/control.ts";
import type { RtmpChannel } from "../rtmp/rtmp_channel.ts";
import type { RtmpClient } from "../rtmp/rtmp_client.ts";
import { readCommand } from "../tc/format/commands.ts";
import { MessageType } from "../tc/format/messages.ts";
import { readStatus, type Status } from "../tc/format/status.ts";
import { ignoringBadMessages, type NetStreamHandler, readStreamData } from "./net_stream.ts";
import { ConnectionError, StatusError } from "./status.ts";

/** A pending request, and the status code that it awaits. */
interface Expected {
  readonly accepts: string;
  settle(error: Error | undefined, status?: Status): void;
}

/** Interface of the connection for a stream. */
export interface RtmpStreamHost {
  readonly client: RtmpClient;
  /** Resolves when the system has taken all written data. */
  drained(): Promise<void>;
}

/** One direction of media over RTMP, like `NetStream` over RTMFP. */
export class RtmpStream {
  handler: NetStreamHandler = {};
  readonly #host: RtmpStreamHost;
  readonly #commands: RtmpChannel;
  readonly #audio: RtmpChannel;
  readonly #video: RtmpChannel;
  /** Pending requests, the oldest first. */
  #expected: Expected[] = [];
  #closed = false;
  /** Number of received messages. */
  #received = 0;

  /** @param id the number that createStream gave */
  constructor(host: RtmpStreamHost, readonly id: number) {
    this.#host = host;
    this.#commands = host.client.open(id, "command");
    this.#audio = host.client.open(id, "audio");
    this.#video = host.client.open(id, "video");
  }

  /** Bytes written that have not been sent. */
  get queuedBytes(): number {
    return this.#commands.queuedBytes + this.#audio.queuedBytes + this.#video.queuedBytes;
  }

  get receivedFragments(): number {
    return this.#received;
  }

  /** @throws {StatusError} if the server refuses */
  publish(name: string, type = "live"): Promise<Status> {
    this.#host.client.call("releaseStream", [name], () => {});
    this.#host.client.call("FCPublish", [name], () => {});
    return this.#ask("NetStream.Publish.Start", "publish", name, type);
  }

  /**
   * @param start in milliseconds, like `length`; as for a stream over RTMFP
   * @throws {StatusError} if the server refuses
   */
  play(name: string, start = -2, length = -1): Promise<Status> {
    return this.#ask("NetStream.Play.Start", "play", name, start, length);
  }

  /** @param data the body of an FLV tag, not copied: it must not change any more */
  sendAudio(timestamp: number, data: Uint8Array): void {
    this.#audio.write({ type: MessageType.audio, timestamp, payload: data });
  }

  /** @see sendAudio */
  sendVideo(timestamp: number, data: Uint8Array): void {
    this.#video.write({ type: MessageType.video, timestamp, payload: data });
  }

  /** @param payload AMF0 of the handler's name and the arguments: the body of an FLV tag */
  sendData(timestamp: number, payload: Uint8Array): void {
    this.#commands.write({ type: MessageType.data, timestamp, payload });
  }

  /** Resolves at once: messages are in order, so none follows the message of the end. */
  drain(): Promise<void> {
    return Promise.resolve();
  }

  /** Ends the stream after all messages are sent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#host.client.command(this.#commands, "closeStream");
    this.#host.client.call("deleteStream", [this.id]);
    await this.#host.drained();
  }

  /** The connection has ended. */
  end(): void {
    this.#closed = true;
    for (const { settle } of this.#expected.splice(0)) {
      settle(new ConnectionError("The connection has ended"));
    }
    this.handler.onClose?.();
  }

  receive(message: RtmpMessage): void {
    this.#received++;
    ignoringBadMessages(() => this.#deliver(message));
  }

  #deliver(message: RtmpMessage): void {
    const { type, timestamp, payload } = message;
    switch (type) {
      case MessageType.audio:
        return this.handler.onAudio?.(timestamp, payload);
      case MessageType.video:
        return this.handler.onVideo?.(timestamp, payload);
      case MessageType.data:
      case MessageType.dataAmf3:
        return this.#data(message);
      case MessageType.command:
      case MessageType.commandAmf3:
        return this.#command(message);
    }
  }

  #data(message: RtmpMessage): void {
    const data = readStreamData(message);
    if (data) this.handler.onData?.(data);
  }

  #command(message: RtmpMessage): void {
    const command = readCommand(message);
    if (!command) return;
    const { name, object, values } = command;
    if (name !== "onStatus") return this.handler.onCommand?.(name, values);
    const status = readStatus(values.done ? object : values.readValue());
    const isError = status.level === "error";
    const index = this.#expected.findIndex(({ accepts }) => isError || accepts === status.code);
    const [expected] = index < 0 ? [] : this.#expected.splice(index, 1);
    expected?.settle(isError ? new StatusError(status) : undefined, status);
    this.handler.onStatus?.(status);
  }

  #ask(accepts: string, command: string, ...args: AmfValue[]): Promise<Status> {
    if (this.#closed) return Promise.reject(new ConnectionError("The stream is closed"));
    return new Promise((resolve, reject) => {
      this.#expected.push({
        accepts,
        settle: (error, status) => error ? reject(error) : resolve(status!),
      });
      this.#host.client.command(this.#commands, command, ...args);
    });
  }
}
