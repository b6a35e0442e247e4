// Takes the part of the session for one sending flow, so that tests need no session.
import { toHex } from "../../src/bytes/hex.ts";
import { Reader } from "../../src/bytes/reader.ts";
import { Writer } from "../../src/bytes/writer.ts";
import { Flight } from "../../src/rtmfp/flow/flight.ts";
import { FragmentPool } from "../../src/rtmfp/flow/fragment.ts";
import { SendFlow, type SendHost } from "../../src/rtmfp/flow/send_flow.ts";
import { Ack, readRangeAck } from "../../src/rtmfp/wire/ack.ts";
import { fromHex } from "../../src/bytes/hex.ts";

export class FlowHost implements SendHost {
  readonly clock = { now: 0 };
  readonly flight = new Flight();
  readonly fragments = new FragmentPool();
  readonly forgotten: SendFlow[] = [];
  wakes = 0;

  wake(): void {
    this.wakes++;
  }

  forget(flow: SendFlow): void {
    this.forgotten.push(flow);
  }

  open(id = 3, metadata: Uint8Array = Uint8Array.of(0x54)): SendFlow {
    return new SendFlow(id, metadata, undefined, this);
  }
}

/** Chunks that a flow writes into one packet with room for `room` bytes, in hexadecimal. */
export function packet(flow: SendFlow, room = 1000): string {
  const to = Writer.over(new Uint8Array(room));
  flow.send(to, Infinity);
  return toHex(to.view());
}

/**
 * Passes the payload of a range acknowledgement to a flow, and ends its packet.
 *
 * @returns the number of lost fragments, or -1 without a negative acknowledgement
 */
export function acknowledge(flow: SendFlow, hex: string): number {
  const ack = new Ack();
  readRangeAck(new Reader(fromHex(hex)), ack);
  flow.acknowledge(ack);
  return flow.host.flight.countNaks();
}
