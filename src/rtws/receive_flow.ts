import type { SendFlow } from "./send_flow.ts";

const NOTHING = new Uint8Array(0);
/** Bytes of the first buffer for a message in fragments. */
const MIN_PARTS = 1_024;

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
  #parts = NOTHING;
  #length = 0;

  constructor(
    readonly id: number,
    readonly metadata: Uint8Array,
    /** The own flow that this one answers. */
    readonly association: SendFlow | undefined,
    readonly onReject: (flow: ReceiveFlow, code: number) => void,
  ) {}

  /** Bytes of a message whose end has not come. */
  get partBytes(): number {
    return this.#length;
  }

  /** Tells the peer that nothing more of this flow is wanted. */
  reject(code = 0): void {
    if (!this.refused) this.onReject(this, code);
  }

  /** @returns the message, once its last fragment is there */
  receive(fragment: Uint8Array, more: boolean): Uint8Array | undefined {
    this.receivedFragments++;
    if (!more && this.#length === 0) return fragment;
    this.#add(fragment);
    if (more) return undefined;
    const message = this.#parts.subarray(0, this.#length);
    this.abandon();
    return message;
  }

  /** The peer gives up the message that it has begun. */
  abandon(): void {
    this.#parts = NOTHING;
    this.#length = 0;
  }

  /** One buffer that grows: as objects of their own, fragments of a byte would cost a hundred times as much. */
  #add(fragment: Uint8Array): void {
    const length = this.#length + fragment.length;
    if (length > this.#parts.length) {
      const grown = new Uint8Array(Math.max(length, 2 * this.#parts.length, MIN_PARTS));
      grown.set(this.#parts.subarray(0, this.#length));
      this.#parts = grown;
    }
    this.#parts.set(fragment, this.#length);
    this.#length = length;
  }
}
