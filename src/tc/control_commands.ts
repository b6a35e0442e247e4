import { type AmfObject, type AmfValue, encodeAmf0, MixedArray } from "../amf/mod.ts";
import { concat } from "../bytes/concat.ts";
import { ownText } from "../bytes/text.ts";
import { WireError } from "../bytes/wire_error.ts";
import { MustWait, Refused, UnknownApplication } from "../media/refused.ts";
import { type Command, infoObject, readNumber } from "./format/commands.ts";
import { commandMessage } from "./format/messages.ts";
import type { NetConnection } from "./net_connection.ts";
import { connectTarget } from "./target.ts";

const NULL = encodeAmf0(null);
const UNDEFINED = encodeAmf0(undefined);
/** Characters of an error, which may quote the client. */
const LONGEST_DESCRIPTION = 1024;
/** Characters of what a client tells of itself, URLs among it, which the server keeps. */
const LONGEST_TEXT = 8192;
const CALL_FAILED = "NetConnection.Call.Failed";

/** What clients say about streams before they publish or play: no connection dies of it. */
const STREAM_NOTICES = new Set(["releaseStream", "FCPublish", "FCUnpublish", "FCSubscribe"]);

/** The commands on message stream 0. rtmfp-wire §6.2, §6.3, API-230 to API-237, API-701 to API-707. */
export class ControlCommands {
  constructor(readonly connection: NetConnection) {}

  /** @throws {MustWait} the application that is asked for lets others go first */
  run(command: Command): void {
    const { connection } = this;
    const { name, transaction, values } = command;
    if (name === "_result" || name === "_error") return; // nothing here was asked
    if (name === "connect") return this.#connect(command);
    if (connection.state !== "connected") {
      if (!wantsAnswer(command)) return;
      return this.#failed(transaction, `Connect first, before calling '${name}'`);
    }
    if (connection.door.command?.(connection, command)) return;
    switch (name) {
      case "createStream":
        return this.#createStream(transaction); // librtmfp has it with 0, and waits
      case "deleteStream":
        return connection.deleteStream(readNumber(values) ?? 0);
      case "initStream":
        if (wantsAnswer(command)) this.#result(transaction, UNDEFINED);
        return;
      case "closeStream": // of no stream: they come on flows of their own
        return;
      default:
        return this.#call(command);
    }
  }

  #connect({ transaction, object, values }: Command): void {
    const { connection } = this;
    if (connection.state !== "new") return this.#failed(transaction, "Already connected");
    const told = membersOf(object);
    const encoding = told.objectEncoding === 3 ? 3 : 0;
    const target = connectTarget(textOf(told.tcUrl), textOf(told.app));
    connection.objectEncoding = encoding;
    const elsewhere = connection.door.redirect?.(target);
    if (elsewhere) return this.#redirect(transaction, elsewhere);
    connection.hold();
    try {
      const { client, members } = connection.hub.connect(
        {
          rawId: connection.transport.rawId,
          path: target.path ?? refusePath(textOf(told.tcUrl)),
          properties: target.properties,
          flashVersion: textOf(told.flashVer),
          pageUrl: textOf(told.pageUrl),
          swfUrl: textOf(told.swfUrl),
        },
        connection,
        values,
      );
      connection.accept(client, told, ({ object = null, info = {} }) => {
        const own = membersOfInfo({ objectEncoding: encoding, ...info });
        const answer = infoObject(
          "status",
          "NetConnection.Connect.Success",
          "Connection succeeded",
          members ? concat([own, members]) : own,
        );
        return commandMessage("_result", transaction, answer, encodeAmf0(object));
      });
    } catch (error) {
      if (error instanceof MustWait) {
        connection.release();
        throw error;
      }
      connection.refuse(commandMessage("_error", transaction, refusal(error)));
    }
  }

  #redirect(transaction: number, members: AmfObject): void {
    const code = "NetConnection.Connect.Rejected";
    const info = infoObject("error", code, "Connect elsewhere", membersOfInfo(members));
    this.connection.refuse(commandMessage("_error", transaction, info));
  }

  /** The id is an AMF0 number for all clients: some read no other. §6.3, trap 44. */
  #createStream(transaction: number): void {
    const stream = this.connection.createStream();
    if (stream) this.#result(transaction, encodeAmf0(stream.id));
    else this.#failed(transaction, "There are too many streams");
  }

  #call(command: Command): void {
    const { name, transaction, values } = command;
    const wanted = wantsAnswer(command);
    const { client, writer } = this.connection;
    let found = false;
    try {
      const answered = writer.during(transaction, () => {
        found = client.application.call(client, name, values);
      });
      if (found) {
        if (!answered && wanted) this.#result(transaction, NULL); // API-233
      } else if (STREAM_NOTICES.has(name)) {
        if (wanted) this.#result(transaction, UNDEFINED);
      } else if (wanted) {
        this.#failed(transaction, `Method '${name}' not found`);
      }
    } catch (error) {
      if (!(error instanceof Refused) && !(error instanceof WireError)) throw error;
      const text = error instanceof Refused ? error.description : error.message;
      if (wanted) this.#failed(transaction, text || "Unknown error");
    }
  }

  #result(transaction: number, values: Uint8Array): void {
    const { connection } = this;
    connection.send(
      connection.writer,
      commandMessage("_result", transaction, values),
      true,
    );
  }

  #failed(transaction: number, text: string): void {
    const description = ownText(text, LONGEST_DESCRIPTION);
    const { connection } = this;
    const info = infoObject("error", CALL_FAILED, description);
    connection.send(connection.writer, commandMessage("_error", transaction, info), true);
  }
}

/**
 * Whether a command is answered: a transaction of 0 asks for neither result nor error. Only
 * `connect` and `createStream` are, whatever theirs is: librtmfp has no other.
 */
function wantsAnswer({ name, transaction }: Command): boolean {
  return transaction !== 0 || name === "connect" || name === "createStream";
}

function refusal(error: unknown): Uint8Array {
  if (error instanceof UnknownApplication) {
    return infoObject("error", "NetConnection.Connect.InvalidApp", error.message);
  }
  if (!(error instanceof Refused) && !(error instanceof WireError)) throw error;
  const text = error instanceof Refused ? error.description : error.message;
  return infoObject("error", "NetConnection.Connect.Rejected", text || "client rejected");
}

function refusePath(url: string): never {
  throw new UnknownApplication(url);
}

/** Members of the info object, among them the encoding that the client asked for. DECISIONS 11. */
function membersOfInfo(members: AmfObject): Uint8Array {
  const object = encodeAmf0(members);
  return object.subarray(1, object.length - 3);
}

/** The members of a command object; none if it is something else. */
function membersOf(value: AmfValue): AmfObject {
  if (value instanceof MixedArray) return value.named;
  const plain = typeof value === "object" && value !== null &&
    Object.getPrototypeOf(value) === null;
  return plain ? value as AmfObject : {};
}

const textOf = (value: AmfValue): string =>
  typeof value === "string" ? ownText(value, LONGEST_TEXT) : "";
