import { MessageVector, pointer, WORDS } from "./message_vector.ts";
import type { Remote } from "./udp_address.ts";

/** Maximum number of datagrams in one message: the lowest limit of any version of Linux. */
const MAX_SEGMENTS = 64;
/** Maximum number of bytes in one message: a little less than an IP packet holds. */
const MAX_BYTES = 65_000;

// struct cmsghdr: its length u64 | level u32 | type u32, and the size of the segments u16.
const CONTROL = 24;
const CONTROL_LENGTH = 18;
const SOL_UDP = 17;
const UDP_SEGMENT = 103;

// Words of 32 bits in a struct mmsghdr.
const IOV = 4;
const IOV_COUNT = 6;
const CONTROL_POINTER = 8;
const CONTROL_SIZE = 10;

/**
 * The datagrams of one sendmmsg. Consecutive datagrams to the same address and of the same length, except
 * that the last may be shorter, become one message, which the system or the network card splits again
 * (UDP_SEGMENT): less than half the cost.
 */
export class SendVector extends MessageVector {
  readonly #segmented: boolean;
  /** Sizes of segments, as 16-bit words. */
  readonly #sizes: Uint16Array;
  /** Address of the list of buffers from each buffer on, in two words. */
  readonly #lists: Uint32Array;
  readonly #targets: Remote[] = [];
  /** Datagrams `#first` up to `#end` wait. */
  #first = 0;
  #end = 0;
  /** Messages `#firstMessage` up to `#endMessage` wait; both are 0 if none waits. */
  #firstMessage = 0;
  #endMessage = 0;
  /** Length in bytes of the datagrams of the last message; 0 if no datagram can be added to it. */
  #segment = 0;
  /** Bytes of the last message. */
  #bytes = 0;

  /** @param segmented whether the system knows UDP_SEGMENT */
  constructor(count: number, slotSize: number, nameSize: number, segmented: boolean) {
    super(count, slotSize, nameSize);
    this.#segmented = segmented;
    const controls = new Uint8Array(count * CONTROL);
    this.#sizes = new Uint16Array(controls.buffer);
    const headers = new BigUint64Array(this.words.buffer);
    const view = new DataView(controls.buffer);
    const lists = new BigUint64Array(count);
    this.#lists = new Uint32Array(lists.buffer);
    for (let i = 0; i < count; i++) {
      lists[i] = headers[(i * WORDS + IOV) / 2]!;
      headers[(i * WORDS + CONTROL_POINTER) / 2] = pointer(controls) + BigInt(i * CONTROL);
      view.setBigUint64(i * CONTROL, BigInt(CONTROL_LENGTH), true);
      view.setUint32(i * CONTROL + 8, SOL_UDP, true);
      view.setUint32(i * CONTROL + 12, UDP_SEGMENT, true);
    }
  }

  /** Datagrams that wait. */
  get waiting(): number {
    return this.#end - this.#first;
  }

  /** Messages that wait. */
  get messages(): number {
    return this.#endMessage - this.#firstMessage;
  }

  /** Number of datagrams that still fit. */
  get room(): number {
    return this.count - this.#end;
  }

  /** Whether no more datagrams fit. */
  get full(): boolean {
    return this.#end === this.count;
  }

  /** The buffer of the next datagram, unless it is {@link full}. */
  get buffer(): Uint8Array {
    return this.buffers[this.#end]!;
  }

  /** The headers of the messages that wait. */
  get headers(): Uint8Array<ArrayBuffer> {
    return this.from(this.#firstMessage);
  }

  /** The first datagram that waits, and its destination. */
  get first(): { readonly datagram: Uint8Array; readonly to: Remote } {
    return {
      datagram: this.buffers[this.#first]!.subarray(0, this.lengthOf(this.#first)),
      to: this.#targets[this.#firstMessage]!,
    };
  }

  /** Whether the first message that waits has several datagrams. */
  get firstIsRun(): boolean {
    return this.#datagrams(this.#firstMessage) > 1;
  }

  /** Adds the datagram in {@link buffer}. */
  post(length: number, to: Remote): void {
    const slot = this.#end++;
    this.setLength(slot, length);
    const last = this.#endMessage - 1;
    if (length <= this.#segment && this.#targets[last] === to && length > 0) {
      const at = last * WORDS;
      const count = this.#datagrams(last) + 1;
      this.words[at + IOV_COUNT] = count;
      this.#bytes += length;
      if (count === 2) {
        this.words[at + CONTROL_SIZE] = CONTROL;
        this.#sizes[last * (CONTROL / 2) + 8] = this.#segment;
      }
      const more = length === this.#segment && count < MAX_SEGMENTS &&
        this.#bytes + length <= MAX_BYTES;
      if (!more) this.#segment = 0;
      return;
    }
    const message = this.#endMessage++;
    if (this.#targets[message] !== to) {
      this.#targets[message] = to;
      const { names } = this;
      const raw = to.raw!;
      for (let i = 0, at = this.nameAt(message); i < raw.length; i++) names[at + i] = raw[i]!;
    }
    this.#begin(message, slot, 1);
    this.#segment = this.#segmented && to.segmented ? length : 0;
    this.#bytes = length;
  }

  /** Removes the first messages, which were sent. @returns their number of datagrams */
  sent(messages: number): number {
    const before = this.#first;
    for (let i = 0; i < messages; i++) {
      this.#first += this.#datagrams(this.#firstMessage++);
    }
    const datagrams = this.#first - before;
    if (this.#firstMessage === this.#endMessage) this.#clear();
    return datagrams;
  }

  /** Removes the first datagram. */
  shift(): void {
    const message = this.#firstMessage;
    const left = this.#datagrams(message) - 1;
    if (left === 0) {
      this.sent(1);
      return;
    }
    this.#first++;
    this.#begin(message, this.#first, left);
    this.#segment = 0;
  }

  /** Sends each datagram to the destination of the first message as a message of its own from now on. */
  split(): void {
    this.first.to.segmented = false;
    const targets: Remote[] = [];
    for (let i = this.#firstMessage; i < this.#endMessage; i++) {
      for (let n = this.#datagrams(i); n > 0; n--) targets.push(this.#targets[i]!);
    }
    // No more messages than datagrams were sent, so there is room for all.
    this.#end = this.#first;
    this.#endMessage = this.#firstMessage;
    this.#segment = 0;
    for (const to of targets) this.post(this.lengthOf(this.#end), to);
  }

  /** The number of datagrams in a message. */
  #datagrams(message: number): number {
    return this.words[message * WORDS + IOV_COUNT]!;
  }

  /** Begins a message of `count` datagrams. */
  #begin(message: number, slot: number, count: number): void {
    const at = message * WORDS;
    this.words[at + IOV] = this.#lists[2 * slot]!;
    this.words[at + IOV + 1] = this.#lists[2 * slot + 1]!;
    this.words[at + IOV_COUNT] = count;
    this.words[at + CONTROL_SIZE] = count > 1 ? CONTROL : 0;
  }

  #clear(): void {
    this.#first =
      this.#end =
      this.#firstMessage =
      this.#endMessage =
      this.#segment =
        0;
  }
}
