/** Callbacks for the users of flows, and options of a message. */
import type { ReceiveFlow } from "./receive_flow.ts";

export interface WriteOptions {
  /** Whether lost fragments are sent again; otherwise a loss abandons the message. Default true. */
  readonly reliable?: boolean;
}

export interface SendFlowHandler {
  /** The peer wants no more of this flow, which closes. Code 0 comes without a reason. */
  onException?(code: number): void;
  /** An acknowledgement has come; see `SendFlow.firstPending`. Do not write to the flow from here. */
  onAcknowledged?(): void;
  /** The peer has seen the end. It is not called when the session ends first. */
  onClosed?(): void;
}

/** Takes the messages of a flow that was accepted. */
export interface FlowReceiver {
  /** @param message a view, good until the call returns: copy what is kept */
  onMessage(message: Uint8Array, flow: ReceiveFlow): void;
  /** The peer has ended the flow, and all its messages have been handed over. */
  onEnd?(flow: ReceiveFlow): void;
}
