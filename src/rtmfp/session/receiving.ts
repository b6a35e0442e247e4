import type { Writer } from "../../bytes/writer.ts";
import { ReceiveFlow, type ReceiveHost } from "../flow/receive_flow.ts";
import { readFlowOptions } from "../wire/flow_options.ts";
import type { UserData } from "../wire/user_data.ts";
import { sharedMetadata } from "./metadata.ts";
import type { Session } from "./session.ts";
import { GRAIN } from "./timer_wheel.ts";

/** Time (ms) before an acknowledgement is sent: at most 200 ms, and timers are late by up to a grain. RFC 7016 §3.6.3.4.1. */
const ACK_DELAY = 200 - GRAIN;
/** Number of packets with user data after which an acknowledgement is sent. */
const PACKETS_PER_ACK = 2;
/** Time (ms) for which a completed flow answers late fragments. RFC 7016 §3.6.3.8. */
const COMPLETE_LINGER = 120_000;
/** Maximum number of flows remembered, ended ones included. */
const MAX_REMEMBERED = 1024;
/** Memory of a flow besides its metadata, in bytes. The first flow counts as part of the session. */
const FLOW_MEMORY = 1000;
const NONE = new Uint8Array(0);

/** The flows that a session receives, their acknowledgements and their memory. RFC 7016 §3.6.3. */
export class Receiving implements ReceiveHost {
  /** Time (ms) at which an acknowledgement is due at the latest. */
  ackAt = Infinity;
  /** Flows that have not ended. */
  open = 0;
  /** The far end has exceeded a limit: the session ends at the end of the packet. */
  limitExceeded = false;
  readonly #session: Session;
  /** The first flow, usually the only one; the others by id. */
  #first: ReceiveFlow | undefined;
  #others: Map<number, ReceiveFlow> | undefined;
  #latest: ReceiveFlow | undefined;
  #held = 0;
  #ackFirst: ReceiveFlow | undefined;
  #ackLast: ReceiveFlow | undefined;
  #ackNow = false;
  #packets = 0;
  /** Ended flows and the times of their ends; forgotten in this order. */
  #over: { flow: ReceiveFlow; at: number }[] | undefined;

  constructor(session: Session) {
    this.#session = session;
  }

  get buffers() {
    return this.#session.context.buffers;
  }

  get maxMessage(): number {
    return this.#session.context.limits.message;
  }

  /** Bytes that this session holds on behalf of the far end. */
  get held(): number {
    return this.#held;
  }

  /** Whether acknowledgements are due now. */
  get due(): boolean {
    return this.#ackNow ||
      (this.#ackFirst !== undefined && this.ackAt <= this.#session.context.now);
  }

  /** The flow with this id, if it is remembered. */
  flow(id: number): ReceiveFlow | undefined {
    if (this.#latest?.id === id) return this.#latest;
    return this.#first?.id === id ? this.#first : this.#others?.get(id);
  }

  /** Takes a fragment, and opens its flow if it is new. RFC 7016 §3.6.3.1. */
  receive(chunk: UserData): void {
    const flow = this.flow(chunk.flowId) ?? this.#openFlow(chunk);
    if (!flow) return;
    this.#latest = flow;
    flow.receive(chunk);
  }

  /** A packet with user data has been processed. */
  endOfPacket(): void {
    if (!this.#ackFirst) return;
    if (++this.#packets >= PACKETS_PER_ACK) this.#ackNow = true;
    if (this.#ackNow) return this.#session.wake();
    if (this.ackAt === Infinity) {
      this.ackAt = this.#session.context.now + ACK_DELAY;
      this.#session.wakeAt(this.ackAt);
    }
  }

  /** The far end asks for the free room of a flow. */
  probe(flowId: number): void {
    const flow = this.flow(flowId);
    if (flow) this.acknowledge(flow, true);
  }

  acknowledge(flow: ReceiveFlow, atOnce: boolean): void {
    if (!flow.toAcknowledge) {
      flow.toAcknowledge = true;
      flow.nextToAcknowledge = undefined;
      if (this.#ackLast) this.#ackLast.nextToAcknowledge = flow;
      else this.#ackFirst = flow;
      this.#ackLast = flow;
    }
    if (!atOnce) return;
    this.#ackNow = true;
    this.#session.wake();
  }

  /** Writes all pending acknowledgements that fit, also those not due yet. */
  writeAcknowledgements(to: Writer): void {
    for (let flow = this.#ackFirst; flow; flow = this.#ackFirst) {
      if (!flow.writeAcknowledgement(to)) return;
      flow.toAcknowledge = false;
      this.#ackFirst = flow.nextToAcknowledge;
      flow.nextToAcknowledge = undefined;
    }
    this.#ackLast = undefined;
    this.#ackNow = false;
    this.#packets = 0;
    this.ackAt = Infinity;
  }

  /** Only counts: the session acts on {@link limitExceeded} at the end of the packet. */
  hold(bytes: number): void {
    const { context } = this.#session;
    this.#held += bytes;
    context.held += bytes;
    if (this.#held > context.limits.memory) this.limitExceeded = true;
  }

  violated(): void {
    this.limitExceeded = true;
  }

  complete(flow: ReceiveFlow): void {
    this.open--;
    const over = this.#over ??= [];
    over.push({ flow, at: this.#session.context.now });
  }

  /** Forgets flows that ended more than {@link COMPLETE_LINGER} ago. */
  forget(): void {
    const over = this.#over;
    if (!over) return;
    let count = 0;
    while (count < over.length && this.#session.context.now - over[count]!.at > COMPLETE_LINGER) {
      count++;
    }
    for (const { flow } of over.splice(0, count)) {
      this.hold(-flow.heldForRanges);
      if (this.#first === flow) this.#first = undefined;
      else if (this.#others?.delete(flow.id)) this.hold(-FLOW_MEMORY - flow.metadata.length);
      if (this.#latest === flow) this.#latest = undefined;
    }
    if (over.length === 0) this.#over = undefined;
  }

  /** The session has ended. */
  abort(): void {
    this.#first?.abort();
    if (this.#others) { for (const flow of this.#others.values()) flow.abort(); }
    this.#first =
      this.#others =
      this.#latest =
      this.#ackFirst =
      this.#ackLast =
      this.#over =
        undefined;
    this.#ackNow = false;
    this.ackAt = Infinity;
    this.open = 0;
    this.hold(-this.#held);
  }

  get #remembered(): number {
    return (this.#first ? 1 : 0) + (this.#others?.size ?? 0);
  }

  #openFlow(chunk: UserData): ReceiveFlow | undefined {
    const session = this.#session;
    const { metadata, association, unknown } = chunk.options
      ? readFlowOptions(chunk.options)
      : { metadata: undefined, association: undefined, unknown: undefined };
    if (this.#remembered >= MAX_REMEMBERED) this.forget();
    if (this.#remembered >= MAX_REMEMBERED) {
      this.violated();
      return undefined;
    }
    const answered = association === undefined ? undefined : session.sending.openFlow(association);
    const flow = new ReceiveFlow(chunk.flowId, sharedMetadata(metadata ?? NONE), answered, this);
    if (!this.#first) this.#first = flow;
    else (this.#others ??= new Map()).set(flow.id, flow);
    this.open++;
    if (this.#first !== flow) this.hold(FLOW_MEMORY + flow.metadata.length);
    // librtmfp continues to answer the control flow that it has refused.
    const answersNone = association !== undefined && !answered &&
      !session.sending.wasRefused(association);
    const wrong = !metadata || unknown !== undefined || answersNone;
    this.acknowledge(flow, true);
    if (wrong) flow.reject();
    else if (this.open > session.context.limits.flows) {
      session.context.counters.drop("limit");
      flow.reject();
    } else {
      session.offer(flow);
    }
    return flow.state === "complete" ? undefined : flow;
  }
}
