import { toAmf0 } from "../amf/to_amf0.ts";
import type { Frame } from "../media/frame.ts";
import type { Channel, ChannelHandler, ChannelKind } from "../tc/channel.ts";
import { dataPayload, type Message, MessageType } from "../tc/format/messages.ts";
import { markAmf3 } from "../tc/format/amf_versions.ts";
import type { OutgoingMessage } from "./chunk_writer.ts";
import { CONTROL_CHUNK_STREAM } from "./control.ts";
import { InFlight } from "./in_flight.ts";
import type { Lane } from "./out_queue.ts";

/** Interface of the session for a channel. */
export interface ChannelHost {
  readonly objectEncoding: 0 | 3;
  /** Whether values may be sent as AMF3: not before the answer to `connect`. */
  readonly connectAnswered: boolean;
  /** Bytes handed out since the start. */
  readonly bytesHandedOut: number;
  send(message: OutgoingMessage, lane: Lane): void;
  abandon(lane: Lane): number;
  waitingSince(lane: Lane): number | undefined;
  onChannelClosed(channel: RtmpChannel): void;
}

/** Chunk streams of messages other than control. RTMP-103. */
const CONNECTION_COMMANDS = 3;
const CHUNK_STREAMS: Record<ChannelKind, number> = { command: 5, audio: 6, video: 7 };

/** Identify data in AMF0, and data that may contain AMF3, among the forms of a frame. */
const FORM_AMF0 = {};
const FORM_AMF3 = {};

/** Messages on one message stream, in the queue of the whole connection. */
export class RtmpChannel implements Channel, Lane {
  handler: ChannelHandler | undefined;
  readonly media: boolean;
  queuedBytes = 0;
  queuedMessages = 0;
  sentFragments = 0;
  /** Always 0: TCP repeats lost segments without a report. */
  readonly lostFragments = 0;
  #closed = false;
  #last = 0;
  /** Undefined before the first frame. */
  #inFlight: InFlight | undefined;

  /** @param stream message stream id */
  constructor(readonly stream: number, readonly kind: ChannelKind, readonly host: ChannelHost) {
    this.media = kind !== "command";
  }

  get closed(): boolean {
    return this.#closed;
  }

  get lastMessage(): number {
    return this.#last;
  }

  get firstPending(): number {
    return this.#inFlight?.first ?? (this.#inFlight?.arrived ?? 0) + 1;
  }

  get ackedBytes(): number {
    return this.#inFlight?.arrivedBytes ?? 0;
  }

  /** Time (ms) at which the oldest untouched message was written; Infinity if there is none. */
  get waitsSince(): number {
    return this.host.waitingSince(this) ?? Infinity;
  }

  write(message: Message): void {
    const { objectEncoding, connectAnswered } = this.host;
    const { type, timestamp, payload } = objectEncoding === 3 && connectAnswered
      ? markAmf3(message)
      : message;
    this.#send(type, timestamp, payload);
  }

  writeFrame(frame: Frame, time: number): void {
    if (frame.kind === "data") return this.#writeData(frame, time);
    const type = frame.kind === "audio" ? MessageType.audio : MessageType.video;
    this.#send(type, time, frame.payload);
  }

  abandonUnsent(): number {
    return this.host.abandon(this);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.host.onChannelClosed(this);
  }

  /** The connection has ended. */
  end(): void {
    this.#closed = true;
  }

  onHandedOut({ payload }: OutgoingMessage): void {
    this.sentFragments++;
    if (!this.media) return;
    const number = this.#last - this.queuedMessages; // waiting messages are the last ones
    this.#inFlight ??= new InFlight();
    this.#inFlight.push(number, payload.length, this.host.bytesHandedOut);
  }

  /** This total of the connection's bytes has reached the client. */
  arrived(bytes: number): void {
    if (this.#inFlight?.arrive(bytes)) this.handler?.onAcknowledged?.();
  }

  /** Sends data, except to a client of AMF0 if AMF0 cannot express them. RTMP-417. */
  #writeData(frame: Frame, time: number): void {
    const amf0 = this.host.objectEncoding === 0;
    const form = amf0 ? FORM_AMF0 : FORM_AMF3;
    let payload = frame.form(form)?.bytes;
    if (!payload) {
      const values = amf0 ? toAmf0(frame.payload) : frame.payload;
      if (!values) return;
      payload = dataPayload(frame.name, values);
      frame.keepForm(form, 0, payload);
    }
    const data = { type: MessageType.data, timestamp: time, payload };
    const { type, payload: marked } = amf0 ? data : markAmf3(data);
    this.#send(type, time, marked);
  }

  #send(type: number, timestamp: number, payload: Uint8Array): void {
    if (this.#closed) return;
    this.#last++;
    this.host.send({
      chunkStream: this.#chunkStream(type),
      type,
      timestamp,
      stream: type === MessageType.userControl ? 0 : this.stream,
      payload,
    }, this);
  }

  #chunkStream(type: number): number {
    if (type === MessageType.userControl) return CONTROL_CHUNK_STREAM;
    return this.stream === 0 ? CONNECTION_COMMANDS : CHUNK_STREAMS[this.kind];
  }
}
