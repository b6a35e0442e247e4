// The messages of RTWebSocket: one binary WebSocket message each, which begins with its type.
// WEB-501, WEB-502.

import { Reader } from "../bytes/reader.ts";
import { vluLength, Writer } from "../bytes/writer.ts";

const RtwsType = {
  ping: 0x01,
  ackWindow: 0x0a,
  flowOpen: 0x10,
  abandon: 0x1a,
  flowClose: 0x1c,
  userData: 0x1d,
  returnFlowOpen: 0x30,
  userDataMore: 0x3d,
  pingReply: 0x41,
  dataAck: 0x5a,
  closeAck: 0x5c,
  exception: 0x5e,
} as const;

/**
 * A received message. Arrays are views of it.
 *
 * - `flow`: a number that its sender has chosen for one of its flows; in acknowledgements and
 *   exceptions the number of a flow of the receiver
 * - `association`: the flow of the receiver that a new flow answers
 * - `more`: further fragments of the same message follow
 * - `count`: number of abandoned messages, the incomplete one included
 * - `bytes` of dataAck: length of the user data messages since the last one, types and numbers
 *   included (WEB-505)
 */
export type RtwsMessage =
  | { readonly type: "ping" | "pingReply"; readonly payload: Uint8Array }
  | { readonly type: "ackWindow"; readonly bytes: number }
  | {
    readonly type: "flowOpen";
    readonly flow: number;
    readonly association: number | undefined;
    readonly metadata: Uint8Array;
  }
  | {
    readonly type: "userData";
    readonly flow: number;
    readonly more: boolean;
    readonly fragment: Uint8Array;
  }
  | { readonly type: "abandon"; readonly flow: number; readonly count: number }
  | { readonly type: "flowClose" | "closeAck"; readonly flow: number }
  | {
    readonly type: "dataAck";
    readonly flow: number;
    readonly bytes: number;
    readonly buffer: number;
  }
  | { readonly type: "exception"; readonly flow: number; readonly code: number };

/**
 * Reads a message.
 *
 * @returns undefined for an unknown type: ignore the message
 * @throws {WireError} if the message is empty or cut off
 */
export function readRtws(message: Uint8Array): RtwsMessage | undefined {
  const from = new Reader(message);
  const type = from.u8();
  switch (type) {
    case RtwsType.ping:
      return { type: "ping", payload: from.rest() };
    case RtwsType.pingReply:
      return { type: "pingReply", payload: from.rest() };
    case RtwsType.ackWindow:
      return { type: "ackWindow", bytes: from.vlu() };
    case RtwsType.flowOpen:
    case RtwsType.returnFlowOpen: {
      const flow = from.vlu();
      const association = type === RtwsType.returnFlowOpen ? from.vlu() : undefined;
      return { type: "flowOpen", flow, association, metadata: from.rest() };
    }
    case RtwsType.userData:
    case RtwsType.userDataMore: {
      const flow = from.vlu();
      const more = type === RtwsType.userDataMore;
      return { type: "userData", flow, more, fragment: from.rest() };
    }
    case RtwsType.abandon: {
      const flow = from.vlu();
      return { type: "abandon", flow, count: from.left > 0 ? from.vlu() + 1 : 1 };
    }
    case RtwsType.flowClose:
      return { type: "flowClose", flow: from.vlu() };
    case RtwsType.closeAck:
      return { type: "closeAck", flow: from.vlu() };
    case RtwsType.dataAck:
      return { type: "dataAck", flow: from.vlu(), bytes: from.vlu(), buffer: from.vlu() };
    case RtwsType.exception:
      return { type: "exception", flow: from.vlu(), code: from.left > 0 ? from.vlu() : 0 };
    default:
      return undefined;
  }
}

export const writePing = (payload: Uint8Array): Uint8Array<ArrayBuffer> =>
  new Writer(1 + payload.length).u8(RtwsType.ping).bytes(payload).copy();

export const writePingReply = (payload: Uint8Array): Uint8Array<ArrayBuffer> =>
  new Writer(1 + payload.length).u8(RtwsType.pingReply).bytes(payload).copy();

export const writeAckWindow = (bytes: number): Uint8Array<ArrayBuffer> =>
  new Writer(8).u8(RtwsType.ackWindow).vlu(bytes).copy();

export function writeFlowOpen(
  flow: number,
  association: number | undefined,
  metadata: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const to = new Writer(16 + metadata.length);
  if (association === undefined) to.u8(RtwsType.flowOpen).vlu(flow);
  else to.u8(RtwsType.returnFlowOpen).vlu(flow).vlu(association);
  return to.bytes(metadata).copy();
}

/** @param fragment the part of `message` from `start` up to `end` */
export function writeUserData(
  flow: number,
  message: Uint8Array,
  start: number,
  end: number,
): Uint8Array<ArrayBuffer> {
  const to = new Writer(userDataOverhead(flow) + end - start);
  to.u8(end < message.length ? RtwsType.userDataMore : RtwsType.userData).vlu(flow);
  return to.part(message, start, end).copy();
}

/** Bytes of a user data message before its fragment. */
export const userDataOverhead = (flow: number): number => 1 + vluLength(flow);

export function writeAbandon(flow: number, count: number): Uint8Array<ArrayBuffer> {
  const to = new Writer(12).u8(RtwsType.abandon).vlu(flow);
  return (count === 1 ? to : to.vlu(count - 1)).copy();
}

export const writeFlowClose = (flow: number): Uint8Array<ArrayBuffer> =>
  new Writer(8).u8(RtwsType.flowClose).vlu(flow).copy();

export const writeCloseAck = (flow: number): Uint8Array<ArrayBuffer> =>
  new Writer(8).u8(RtwsType.closeAck).vlu(flow).copy();

export const writeDataAck = (
  flow: number,
  bytes: number,
  buffer: number,
): Uint8Array<ArrayBuffer> =>
  new Writer(20).u8(RtwsType.dataAck).vlu(flow).vlu(bytes).vlu(buffer).copy();

export const writeException = (flow: number, code = 0): Uint8Array<ArrayBuffer> =>
  new Writer(12).u8(RtwsType.exception).vlu(flow).vlu(code).copy();
