/** Callbacks for the users of flows, and options of a message. */
import type { ReceiveFlow } from "./receive_flow.ts";

export interface WriteOptions {
  /** Whether lost fragments are sent again; otherwise a loss abandons the message. Default true. */
  readonly reliable?: boolean;
}

export interface SendFlowHandler {
  /** The peer refused this flow, which closes. Code 0: no reason given. */
  onException?(code: number): void;
  /** An acknowledgement has come; see `SendFlow.firstPending`. Do not write to the flow from here. */
  onAcknowledged?(): void;
  /** The peer has acknowledged the end. Not called if the session ends first. */
  onClosed?(): void;
}

/** Receives the messages of an accepted flow. */
export interface FlowReceiver {
  /** @param message a view, good until the call returns: copy what is kept */
  onMessage(message: Uint8Array, flow: ReceiveFlow): void;
  /** The peer has ended the flow, and all its messages have been handed over. */
  onEnd?(flow: ReceiveFlow): void;
}
