import type { SendFlow } from "./send_flow.ts";

const NOTHING = new Uint8Array(0);
/** Minimum length (bytes) of the buffer for a message in fragments. */
const MIN_PARTS = 1_024;

/** Receives the messages of an accepted flow. */
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
  /** Always 0: a WebSocket loses no data. */
  readonly lostFragments = 0;
  /** Unacknowledged bytes of user data, headers included. */
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

  /** Bytes of the incomplete message. */
  get partBytes(): number {
    return this.#length;
  }

  /** Rejects the flow. */
  reject(code = 0): void {
    if (!this.refused) this.onReject(this, code);
  }

  /** @returns the message, if this was its last fragment */
  receive(fragment: Uint8Array, more: boolean): Uint8Array | undefined {
    this.receivedFragments++;
    if (!more && this.#length === 0) return fragment;
    this.#add(fragment);
    if (more) return undefined;
    const message = this.#parts.subarray(0, this.#length);
    this.abandon();
    return message;
  }

  /** The peer abandons its incomplete message. */
  abandon(): void {
    this.#parts = NOTHING;
    this.#length = 0;
  }

  /** Appends to one growing buffer: separate objects for fragments of a byte would take a hundred times the memory. */
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
