import { concat } from "../bytes/concat.ts";
import type { SendFlow } from "./send_flow.ts";

/** Takes the messages of a flow that was accepted. */
export interface FlowReceiver {
  /** @param message a view, good until the call returns */
  onMessage(message: Uint8Array): void;
  /** The peer has ended the flow. */
  onEnd?(): void;
}

/** A flow of messages from the peer. WEB-5xx. */
export class ReceiveFlow {
  receiver: FlowReceiver | undefined;
  /** Bytes that the peer may send ahead. */
  bufferCapacity = 65_536;
  receivedFragments = 0;
  /** Nothing is lost by a WebSocket. */
  readonly lostFragments = 0;
  /** Bytes of user data, headers included, that were not acknowledged. */
  unacknowledged = 0;
  /** The flow was refused: its messages are discarded. */
  refused = false;
  #parts: Uint8Array[] = [];
  #partBytes = 0;

  constructor(
    readonly id: number,
    readonly metadata: Uint8Array,
    /** The own flow that this one answers. */
    readonly association: SendFlow | undefined,
    readonly onReject: (flow: ReceiveFlow, code: number) => void,
  ) {}

  /** Bytes of a message whose end has not come. */
  get partBytes(): number {
    return this.#partBytes;
  }

  /** Tells the peer that nothing more of this flow is wanted. */
  reject(code = 0): void {
    if (!this.refused) this.onReject(this, code);
  }

  /** @returns the message, once its last fragment is there */
  receive(fragment: Uint8Array, more: boolean): Uint8Array | undefined {
    this.receivedFragments++;
    if (!more && this.#parts.length === 0) return fragment;
    this.#parts.push(fragment.slice());
    this.#partBytes += fragment.length;
    if (more) return undefined;
    const message = concat(this.#parts);
    this.abandon();
    return message;
  }

  /** The peer gives up the message that it has begun. */
  abandon(): void {
    this.#parts = [];
    this.#partBytes = 0;
  }
}
