import type { PublisherOutput } from "../media/connection.ts";
import { Frame } from "../media/frame.ts";
import type { Listener, ListenerOutput } from "../media/listener.ts";
import type { Channel } from "./channel.ts";
import { DeliveryMeter } from "./delivery_meter.ts";
import { type StatusLevel, statusMessage } from "./format/commands.ts";
import { commandMessage, UserControl, userControlMessage } from "./format/messages.ts";
import type { NetConnection } from "./net_connection.ts";
import { PlayLimit } from "./play_limit.ts";

/** Flow sync for three channels, so that the client begins to read all of them at the same time. §3.7. */
const SYNC = userControlMessage(UserControl.flowSync, 0, 3);
const NOTHING = new Uint8Array(0);
/** Memory of a waiting message besides its bytes, in bytes. */
const MESSAGE = 300;

/**
 * Output of one stream to its client: statuses and data on one channel, which opens with the first of
 * them, when the client knows the id of the stream; and while playing, audio and video on a channel
 * each. rtmfp-wire §3.6, §6.5 to §6.8.
 */
export class StreamOutput implements PublisherOutput, ListenerOutput {
  #host: NetConnection;
  #listener: Listener | undefined;
  #whenDelivered: (() => void) | undefined;
  /** Called when a script ends playing. */
  whenEnded: ((code: string, description: string) => void) | undefined;
  #limit: PlayLimit | undefined;
  #data: Channel | undefined;
  #audio: DeliveryMeter | undefined;
  #video: DeliveryMeter | undefined;

  /** @param id of the stream in its session */
  constructor(readonly id: number, host: NetConnection) {
    this.#host = host;
  }

  /** Sends `onStatus` with code `NetStream.<code>`. */
  tell(level: StatusLevel, code: string, description: string): void {
    this.#dataChannel.write(statusMessage(level, `NetStream.${code}`, description));
  }

  /** Before publishing or playing: replaces a channel that the client has rejected. */
  renew(): void {
    if (this.#data?.closed) this.#data = undefined;
  }

  /**
   * Opens the channels of media for a listener.
   * @param whenDelivered called after an acknowledgement; must not write
   */
  open(listener: Listener, whenDelivered?: () => void): void {
    this.#listener = listener;
    this.#whenDelivered = whenDelivered;
    if (this.#host.door.flowSync) this.#dataChannel.write(SYNC);
    this.#audio = this.#mediaChannel("audio", listener);
    this.#video = this.#mediaChannel("video", listener);
  }

  /** Limit of a live stream; undefined: all of it is sent. */
  get limit(): PlayLimit | undefined {
    return this.#limit;
  }

  /** @param length milliseconds of a live stream to send; -1: all of it */
  limitTo(length: number, now: number): void {
    this.#limit = length >= 0 ? new PlayLimit(length, now) : undefined;
  }

  /** Ends the channels of media. */
  shut(): void {
    this.#audio?.channel.close();
    this.#video?.channel.close();
    this.#audio =
      this.#video =
      this.#listener =
      this.#limit =
        undefined;
  }

  /** Ends all channels. */
  end(): void {
    this.shut();
    this.#data?.close();
    this.#data = undefined;
  }

  // For a publisher

  status(code: string, description: string): void {
    this.tell("status", code, description);
  }

  close(): void {
    this.#dataChannel.write(commandMessage("close", 0, NOTHING));
  }

  // For a listener

  get queuedBytes(): number {
    return waiting(this.#audio?.channel) + waiting(this.#video?.channel);
  }

  get queuedDataBytes(): number {
    return waiting(this.#data);
  }

  send(frame: Frame, time: number, reliable: boolean): void {
    if (frame.kind === "data") {
      this.#dataChannel.writeFrame(frame, time);
      return;
    }
    const meter = frame.kind === "audio" ? this.#audio : this.#video;
    if (!meter || this.#limit?.excludes(time)) return;
    meter.channel.writeFrame(frame, time, reliable);
    meter.wrote(time, frame.role === "header");
  }

  get videoWaitsSince(): number {
    return this.#video?.waitsSince ?? Infinity;
  }

  get mediaWaitsSince(): number {
    const since = (meter: DeliveryMeter | undefined) => meter?.channel.waitsSince ?? Infinity;
    return Math.min(since(this.#audio), since(this.#video));
  }

  abandon(kind: "audio" | "video"): number {
    const meter = kind === "audio" ? this.#audio : this.#video;
    if (!meter) return 0;
    const { frames, others } = meter.abandon();
    if (others > 0 && this.#host.door.flowSync) meter.channel.write(SYNC); // it was dropped, too
    return frames;
  }

  sampleAccess(audio: boolean, video: boolean): void {
    const values = Uint8Array.of(1, audio ? 1 : 0, 1, video ? 1 : 0); // two AMF0 booleans
    this.#dataChannel.writeFrame(new Frame("data", 0, values, "|RtmpSampleAccess"), 0);
  }

  published(): void {
    this.tell("status", "Play.PublishNotify", `${this.#name} is now published`);
  }

  unpublished(): void {
    this.tell("status", "Play.UnpublishNotify", `${this.#name} is now unpublished`);
  }

  ended(code: string, description: string): void {
    this.whenEnded?.(code, description);
  }

  overflowed(): void {
    const text = `${this.#name} is more than the connection can take`;
    this.tell("status", "Play.InsufficientBW", text);
  }

  get #name(): string {
    return this.#listener?.publication.name ?? "";
  }

  get #dataChannel(): Channel {
    return this.#data ??= this.#host.open(this.id, "command");
  }

  #mediaChannel(kind: "audio" | "video", listener: Listener): DeliveryMeter {
    const channel = this.#host.open(this.id, kind);
    const meter = new DeliveryMeter(kind, channel, listener, this.#host);
    meter.whenDelivered = this.#whenDelivered;
    channel.handler = meter;
    if (this.#host.door.flowSync) channel.write(SYNC);
    return meter;
  }
}

/** Number of bytes that wait, including the memory for keeping them, to limit many small frames too. */
function waiting(channel: Channel | undefined): number {
  return channel ? channel.queuedBytes + MESSAGE * channel.queuedMessages : 0;
}
