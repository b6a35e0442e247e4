import type { Writer } from "../../bytes/writer.ts";
import { Flight } from "../flow/flight.ts";
import type { SendFlowHandler } from "../flow/handlers.ts";
import type { ReceiveFlow } from "../flow/receive_flow.ts";
import { SendFlow, type SendHost } from "../flow/send_flow.ts";
import type { Ack } from "../wire/ack.ts";
import { bufferProbe } from "../wire/buffer_probe.ts";
import { CHUNK_HEADER, writeChunk } from "../wire/chunk.ts";
import { UserData, writeUserData } from "../wire/user_data.ts";
import { type AckSummary, Congestion } from "./congestion.ts";
import { REAL_TIME_LINGER } from "./real_time.ts";
import type { Session } from "./session.ts";

/** Packets with user data between two acknowledgements or timeouts. RFC 7016 §3.5.2.3. */
const BURST = 6;
/**
 * Maximum number of acknowledgements that count one by one between two packets sent: reading a
 * socket in batches must not slow a session down.
 */
const MAX_TOGETHER = 8;
/**
 * Number of bytes that one acknowledgement usually covers: two full packets. A far end that reads its
 * socket in batches acknowledges a whole burst at once, which then counts as several
 * acknowledgements.
 */
const BYTES_PER_ACK = 2400;
/** Id of the first flow of a session. */
const FIRST_FLOW = 2;
/** Time (ms) before the first probe of a full receiver; it doubles for each further one. */
const FIRST_PROBE_INTERVAL = 1000;
const MAX_PROBE_INTERVAL = 60_000;
/** Maximum number of ends of forgotten flows that wait to be repeated. */
const MAX_ENDS = 8;

const NO_FLOWS: SendFlow[] = [];

export interface FlowSettings {
  /** The flow of the far end that the new one answers. */
  readonly association?: ReceiveFlow | undefined;
  /** See {@link SendFlow.priority}. */
  readonly priority?: number;
  /** See {@link SendFlow.timeCritical}. */
  readonly timeCritical?: boolean;
  readonly handler?: SendFlowHandler;
}

/** Maximum number of refused flows that a session remembers. */
const MAX_REFUSED = 8;

/** The sending flows of a session: next packet, losses and congestion window. RFC 7016 §3.6.2. */
export class Sending implements SendHost {
  readonly flight = new Flight();
  readonly congestion = new Congestion();
  /** Time (ms) of the retransmission timeout, at which all fragments in flight count as lost. */
  alarm = Infinity;
  /** Time (ms) of the next buffer probe of flows whose receivers are full. */
  probeAt = Infinity;
  readonly #session: Session;
  #flows: SendFlow[] = NO_FLOWS;
  #nextId = FIRST_FLOW;
  /** Index of the flow that sent last: among flows of equal rank, those after it go first. */
  #turn = 0;
  /** Index of the flow to send from; -1: none. */
  #chosen = -1;
  #lastOrder = 0;
  /** Number of packets that may still be sent before the next acknowledgement. */
  #allowance = BURST;
  /** Acknowledgements since user data was last sent. */
  #acknowledgements = 0;
  /** Sending has stopped at the window or the allowance. */
  #limited = false;
  #timeouts = 0;
  /** Time (ms) of the last acknowledgement, or of the first fragment sent after all were acknowledged. */
  #progressAt = 0;
  #criticalSentAt = -Infinity;
  #reverseReceivedAt = -Infinity;
  #probeInterval = FIRST_PROBE_INTERVAL;
  #ends: number[] | undefined;

  /** Ids of flows that the peer has refused, latest first. */
  #refused: number[] | undefined;

  constructor(session: Session) {
    this.#session = session;
  }

  get clock(): { readonly now: number } {
    return this.#session.context.clock;
  }

  get fragments() {
    return this.#session.context.fragments;
  }

  get flows(): readonly SendFlow[] {
    return this.#flows;
  }

  open(metadata: Uint8Array, settings: FlowSettings = {}): SendFlow {
    const flow = new SendFlow(this.#nextId++, metadata, settings.association, this);
    flow.priority = settings.priority ?? 0;
    flow.timeCritical = settings.timeCritical ?? false;
    flow.handler = settings.handler;
    if (this.#flows === NO_FLOWS) this.#flows = [flow]; // has room for one, and not for 17
    else this.#flows.push(flow);
    return flow;
  }

  flow(id: number): SendFlow | undefined {
    const flows = this.#flows;
    for (let i = 0; i < flows.length; i++) if (flows[i]!.id === id) return flows[i];
    return undefined;
  }

  /** The flow with this id, if it is open. */
  openFlow(id: number): SendFlow | undefined {
    const flow = this.flow(id);
    return flow?.closed ? undefined : flow;
  }

  /** Whether the peer has refused a flow, as far back as is remembered. */
  wasRefused(id: number): boolean {
    return this.flow(id)?.refused ?? this.#refused?.includes(id) ?? false;
  }

  wake(): void {
    this.#session.wake();
  }

  /** Puts a flow behind the flows flushed before; it keeps its place until it has nothing to send. */
  flushed(flow: SendFlow, now: boolean): void {
    if (flow.order === Infinity && flow.queuedMessages > 0) flow.order = ++this.#lastOrder;
    if (now) this.#session.sendNow();
  }

  forget(flow: SendFlow): void {
    const index = this.#flows.indexOf(flow);
    if (index >= 0) this.#flows.splice(index, 1);
    if (flow.refused) this.#refused = [flow.id, ...this.#refused ?? []].slice(0, MAX_REFUSED);
    if (this.#turn >= index && this.#turn > 0) this.#turn--;
    this.#session.life.flowEnded();
  }

  /** Chooses the flow that {@link writeData} sends from. @returns false if no flow may send now */
  choose(): boolean {
    return (this.#chosen = this.#next()) >= 0;
  }

  /** Whether {@link writeControl} has something to write. */
  get due(): boolean {
    return this.#ends !== undefined || this.probeAt <= this.clock.now;
  }

  /** Writes ends of forgotten flows, and buffer probes. */
  writeControl(to: Writer): void {
    for (let ends = this.#ends; ends && ends.length > 0; ends = this.#ends) {
      if (to.room < 16) return;
      end.flowId = ends.pop()!;
      writeUserData(to, end);
    }
    this.#ends = undefined;
    if (this.probeAt > this.clock.now) return;
    for (const flow of this.#flows) {
      if (flow.suspended && to.room >= CHUNK_HEADER + 8) writeChunk(to, bufferProbe, flow.id);
    }
    const { timeout } = this.#session.roundTrip;
    this.#probeInterval = Math.min(
      2 * Math.max(this.#probeInterval, FIRST_PROBE_INTERVAL, timeout),
      MAX_PROBE_INTERVAL,
    );
    this.#setProbe(this.clock.now + this.#probeInterval);
  }

  /**
   * Writes user data of the chosen flow into a packet.
   *
   * @returns the flow; undefined if there was no room for it
   */
  writeData(to: Writer): SendFlow | undefined {
    const index = this.#chosen;
    const flow = this.#flows[index]!;
    const now = this.clock.now;
    const idle = this.flight.outstanding === 0;
    if (flow.send(to, this.congestion.window) === 0) return undefined;
    this.#turn = index;
    if (flow.order !== Infinity && flow.queuedMessages === 0) flow.order = Infinity;
    if (this.#acknowledgements > 0) {
      this.#allowance = BURST * Math.min(this.#acknowledgements, MAX_TOGETHER);
      this.#acknowledgements = 0;
    }
    this.#allowance--;
    if (flow.timeCritical) this.#criticalSentAt = this.#session.context.realTime.sentAt = now;
    if (idle && this.#timeouts === 0) this.#progressAt = now;
    this.#setAlarm(now);
    return flow;
  }

  /** Finds flows whose receivers are full. */
  afterSending(): void {
    const flows = this.#flows;
    let suspended = false;
    let ready = false;
    for (let i = 0; i < flows.length; i++) {
      suspended ||= flows[i]!.suspended;
      ready ||= flows[i]!.ready;
    }
    this.#limited = this.#full || (ready && !this.#mayBurst);
    if (!ready && this.#acknowledgements > 1) this.#acknowledgements = 1; // nothing waited for them
    if (suspended || this.probeAt < Infinity) this.#watchWindows(suspended);
  }

  /** A received packet begins. @param timeCriticalReverse the far end receives real-time data elsewhere */
  beginPacket(timeCriticalReverse: boolean): void {
    if (timeCriticalReverse) this.#reverseReceivedAt = this.clock.now;
    summary.before = this.flight.outstanding;
    incoming.delivered = this.flight.delivered;
    incoming.acknowledged = false;
  }

  acknowledge(ack: Ack): void {
    const flow = this.flow(ack.flowId);
    if (!flow) return;
    incoming.acknowledged = true;
    flow.acknowledge(ack);
  }

  onException(flowId: number, code: number): void {
    const flow = this.flow(flowId);
    if (flow) return flow.onException(code);
    if (flowId >= this.#nextId || flowId < FIRST_FLOW) return;
    const ends = this.#ends ??= [];
    if (ends.length < MAX_ENDS && !ends.includes(flowId)) ends.push(flowId);
    this.wake();
  }

  /** All chunks of the packet have been processed: evaluates its acknowledgements. */
  endOfPacket(): void {
    if (!incoming.acknowledged) return;
    const { flight } = this;
    const now = this.clock.now;
    const acked = flight.delivered - incoming.delivered;
    const lostBefore = flight.lost;
    const naks = flight.countNaks();
    this.#session.context.counters.lostFragments += flight.lost - lostBefore;
    this.congestion.measureRate(acked, this.#session.roundTrip.smoothed, now);
    summary.now = now;
    summary.used = this.#limited || summary.before >= this.congestion.window;
    summary.acked = acked;
    summary.answered = Math.max(1, Math.round(acked / BYTES_PER_ACK));
    summary.naks = naks;
    summary.timeCritical = now - this.#criticalSentAt < REAL_TIME_LINGER;
    summary.fastGrow = now - this.#reverseReceivedAt >= REAL_TIME_LINGER &&
      now - this.#session.context.realTime.sentAt >= REAL_TIME_LINGER;
    this.congestion.receive(summary);
    if (acked > 0) {
      this.#progressAt = now;
      this.#timeouts = 0;
    }
    this.#acknowledgements += summary.answered;
    this.#setAlarm(now);
    this.wake();
  }

  /**
   * If the alarm is due, counts all fragments in flight as lost.
   *
   * @returns the time without an acknowledgement in milliseconds; 0 if the alarm is not due
   */
  expire(): number {
    const now = this.clock.now;
    if (now < this.alarm) return 0;
    this.alarm = Infinity;
    const lost = this.loseAll();
    this.congestion.expire(lost);
    if (!lost) return 0;
    this.#timeouts++;
    this.#session.context.counters.timeouts++;
    this.#session.roundTrip.backOff();
    return now - this.#progressAt;
  }

  /** Counts all fragments in flight as lost. */
  loseAll(): boolean {
    const { flight } = this;
    const before = flight.lost;
    const any = flight.loseAll();
    this.#session.context.counters.lostFragments += flight.lost - before;
    this.#acknowledgements = Math.max(this.#acknowledgements, 1);
    if (any) this.wake();
    return any;
  }

  abort(): void {
    for (const flow of this.#flows) flow.abort();
    this.#flows = NO_FLOWS;
    this.#ends = undefined;
    this.alarm = this.probeAt = Infinity;
  }

  /** Index of the flow to send from; -1: none may send. */
  #next(): number {
    const flows = this.#flows;
    if (this.#full || !this.#mayBurst) return -1;
    let best = -1;
    for (let i = 1; i <= flows.length; i++) {
      const index = (this.#turn + i) % flows.length;
      const flow = flows[index]!;
      if ((best < 0 || goesBefore(flow, flows[best]!)) && flow.ready) best = index;
    }
    return best;
  }

  /** Whether the congestion window is full. */
  get #full(): boolean {
    return this.flight.outstanding >= this.congestion.window;
  }

  get #mayBurst(): boolean {
    return this.#allowance > 0 || this.#acknowledgements > 0;
  }

  #setAlarm(now: number): void {
    if (this.flight.outstanding === 0) {
      this.alarm = Infinity;
      return;
    }
    this.alarm = now + this.#session.roundTrip.timeout;
    this.#session.wakeAt(this.alarm);
  }

  /** Schedules probes, so that a flow does not wait for ever for a lost acknowledgement. */
  #watchWindows(suspended: boolean): void {
    if (!suspended) {
      this.probeAt = Infinity;
      this.#probeInterval = FIRST_PROBE_INTERVAL / 2;
    } else if (this.probeAt === Infinity) {
      this.#setProbe(this.clock.now + FIRST_PROBE_INTERVAL);
    }
  }

  #setProbe(time: number): void {
    this.probeAt = time;
    this.#session.wakeAt(time);
  }
}

const goesBefore = (flow: SendFlow, other: SendFlow): boolean =>
  flow.priority > other.priority ||
  (flow.order < other.order && flow.priority === other.priority);

// Shared by all sessions: packets are processed one after the other.
// /** State at the begin of a packet, and whether it has acknowledged anything. */
const incoming = { delivered: 0, acknowledged: false };
const summary: AckSummary = {
  now: 0,
  before: 0,
  used: false,
  acked: 0,
  answered: 1,
  naks: -1,
  timeCritical: false,
  fastGrow: true,
};
const end = new UserData();
end.abandoned = end.final = true;
