// The commands of message stream 0: which of them are answered, and with what. rtmfp-wire §6.2, §6.3.
import { type AmfObject, type AmfValue, encodeAmf0, MixedArray } from "../amf/mod.ts";
import { concat } from "../bytes/concat.ts";
import { ownText } from "../bytes/text.ts";
import { WireError } from "../bytes/wire_error.ts";
import type { ClientInfo } from "../media/client.ts";
import { Refused, UnknownApplication } from "../media/refused.ts";
import type { Accepting } from "./door.ts";
import { type Command, infoObject } from "./format/commands.ts";
import { commandMessage, type Message } from "./format/messages.ts";

/** Characters of an error, which may quote the client. */
const MAX_DESCRIPTION = 1024;
/** Characters of what a client tells of itself, URLs among it, which the server keeps. */
const MAX_TEXT = 8192;

/**
 * Whether a command is answered: a transaction of 0 asks for neither result nor error. Only
 * `connect` and `createStream` are, whatever theirs is: librtmfp has no other.
 */
export function wantsAnswer({ name, transaction }: Command): boolean {
  return transaction !== 0 || name === "connect" || name === "createStream";
}

/** The answer to a command that did not work. */
export function failedMessage(transaction: number, text: string): Message {
  const description = ownText(text, MAX_DESCRIPTION);
  return commandMessage(
    "_error",
    transaction,
    infoObject("error", "NetConnection.Call.Failed", description),
  );
}

/** What became of a call: its text for the caller. @throws what is no refusal */
export function refusalText(error: unknown): string {
  if (!(error instanceof Refused) && !(error instanceof WireError)) throw error;
  return error instanceof Refused ? error.description : error.message;
}

/**
 * The answer to `connect` of a client that was accepted.
 *
 * @param members further members of the info object, in AMF0: `{u16 length, key, value}*`
 */
export function acceptance(
  transaction: number,
  objectEncoding: 0 | 3,
  members: Uint8Array | undefined,
  { object, info = {} }: Accepting,
): Message {
  const own = membersOfInfo({ objectEncoding, ...info });
  const answer = infoObject(
    "status",
    "NetConnection.Connect.Success",
    "Connection succeeded",
    members ? concat([own, members]) : own,
  );
  return commandMessage("_result", transaction, answer, encodeAmf0(object ?? null));
}

/** The answer to `connect` of a client that was refused. @throws what is no refusal */
export function refusal(transaction: number, error: unknown): Message {
  const info = error instanceof UnknownApplication
    ? infoObject("error", "NetConnection.Connect.InvalidApp", error.message)
    : infoObject(
      "error",
      "NetConnection.Connect.Rejected",
      refusalText(error) || "client rejected",
    );
  return commandMessage("_error", transaction, info);
}

/** The answer to `connect` of a client that is to go elsewhere. */
export function redirection(transaction: number, members: AmfObject): Message {
  const code = "NetConnection.Connect.Rejected";
  const info = infoObject("error", code, "Connect elsewhere", membersOfInfo(members));
  return commandMessage("_error", transaction, info);
}

/** Members of the info object, among them the encoding that the client asked for. DECISIONS 11. */
function membersOfInfo(members: AmfObject): Uint8Array {
  const object = encodeAmf0(members);
  return object.subarray(1, object.length - 3);
}

/** The members of a command object; none if it is something else. */
export function membersOf(value: AmfValue): AmfObject {
  if (value instanceof MixedArray) return value.named;
  const plain = typeof value === "object" && value !== null &&
    Object.getPrototypeOf(value) === null;
  return plain ? value as AmfObject : {};
}

/** A text that a client tells of itself; "" for anything else. */
export const textOf = (value: AmfValue): string =>
  typeof value === "string" ? ownText(value, MAX_TEXT) : "";

/** What a client told of itself in the command object of `connect`. */
export const clientInfo = (
  rawId: Uint8Array,
  told: AmfObject,
  path: string,
  properties: ReadonlyMap<string, string>,
): ClientInfo => ({
  rawId,
  path,
  properties,
  flashVersion: textOf(told.flashVer),
  pageUrl: textOf(told.pageUrl),
  swfUrl: textOf(told.swfUrl),
});
