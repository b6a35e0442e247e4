import { Writer } from "../bytes/writer.ts";
import { userDataOverhead, writeAbandon, writeFlowClose, writeUserData } from "./messages.ts";
import type { ReceiveFlow } from "./receive_flow.ts";

/** Maximum length (bytes) of a fragment, so that flows of higher priority can interrupt a message. WEB-506. */
const FRAGMENT_LENGTH = 1400;
/** The peer's buffer before its first acknowledgement, in bytes. */
const FIRST_BUFFER = 65_536;

interface SendFlowHandler {
  /** The peer has rejected this flow, which is closed. */
  onException?(code: number): void;
  /** An acknowledgement has come. */
  onAcknowledged?(): void;
  /** The peer has acknowledged the end. */
  onClosed?(): void;
}

/** The part of a session that a sending flow uses. */
export interface SendFlowOwner {
  /** The flow may have something to send. */
  wake(): void;
  /** Sends a message now. */
  send(message: Uint8Array<ArrayBuffer>): void;
}

/** A flow of messages to the peer, over a transport that loses nothing. WEB-5xx. */
export class SendFlow {
  priority = 0;
  handler: SendFlowHandler | undefined;
  sentFragments = 0;
  /** Always 0: a WebSocket loses no data. */
  readonly lostFragments = 0;
  /** Bytes of user data, headers included, that have arrived. */
  ackedBytes = 0;
  #state: "open" | "closing" | "closed" = "open";
  /** Messages not completely sent, from `#head` on. */
  #queue: Uint8Array[] = [];
  /** For each message, the u32 that replaces the one after its first byte; -1: none. */
  #stamps: number[] = [];
  #head = 0;
  /** Number of bytes sent of the first one. */
  #offset = 0;
  #queuedBytes = 0;
  #lastMessage = 0;
  /** Total bytes of user data sent, headers included. */
  #sentBytes = 0;
  #buffer = FIRST_BUFFER;
  /** For each completely sent and unacknowledged message, `#sentBytes` after it. */
  #ends: number[] = [];
  #arrived = 0;

  constructor(
    readonly id: number,
    readonly metadata: Uint8Array,
    readonly association: ReceiveFlow | undefined,
    readonly host: SendFlowOwner,
  ) {}

  get closed(): boolean {
    return this.#state !== "open";
  }

  /** Bytes written and not sent yet. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Number of messages written and not completely sent. */
  get queuedMessages(): number {
    return this.#queue.length - this.#head;
  }

  /** Number of messages written. */
  get lastMessage(): number {
    return this.#lastMessage;
  }

  /** The first message, counted from 1, that has not arrived. */
  get firstPending(): number {
    return this.#arrived + 1;
  }

  /** Bytes sent that the peer has not acknowledged. */
  get outstanding(): number {
    return this.#sentBytes - this.ackedBytes;
  }

  /** Whether {@link send} would send something. */
  get ready(): boolean {
    return this.#head < this.#queue.length && this.outstanding < this.#buffer;
  }

  /**
   * Sends a message, whose bytes are not copied and must not change any more.
   *
   * @param stamp u32 that replaces the one after the first byte; -1: none
   */
  write(message: Uint8Array, _options?: { readonly reliable?: boolean }, stamp = -1): void {
    if (this.#state !== "open") return;
    this.#queue.push(message);
    this.#stamps.push(stamp);
    this.#queuedBytes += message.length;
    this.#lastMessage++;
    this.host.wake();
  }

  /** Drops the messages of which nothing was sent. @returns their number */
  abandonUnsent(): number {
    const first = this.#head + (this.#offset > 0 ? 1 : 0);
    const dropped = this.#queue.splice(first);
    this.#stamps.length = this.#queue.length;
    for (const { length } of dropped) this.#queuedBytes -= length;
    this.#lastMessage -= dropped.length;
    return dropped.length;
  }

  /** Ends the flow after the messages written so far. */
  close(): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    if (this.#head === this.#queue.length) this.host.send(writeFlowClose(this.id));
  }

  /** Sends one fragment, if a message waits. */
  send(): void {
    const message = this.#queue[this.#head];
    if (!message) return;
    const end = Math.min(message.length, this.#offset + FRAGMENT_LENGTH);
    const data = writeUserData(this.id, message, this.#offset, end);
    const stamp = this.#stamps[this.#head] ?? -1;
    if (this.#offset === 0 && stamp >= 0) {
      Writer.over(data).u32At(userDataOverhead(this.id) + 1, stamp);
    }
    this.host.send(data);
    this.sentFragments++;
    this.#sentBytes += userDataOverhead(this.id) + end - this.#offset;
    this.#queuedBytes -= end - this.#offset;
    this.#offset = end;
    if (end < message.length) return;
    this.#ends.push(this.#sentBytes);
    this.#dropFirst();
    if (this.#state === "closing" && this.#head === this.#queue.length) {
      this.host.send(writeFlowClose(this.id));
    }
  }

  /** Processes an acknowledgement. */
  acknowledged(bytes: number, buffer: number): void {
    this.#buffer = buffer;
    this.ackedBytes = Math.min(this.#sentBytes, this.ackedBytes + bytes);
    let arrived = 0;
    for (const end of this.#ends) {
      if (end > this.ackedBytes) break;
      arrived++;
    }
    if (arrived > 0) this.#ends.splice(0, arrived);
    this.#arrived += arrived;
    this.handler?.onAcknowledged?.();
  }

  /** The peer rejects the flow: drops the waiting messages. */
  refused(code: number): void {
    if (this.#state === "closed") return;
    const wasOpen = this.#state === "open";
    if (this.#offset > 0) this.host.send(writeAbandon(this.id, 1));
    this.#clear();
    if (wasOpen) this.host.send(writeFlowClose(this.id));
    this.#state = "closing";
    this.handler?.onException?.(code);
  }

  /** The peer has acknowledged the end (`seen`), or the session has ended. */
  finish(seen: boolean): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#clear();
    if (seen) this.handler?.onClosed?.();
  }

  #dropFirst(): void {
    this.#head++;
    this.#offset = 0;
    if (this.#head < 64 && this.#head < this.#queue.length) return;
    this.#queue.splice(0, this.#head); // frees the memory of sent messages
    this.#stamps.splice(0, this.#head);
    this.#head = 0;
  }

  #clear(): void {
    this.#queue = [];
    this.#stamps = [];
    this.#head = this.#offset = this.#queuedBytes = 0;
  }
}
