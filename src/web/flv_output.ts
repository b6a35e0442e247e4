import { flvHeader } from "../flv/tags.ts";
import type { Clock } from "../media/clock.ts";
import type { Frame, FrameKind } from "../media/frame.ts";
import type { ListenerOutput } from "../media/listener.ts";
import { codecNameOf, playable, unplayableReason } from "./codecs.ts";
import { scriptTagBody } from "./script_tag.ts";
import { type Tag, TagBlock, tagLength } from "./tag_block.ts";

/** Events of a stream for its viewer. */
interface FlvOutputEvents {
  /** Bytes wait for {@link FlvOutput.take}. */
  onBytes(): void;
  /** The publisher has left. */
  onUnpublished(): void;
  /** A publisher has come. */
  onPublished(): void;
  /** A script ends the playback. */
  onEnded(): void;
}

/** A waiting tag, whose bytes are written when it is taken, and the time (ms) since which it waits. */
interface WaitingTag extends Tag {
  readonly header: boolean;
  readonly since: number;
}

/** Maximum ms to wait for frames of the second kind, by the clock or the stream's times. */
const OTHER_KIND_TIMEOUT = 500;

/** Key of the script tag among the encoded forms of a frame. */
const SCRIPT = {};
/** Bytes before the first tag. */
const FILE_HEADER = 13;
const NOTHING_WAITS = { length: 0, count: 0 };
const NOTHING = new Uint8Array(0);

/**
 * A live stream as an FLV file without an end, for one viewer. WEB-010 to WEB-018.
 *
 * Tags wait here until {@link take}, so that late tags can be dropped whole.
 */
export class FlvOutput implements ListenerOutput {
  /** Kinds whose codec no browser plays: their frames are not sent. WEB-018. */
  readonly unplayable = new Map<FrameKind, string>();
  #queue: WaitingTag[] = [];
  #queuedBytes = 0;
  #queuedDataBytes = 0;
  #begun = false;
  readonly #seen = new Set<FrameKind>();
  /** Time of the first frame that waits for the header, by the clock and by the stream. */
  #first: { readonly at: number; readonly time: number } | undefined;
  #isKnown = false;

  /** @param kinds kinds of frames that the viewer wants */
  constructor(
    readonly clock: Clock,
    readonly events: FlvOutputEvents,
    readonly kinds: { readonly audio: boolean; readonly video: boolean },
  ) {}

  // ListenerOutput

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  get queuedDataBytes(): number {
    return this.#queuedDataBytes;
  }

  get videoWaitsSince(): number {
    return this.#queue.find(({ kind }) => kind === "video")?.since ?? Infinity;
  }

  get mediaWaitsSince(): number {
    return this.#queue.find(({ kind }) => kind !== "data")?.since ?? Infinity;
  }

  send(frame: Frame, time: number): void {
    const { kind } = frame;
    if (kind === "data") return this.#sendData(frame, time);
    if (!this.#seen.has(kind)) this.#readCodec(frame);
    if (!this.#isKnown) this.#checkKinds(time);
    if (this.unplayable.has(kind)) return;
    this.#add(kind, frame.role === "header", frame.payload, time);
  }

  abandon(kind: "audio" | "video"): number {
    const kept: WaitingTag[] = [];
    let given = 0;
    for (const tag of this.#queue) {
      if (tag.kind === kind) {
        this.#queuedBytes -= tag.body.length;
        if (!tag.header) given++;
      } else kept.push(tag);
    }
    this.#queue = kept;
    return given;
  }

  /** Reason if all received kinds have codecs that no browser plays. WEB-018. */
  get unplayableReason(): string | undefined {
    if (!this.#isKnown || this.unplayable.size === 0) return undefined;
    if (this.unplayable.size < this.#seen.size) return undefined;
    return unplayableReason([...this.unplayable.values()]);
  }

  sampleAccess(): void {}

  overflowed(): void {}

  published(): void {
    this.#seen.clear(); // the new publisher may use other codecs
    this.unplayable.clear();
    this.#isKnown = false;
    this.#first = undefined;
    this.events.onPublished();
  }

  unpublished(): void {
    this.events.onUnpublished();
  }

  ended(): void {
    this.events.onEnded();
  }

  // Bytes

  /** Whether the header of the file was taken. */
  get begun(): boolean {
    return this.#begun;
  }

  /** Whether {@link take} has bytes: not before the kinds of frames are known. */
  get waiting(): boolean {
    return this.#queue.length > 0 && (this.#begun || this.#isKnown);
  }

  /**
   * The next bytes of the file: whole tags of at most `most` bytes in total, or one larger tag.
   *
   * @returns empty if nothing waits
   */
  take(most: number): Uint8Array {
    const block = new TagBlock(0, 0);
    const end = this.takeInto(block, most); // allocates its bytes
    return block.bytes.subarray(0, end);
  }

  /**
   * As {@link take}, but writes the bytes into a block.
   *
   * @returns the end of the bytes in the block
   */
  takeInto(block: TagBlock, most: number): number {
    const { length, count } = this.#measure(most);
    if (length === 0) return block.from;
    const head = this.#begun ? NOTHING : this.#begin();
    const tags = this.#shift(count);
    for (const tag of tags) this.#leave(tag);
    return block.write(head, tags, length);
  }

  /** Takes the first tags off the queue. */
  #shift(count: number): WaitingTag[] {
    const queue = this.#queue;
    if (count < queue.length) return queue.splice(0, count);
    this.#queue = [];
    return queue;
  }

  #begin(): Uint8Array {
    this.#begun = true;
    const comes = (kind: FrameKind) => this.#seen.has(kind) && !this.unplayable.has(kind);
    return flvHeader(comes("audio"), comes("video"));
  }

  /** Number of tags to take next, and their bytes, with the header of the file. */
  #measure(most: number): { length: number; count: number } {
    if (!this.waiting) return NOTHING_WAITS;
    const head = this.#begun ? 0 : FILE_HEADER;
    let length = head;
    let count = 0;
    for (const { body } of this.#queue) {
      const more = tagLength(body);
      if (length > head && length + more > most) break;
      length += more;
      count++;
    }
    return { length, count };
  }

  #leave({ kind, body }: Tag): void {
    if (kind === "data") this.#queuedDataBytes -= body.length;
    else this.#queuedBytes -= body.length;
  }

  #sendData(frame: Frame, time: number): void {
    let body = frame.form(SCRIPT)?.bytes;
    if (!body) {
      body = scriptTagBody(frame) ?? NOTHING;
      frame.keepForm(SCRIPT, 0, body);
    }
    if (body.length > 0) this.#add("data", false, body, time);
  }

  /** Reads the codec from the first frame of a kind. */
  #readCodec(frame: Frame): void {
    const codec = codecNameOf(frame);
    if (codec === undefined) return;
    this.#seen.add(frame.kind);
    if (!playable(frame.kind as "audio" | "video", codec)) {
      this.unplayable.set(frame.kind, codec || "an unknown codec");
    }
  }

  /**
   * Finds out whether the header may be written: it must name exactly the kinds of the stream (WEB-011), as a
   * browser ignores a kind that begins after the first frames of the other.
   */
  #checkKinds(time: number): void {
    this.#first ??= { at: this.clock.now, time };
    const lacks = (["audio", "video"] as const).some((kind) =>
      this.kinds[kind] && !this.#seen.has(kind)
    );
    this.#isKnown = !lacks || time - this.#first.time >= OTHER_KIND_TIMEOUT;
    this.checkTimeout();
  }

  /** Stops waiting for the second kind after the time-out; call it regularly, also without a frame. */
  checkTimeout(): void {
    if (!this.#first || this.clock.now - this.#first.at < OTHER_KIND_TIMEOUT) return;
    this.#isKnown = true;
  }

  #add(kind: FrameKind, header: boolean, body: Uint8Array, time: number): void {
    this.#queue.push({ kind, header, body, time, since: this.clock.now });
    if (kind === "data") this.#queuedDataBytes += body.length;
    else this.#queuedBytes += body.length;
    this.events.onBytes();
  }
}
