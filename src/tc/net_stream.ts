import type { AmfReader } from "../amf/mod.ts";
import { WireError } from "../bytes/wire_error.ts";
import { Frame } from "../media/frame.ts";
import type { PublishType, Reception } from "../media/publication.ts";
import type { Publisher } from "../media/publisher.ts";
import type { RecordMode } from "../media/recordings.ts";
import { NameTaken, Refused } from "../media/refused.ts";
import type { Source } from "./channel.ts";
import { type Command, readBoolean, readCommand, readNumber, readText } from "./format/commands.ts";
import { type DataMessage, readDataMessage } from "./format/data.ts";
import { type Message, MessageType } from "./format/messages.ts";
import type { NetConnection } from "./net_connection.ts";
import { Playback } from "./playback.ts";
import { readPlayRequest } from "./play_request.ts";
import { StreamOutput } from "./stream_output.ts";
import { NO_PROPERTIES, type StreamName } from "./target.ts";

/** Maximum length of a name in characters. */
export const MAX_NAME_LENGTH = 4096;

/**
 * The server's side of a NetStream: it publishes, or plays, or does neither. RFC 7425 §5.3.3,
 * rtmfp-wire §6.4 to §6.8.
 */
export class NetStream {
  #publisher: Publisher | undefined;
  /** Source of `publish` or `play`, which ends with it. */
  #source: Source | undefined;
  #output: StreamOutput;
  #playback: Playback;

  /**
   * @param id message stream id
   * @param number the server-wide id that scripts see
   */
  constructor(readonly id: number, readonly number: number, readonly connection: NetConnection) {
    this.#output = new StreamOutput(id, connection);
    const onRefused = (name: string) => connection.door.playRefused?.(this, name);
    this.#playback = new Playback(id, number, connection, this.#output, onRefused);
  }

  /** The publication it publishes; undefined if it does not. */
  get publishing(): string | undefined {
    return this.#publisher?.active ? this.#publisher.publication.name : undefined;
  }

  /** The publication it plays; undefined if it does not. */
  get playing(): string | undefined {
    return this.#playback.name;
  }

  /** Whether {@link media} uses frames; if not, callers need not create them. */
  get takesMedia(): boolean {
    return (this.#publisher?.active ?? false) || this.connection.hub.waiting.holds(this.connection);
  }

  /** An audio or video message has arrived. The stream owns the frame from now on. */
  media(frame: Frame, reception: Reception): void {
    const { connection } = this;
    if (connection.waits(frame.kind === "audio" ? "audio" : "video")) {
      return connection.later(frame.payload.length, () => this.#media(frame, reception));
    }
    this.#media(frame, reception);
  }

  #media(frame: Frame, reception: Reception): void {
    if (frame.kind === "audio") this.#publisher?.audio(frame, reception);
    else this.#publisher?.video(frame, reception);
  }

  /**
   * Another message has arrived.
   * @param message its payload is valid until the call returns
   */
  receive(message: Message, source: Source): void {
    const { connection } = this;
    if (connection.waits("call")) {
      const payload = message.payload.slice();
      return connection.later(payload.length, () => this.#take({ ...message, payload }, source));
    }
    this.#take(message, source);
  }

  #take(message: Message, source: Source): void {
    try {
      const command = readCommand(message);
      if (command) return this.#onCommand(command, source);
      const data = this.#publisher?.active ? readDataMessage(message) : undefined;
      if (data) this.#onData(data, message.timestamp);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.connection.hub.log(
        "debug",
        `Cannot read a message of stream ${this.id}: ${error.message}`,
      );
    }
  }

  /** The client sets its buffer length in milliseconds. */
  setBuffer(milliseconds: number): void {
    this.#playback.setBuffer(milliseconds);
  }

  /** Called every 2 s. */
  manage(): void {
    this.#playback.manage();
  }

  /** The client has ended a source of messages. */
  sourceEnded(source: Source): void {
    const { connection } = this;
    if (connection.hub.waiting.holds(connection)) {
      return connection.later(0, () => this.#sourceEnded(source));
    }
    this.#sourceEnded(source);
  }

  #sourceEnded(source: Source): void {
    if (source === this.#source) this.stop();
  }

  /** Ends publishing and playing, and tells the client. */
  stop(): void {
    this.#source = undefined;
    const { hub } = this.connection;
    const publisher = this.#publisher;
    this.#publisher = undefined;
    if (publisher?.active) {
      hub.unpublish(publisher);
      const { name } = publisher.publication;
      this.#output.tell("status", "Unpublish.Success", `${name} is now unpublished`);
      this.connection.door.unpublished?.(this, name);
    }
    this.#playback.stop();
  }

  /** The stream is deleted. */
  delete(): void {
    this.stop();
    this.#output.end();
  }

  // Messages of the client

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
        return this.#publish(readText(values), publishType(readText(values)), source);
      case "play":
      case "play2":
        return this.#play(name, values, source);
      case "closeStream":
        return this.stop();
      case "pause":
      case "pauseRaw":
        return this.#playback.pause(readBoolean(values), readNumber(values));
      case "seek":
        return this.#playback.seek(readNumber(values));
      case "receiveAudio":
      case "receiveVideo":
        return this.#playback.receive(name, readBoolean(values));
      default: // ignores unknown commands, such as FCPublish
        return;
    }
  }

  #publish(text: string | undefined, type: PublishType, source: Source): void {
    this.stop();
    this.#output.renew();
    if (text === undefined) return;
    const { name, properties } = this.#nameOf(text);
    if (name === "") return this.connection.door.publishRefused?.(this, name);
    if (name.length > MAX_NAME_LENGTH) {
      return this.#refusePublish("Publish.Failed", name, "The name is too long");
    }
    const { hub, client } = this.connection;
    try {
      this.#publisher = hub.publish(client, name, this.number, this.#output, properties, type);
    } catch (error) {
      if (error instanceof NameTaken) {
        hub.log("note", `${client.address} may not publish ${name}: ${error.message}`);
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
    if (type !== "live") this.#record(name, type);
  }

  /** Starts a recording of the publication, which continues if that fails. VOD-202. */
  #record(name: string, mode: RecordMode): void {
    const { publication } = this.#publisher!;
    const { hub: { recordings }, client } = this.connection;
    const refuse = (text: string) => this.#output.tell("error", "Record.NoAccess", text);
    if (!recordings?.clientsMayRecord) return refuse("Recording is off: [record] enabled");
    if (publication.recording) return; // by a script at its begin
    try {
      client.application.record?.(client, publication, name);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return refuse(error.description || `Not allowed to record ${name}`);
    }
    const recording = recordings.record(publication, client.application.path, name, mode, {
      started: () => this.#output.tell("status", "Record.Start", `Recording ${name}`),
      failed: (access, text) =>
        this.#output.tell("error", access ? "Record.NoAccess" : "Record.Failed", text),
      stopped: () => this.#output.tell("status", "Record.Stop", `Stopped recording ${name}`),
    });
    if (typeof recording === "string") refuse(recording);
  }

  #refusePublish(code: string, name: string, text: string): void {
    this.#output.tell("error", code, text);
    this.connection.door.publishRefused?.(this, name);
  }

  #play(command: "play" | "play2", values: AmfReader, source: Source): void {
    const request = readPlayRequest(command, values, (text) => this.#nameOf(text));
    if (!request?.append) this.stop();
    this.#output.renew();
    if (!request) return;
    const { name } = request.item;
    if (name.length > MAX_NAME_LENGTH) {
      this.#output.tell("error", "Play.Failed", "The name is too long");
      return this.connection.door.playRefused?.(this, name);
    }
    this.#source = source;
    this.#playback.play(request);
  }

  #nameOf(text: string): StreamName {
    return this.connection.door.streamName?.(text) ?? { name: text, properties: NO_PROPERTIES };
  }
}

/** The type of a publication; "live" for unknown ones. VOD-201. */
function publishType(text: string | undefined): PublishType {
  return text === "record" || text === "append" || text === "appendWithGap" ? text : "live";
}
