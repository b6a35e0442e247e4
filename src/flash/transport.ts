// The parts of sessions and flows that this room uses. `rtmfp` implements them; a test may as well.
import type { Address } from "../common/address.ts";
import type { ReceiveFlow } from "../rtmfp/flow/receive_flow.ts";
import type { FlowOptions as Options, FlowSession, OutFlow } from "../tc/flow/flows.ts";

export type { FlowReceiver, OutFlow, SendFlowHandler } from "../tc/flow/flows.ts";
export { Priority } from "../tc/flow/flows.ts";

export type InFlow = Pick<
  ReceiveFlow,
  "metadata" | "association" | "reject" | "bufferCapacity" | "receivedFragments" | "lostFragments"
>;

export type FlowOptions = Options<InFlow>;

export interface FlashSession extends FlowSession<InFlow, OutFlow> {
  readonly peerId: Uint8Array;
  readonly address: Address;
}
