import { type AmfObject, AmfReader, type AmfValue, encodeAmf0 } from "../amf/mod.ts";
import { Reader } from "../bytes/reader.ts";
import { WireError } from "../bytes/wire_error.ts";
import { type Few, minus, NONE, plus } from "../media/few.ts";
import type { Accepting, Door, StreamName } from "../tc/door.ts";
import { type Command, readText, statusMessage } from "../tc/format/commands.ts";
import { commandMessage } from "../tc/format/messages.ts";
import type { NetConnection } from "../tc/net_connection.ts";
import type { NetStream } from "../tc/net_stream.ts";
import { readStreamName, type Target } from "../tc/target.ts";
import type { RtmpSession } from "./rtmp_session.ts";

/** Members of the answer to `connect`, as of Flash Media Server 3.5. RTMP-320. */
const SERVER = { fmsVer: "FMS/3,5,7,7009", capabilities: 31, mode: 1 };
/** Enhanced RTMP: this server forwards every codec. RTMP-802. */
const CAN_FORWARD = { "*": 4 };
const ENHANCED = ["fourCcList", "videoFourCcInfoMap", "audioFourCcInfoMap", "capsEx"];
const CAPS_EX = { reconnect: 1, multitrack: 2, modEx: 4 };
/** Maximum number of names that a client may announce to publish. */
const MAX_ANNOUNCED = 128;
const UNDEFINED = encodeAmf0(undefined);

/** Commands and behaviour of RTMP encoders and players besides those of all doors. RTMP-4xx, 5xx. */
export class RtmpDoor implements Door {
  /** Each viewer's times begin at 0, as those of Adobe's server do. RTMP-706. */
  readonly rebase = true;
  readonly #session: RtmpSession;
  /** Names of FCPublish. */
  #announced: Few<string> = NONE;
  #app = "";
  #reconnects = false;

  constructor(session: RtmpSession) {
    this.#session = session;
  }

  /** Whether a stream publishes. */
  get publishes(): boolean {
    for (const stream of this.#session.connection.streams.values()) {
      if (stream.publishing) return true;
    }
    return false;
  }

  /** Whether the client can be asked to connect again. RTMP-830. */
  get reconnects(): boolean {
    return this.#reconnects;
  }

  // Door

  /** The part after `?` goes to scripts. RTMP-310, DECISIONS 23. */
  streamName(text: string): StreamName {
    return readStreamName(text);
  }

  /** A player may request a stream published as `name` by `mp4:name`. RTMP-312. */
  playName(name: string): string {
    const { publications } = this.#session.connection.hub;
    const plain = /^(?:flv|mp4):(.+)$/.exec(name)?.[1];
    if (plain === undefined || publications.get(name)?.publishing) return name;
    return publications.get(plain)?.publishing ? plain : name;
  }

  /** An application may redirect a client, as in SRS. RTMP-327. */
  redirect({ path, properties, host }: Target): AmfObject | undefined {
    if (path === undefined) return undefined;
    const { address, connection: { hub }, protocol } = this.#session;
    const [found] = hub.applications.handshake({
      address,
      path,
      properties,
      attempts: 1,
      url: host,
    });
    if (found === undefined) return undefined;
    return { ex: { code: 302, redirect: `${protocol}://${found}${path}` } };
  }

  accepting(_connection: NetConnection, told: AmfObject): Accepting {
    this.#session.accepted();
    this.#app = typeof told.app === "string" ? told.app.replace(/\?.*/s, "") : "";
    if (!ENHANCED.some((name) => told[name] !== undefined)) return { object: SERVER };
    const { reconnect, multitrack, modEx } = CAPS_EX;
    this.#reconnects = typeof told.capsEx === "number" && (told.capsEx & reconnect) !== 0;
    const info: AmfObject = {
      videoFourCcInfoMap: CAN_FORWARD,
      audioFourCcInfoMap: CAN_FORWARD,
      capsEx: reconnect | multitrack | modEx,
    };
    if (Array.isArray(told.fourCcList)) info.fourCcList = told.fourCcList.filter(isText);
    return { object: SERVER, info };
  }

  command(connection: NetConnection, command: Command): boolean {
    const { name, transaction } = command;
    switch (name) {
      case "releaseStream":
        this.#stop(this.#nameIn(command));
        return false;
      case "FCPublish":
        this.#announce(this.#nameIn(command));
        return false;
      case "FCUnpublish":
        this.#stop(this.#nameIn(command));
        return false;
      case "FCSubscribe":
        this.#tell("onFCSubscribe", "NetStream.Play.Start", this.#nameIn(command));
        return false;
      case "deleteStream": { // GStreamer names the publication here: RTMP-406
        const publication = this.#nameIn(command);
        if (publication === undefined) return false;
        this.#stop(publication);
        return true;
      }
      case "_checkbw": // RTMP-411
      case "setPeerInfo":
      case "set_playlist":
        this.#result(transaction, UNDEFINED);
        return true;
      case "_onbwcheck":
      case "_onbwdone":
        return true;
      case "close": // RTMP-414
        connection.close();
        return true;
      default:
        return false;
    }
  }

  published(_stream: NetStream, name: string): void {
    this.#session.link.trust("streaming");
    if (this.#announced.includes(name)) this.#tell("onFCPublish", "NetStream.Publish.Start", name);
  }

  /** Closes the connection, for encoders that ignore statuses. RTMP-308, RTMP-504. */
  publishRefused(stream: NetStream, name: string): void {
    if (name === "") {
      const where = `rtmp://host/${this.#app || "app"}/name`;
      const text = `The stream has no name: ${where}`;
      const message = statusMessage("error", "NetStream.Publish.BadName", text);
      this.#session.open(stream.id, "command").write(message);
    }
    for (const { publishing, playing } of this.#session.connection.streams.values()) {
      if (publishing !== undefined || playing !== undefined) return;
    }
    this.#session.letGo();
  }

  unpublished(_stream: NetStream, name: string): void {
    if (!this.#announced.includes(name)) return;
    this.#announced = minus(this.#announced, name);
    this.#tell("onFCUnpublish", "NetStream.Unpublish.Success", name);
  }

  #announce(name: string | undefined): void {
    if (name === undefined || this.#announced.includes(name)) return;
    if (this.#announced.length < MAX_ANNOUNCED) this.#announced = plus(this.#announced, name);
  }

  /** Ends the client's stream that publishes a name. */
  #stop(name: string | undefined): void {
    if (name === undefined) return;
    for (const stream of this.#session.connection.streams.values()) {
      if (stream.publishing === name) stream.stop();
    }
  }

  #tell(command: string, code: string, name: string | undefined): void {
    const info = encodeAmf0({ level: "status", code, description: name ?? "" });
    const { writer } = this.#session.connection;
    writer.channel.write(commandMessage(command, 0, info));
  }

  #result(transaction: number, values: Uint8Array): void {
    if (transaction === 0) return;
    const { writer } = this.#session.connection;
    writer.channel.write(commandMessage("_result", transaction, values));
  }

  /** The name of a publication in the first argument, which stays unread; undefined if it is not a name. */
  #nameIn({ values }: Command): string | undefined {
    try {
      const { input, at } = values.raw;
      const text = readText(new AmfReader(new Reader(input, at, at + values.left)));
      return text === undefined ? undefined : readStreamName(text).name;
    } catch (error) {
      if (error instanceof WireError) return undefined;
      throw error;
    }
  }
}

const isText = (value: AmfValue): boolean => typeof value === "string";
