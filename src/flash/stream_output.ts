import type { PublisherOutput } from "../media/connection.ts";
import type { Frame, FrameKind } from "../media/frame.ts";
import type { Listener, ListenerOutput } from "../media/listener.ts";
import { type Level, writeStatus } from "../tc/format/commands.ts";
import { DeliveryMeter } from "./delivery_meter.ts";
import {
  HEADER_LENGTH,
  MessageType,
  setHeader,
  UserControl,
  writeCommand,
  writeData,
  writeUserControl,
} from "../tc/format/messages.ts";
import { type OutFlow, Priority } from "./transport.ts";

/** What the output of a stream needs of its connection. */
export interface OutputHost {
  /** Round trip in milliseconds. */
  readonly ping: number;
  /** A flow of this stream to the client, in answer to its control flow. */
  openStreamFlow(stream: number, priority: number, timeCritical: boolean): OutFlow;
}

const UNRELIABLE = { reliable: false } as const;
/** The same on three flows, so that the client begins to take from all of them at once. §3.7. */
const SYNC = writeUserControl(UserControl.flowSync, 0, 3);
const NOTHING = new Uint8Array(0);
/** What a message that waits costs besides its bytes. */
const MESSAGE = 300;

/**
 * What a client is sent of one stream: statuses and data on one flow, which opens with the first
 * of them (for then the client knows the id of the stream), and while it plays audio and video on
 * one each. rtmfp-wire §3.6, §6.5 to §6.8.
 */
export class StreamOutput implements PublisherOutput, ListenerOutput {
  #host: OutputHost;
  #listener: Listener | undefined;
  #data: OutFlow | undefined;
  #audio: DeliveryMeter | undefined;
  #video: DeliveryMeter | undefined;

  /** @param id of the stream in its session */
  constructor(readonly id: number, host: OutputHost) {
    this.#host = host;
  }

  /** Sends `onStatus` with code `NetStream.<code>`. */
  tell(level: Level, code: string, description: string): void {
    this.#dataFlow.write(writeStatus(level, `NetStream.${code}`, description));
  }

  /** A command begins something new. If the client has rejected the flow, it gets another. */
  renew(): void {
    if (this.#data?.closed) this.#data = undefined;
  }

  /** Opens the flows of media for a listener. */
  open(listener: Listener): void {
    this.#listener = listener;
    this.#dataFlow.write(SYNC);
    this.#audio = this.#mediaFlow("audio", listener);
    this.#video = this.#mediaFlow("video", listener);
  }

  /** Ends the flows of media. */
  shut(): void {
    this.#audio?.flow.close();
    this.#video?.flow.close();
    this.#audio = this.#video = this.#listener = undefined;
  }

  /** Ends all flows. */
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
    this.#dataFlow.write(writeCommand("close", 0, NOTHING));
  }

  // For a listener

  get queuedBytes(): number {
    return waiting(this.#audio?.flow) + waiting(this.#video?.flow);
  }

  get queuedDataBytes(): number {
    return waiting(this.#data);
  }

  send(frame: Frame, time: number, reliable: boolean): void {
    if (frame.kind === "data") {
      this.#dataFlow.write(encode(frame, 0));
      return;
    }
    const meter = frame.kind === "audio" ? this.#audio : this.#video;
    if (!meter) return;
    meter.flow.write(encode(frame, time), reliable ? undefined : UNRELIABLE);
    meter.wrote(time);
  }

  abandon(): number {
    let frames = 0;
    for (const meter of [this.#audio, this.#video]) {
      if (!meter) continue;
      frames = meter.flow.abandonUnsent(); // video comes last
      meter.abandoned(frames);
    }
    return frames;
  }

  sampleAccess(audio: boolean, video: boolean): void {
    const values = Uint8Array.of(1, audio ? 1 : 0, 1, video ? 1 : 0); // two AMF0 booleans
    this.#dataFlow.write(writeData("|RtmpSampleAccess", values));
  }

  published(): void {
    this.tell("status", "Play.PublishNotify", `${this.#name} is now published`);
  }

  unpublished(): void {
    this.tell("status", "Play.UnpublishNotify", `${this.#name} is now unpublished`);
  }

  overflowed(): void {
    const text = `${this.#name} is more than the connection can take`;
    this.tell("status", "Play.InsufficientBW", text);
  }

  get #name(): string {
    return this.#listener?.publication.name ?? "";
  }

  get #dataFlow(): OutFlow {
    return this.#data ??= this.#host.openStreamFlow(this.id, Priority.command, false);
  }

  #mediaFlow(kind: "audio" | "video", listener: Listener): DeliveryMeter {
    const flow = this.#host.openStreamFlow(this.id, Priority[kind], true);
    const meter = new DeliveryMeter(kind, flow, listener, this.#host);
    flow.handler = meter;
    flow.write(SYNC);
    return meter;
  }
}

/** Bytes that wait, with what it costs to keep them: a flood of small frames is a flood too. */
function waiting(flow: OutFlow | undefined): number {
  return flow ? flow.queuedBytes + MESSAGE * flow.queuedMessages : 0;
}

const TYPES: Record<FrameKind, number> = {
  audio: MessageType.audio,
  video: MessageType.video,
  data: MessageType.dataAmf3,
};

/** The message of a frame, which is made once for all listeners that get it at the same time. */
function encode(frame: Frame, time: number): Uint8Array {
  if (frame.encoded && frame.encodedTime === time) return frame.encoded;
  let message: Uint8Array;
  if (frame.kind === "data") {
    message = writeData(frame.name, frame.payload);
  } else {
    message = new Uint8Array(HEADER_LENGTH + frame.payload.length);
    setHeader(message, TYPES[frame.kind], time);
    message.set(frame.payload, HEADER_LENGTH);
  }
  frame.encoded = message;
  frame.encodedTime = time;
  return message;
}
