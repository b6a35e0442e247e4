import type { AmfObject, AmfReader } from "../amf/mod.ts";
import { WireError } from "../bytes/wire_error.ts";
import type { PublisherOutput } from "../media/connection.ts";
import { Frame, type FrameKind } from "../media/frame.ts";
import type { Client } from "../media/client.ts";
import type { Hub } from "../media/hub.ts";
import type { Listener, ListenerOutput } from "../media/listener.ts";
import type { Publisher } from "../media/publisher.ts";
import { NameTaken, Refused } from "../media/refused.ts";
import {
  type Command,
  type Level,
  readBoolean,
  readCommand,
  readNumber,
  readText,
  writeStatus,
} from "./commands.ts";
import { readDataMessage } from "./data.ts";
import { DeliveryMeter } from "./delivery_meter.ts";
import {
  HEADER_LENGTH,
  type Message,
  MessageType,
  readMessage,
  setHeader,
  UserControl,
  writeCommand,
  writeData,
  writeUserControl,
} from "./messages.ts";
import { type FlowReceiver, type InFlow, type OutFlow, Priority } from "./transport.ts";

/** What a stream needs of its connection. */
export interface StreamHost {
  readonly hub: Hub;
  readonly client: Client;
  readonly ping: number;
  /** A flow of this stream to the client, in answer to its control flow. */
  openStreamFlow(stream: number, priority: number, timeCritical: boolean): OutFlow;
  /** Sends a user control message on the control flow. */
  control(event: number, ...values: number[]): void;
}

const UNRELIABLE = { reliable: false } as const;
/** Bytes of media that a publisher may have on the way. */
const MEDIA_WINDOW = 1 << 20;
const SYNC = writeUserControl(UserControl.flowSync, 0, 3);
const NOTHING = new Uint8Array(0);
/** Characters of a name. */
const LONGEST_NAME = 4096;

/**
 * The server's side of a NetStream: it publishes, or plays, or does neither. RFC 7425 §5.3.3,
 * rtmfp-wire §6.4 to §6.8.
 */
export class NetStream implements PublisherOutput, ListenerOutput {
  #host: StreamHost;
  #publisher: Publisher | undefined;
  #listener: Listener | undefined;
  /** The flow that brought `publish` or `play`; its end ends that. */
  #commandFlow: InFlow | undefined;
  #data: OutFlow | undefined;
  #audio: DeliveryMeter | undefined;
  #video: DeliveryMeter | undefined;

  /**
   * @param id of the stream in its session
   * @param number the server-wide id that scripts see
   */
  constructor(readonly id: number, readonly number: number, host: StreamHost) {
    this.#host = host;
  }

  /** Takes the messages of a flow of this stream. Any of its flows may carry any type. */
  receiver(flow: InFlow): FlowReceiver {
    flow.bufferCapacity = MEDIA_WINDOW;
    let received = 0;
    let lost = 0;
    return {
      onMessage: (bytes) => {
        const message = readMessage(bytes);
        if (!message) return;
        if (message.type === MessageType.audio || message.type === MessageType.video) {
          const news = {
            received: flow.receivedFragments - received,
            lost: flow.lostFragments - lost,
            ping: this.#host.ping,
          };
          received = flow.receivedFragments;
          lost = flow.lostFragments;
          this.#onMedia(bytes, message, news);
        } else {
          this.#onOther(message, flow);
        }
      },
      onEnd: () => {
        if (flow === this.#commandFlow) this.stop();
      },
    };
  }

  /** Ends publishing and playing, with a word to the client. */
  stop(): void {
    this.#commandFlow = undefined;
    const { hub } = this.#host;
    const publisher = this.#publisher;
    const listener = this.#listener;
    this.#publisher = this.#listener = undefined;
    if (publisher?.active) {
      hub.unpublish(publisher);
      const { name } = publisher.publication;
      this.#status("status", "Unpublish.Success", `${name} is now unpublished`);
    }
    if (listener?.active) {
      hub.unsubscribe(listener);
      this.#status("status", "Play.Stop", `Stopped playing ${listener.publication.name}`);
    }
    this.#audio?.flow.close();
    this.#video?.flow.close();
    this.#audio = this.#video = undefined;
  }

  /** The stream is deleted. */
  delete(): void {
    this.stop();
    this.#data?.close();
    this.#data = undefined;
  }

  // What the client sends

  #onMedia(
    bytes: Uint8Array,
    message: Message,
    news: { received: number; lost: number; ping: number },
  ): void {
    const publisher = this.#publisher;
    if (!publisher?.active) return;
    const copy = bytes.slice(); // one copy, which is also the message for listeners
    const kind = message.type === MessageType.audio ? "audio" : "video";
    const frame = new Frame(kind, message.timestamp, copy.subarray(HEADER_LENGTH));
    frame.encoded = copy;
    frame.encodedTime = message.timestamp;
    if (kind === "audio") publisher.audio(frame, news);
    else publisher.video(frame, news);
  }

  #onOther(message: Message, flow: InFlow): void {
    try {
      const command = readCommand(message);
      if (command) return this.#onCommand(command, flow);
      const data = this.#publisher?.active ? readDataMessage(message) : undefined;
      if (data) this.#onData(data.name, data.values);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#host.hub.log("debug", `Cannot read a message of stream ${this.id}: ${error.message}`);
    }
  }

  #onData(name: string, values: Uint8Array): void {
    const publisher = this.#publisher!;
    if (name === "@setDataFrame" || name === "@clearDataFrame") {
      const inner = readDataMessage({ type: MessageType.data, timestamp: 0, payload: values });
      if (!inner) return;
      if (name === "@setDataFrame") publisher.setDataFrame(inner.name, inner.values);
      else publisher.clearDataFrame(inner.name);
      return;
    }
    publisher.data(new Frame("data", 0, values, name));
  }

  #onCommand({ name, values }: Command, flow: InFlow): void {
    switch (name) {
      case "publish":
        return this.#publish(readText(values), flow);
      case "play":
        return this.#play(readText(values), readNumber(values), flow);
      case "play2":
        return this.#play2(values, flow);
      case "closeStream":
        return this.stop();
      case "pause":
      case "pauseRaw":
        return this.#pause(readBoolean(values));
      case "seek":
        return this.#seek(readNumber(values));
      case "receiveAudio":
      case "receiveVideo":
        return this.#receive(name, readBoolean(values));
      default: // FCPublish and what else clients try: no stream dies of it
        return;
    }
  }

  #publish(name: string | undefined, flow: InFlow): void {
    this.#restart();
    if (name === undefined || name === "") return;
    if (name.length > LONGEST_NAME) {
      return this.#status("error", "Publish.Failed", "The name is too long");
    }
    const { hub, client } = this.#host;
    try {
      this.#publisher = hub.publish(client, name, this.number, this);
    } catch (error) {
      if (error instanceof NameTaken) {
        return this.#status("error", "Publish.BadName", error.message);
      }
      if (!(error instanceof Refused)) throw error;
      const text = error.description || `Not allowed to publish ${name}`;
      return this.#status("error", "Publish.Failed", text);
    }
    this.#commandFlow = flow;
    this.#status("status", "Publish.Start", `${name} is now published`);
    this.#publisher.start();
  }

  /** Ends what the stream does. If the client has rejected its flow, it gets another. */
  #restart(): void {
    this.stop();
    if (this.#data?.closed) this.#data = undefined;
  }

  #play2(values: AmfReader, flow: InFlow): void {
    const options = values.done ? undefined : values.readValue() as AmfObject | null | undefined;
    const name = options?.streamName;
    const start = options?.start;
    this.#play(
      typeof name === "string" ? name : undefined,
      typeof start === "number" ? start : undefined,
      flow,
    );
  }

  /** @param start -3 s or -3000 ms asks for media without buffering. API-445. */
  #play(name: string | undefined, start: number | undefined, flow: InFlow): void {
    this.#restart();
    if (name === undefined || name === "") return;
    if (name.length > LONGEST_NAME) {
      return this.#status("error", "Play.Failed", "The name is too long");
    }
    const { hub, client } = this.#host;
    const unbuffered = start === -3 || start === -3000;
    let listener: Listener;
    try {
      listener = hub.subscribe(client, name, this.number, this, { unbuffered });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const text = error.description || `Not authorized to play ${name}`;
      return this.#status("error", "Play.Failed", text);
    }
    this.#listener = listener;
    this.#commandFlow = flow;
    this.#host.control(UserControl.streamBegin, this.id);
    this.#status("status", "Play.Reset", `Playing and resetting ${name}`);
    this.#status("status", "Play.Start", `Started playing ${name}`);
    this.#dataFlow.write(SYNC);
    this.#audio = this.#mediaFlow("audio", listener);
    this.#video = this.#mediaFlow("video", listener);
    listener.start();
  }

  #pause(on: boolean | undefined): void {
    const listener = this.#listener;
    if (!listener?.active || on === undefined) return;
    listener.paused = on;
    const { name } = listener.publication;
    if (on) this.#status("status", "Pause.Notify", `Pausing ${name}`);
    else this.#status("status", "Unpause.Notify", `Unpausing ${name}`);
  }

  /** There is nowhere to go in what is live, but clients wait for the word. */
  #seek(milliseconds: number | undefined): void {
    if (!this.#listener?.active) return;
    const { name } = this.#listener.publication;
    this.#status("status", "Seek.Notify", `Seeking ${milliseconds ?? 0} in ${name}`);
  }

  #receive(what: "receiveAudio" | "receiveVideo", on: boolean | undefined): void {
    if (this.#listener?.active && on !== undefined) this.#listener[what] = on;
  }

  // What the client is sent: a publisher

  status(code: string, description: string): void {
    this.#status("status", code, description);
  }

  close(): void {
    this.#dataFlow.write(writeCommand("close", 0, NOTHING));
  }

  // What the client is sent: a listener

  get queuedBytes(): number {
    return (this.#audio?.flow.queuedBytes ?? 0) + (this.#video?.flow.queuedBytes ?? 0);
  }

  get queuedDataBytes(): number {
    return this.#data?.queuedBytes ?? 0;
  }

  send(frame: Frame, time: number, reliable: boolean): void {
    if (frame.kind === "data") {
      this.#dataFlow.write(encode(frame, 0));
      return;
    }
    const meter = frame.kind === "audio" ? this.#audio : this.#video;
    if (!meter) return;
    const message = encode(frame, time);
    meter.flow.write(message, reliable ? undefined : UNRELIABLE);
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
    const name = this.#listener?.publication.name;
    this.#status("status", "Play.PublishNotify", `${name} is now published`);
  }

  unpublished(): void {
    const name = this.#listener?.publication.name;
    this.#status("status", "Play.UnpublishNotify", `${name} is now unpublished`);
  }

  overflowed(): void {
    const name = this.#listener?.publication.name;
    this.#status("status", "Play.InsufficientBW", `${name} is more than the connection can take`);
  }

  /** Opened with the first answer, for then the client knows the stream's id. */
  get #dataFlow(): OutFlow {
    return this.#data ??= this.#host.openStreamFlow(this.id, Priority.command, false);
  }

  #mediaFlow(kind: "audio" | "video", listener: Listener): DeliveryMeter {
    const flow = this.#host.openStreamFlow(this.id, Priority[kind], true);
    const meter = new DeliveryMeter(kind, flow, listener);
    flow.handler = { onAcknowledged: () => meter.settle(this.#host.ping) };
    flow.write(SYNC);
    return meter;
  }

  #status(level: Level, code: string, description: string): void {
    this.#dataFlow.write(writeStatus(level, `NetStream.${code}`, description));
  }
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
