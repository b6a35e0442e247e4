import type { FlowReceiver } from "../flow/handlers.ts";
import type { ReceiveFlow } from "../flow/receive_flow.ts";
import type { Session } from "./session.ts";

/** Reason why a session ended. */
export type CloseReason =
  /** This end closed it, in order. */
  | "closed"
  /** The far end closed it. */
  | "closed by peer"
  /** This end dropped it. */
  | "aborted"
  /** No packet arrived for too long. */
  | "timeout"
  /** Data was not acknowledged for too long. */
  | "no acknowledgement"
  /** It carried no flow for too long. */
  | "idle"
  /** The same peer opened another one from the same address. */
  | "overridden"
  /** The far end exceeded a limit. */
  | "limit"
  /** This endpoint is shut down. */
  | "endpoint closed";

/** Events of a session. */
export interface SessionHandler {
  /**
   * The far end opens a flow.
   *
   * @returns the receiver of its messages; null or undefined rejects it, with exception 0 unless
   *   `flow.reject` was called with another code
   */
  onFlow(flow: ReceiveFlow, session: Session): FlowReceiver | null | undefined;
  /**
   * The session has ended, and with it all its flows, whose handlers are not called.
   *
   * @param orderly one of the ends closed it, as opposed to a failure
   */
  onClose(reason: CloseReason, orderly: boolean): void;
}
