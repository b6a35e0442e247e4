import { writeTcMetadata } from "../../src/tc/format/metadata.ts";
import type { SendFlow } from "../../src/rtmfp/flow/send_flow.ts";
import { flowMessage, type Message } from "../../src/tc/format/messages.ts";
import { type NetClient, Network } from "./network.ts";
import type { Steps } from "../media/fakes.ts";
import { testDoor } from "../doors/contract.ts";
import type { DoorClient, TestedDoor } from "../doors/door.ts";

/** A client of RTMFP, with one flow for each message stream. */
class RtmfpClient implements DoorClient {
  readonly #flows = new Map<number, SendFlow>();

  constructor(readonly client: NetClient) {}

  get heard() {
    return this.client.heard;
  }

  get closed(): boolean {
    return this.client.closed !== undefined;
  }

  send(stream: number, message: Message): void {
    let flow = this.#flows.get(stream);
    if (!flow) {
      const association = stream === 0 ? undefined : this.client.answers;
      flow = this.client.session!.openFlow(writeTcMetadata(stream), { association });
      this.#flows.set(stream, flow);
    }
    flow.write(flowMessage(message));
  }

  close(): void {
    this.client.session!.close();
  }
}

function serve(steps?: Steps): TestedDoor {
  const network = new Network({ seed: 1, delay: [5, 5] }, steps);
  return {
    hub: network.hub,
    application: network.application,
    open: () => new RtmfpClient(network.open()),
    pass: (milliseconds) => network.pass(milliseconds),
  };
}

testDoor({ protocol: "rtmfp", serve });
