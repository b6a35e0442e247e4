// What `tc` needs of the transport under it. A door implements both interfaces: RTMFP with a flow
// for each channel, RTMP with one queue for all of them.
import type { Frame } from "../media/frame.ts";
import type { Message } from "./format/messages.ts";

/** Which of the messages to a client go first, and which of them may be given up. */
export type ChannelKind = "command" | "audio" | "video";

/** Messages to a client on one message stream, which arrive in the order of writing. */
export interface Channel {
  handler: ChannelHandler | undefined;
  /** Whether nothing can be written any more. Writing then does nothing. */
  readonly closed: boolean;
  /** Bytes of messages that were written and not begun. */
  readonly queuedBytes: number;
  /** Messages written and not sent to their end yet. */
  readonly queuedMessages: number;
  /** When the oldest was written that was not begun, if the transport knows; Infinity: there is none. */
  readonly waitsSince?: number;

  /**
   * @param message its payload is not copied, and must not change any more
   * @param reliable false: not sent again when lost, where the transport knows of losses
   */
  write(message: Message, reliable?: boolean): void;
  /**
   * Sends a frame. The door encodes it once for all listeners; see `Frame.form`.
   * @param time milliseconds; doors that cannot carry a time of data send their own
   */
  writeFrame(frame: Frame, time: number, reliable?: boolean): void;
  /** What was written goes out before that of channels which are flushed later, where channels have no common order. @param now it is sent at once, where the transport can */
  flush?(now: boolean): void;
  /**
   * Drops the messages that were not begun.
   * @returns how many
   */
  abandonUnsent(): number;
  /** Ends the channel after the messages written so far. */
  close(): void;

  /** How many messages were written. */
  readonly lastMessage: number;
  /**
   * The first message, counted from 1 as they were written, that has neither arrived nor been
   * given up; one more than {@link lastMessage} if there is none.
   */
  readonly firstPending: number;
  /** Fragments sent, each time counted, and lost. A transport without losses counts messages. */
  readonly sentFragments: number;
  readonly lostFragments: number;
  /** Bytes of messages that have arrived. */
  readonly ackedBytes: number;
}

export interface ChannelHandler {
  /** The client wants no more of this channel, which is closed. */
  onRejected?(): void;
  /** {@link Channel.firstPending} may have moved. Not the moment to write. */
  onAcknowledged?(): void;
  /** The client has seen the end. Not called when the transport ends first. */
  onClosed?(): void;
}

/** One client's session, connected or not, as its door has it. */
export interface Transport {
  /** Its scheme: `rtmfp`, `rtmp`, `rtmps`, `rtws`. */
  readonly protocol: string;
  /** 32 bytes: of RTMFP the peer id, of others random. */
  readonly rawId: Uint8Array;
  /** `ip:port`, or `[ip]:port`. */
  readonly address: string;
  /** The IP address alone, in its canonical form. */
  readonly hostname: string;
  /** Round trip in milliseconds; 0 as long as it is unknown. */
  readonly ping: number;
  /** When something came last, in the milliseconds of `Hub.now`. */
  readonly lastReceived: number;
  /** Bytes that wait in all its channels, the memory for keeping them included, and messages. */
  readonly queuedBytes: number;
  readonly queuedMessages: number;
  /** Bytes of messages from the client whose ends have not come, if nothing else bounds those of all clients. */
  readonly partialBytes?: number;
  /**
   * A channel to the client.
   * @param stream message stream; 0 for the connection's own
   */
  open(stream: number, kind: ChannelKind): Channel;
  /** Silence of publishers that this door takes for their end, in milliseconds; else the configured one. */
  readonly publisherTimeout?: number;
  /** Asks the client for a sign of life, which shows in {@link lastReceived}. */
  probe?(): void;
  /** Ends the session after the messages written so far; calls `NetConnection.ended`, at once or later. */
  close(): void;
}

/** What brought a message: a flow, or all of a connection. Compared by identity alone. */
export type Source = object;
