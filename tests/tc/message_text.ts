// Builds messages from values, and shows messages as text.
import assert from "node:assert/strict";
import { AmfReader, type AmfValue, decodeAmf, encodeAmf0 } from "../../src/amf/mod.ts";
import { toHex } from "../../src/bytes/hex.ts";
import { readCommand } from "../../src/tc/format/commands.ts";
import { readDataMessage } from "../../src/tc/format/data.ts";
import { readSharedObject, type SharedObjectEvent } from "../../src/tc/format/shared_object.ts";
import {
  commandMessage,
  type Message,
  MessageType,
  readUserControl,
  valuesOf,
} from "../../src/tc/format/messages.ts";

const NOTHING = new Uint8Array(0);

/** A command: the first of the values is its command object. */
export const commandOf = (name: string, transaction: number, ...values: AmfValue[]): Message =>
  commandMessage(name, transaction, encodeAmf0(...values), NOTHING);

/** A message in one line. */
export function messageText(read: Message): string {
  if (read.type === MessageType.userControl) {
    const { event, values } = readUserControl(read.payload);
    return `event ${event} ${values.join(" ")}`;
  }
  const data = readDataMessage(read);
  if (data) {
    const values = new AmfReader(data.values);
    return `data ${read.timestamp} ${data.name}${rest(values)}`;
  }
  if (read.type === MessageType.sharedObject || read.type === MessageType.sharedObjectAmf3) {
    const amf3 = read.type === MessageType.sharedObjectAmf3;
    const { name, persistent, version, events } = readSharedObject(read.payload, amf3, Infinity);
    const flag = persistent ? " persistent" : "";
    return `${name}${flag} ${version}: ${events.map(eventText).join(" ")}`;
  }
  const called = readCommand(read);
  if (called) return `${called.name} ${called.transaction}${rest(called.values)}`;
  assert.equal(valuesOf(read), undefined);
  const kind = read.type === MessageType.audio ? "audio" : "video";
  return `${kind} ${read.timestamp} ${toHex(read.payload)}`;
}

function rest(values: AmfReader): string {
  let text = "";
  while (!values.done) {
    const value = values.readValue();
    const info = value as { level?: string; code?: string; description?: string };
    const isInfo = typeof value === "object" && value !== null && "level" in value;
    text += isInfo
      ? ` [${info.level}] ${info.code}: ${info.description}`
      : ` ${value === undefined ? "undefined" : JSON.stringify(value)}`;
  }
  return text;
}

/** An event of a shared object, in few words. */
function eventText(event: SharedObjectEvent): string {
  switch (event.type) {
    case "change":
      return `${event.slot}=${JSON.stringify(new AmfReader(event.value).readValue())}`;
    case "success":
      return `ok:${event.slot}`;
    case "remove":
      return `-${event.slot}`;
    case "sendMessage": {
      const [handler, ...values] = decodeAmf(event.values);
      return `${JSON.stringify(handler)}(${
        values.map((value) => JSON.stringify(value)).join(",")
      })`;
    }
    case "status":
      return event.code;
    default:
      return event.type === "useSuccess" ? "use+" : event.type;
  }
}
