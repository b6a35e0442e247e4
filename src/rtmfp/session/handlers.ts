import type { FlowReceiver } from "../flow/handlers.ts";
import type { ReceiveFlow } from "../flow/receive_flow.ts";
import type { Session } from "./session.ts";

/** Why a session is over. */
export type CloseReason =
  /** This end closed it, in order. */
  | "closed"
  /** The far end closed it. */
  | "closed by peer"
  /** This end dropped it. */
  | "aborted"
  /** Nothing came for too long. */
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
   * @returns who takes its messages; none rejects it, with exception 0 unless `flow.reject` was
   *   called with another code
   */
  onFlow(flow: ReceiveFlow, session: Session): FlowReceiver | null | undefined;
  /**
   * The session carries nothing any more: all its flows are gone, without further calls.
   *
   * @param orderly one of the ends closed it, as opposed to a breakdown
   */
  onClose(reason: CloseReason, orderly: boolean): void;
}
