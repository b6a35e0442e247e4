import { Pages } from "../../bytes/pages.ts";
import { WireError } from "../../bytes/wire_error.ts";
import { type Address, sameAddress } from "../../common/address.ts";
import type { PacketCipher } from "../crypto/packet_cipher.ts";
import type { ReceiveFlow } from "../flow/receive_flow.ts";
import type { SendFlow } from "../flow/send_flow.ts";
import type { Outbox } from "../outbox.ts";
import type { FIHello } from "../wire/fihello.ts";
import { Mode, PacketFlag, PacketReader } from "../wire/packet.ts";
import { takeChunks } from "./chunks.ts";
import type { Context } from "./context.ts";
import { Control } from "./control.ts";
import type { CloseReason, SessionHandler } from "./handlers.ts";
import { LifeCycle, type SessionState } from "./life_cycle.ts";
import { Mobility } from "./mobility.ts";
import { Receiving } from "./receiving.ts";
import { RoundTrip } from "./round_trip.ts";
import { type FlowSettings, Sending } from "./sending.ts";
import type { Timed } from "./timer_wheel.ts";

/** Number of bytes by which the session sequence number may grow. */
const SEQUENCE_GROWTH = 4;
/** Memory of a waiting message, and of a flow, besides their content, in bytes. */
const MESSAGE_MEMORY = 300;
const FLOW_MEMORY = 1000;
/** Length of a peer id, and of a nonce, in bytes. */
const NAME_LENGTH = 32;

const packet = new PacketReader(); // shared by all sessions: packets are processed one after the other
const names = new Pages();

/** Result of a completed handshake. */
interface HandshakeResult {
  readonly role: "initiator" | "responder";
  /** Session ids of incoming packets (near) and of outgoing packets (far). */
  readonly nearId: number;
  readonly farId: number;
  readonly address: Address;
  /** Fingerprint of the far end's certificate, 32 bytes. */
  readonly peerId: Uint8Array;
  readonly nearNonce: Uint8Array;
  readonly farNonce: Uint8Array;
  readonly cipher: PacketCipher;
}

/** A session with a far end: RFC 7016 §3.5. */
export class Session implements Timed {
  /** Receiver of events; the owner may replace it. */
  handler: SessionHandler | undefined;
  readonly role: "initiator" | "responder";
  readonly nearId: number;
  readonly farId: number;
  /** Address of the far end in the handshake. */
  readonly firstAddress: Address;
  bytesIn = 0;
  bytesOut = 0;
  packetsIn = 0;
  packetsOut = 0;
  /** Time (ms) of the last packet from {@link address}. */
  lastReceived: number;

  // Only for code of src/rtmfp.
  readonly life: LifeCycle;
  readonly control: Control;
  readonly roundTrip = new RoundTrip();
  readonly sending: Sending;
  readonly receiving: Receiving;
  mobility: Mobility | undefined;
  readonly createdAt: number;
  isDirty = false;
  nextDirty: Session | undefined;
  due = Infinity;
  timerBefore: Timed | undefined;
  timerAfter: Timed | undefined;
  timerSlot = 0;
  /** The session with the same peer that was opened before; linked by the `SessionTable`. */
  olderOfPeer: Session | undefined;

  readonly #cipher: PacketCipher;
  /** Peer id, near nonce and far nonce. */
  readonly #names: Uint8Array;
  readonly #reserve: number;
  #address: Address;

  constructor(readonly context: Context, established: HandshakeResult) {
    const { now } = context;
    this.role = established.role;
    this.nearId = established.nearId;
    this.farId = established.farId;
    this.#names = names.take(3 * NAME_LENGTH);
    this.#names.set(established.peerId);
    this.#names.set(established.nearNonce, NAME_LENGTH);
    this.#names.set(established.farNonce, 2 * NAME_LENGTH);
    this.#address = this.firstAddress = established.address;
    this.#cipher = established.cipher;
    this.#reserve = this.#cipher.headroom + SEQUENCE_GROWTH;
    this.life = new LifeCycle(this, this.role === "initiator");
    this.control = new Control(context.counters);
    this.control.pingDue = this.heard; // the first packet, if nothing else is sent
    this.lastReceived = this.createdAt = now;
    this.sending = new Sending(this);
    this.receiving = new Receiving(this);
    this.wakeAt(this.life.deadline);
    this.wake();
  }

  get state(): SessionState {
    return this.life.state;
  }

  /** The fingerprint of the far end's certificate, 32 bytes. */
  get peerId(): Uint8Array {
    return this.#names.subarray(0, NAME_LENGTH);
  }

  /** For challenges of applications, 32 bytes each. RFC 7425 §4.6.5. */
  get nearNonce(): Uint8Array {
    return this.#names.subarray(NAME_LENGTH, 2 * NAME_LENGTH);
  }

  get farNonce(): Uint8Array {
    return this.#names.subarray(2 * NAME_LENGTH);
  }

  /** The far end is pinged after this time without a packet, in ms; `keepAlive` of the limits by default. */
  get keepAlive(): number {
    return this.life.keepAlive;
  }

  set keepAlive(milliseconds: number) {
    this.life.keepAlive = milliseconds;
  }

  /** Asks the far end for a packet. */
  ping(): void {
    this.life.ping();
  }

  /** Current address of the far end. */
  get address(): Address {
    return this.#address;
  }

  /** Whether a packet of the far end has arrived; a responder sends nothing before. */
  get heard(): boolean {
    return this.life.heard;
  }

  /** The smoothed round-trip time in milliseconds; 0 before it was measured. */
  get rtt(): number {
    return this.roundTrip.smoothed;
  }

  /** Unsent bytes of all flows, the memory for keeping them included. */
  get queuedBytes(): number {
    let sum = 0;
    for (const flow of this.sending.flows) {
      sum += flow.queuedBytes + MESSAGE_MEMORY * flow.queuedMessages + FLOW_MEMORY;
    }
    return sum;
  }

  /** Messages written to all flows and not sent to their end yet. */
  get queuedMessages(): number {
    let sum = 0;
    for (const flow of this.sending.flows) sum += flow.queuedMessages;
    return sum;
  }

  /** Opens a flow to the far end. In an ended session, the flow is closed from the start. */
  openFlow(metadata: Uint8Array, settings?: FlowSettings): SendFlow {
    const flow = this.sending.open(metadata, settings);
    if (this.state !== "open") {
      flow.abort();
      this.sending.forget(flow);
    }
    return flow;
  }

  /** Closes the session in order; drops its flows and their waiting messages at once. RFC 7016 §3.5.5. */
  close(reason: CloseReason = "closed"): void {
    this.life.close(reason);
  }

  /** Closes all flows, then the session once the far end has all written data, or after 5 s. */
  finish(): void {
    this.life.finish();
  }

  /** Drops the session, and tells the far end once. */
  abort(reason: CloseReason = "aborted"): void {
    this.life.abort(reason);
  }

  /** Forwards a hello to the far end. RFC 7016 §3.5.1.5. */
  forward(hello: FIHello): void {
    this.control.forward(hello);
    this.wake();
  }

  /** Takes a datagram with session id {@link nearId}; decrypts it in place. */
  receive(datagram: Uint8Array, from: Address): void {
    const { context: { counters, now }, life } = this;
    if (life.state === "closed") return counters.drop("closed");
    const start = this.#cipher.unseal(datagram);
    if (start < 0) return counters.drop(this.#cipher.dropped);
    try {
      packet.open(datagram, start, this.#cipher.packetEnd);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return counters.drop("format");
    }
    const farMode = this.role === "initiator" ? Mode.responder : Mode.initiator;
    if (packet.mode !== farMode) return counters.drop("mode");
    this.packetsIn++;
    this.bytesIn += datagram.length;
    if (sameAddress(from, this.#address)) {
      this.lastReceived = now;
      if (this.roundTrip.receive(packet.timestamp, packet.timestampEcho, now)) {
        this.sending.congestion.measureRtt(this.roundTrip.latest, now);
      }
      if (!life.heard) this.#hear();
    } else if (life.state === "open" && life.heard && this.roundTrip.isNewer(packet.timestamp)) {
      this.mobility ??= new Mobility(this.context, this.nearId, this.createdAt);
      if (this.mobility.notice(from)) this.wake();
    }
    if (packet.timeCritical) this.context.realTime.received(this, now);
    this.sending.beginPacket(packet.timeCriticalReverse);
    const userData = takeChunks(packet, from, this);
    if (life.state !== "open") return;
    if (this.receiving.limitExceeded) return this.exceeded();
    this.sending.endOfPacket();
    if (!userData) return;
    this.receiving.endOfPacket();
    // A far end that acknowledges nothing would make answers to its messages pile up.
    const { limits } = this.context;
    if (this.sending.flows.length > limits.ownFlows) this.exceeded();
    else if (this.queuedBytes > limits.queued) this.exceeded();
  }

  /**
   * Sends all packets that may be sent now.
   *
   * @returns false if the outbox is full: more may wait to be sent
   */
  flush(out: Outbox): boolean {
    const { life, control } = this;
    if (!life.heard) return true;
    if (this.mobility?.due && !this.#sendElsewhere(out)) return false;
    const { builder, now } = this.context;
    for (;;) {
      const data = life.state === "open" && this.sending.choose();
      if (data && this.packetsOut === 0) control.pingDue = false; // user data serve as the first packet as well
      const other = control.due(now) || this.receiving.due || this.sending.due;
      if (!data && !other) break;
      const to = this.#openPacket(out);
      if (!to) return false;
      control.write(to, now);
      if (life.state === "open") {
        if (this.sending.due) this.sending.writeControl(to);
        this.receiving.writeAcknowledgements(to);
        if (data && this.sending.writeData(to)?.timeCritical) builder.flag(PacketFlag.timeCritical);
      }
      if (builder.empty) break;
      this.#sendPacket(out, this.#address);
    }
    if (life.state === "closed") life.forget();
    else if (life.state === "open") this.sending.afterSending();
    this.wakeAt(life.deadline);
    return true;
  }

  /**
   * Sends user data as the window permits, and no other chunk. Handlers may call it: it acknowledges
   * nothing, calls no handler and ends nothing before the next {@link flush}.
   */
  sendData(out: Outbox): void {
    const { builder } = this.context;
    while (this.life.state === "open" && this.life.heard && this.sending.choose()) {
      if (this.packetsOut === 0) this.control.pingDue = false;
      const to = this.#openPacket(out);
      if (!to) return;
      if (this.sending.writeData(to)?.timeCritical) builder.flag(PacketFlag.timeCritical);
      if (builder.empty) return;
      this.#sendPacket(out, this.#address);
    }
  }

  /** Handles the time-outs due by now; the timers call it. */
  expire(): void {
    this.life.expire();
  }

  /** Frees the keys; the session receives and sends nothing afterwards. */
  free(): void {
    this.#cipher.free();
  }

  // For its parts.

  sendNow(): void {
    this.context.sessions.urgent(this);
  }

  wake(): void {
    this.context.markDirty(this);
  }

  wakeAt(time: number): void {
    this.context.timers.schedule(this, time, this.context.now);
  }

  offer(flow: ReceiveFlow): void {
    const receiver = this.handler?.onFlow(flow, this);
    if (receiver && flow.state === "open") flow.receiver = receiver;
    else flow.reject();
  }

  /** The far end has exceeded a limit. */
  exceeded(): void {
    this.context.counters.drop("limit");
    this.abort("limit");
  }

  move(to: Address): void {
    if (sameAddress(to, this.#address)) return;
    const { context } = this;
    const before = this.#address;
    this.#address = to;
    this.lastReceived = context.now;
    this.mobility?.moved();
    this.roundTrip.reset();
    this.sending.congestion.reset();
    this.sending.loseAll(); // they were sent to the old address
    context.counters.moves++;
    context.sessions.moved(this, before);
  }

  release(): void {
    this.sending.abort();
    this.receiving.abort();
    this.mobility = undefined;
    this.control.leaveOpen();
    this.context.realTime.forget(this);
    this.context.sessions.ended(this);
  }

  onEnd(reason: CloseReason, orderly: boolean): void {
    const { handler } = this;
    this.handler = undefined;
    handler?.onClose(reason, orderly);
  }

  onForgotten(): void {
    this.context.timers.cancel(this);
    this.context.sessions.closed(this);
  }

  #hear(): void {
    this.life.heard = true;
    this.context.sessions.heard(this);
    this.wakeAt(this.life.deadline);
  }

  #openPacket(out: Outbox) {
    const { context } = this;
    const { now } = context;
    let flags: number = this.role === "initiator" ? Mode.initiator : Mode.responder;
    if (context.realTime.receivedElsewhere(this, now)) flags |= PacketFlag.timeCriticalReverse;
    const reserve = this.#reserve - this.#cipher.headroom;
    return context.builder.open(out, this.#cipher, flags, this.roundTrip.echo(now), reserve);
  }

  #sendPacket(out: Outbox, to: Address): void {
    this.packetsOut++;
    this.bytesOut += this.context.builder.send(out, this.#cipher, this.farId, to);
  }

  /** Sends pings and probes to an unproved address. */
  #sendElsewhere(out: Outbox): boolean {
    const mobility = this.mobility!;
    while (mobility.due) {
      const to = this.#openPacket(out);
      if (!to) return false;
      const address = mobility.write(to, this.sending.flows);
      if (address) this.#sendPacket(out, address);
    }
    return true;
  }
}
