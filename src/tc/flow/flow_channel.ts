import { type EncodedForm, Frame, type FrameKind } from "../../media/frame.ts";
import type { Channel, ChannelHandler } from "../channel.ts";
import {
  dataPayload,
  flowMessage,
  HEADER_LENGTH,
  type Message,
  MessageType,
  writeMessage,
} from "../format/messages.ts";
import type { OutFlow, SendFlowHandler } from "./flows.ts";

const UNRELIABLE = { reliable: false } as const;

/** A flow to a client as a channel of messages. */
export class FlowChannel implements Channel, SendFlowHandler {
  handler: ChannelHandler | undefined;

  constructor(readonly flow: OutFlow) {
    flow.handler = this;
  }

  get closed(): boolean {
    return this.flow.closed;
  }

  get queuedBytes(): number {
    return this.flow.queuedBytes;
  }

  get queuedMessages(): number {
    return this.flow.queuedMessages;
  }

  get lastMessage(): number {
    return this.flow.lastMessage;
  }

  get firstPending(): number {
    return this.flow.firstPending;
  }

  get sentFragments(): number {
    return this.flow.sentFragments;
  }

  get lostFragments(): number {
    return this.flow.lostFragments;
  }

  get ackedBytes(): number {
    return this.flow.ackedBytes;
  }

  write(message: Message, reliable = true): void {
    this.flow.write(flowMessage(message), reliable ? undefined : UNRELIABLE);
  }

  /** Sends data with time 0: Flash drops data with another time. rtmfp-wire §6.8, trap 26. */
  writeFrame(frame: Frame, time: number, reliable = true): void {
    const sent = frame.kind === "data" ? 0 : time;
    const { bytes, time: written } = frame.form(FORM) ?? encode(frame, sent);
    this.flow.write(bytes, reliable ? undefined : UNRELIABLE, written === sent ? -1 : sent);
  }

  flush(now: boolean): void {
    this.flow.flush?.(now);
  }

  abandonUnsent(): number {
    return this.flow.abandonUnsent();
  }

  close(): void {
    this.flow.close();
  }

  // Calls from the flow

  onException(): void {
    this.handler?.onRejected?.();
  }

  onAcknowledged(): void {
    this.handler?.onAcknowledged?.();
  }

  onClosed(): void {
    this.handler?.onClosed?.();
  }
}

/** Identifies messages with the header of a flow among the forms of a frame. */
const FORM = {};

/**
 * The frame of an audio or video message received in a flow. Its only copy is also the message for
 * listeners.
 *
 * @param bytes the message with its header, a view
 */
export function receivedFrame(bytes: Uint8Array, { type, timestamp }: Message): Frame {
  const copy = bytes.slice();
  const kind = type === MessageType.audio ? "audio" : "video";
  const frame = new Frame(kind, timestamp, copy.subarray(HEADER_LENGTH));
  frame.keepForm(FORM, timestamp, copy);
  return frame;
}

const TYPES: Record<FrameKind, number> = {
  audio: MessageType.audio,
  video: MessageType.video,
  data: MessageType.dataAmf3,
};

/** The message of a frame, made once for all listeners: flows can send it with other times. */
function encode(frame: Frame, time: number): EncodedForm {
  const payload = frame.kind === "data"
    ? dataPayload(frame.name, frame.payload, true)
    : frame.payload;
  return frame.keepForm(FORM, time, writeMessage(TYPES[frame.kind], time, payload));
}
