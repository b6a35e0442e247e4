// Messages in the format of flows.
import { statusMessage } from "../../src/tc/format/commands.ts";
import {
  commandMessage,
  dataPayload,
  flowMessage,
  MessageType,
  userControlMessage,
  writeMessage,
} from "../../src/tc/format/messages.ts";

export const writeCommand = (...args: Parameters<typeof commandMessage>) =>
  flowMessage(commandMessage(...args));

export const writeStatus = (...args: Parameters<typeof statusMessage>) =>
  flowMessage(statusMessage(...args));

export const writeUserControl = (...args: Parameters<typeof userControlMessage>) =>
  flowMessage(userControlMessage(...args));

/** Data of type 0x0f at time 0. */
export const writeData = (name: string, values: Uint8Array) =>
  writeMessage(MessageType.dataAmf3, 0, dataPayload(name, values, true));
