// Answers to the commands of message stream 0. rtmfp-wire §6.2, §6.3.
import { type AmfObject, type AmfValue, encodeAmf0, MixedArray } from "../amf/mod.ts";
import { concat } from "../bytes/concat.ts";
import { ownText } from "../bytes/text.ts";
import { WireError } from "../bytes/wire_error.ts";
import type { ClientInfo } from "../media/client.ts";
import { Refused, UnknownApplication } from "../media/refused.ts";
import type { Accepting } from "./door.ts";
import { type Command, infoObject } from "./format/commands.ts";
import { commandMessage, type Message } from "./format/messages.ts";

/** Maximum length (characters) of an error, which may quote the client. */
const MAX_DESCRIPTION = 1024;
/** Maximum length (characters) of a text of a client about itself, such as a URL, which the server keeps. */
const MAX_TEXT = 8192;

/**
 * Whether a command is answered: transaction 0 requests neither result nor error. `connect` and
 * `createStream` are always answered, as librtmfp sends them with 0.
 */
export function wantsAnswer({ name, transaction }: Command): boolean {
  return transaction !== 0 || name === "connect" || name === "createStream";
}

/** The answer to a failed command. */
export function failedMessage(transaction: number, text: string): Message {
  const description = ownText(text, MAX_DESCRIPTION);
  return commandMessage(
    "_error",
    transaction,
    infoObject("error", "NetConnection.Call.Failed", description),
  );
}

/** The text of a refusal for the caller. @throws errors that are not refusals */
export function refusalText(error: unknown): string {
  if (!(error instanceof Refused) && !(error instanceof WireError)) throw error;
  return error instanceof Refused ? error.description : error.message;
}

/**
 * The answer to `connect` of an accepted client.
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

/** The answer to `connect` of a refused client. @throws errors that are not refusals */
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

/** The answer to `connect` of a redirected client. */
export function redirection(transaction: number, members: AmfObject): Message {
  const code = "NetConnection.Connect.Rejected";
  const info = infoObject("error", code, "Connect elsewhere", membersOfInfo(members));
  return commandMessage("_error", transaction, info);
}

/** Members of the info object, including the encoding that the client requested. DECISIONS 11. */
function membersOfInfo(members: AmfObject): Uint8Array {
  const object = encodeAmf0(members);
  return object.subarray(1, object.length - 3);
}

/** The members of a command object; empty for other values. */
export function membersOf(value: AmfValue): AmfObject {
  if (value instanceof MixedArray) return value.named;
  const plain = typeof value === "object" && value !== null &&
    Object.getPrototypeOf(value) === null;
  return plain ? value as AmfObject : {};
}

/** A text of a client about itself; "" for other values. */
export const textOf = (value: AmfValue): string =>
  typeof value === "string" ? ownText(value, MAX_TEXT) : "";

/** Information about a client from the command object of `connect`. */
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
