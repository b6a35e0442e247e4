import { WireError } from "../bytes/wire_error.ts";
import {
  readRtws,
  type RtwsMessage,
  userDataOverhead,
  writeAckWindow,
  writeCloseAck,
  writeDataAck,
  writeException,
  writeFlowOpen,
  writePing,
  writePingReply,
} from "./messages.ts";
import { type FlowReceiver, ReceiveFlow } from "./receive_flow.ts";
import { SendFlow } from "./send_flow.ts";

/** Maximum time (ms) before data are acknowledged. WEB-505. */
const ACK_DELAY = 250;
/** The peer's acknowledgement window until it sends another one, in bytes. */
const FIRST_ACK_WINDOW = 2800;
/** Acknowledgement window requested of the peer, in bytes. */
const ACK_WINDOW = 16_384;
/** Minimum window: bytes that may be in flight at any round trip time. WEB-506. */
const MIN_WINDOW = 65_536;
/** Time (ms) of the measured rate that may be queued in the network. WEB-506. */
const MAX_QUEUE_DELAY = 50;
const PING_INTERVAL = 10_000;
/** Limits of open flows and unfinished messages of the peer. WEB-510. */
const MAX_FLOWS = 64;
const MAX_METADATA = 64;
const MAX_MESSAGE = 16 << 20;
const MAX_PARTS = 32 << 20;
/** Limits of incomplete messages before the peer has connected, in bytes. */
const MAX_UNTRUSTED_MESSAGE = 64 << 10;
const MAX_UNTRUSTED_PARTS = 128 << 10;

/** The part of a WebSocket that a session uses. */
export interface RtwsOutbox {
  /** Sends one binary message. */
  send(message: Uint8Array<ArrayBuffer>): void;
  /** Whether the transport takes more; false while its own buffer is full. */
  readonly writable: boolean;
  /** Flows may have something to send: call {@link RtwsSession.flush} soon. */
  wake(): void;
}

export interface RtwsHandler {
  /** A flow from the peer. @returns null to refuse it */
  onFlow(flow: ReceiveFlow): FlowReceiver | null;
  /** @param failure the reason, if the session has failed */
  onClose(failure: string | undefined): void;
}

/**
 * One end of an RTWebSocket: flows of messages in both directions over one WebSocket. WEB-5xx.
 *
 * {@link flush} sends the messages written to flows, one fragment at a time, flows of higher priority
 * first; the owner calls it after every input.
 * `now` is in milliseconds and never goes back.
 */
export class RtwsSession {
  handler: RtwsHandler | undefined;
  /** Whether the peer may send large messages. */
  isTrusted: () => boolean = () => true;
  lastReceived: number;
  /** Smoothed round trip in milliseconds; 0 before the first measurement. */
  rtt = 0;
  readonly #outbox: RtwsOutbox;
  readonly #sending = new Map<number, SendFlow>();
  readonly #receiving = new Map<number, ReceiveFlow>();
  #nextFlow = 0;
  #now: number;
  #closed = false;
  #ackWindow = FIRST_ACK_WINDOW;
  /** Unacknowledged bytes of user data of all flows. */
  #unacknowledged = 0;
  #ackAt = Infinity;
  #pingAt: number;
  #pingSent: number | undefined;
  #baseRtt = Infinity;
  /** Acknowledged bytes per millisecond, and the time (ms) since which they are counted. */
  #rate = 0;
  #ackedSince: number;
  #ackedBytes = 0;
  #outstanding = 0;

  constructor(outbox: RtwsOutbox, now: number) {
    this.#outbox = outbox;
    this.#now = this.lastReceived = this.#ackedSince = now;
    this.#pingAt = Infinity;
  }

  /** The WebSocket is open. */
  start(now: number): void {
    this.#now = now;
    this.#pingAt = now;
    this.#send(writeAckWindow(ACK_WINDOW));
  }

  /** Pings the peer. */
  ping(): void {
    this.#pingSent = undefined;
    this.#ping();
  }

  /** Whether the WebSocket takes more. */
  get writable(): boolean {
    return this.#outbox.writable;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Time (ms) to call {@link flush} next without other events. */
  get deadline(): number {
    return this.#closed ? Infinity : Math.min(this.#ackAt, this.#pingAt);
  }

  /** Bytes that wait in all flows. */
  get queuedBytes(): number {
    let bytes = 0;
    for (const flow of this.#sending.values()) bytes += flow.queuedBytes;
    return bytes;
  }

  get queuedMessages(): number {
    let messages = 0;
    for (const flow of this.#sending.values()) messages += flow.queuedMessages;
    return messages;
  }

  /** Opens a flow to the peer; messages go by {@link SendFlow.write}. */
  openFlow(
    metadata: Uint8Array,
    { association, priority = 0 }: { association?: ReceiveFlow; priority?: number } = {},
  ): SendFlow {
    const flow = new SendFlow(this.#nextFlow++, metadata, association, {
      wake: () => this.#outbox.wake(),
      send: (message) => this.#send(message),
    });
    flow.priority = priority;
    if (this.#closed) {
      flow.finish(false);
      return flow;
    }
    this.#sending.set(flow.id, flow);
    this.#send(writeFlowOpen(flow.id, association?.id, metadata));
    return flow;
  }

  /**
   * A WebSocket message has arrived.
   *
   * @throws {WireError} if the peer breaks the protocol or its limits: close the WebSocket
   */
  receive(message: Uint8Array, now: number): void {
    if (this.#closed) return;
    this.#now = this.lastReceived = now;
    const read = readRtws(message);
    if (read) this.#dispatch(read);
  }

  /** Sends waiting data, and acknowledgements and pings that are due. */
  flush(now: number): void {
    if (this.#closed) return;
    this.#now = now;
    if (now >= this.#ackAt) this.#acknowledge();
    if (now >= this.#pingAt) this.#ping();
    while (this.#outbox.writable && this.#outstanding < this.#window) {
      const flow = this.#next();
      if (!flow) return;
      const before = flow.outstanding;
      flow.send();
      this.#outstanding += flow.outstanding - before;
    }
  }

  /**
   * Ends the session and all its flows; sends no more.
   *
   * @param failure the reason, if it has failed
   */
  close(failure?: string): void {
    if (this.#closed) return;
    if (failure === undefined) this.flush(this.#now); // sends the messages written before
    this.#closed = true;
    for (const flow of this.#sending.values()) flow.finish(false);
    this.#sending.clear();
    this.#receiving.clear();
    this.handler?.onClose(failure);
  }

  #dispatch(message: RtwsMessage): void {
    switch (message.type) {
      case "ping":
        return this.#send(writePingReply(message.payload));
      case "pingReply":
        return this.#measure();
      case "ackWindow":
        this.#ackWindow = Math.max(1, message.bytes);
        return;
      case "flowOpen":
        return this.#open(message.flow, message.association, message.metadata);
      case "userData":
        return this.#receiveData(message.flow, message.fragment, message.more);
      case "abandon":
        this.#receiving.get(message.flow)?.abandon();
        return;
      case "flowClose":
        return this.#receiveClose(message.flow);
      case "dataAck":
        return this.#receiveAck(message.flow, message.bytes, message.buffer);
      case "closeAck": {
        const flow = this.#sending.get(message.flow);
        if (!flow) return;
        this.#forget(flow);
        return flow.finish(true);
      }
      case "exception":
        this.#sending.get(message.flow)?.refused(message.code);
    }
  }

  #open(id: number, association: number | undefined, metadata: Uint8Array): void {
    const answered = association === undefined ? undefined : this.#sending.get(association);
    const wrong = this.#receiving.has(id) || (association !== undefined && !answered);
    if (wrong || this.#receiving.size >= MAX_FLOWS || metadata.length > MAX_METADATA) {
      this.#send(writeException(id));
      return;
    }
    const flow = new ReceiveFlow(id, metadata.slice(), answered, (one, code) => {
      one.refused = true;
      one.abandon();
      this.#send(writeException(one.id, code));
    });
    this.#receiving.set(id, flow);
    const receiver = this.handler?.onFlow(flow) ?? null;
    if (receiver) flow.receiver = receiver;
    else flow.reject();
    if (!this.#closed) this.#send(writeDataAck(id, 0, flow.bufferCapacity));
  }

  #receiveData(id: number, fragment: Uint8Array, more: boolean): void {
    const flow = this.#receiving.get(id);
    if (!flow) return;
    const bytes = userDataOverhead(id) + fragment.length;
    flow.unacknowledged += bytes;
    this.#unacknowledged += bytes;
    if (this.#ackAt === Infinity) this.#ackAt = this.#now + ACK_DELAY;
    if (!flow.refused) this.#deliver(flow, fragment, more);
    const half = flow.bufferCapacity / 2;
    if (this.#unacknowledged >= 2 * this.#ackWindow || flow.unacknowledged >= half) {
      this.#acknowledge();
    }
  }

  #deliver(flow: ReceiveFlow, fragment: Uint8Array, more: boolean): void {
    const trusted = this.isTrusted();
    const most = trusted ? MAX_MESSAGE : MAX_UNTRUSTED_MESSAGE;
    if (flow.partBytes + fragment.length > most) {
      throw new WireError(`Cannot receive a message of more than ${most} bytes`);
    }
    const message = flow.receive(fragment, more);
    if (message) return flow.receiver?.onMessage(message);
    const parts = trusted ? MAX_PARTS : MAX_UNTRUSTED_PARTS;
    if (this.partialBytes > parts) {
      throw new WireError(`Cannot hold more than ${parts} bytes of unfinished messages`);
    }
  }

  /** Bytes of incomplete messages. */
  get partialBytes(): number {
    let bytes = 0;
    for (const { partBytes } of this.#receiving.values()) bytes += partBytes;
    return bytes;
  }

  #receiveClose(id: number): void {
    const flow = this.#receiving.get(id);
    if (!flow) return;
    this.#acknowledge();
    this.#send(writeCloseAck(id));
    this.#receiving.delete(id);
    flow.abandon();
    if (!flow.refused) flow.receiver?.onEnd?.();
  }

  #receiveAck(id: number, bytes: number, buffer: number): void {
    const flow = this.#sending.get(id);
    if (!flow) return;
    const before = flow.outstanding;
    flow.acknowledged(bytes, buffer);
    const arrived = before - flow.outstanding;
    this.#outstanding -= arrived;
    this.#ackedBytes += arrived;
    const elapsed = this.#now - this.#ackedSince;
    if (elapsed < ACK_DELAY) return;
    this.#rate = this.#ackedBytes / elapsed;
    this.#ackedBytes = 0;
    this.#ackedSince = this.#now;
  }

  /** Acknowledges all flows together. */
  #acknowledge(): void {
    this.#ackAt = Infinity;
    this.#unacknowledged = 0;
    for (const flow of this.#receiving.values()) {
      if (flow.unacknowledged === 0) continue;
      this.#send(writeDataAck(flow.id, flow.unacknowledged, flow.bufferCapacity));
      flow.unacknowledged = 0;
    }
  }

  #ping(): void {
    this.#pingAt = this.#now + PING_INTERVAL;
    if (this.#pingSent !== undefined) return;
    this.#pingSent = this.#now;
    this.#send(writePing(new Uint8Array(0)));
  }

  #measure(): void {
    if (this.#pingSent === undefined) return;
    const rtt = this.#now - this.#pingSent;
    this.#pingSent = undefined;
    this.rtt = this.rtt === 0 ? rtt : (7 * this.rtt + rtt) / 8;
    this.#baseRtt = Math.min(this.#baseRtt, rtt);
  }

  /** Maximum number of bytes in flight. WEB-506. */
  get #window(): number {
    if (this.#baseRtt === Infinity) return MIN_WINDOW;
    return Math.max(MIN_WINDOW, this.#rate * (this.#baseRtt + MAX_QUEUE_DELAY));
  }

  /** The flow that sends next: the one of the highest priority that has waited longest. */
  #next(): SendFlow | undefined {
    let next: SendFlow | undefined;
    for (const flow of this.#sending.values()) {
      if (flow.ready && (!next || flow.priority > next.priority)) next = flow;
    }
    if (!next) return undefined;
    this.#sending.delete(next.id); // to the end of the list: flows of one priority take turns
    this.#sending.set(next.id, next);
    return next;
  }

  #forget(flow: SendFlow): void {
    this.#outstanding -= flow.outstanding;
    this.#sending.delete(flow.id);
  }

  #send(message: Uint8Array<ArrayBuffer>): void {
    if (!this.#closed) this.#outbox.send(message);
  }
}
