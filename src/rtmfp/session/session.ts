import { Pages } from "../../bytes/pages.ts";
import { WireError } from "../../bytes/wire_error.ts";
import type { PacketCipher } from "../crypto/packet_cipher.ts";
import type { ReceiveFlow } from "../flow/receive_flow.ts";
import type { SendFlow } from "../flow/send_flow.ts";
import type { Outbox } from "../outbox.ts";
import { Ack, readBitmapAck, readRangeAck } from "../wire/ack.ts";
import { type Address, sameAddress } from "../wire/address.ts";
import { bufferProbe } from "../wire/buffer_probe.ts";
import { ChunkType, writeChunk } from "../wire/chunk.ts";
import { type FIHello, fiHello } from "../wire/fihello.ts";
import { flowException } from "../wire/flow_exception.ts";
import { Mode, PacketFlag, PacketReader } from "../wire/packet.ts";
import { ping } from "../wire/ping.ts";
import { readNextUserData, readUserData, UserData } from "../wire/user_data.ts";
import type { Context } from "./context.ts";
import { Control } from "./control.ts";
import type { CloseReason, SessionHandler } from "./handlers.ts";
import { Mobility } from "./mobility.ts";
import { Receiving, type ReceivingOwner } from "./receiving.ts";
import { RoundTrip } from "./round_trip.ts";
import { type FlowSettings, Sending, type SendingOwner } from "./sending.ts";
import type { Timed } from "./timer_wheel.ts";

/** Bytes that the session sequence number may come to take more than at first. */
const SEQUENCE_GROWTH = 4;
const CLOSE_FOR = 90_000;
const FAR_CLOSE_LINGER = 19_000;
/** An initiator repeats its first word, without which the responder does not begin, so soon. */
const FIRST_PING = 1000;
/** The least time between two pings. */
const PING_INTERVAL = 5000;
/** A packet with more chunks that break their format than this is worth no further look. */
const MOST_BAD_CHUNKS = 8;
/** How long {@link Session.finish} waits for the far end. */
const FINISH_WITHIN = 5000;
/** What a message that waits, and a flow, cost besides the bytes, in bytes. */
const MESSAGE = 300;
const FLOW = 1000;
/** Bytes of a peer id and of a nonce. */
const NAME = 32;

// One of each for all sessions: packets are taken one after the other.
const packet = new PacketReader();
const chunk = new UserData();
const ack = new Ack();

const names = new Pages();

/** What comes of a handshake. */
export interface Established {
  readonly role: "initiator" | "responder";
  /** The session id in packets that come in, and that in packets that go out. */
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
export class Session implements ReceivingOwner, SendingOwner, Timed {
  /** Told what happens; the owner's to exchange. */
  handler: SessionHandler | undefined;
  readonly role: "initiator" | "responder";
  readonly nearId: number;
  readonly farId: number;
  bytesIn = 0;
  bytesOut = 0;
  packetsIn = 0;
  packetsOut = 0;
  /** When the last packet came from {@link address}. */
  lastReceived: number;

  // For the room alone.
  readonly roundTrip = new RoundTrip();
  readonly sending: Sending;
  readonly receiving: Receiving;
  readonly createdAt: number;
  isDirty = false;
  nextDirty: Session | undefined;
  due = Infinity;
  timerBefore: Timed | undefined;
  timerAfter: Timed | undefined;
  timerSlot = 0;
  /** The session with the same peer that was opened before; linked by the roster. */
  olderOfPeer: Session | undefined;

  readonly #cipher: PacketCipher;
  /** Peer id, near nonce and far nonce. */
  readonly #names: Uint8Array;
  readonly #reserve: number;
  #address: Address;
  #keepAlive: number;
  #state: "open" | "nearClose" | "farCloseLinger" | "closed" = "open";
  /** A packet of the far end has come. */
  #heard: boolean;
  #forgotten = false;
  #stateUntil = Infinity;
  readonly #control: Control;
  #mobility: Mobility | undefined;
  #movedAt: number;
  #idleSince = Infinity;
  #finishBy = Infinity;

  constructor(readonly context: Context, established: Established) {
    const { now } = context;
    this.role = established.role;
    this.nearId = established.nearId;
    this.farId = established.farId;
    this.#names = names.take(3 * NAME);
    this.#names.set(established.peerId);
    this.#names.set(established.nearNonce, NAME);
    this.#names.set(established.farNonce, 2 * NAME);
    this.#address = established.address;
    this.#keepAlive = context.limits.keepAlive;
    this.#cipher = established.cipher;
    this.#reserve = this.#cipher.headroom + SEQUENCE_GROWTH;
    this.#heard = this.role === "initiator";
    this.#control = new Control(context.counters);
    this.#control.pingDue = this.#heard; // the first word, if there is nothing else to say
    this.lastReceived = this.createdAt = this.#movedAt = now;
    this.sending = new Sending(this);
    this.receiving = new Receiving(this);
    this.wakeAt(this.deadline);
    this.wake();
  }

  get state(): "open" | "nearClose" | "farCloseLinger" | "closed" {
    return this.#state;
  }

  /** Who the far end is: the fingerprint of its certificate, 32 bytes. */
  get peerId(): Uint8Array {
    return this.#names.subarray(0, NAME);
  }

  /** For challenges of applications, 32 bytes each. RFC 7425 §4.6.5. */
  get nearNonce(): Uint8Array {
    return this.#names.subarray(NAME, 2 * NAME);
  }

  get farNonce(): Uint8Array {
    return this.#names.subarray(2 * NAME);
  }

  /** After so many milliseconds without a packet the far end is asked for one; at first as the limits say. */
  get keepAlive(): number {
    return this.#keepAlive;
  }

  set keepAlive(milliseconds: number) {
    this.#keepAlive = milliseconds;
    if (this.#state === "open") this.wakeAt(this.deadline);
  }

  /** Where the far end is. */
  get address(): Address {
    return this.#address;
  }

  /** Whether a packet of the far end has come: before, nothing is sent to an initiator. */
  get heard(): boolean {
    return this.#heard;
  }

  /** The smoothed round-trip time in milliseconds; 0 before it was measured. */
  get rtt(): number {
    return this.roundTrip.smoothed;
  }

  /** Bytes written to all flows and not sent yet, with what it costs to keep them. */
  get queuedBytes(): number {
    let sum = 0;
    for (const flow of this.sending.flows) {
      sum += flow.queuedBytes + MESSAGE * flow.queuedMessages + FLOW;
    }
    return sum;
  }

  /** Opens a flow to the far end. In a session that is over, the flow is closed from the start. */
  openFlow(metadata: Uint8Array, settings?: FlowSettings): SendFlow {
    const flow = this.sending.open(metadata, settings);
    if (this.#state !== "open") {
      flow.abort();
      this.sending.forget(flow);
    }
    return flow;
  }

  /** Closes the session in order. Its flows are gone at once, and what waits in them. RFC 7016 §3.5.5. */
  close(reason: CloseReason = "closed"): void {
    if (this.#state !== "open") return;
    if (!this.#heard) return this.#end("closed", reason, true);
    this.#control.closeAt = this.context.now;
    this.#end("nearClose", reason, true);
  }

  /** Closes all flows, and then the session when the far end has all that was written, or in 5 s. */
  finish(): void {
    if (this.#state !== "open" || this.#finishBy < Infinity) return;
    this.#finishBy = this.context.now + FINISH_WITHIN;
    for (const flow of [...this.sending.flows]) flow.close();
    this.wakeAt(this.sending.flows.length > 0 ? this.#finishBy : this.context.now);
    this.wake();
  }

  /** Drops the session, and tells the far end once. */
  abort(reason: CloseReason = "aborted"): void {
    if (this.#state === "closed") return;
    this.#control.closeAckDue = this.#heard && reason !== "overridden"; // nobody is there then
    this.#end("closed", reason, false);
  }

  /** Forwards a hello to the far end. RFC 7016 §3.5.1.5. */
  forward(hello: FIHello): void {
    this.#control.forward(hello);
    this.wake();
  }

  /** Takes a datagram that bears {@link nearId}; it is decrypted in place. */
  receive(datagram: Uint8Array, from: Address): void {
    const { counters, now } = this.context;
    if (this.#state === "closed") return counters.drop("closed");
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
      if (!this.#heard) this.#hear();
    } else {
      this.#notice(from, packet.timestamp);
    }
    if (packet.timeCritical) this.context.realTime.received(this, now);
    this.sending.beginPacket(packet.timeCriticalReverse);
    const userData = this.#receiveChunks(from);
    if (this.#state !== "open") return;
    this.sending.endOfPacket();
    if (!userData) return;
    this.receiving.endOfPacket();
    // Answers to what came may wait without end for a far end that takes none.
    const { limits } = this.context;
    if (this.sending.flows.length > limits.ownFlows) this.violated("own flows");
    else if (this.queuedBytes > limits.queued) this.violated("answers");
  }

  /**
   * Sends all that may be sent now.
   *
   * @returns false if the outbox takes no more: there may be more to send
   */
  flush(out: Outbox): boolean {
    if (!this.#heard) return true;
    if (this.#mobility?.due && !this.#sendElsewhere(out)) return false;
    const { builder, now } = this.context;
    for (;;) {
      const data = this.#state === "open" && this.sending.choose();
      if (data && this.packetsOut === 0) this.#control.pingDue = false; // data is a first word as well
      const control = this.#control.due(now) || this.receiving.due || this.sending.due;
      if (!data && !control) break;
      const to = this.#openPacket(out);
      if (!to) return false;
      this.#control.write(to, now);
      if (this.#state === "open") {
        if (this.sending.due) this.sending.writeControl(to);
        this.receiving.writeAcknowledgements(to);
        if (data && this.sending.writeData(to)?.timeCritical) builder.flag(PacketFlag.timeCritical);
      }
      if (builder.empty) break;
      this.#sendPacket(out, this.#address);
    }
    if (this.#state === "closed") this.#forget();
    else if (this.#state === "open") this.sending.afterSending();
    this.wakeAt(this.deadline);
    return true;
  }

  /** Sees to what is due by now; the timers call it. */
  expire(): void {
    const { now, limits } = this.context;
    if (this.#state === "open") this.#expireOpen();
    else if (now >= this.#stateUntil) this.#state = "closed";
    if (this.#state === "closed" && !this.#control.closeAckDue) return this.#forget();
    if (this.#heard && this.#state === "open") {
      if (now >= this.#nextPing) this.#control.pingDue = true;
      if (now - this.lastReceived >= limits.silence) return this.#end("closed", "timeout", false);
    }
    this.wake();
    this.wakeAt(this.deadline);
  }

  /** When {@link expire} is to be called next. */
  get deadline(): number {
    const { limits } = this.context;
    if (this.#state === "closed") return Infinity;
    if (this.#state !== "open") return Math.min(this.#control.closeAt, this.#stateUntil);
    if (!this.#heard) return this.createdAt + limits.opening;
    return Math.min(
      this.sending.alarm,
      this.sending.probeAt,
      this.receiving.ackAt,
      this.#nextPing,
      this.lastReceived + limits.silence,
      this.#idleSince + limits.idle,
      this.#finishBy,
    );
  }

  wake(): void {
    this.context.markDirty(this);
  }

  wakeAt(time: number): void {
    this.context.timers.schedule(this, time, this.context.now);
  }

  sendFlow(id: number): SendFlow | undefined {
    const flow = this.sending.flow(id);
    return flow?.closed ? undefined : flow;
  }

  flowEnded(): void {
    if (this.#finishBy < Infinity) this.wakeAt(this.context.now);
  }

  offer(flow: ReceiveFlow): void {
    const receiver = this.handler?.onFlow(flow, this);
    if (receiver && flow.state === "open") flow.receiver = receiver;
    else flow.reject();
  }

  violated(_what: string): void {
    this.context.counters.drop("limit");
    this.abort("limit");
  }

  get #nextPing(): number {
    const { pingedAt } = this.#control;
    if (this.packetsIn === 0) return Math.max(this.createdAt, pingedAt) + FIRST_PING;
    return Math.max(
      this.lastReceived + this.#keepAlive,
      pingedAt + Math.max(PING_INTERVAL, this.roundTrip.timeout),
    );
  }

  #hear(): void {
    this.#heard = true;
    this.context.host.onHeard(this);
    this.wakeAt(this.deadline);
  }

  /** @returns whether there was user data among them */
  #receiveChunks(from: Address): boolean {
    let userData = false;
    let follows = false;
    let bad = 0;
    while (packet.next()) {
      const { type, payload } = packet;
      try {
        if (type === ChunkType.userData || type === ChunkType.nextUserData) {
          if (this.#state !== "open") continue;
          if (type === ChunkType.nextUserData && !follows) {
            this.context.counters.drop("fragment");
            continue;
          }
          follows = false; // unless it is read to its end
          if (type === ChunkType.userData) readUserData(payload, chunk);
          else readNextUserData(payload, chunk);
          follows = userData = true;
          this.receiving.receive(chunk);
        } else {
          this.#receiveChunk(type, from);
        }
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        this.context.counters.drop("format");
        if (++bad > MOST_BAD_CHUNKS) break;
      }
      if (this.#state === "closed") break;
    }
    return userData;
  }

  #receiveChunk(type: number, from: Address): void {
    const { payload } = packet;
    if (type === ChunkType.sessionClose) return this.#onClose();
    if (type === ChunkType.sessionCloseAck) {
      return this.#end("closed", "closed by peer", true);
    }
    if (this.#state !== "open") return;
    switch (type) {
      case ChunkType.rangeAck:
        readRangeAck(payload, ack);
        return this.#onAck(from);
      case ChunkType.bitmapAck:
        readBitmapAck(payload, ack);
        return this.#onAck(from);
      case ChunkType.ping:
        return this.#onPing(payload.rest(), from);
      case ChunkType.pingReply:
        if (this.#mobility?.answer(payload.rest(), from, this.address)) this.#move(from);
        else if (this.#mobility?.due) this.wake();
        return;
      case ChunkType.bufferProbe:
        return this.receiving.probe(bufferProbe.read(payload));
      case ChunkType.flowException: {
        const { flowId, code } = flowException.read(payload);
        return this.sending.onException(flowId, code);
      }
      case ChunkType.fiHello:
        if (this.role === "responder") return this.context.counters.drop("unexpected");
        return this.context.host.onForwardedHello(fiHello.read(payload));
    }
    // Others are ignored, those of startup packets too. RFC 7016 §2.3.
  }

  #onAck(from: Address): void {
    if (this.#mobility?.acknowledged(ack, from)) this.#move(from);
    this.sending.acknowledge(ack);
  }

  #onPing(message: Uint8Array, from: Address): void {
    if (!sameAddress(from, this.#address)) return; // is asked itself now
    this.#control.reply(message);
    this.wake();
  }

  /** The far end wants to close. RFC 7016 §3.5.5. */
  #onClose(): void {
    this.#control.closeAckDue = true;
    this.wake();
    if (this.#state === "farCloseLinger") return;
    this.#control.closeAt = Infinity;
    this.#end("farCloseLinger", "closed by peer", true);
  }

  /** A packet has come from another address. */
  #notice(from: Address, timestamp: number | undefined): void {
    if (this.#state !== "open" || !this.#heard || !this.roundTrip.isNewer(timestamp)) return;
    this.#mobility ??= new Mobility(this.context, this.nearId, this.#movedAt);
    if (this.#mobility.notice(from)) this.wake();
  }

  /** The far end has proved to be at another address. */
  #move(to: Address): void {
    if (sameAddress(to, this.#address)) return;
    const before = this.#address;
    this.#address = to;
    this.#movedAt = this.lastReceived = this.context.now;
    this.#mobility?.moved();
    this.roundTrip.reset();
    this.sending.congestion.reset();
    this.sending.loseAll(); // it went where nobody is
    this.context.counters.moves++;
    this.context.host.onMoved(this, before);
    this.handler?.onAddress?.(this.#address);
  }

  #expireOpen(): void {
    const { now, limits } = this.context;
    if (!this.#heard) {
      if (now >= this.createdAt + limits.opening) this.#end("closed", "timeout", false);
      return;
    }
    if (this.sending.expire() >= limits.unacknowledged) return this.abort("no acknowledgement");
    this.receiving.forget();
    const idle = this.sending.flows.length === 0 && this.receiving.open === 0;
    if (!idle) this.#idleSince = Infinity;
    else if (this.#idleSince === Infinity) this.#idleSince = now;
    else if (now - this.#idleSince >= limits.idle) return this.close("idle");
    if (this.#finishBy < Infinity && (now >= this.#finishBy || this.sending.flows.length === 0)) {
      this.close();
    }
  }

  /** Leaves the state in which the session is of use. */
  #end(state: "nearClose" | "farCloseLinger" | "closed", reason: CloseReason, orderly: boolean) {
    const handler = this.#state === "open" ? this.handler : undefined;
    const { now, realTime } = this.context;
    if (this.#state === "open") {
      this.handler = undefined;
      this.sending.abort();
      this.receiving.abort();
      this.#mobility = undefined;
      this.#control.leaveOpen();
      realTime.forget(this);
      this.context.host.onEnded(this);
    }
    this.#state = state;
    this.#stateUntil = now + (state === "nearClose" ? CLOSE_FOR : FAR_CLOSE_LINGER);
    this.wake();
    if (state !== "closed") this.wakeAt(this.deadline);
    else if (!this.#control.closeAckDue) this.#forget();
    handler?.onClose(reason, orderly);
  }

  /** There will be no more packets, neither way. */
  #forget(): void {
    if (this.#forgotten) return;
    this.#forgotten = true;
    this.context.timers.cancel(this);
    this.context.host.onClosed(this);
  }

  /** Gives the keys back; nothing is received or sent afterwards. */
  free(): void {
    this.#cipher.free();
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

  /** Sends questions to an address that is not proved. */
  #sendElsewhere(out: Outbox): boolean {
    const mobility = this.#mobility!;
    while (mobility.due) {
      const to = this.#openPacket(out);
      if (!to) return false;
      const asked = mobility.takeAddressToAsk();
      const probed = asked ? undefined : mobility.takeAddressToProbe();
      if (asked) {
        writeChunk(to, ping, mobility.question(asked));
        this.#sendPacket(out, asked);
      } else if (probed) {
        for (const flow of this.sending.flows) {
          const sequence = flow.probe(to);
          if (sequence === 0) continue;
          mobility.probed(probed, flow, sequence);
          this.#sendPacket(out, probed);
          break;
        }
      }
    }
    return true;
  }
}
