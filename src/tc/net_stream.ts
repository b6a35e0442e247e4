import type { AmfObject, AmfReader } from "../amf/mod.ts";
import { WireError } from "../bytes/wire_error.ts";
import { Frame } from "../media/frame.ts";
import type { Listener } from "../media/listener.ts";
import type { Reception } from "../media/publication.ts";
import type { Publisher } from "../media/publisher.ts";
import { NameTaken, Refused } from "../media/refused.ts";
import type { Source } from "./channel.ts";
import { type Command, readBoolean, readCommand, readNumber, readText } from "./format/commands.ts";
import { type DataMessage, readDataMessage } from "./format/data.ts";
import { type Message, MessageType, UserControl } from "./format/messages.ts";
import type { NetConnection } from "./net_connection.ts";
import { StreamOutput } from "./stream_output.ts";
import { NO_PROPERTIES, type StreamName } from "./target.ts";

/** Characters of a name. */
const LONGEST_NAME = 4096;

/**
 * The server's side of a NetStream: it publishes, or plays, or does neither. RFC 7425 §5.3.3,
 * rtmfp-wire §6.4 to §6.8.
 */
export class NetStream {
  #publisher: Publisher | undefined;
  #listener: Listener | undefined;
  /** Where `publish` or `play` came from; its end ends that. */
  #source: Source | undefined;
  #output: StreamOutput;

  /**
   * @param id message stream id
   * @param number the server-wide id that scripts see
   */
  constructor(readonly id: number, readonly number: number, readonly connection: NetConnection) {
    this.#output = new StreamOutput(id, connection);
  }

  /** The publication it publishes; undefined if it does not. */
  get publishing(): string | undefined {
    return this.#publisher?.active ? this.#publisher.publication.name : undefined;
  }

  /** The publication it plays; undefined if it does not. */
  get playing(): string | undefined {
    return this.#listener?.active ? this.#listener.publication.name : undefined;
  }

  /** Whether {@link media} takes frames; else they need not be made. */
  get takesMedia(): boolean {
    return this.#publisher?.active ?? false;
  }

  /** An audio or video message has come. The frame belongs to the stream from now on. */
  media(frame: Frame, reception: Reception): void {
    if (frame.kind === "audio") this.#publisher?.audio(frame, reception);
    else this.#publisher?.video(frame, reception);
  }

  /**
   * Any other message has come.
   * @param message its payload is good until the call returns
   */
  receive(message: Message, source: Source): void {
    try {
      const command = readCommand(message);
      if (command) return this.#onCommand(command, source);
      const data = this.takesMedia ? readDataMessage(message) : undefined;
      if (data) this.#onData(data, message.timestamp);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.connection.hub.log(
        "debug",
        `Cannot read a message of stream ${this.id}: ${error.message}`,
      );
    }
  }

  /** The client has ended what messages came from. */
  sourceEnded(source: Source): void {
    if (source === this.#source) this.stop();
  }

  /** Ends publishing and playing, with a word to the client. */
  stop(): void {
    this.#source = undefined;
    const { hub } = this.connection;
    const publisher = this.#publisher;
    const listener = this.#listener;
    this.#publisher = this.#listener = undefined;
    if (publisher?.active) {
      hub.unpublish(publisher);
      const { name } = publisher.publication;
      this.#output.tell("status", "Unpublish.Success", `${name} is now unpublished`);
      this.connection.door.unpublished?.(this, name);
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

  #onData({ name, values }: DataMessage, timestamp: number): void {
    const publisher = this.#publisher!;
    if (name === "@setDataFrame" || name === "@clearDataFrame") {
      const inner = readDataMessage({ type: MessageType.data, timestamp: 0, payload: values });
      if (!inner) return;
      if (name === "@setDataFrame") publisher.setDataFrame(inner.name, inner.values, timestamp);
      else publisher.clearDataFrame(inner.name);
      return;
    }
    publisher.data(new Frame("data", timestamp, values, name));
  }

  #onCommand({ name, values }: Command, source: Source): void {
    switch (name) {
      case "publish":
        return this.#publish(readText(values), source);
      case "play":
        return this.#play(readText(values), readNumber(values), source);
      case "play2":
        return this.#play2(values, source);
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

  #publish(text: string | undefined, source: Source): void {
    this.stop();
    this.#output.renew();
    if (text === undefined) return;
    const { name, properties } = this.#nameOf(text);
    if (name === "") return this.connection.door.publishRefused?.(this, name);
    if (name.length > LONGEST_NAME) {
      return this.#refusePublish("Publish.Failed", name, "The name is too long");
    }
    const { hub, client } = this.connection;
    try {
      this.#publisher = hub.publish(client, name, this.number, this.#output, properties);
    } catch (error) {
      if (error instanceof NameTaken) {
        return this.#refusePublish("Publish.BadName", name, error.message);
      }
      if (!(error instanceof Refused)) throw error;
      const text = error.description || `Not allowed to publish ${name}`;
      return this.#refusePublish("Publish.Failed", name, text);
    }
    this.#source = source;
    this.#output.tell("status", "Publish.Start", `${name} is now published`);
    this.connection.door.published?.(this, name);
    this.#publisher.start();
  }

  #refusePublish(code: string, name: string, text: string): void {
    this.#output.tell("error", code, text);
    this.connection.door.publishRefused?.(this, name);
  }

  #play2(values: AmfReader, source: Source): void {
    const options = values.done ? undefined : values.readValue() as AmfObject | null | undefined;
    const name = options?.streamName;
    const start = options?.start;
    this.#play(
      typeof name === "string" ? name : undefined,
      typeof start === "number" ? start : undefined,
      source,
    );
  }

  /** @param start -3 s or -3000 ms asks for media without buffering. API-445. */
  #play(text: string | undefined, start: number | undefined, source: Source): void {
    this.stop();
    this.#output.renew();
    if (text === undefined || text === "") return;
    const { name: asked, properties } = this.#nameOf(text);
    const name = this.connection.door.playName?.(asked) ?? asked;
    if (name === "") return;
    if (name.length > LONGEST_NAME) {
      return this.#refusePlay(name, "The name is too long");
    }
    const { hub, client, door: { rebase } } = this.connection;
    const unbuffered = start === -3 || start === -3000;
    let listener: Listener;
    try {
      listener = hub.subscribe(client, name, this.number, this.#output, {
        unbuffered,
        rebase,
        properties,
      });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const text = error.description || `Not authorized to play ${name}`;
      return this.#refusePlay(name, text);
    }
    this.#listener = listener;
    this.#source = source;
    this.connection.control(UserControl.streamBegin, this.id);
    this.#output.tell("status", "Play.Reset", `Playing and resetting ${name}`);
    this.#output.tell("status", "Play.Start", `Started playing ${name}`);
    this.#output.open(listener);
    listener.start();
  }

  #nameOf(text: string): StreamName {
    return this.connection.door.streamName?.(text) ?? { name: text, properties: NO_PROPERTIES };
  }

  #refusePlay(name: string, text: string): void {
    this.#output.tell("error", "Play.Failed", text);
    this.connection.door.playRefused?.(this, name);
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
