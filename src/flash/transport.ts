// What this room needs of sessions and flows. `rtmfp` has them; a test may have others.
import type { FlowReceiver, SendFlowHandler } from "../rtmfp/flow/handlers.ts";
import type { ReceiveFlow } from "../rtmfp/flow/receive_flow.ts";
import type { SendFlow } from "../rtmfp/flow/send_flow.ts";
import type { Address } from "../rtmfp/wire/address.ts";

export type OutFlow = Pick<
  SendFlow,
  | "write"
  | "close"
  | "closed"
  | "abandonUnsent"
  | "handler"
  | "queuedBytes"
  | "queuedMessages"
  | "lastMessage"
  | "firstPending"
  | "sentFragments"
  | "lostFragments"
  | "ackedBytes"
>;

export type InFlow = Pick<
  ReceiveFlow,
  "metadata" | "association" | "reject" | "bufferCapacity" | "receivedFragments" | "lostFragments"
>;

export type { FlowReceiver, SendFlowHandler };

export interface FlowOptions {
  readonly association?: InFlow;
  readonly priority?: number;
  readonly timeCritical?: boolean;
}

export interface FlashSession {
  readonly peerId: Uint8Array;
  readonly address: Address;
  readonly rtt: number;
  readonly lastReceived: number;
  /** Bytes that wait in all its flows, with what it costs to keep them, and messages. */
  readonly queuedBytes: number;
  readonly queuedMessages: number;
  openFlow(metadata: Uint8Array, options?: FlowOptions): OutFlow;
  close(): void;
}

/** Which flows of a session go first. */
export const Priority = { command: 3, audio: 2, video: 1, group: 0 } as const;
