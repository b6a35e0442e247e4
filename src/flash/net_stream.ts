import type { AmfObject, AmfReader } from "../amf/mod.ts";
import { WireError } from "../bytes/wire_error.ts";
import type { Client } from "../media/client.ts";
import { Frame } from "../media/frame.ts";
import type { Hub } from "../media/hub.ts";
import type { Listener } from "../media/listener.ts";
import type { Publisher } from "../media/publisher.ts";
import { NameTaken, Refused } from "../media/refused.ts";
import {
  type Command,
  readBoolean,
  readCommand,
  readNumber,
  readText,
} from "../tc/format/commands.ts";
import { readDataMessage } from "../tc/format/data.ts";
import {
  HEADER_LENGTH,
  type Message,
  MessageType,
  readMessage,
  UserControl,
} from "../tc/format/messages.ts";
import { type OutputHost, StreamOutput } from "./stream_output.ts";
import type { FlowReceiver, InFlow } from "./transport.ts";

/** What a stream needs of its connection. */
export interface StreamHost extends OutputHost {
  readonly hub: Hub;
  readonly client: Client;
  /** Sends a user control message on the control flow. */
  control(event: number, ...values: number[]): void;
}

/** Bytes of media that a publisher may have on the way. */
const MEDIA_WINDOW = 1 << 20;
/** Characters of a name. */
const LONGEST_NAME = 4096;

/**
 * The server's side of a NetStream: it publishes, or plays, or does neither. RFC 7425 §5.3.3,
 * rtmfp-wire §6.4 to §6.8.
 */
export class NetStream {
  #host: StreamHost;
  #publisher: Publisher | undefined;
  #listener: Listener | undefined;
  /** The flow that brought `publish` or `play`; its end ends that. */
  #commandFlow: InFlow | undefined;
  #output: StreamOutput;

  /**
   * @param id of the stream in its session
   * @param number the server-wide id that scripts see
   */
  constructor(readonly id: number, readonly number: number, host: StreamHost) {
    this.#host = host;
    this.#output = new StreamOutput(id, host);
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
      this.#output.tell("status", "Unpublish.Success", `${name} is now unpublished`);
    }
    if (listener?.active) {
      hub.unsubscribe(listener);
      this.#output.tell("status", "Play.Stop", `Stopped playing ${listener.publication.name}`);
    }
    this.#output.shut();
  }

  /** The stream is deleted. */
  delete(): void {
    this.stop();
    this.#output.end();
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
    this.stop();
    this.#output.renew();
    if (name === undefined || name === "") return;
    if (name.length > LONGEST_NAME) {
      return this.#output.tell("error", "Publish.Failed", "The name is too long");
    }
    const { hub, client } = this.#host;
    try {
      this.#publisher = hub.publish(client, name, this.number, this.#output);
    } catch (error) {
      if (error instanceof NameTaken) {
        return this.#output.tell("error", "Publish.BadName", error.message);
      }
      if (!(error instanceof Refused)) throw error;
      const text = error.description || `Not allowed to publish ${name}`;
      return this.#output.tell("error", "Publish.Failed", text);
    }
    this.#commandFlow = flow;
    this.#output.tell("status", "Publish.Start", `${name} is now published`);
    this.#publisher.start();
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
    this.stop();
    this.#output.renew();
    if (name === undefined || name === "") return;
    if (name.length > LONGEST_NAME) {
      return this.#output.tell("error", "Play.Failed", "The name is too long");
    }
    const { hub, client } = this.#host;
    const unbuffered = start === -3 || start === -3000;
    let listener: Listener;
    try {
      listener = hub.subscribe(client, name, this.number, this.#output, { unbuffered });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const text = error.description || `Not authorized to play ${name}`;
      return this.#output.tell("error", "Play.Failed", text);
    }
    this.#listener = listener;
    this.#commandFlow = flow;
    this.#host.control(UserControl.streamBegin, this.id);
    this.#output.tell("status", "Play.Reset", `Playing and resetting ${name}`);
    this.#output.tell("status", "Play.Start", `Started playing ${name}`);
    this.#output.open(listener);
    listener.start();
  }

  #pause(on: boolean | undefined): void {
    const listener = this.#listener;
    if (!listener?.active || on === undefined) return;
    listener.paused = on;
    const { name } = listener.publication;
    if (on) this.#output.tell("status", "Pause.Notify", `Pausing ${name}`);
    else this.#output.tell("status", "Unpause.Notify", `Unpausing ${name}`);
  }

  /** There is nowhere to go in what is live, but clients wait for the word. */
  #seek(milliseconds: number | undefined): void {
    if (!this.#listener?.active) return;
    const { name } = this.#listener.publication;
    this.#output.tell("status", "Seek.Notify", `Seeking ${milliseconds ?? 0} in ${name}`);
  }

  #receive(what: "receiveAudio" | "receiveVideo", on: boolean | undefined): void {
    if (this.#listener?.active && on !== undefined) this.#listener[what] = on;
  }
}
