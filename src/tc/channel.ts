// Interfaces of the transport below `tc`. A door implements both: RTMFP with a flow per channel, RTMP
// with one queue for all.
import type { Frame } from "../media/frame.ts";
import type { Message } from "./format/messages.ts";

/** Kind of the messages of a channel: sets their priority, and whether they may be dropped. */
export type ChannelKind = "command" | "audio" | "video";

/** A channel of messages to a client on one message stream, which arrive in the order of writing. */
export interface Channel {
  handler: ChannelHandler | undefined;
  /** Whether writing does nothing any more. */
  readonly closed: boolean;
  /** Bytes of written messages of which nothing was sent. */
  readonly queuedBytes: number;
  /** Messages written and not sent to their end yet. */
  readonly queuedMessages: number;
  /** Time (ms) at which the oldest of these was written, if the transport knows it; Infinity: there is none. */
  readonly waitsSince?: number;

  /**
   * @param message its payload is not copied, and must not change any more
   * @param reliable false: not sent again when lost, where the transport knows of losses
   */
  write(message: Message, reliable?: boolean): void;
  /**
   * Sends a frame. The door encodes it once for all listeners; see `Frame.form`.
   * @param time milliseconds; doors whose data have no time ignore it
   */
  writeFrame(frame: Frame, time: number, reliable?: boolean): void;
  /** Sends the written messages before those of channels flushed later, where channels have no common order. @param now sends them at once, if the transport can */
  flush?(now: boolean): void;
  /**
   * Drops the messages of which nothing was sent.
   * @returns their number
   */
  abandonUnsent(): number;
  /** Ends the channel after the messages written so far. */
  close(): void;

  /** Number of messages written. */
  readonly lastMessage: number;
  /**
   * The first message, counted from 1 as they were written, that has neither arrived nor been dropped; one more than {@link lastMessage} if there is none.
   */
  readonly firstPending: number;
  /** Number of fragments sent, repetitions included, and lost. A transport without losses counts messages. */
  readonly sentFragments: number;
  readonly lostFragments: number;
  /** Bytes of messages that have arrived. */
  readonly ackedBytes: number;
}

export interface ChannelHandler {
  /** The client has rejected this channel, which is closed. */
  onRejected?(): void;
  /** {@link Channel.firstPending} may have changed. Do not write from here. */
  onAcknowledged?(): void;
  /** The client has acknowledged the end. Not called if the transport ends first. */
  onClosed?(): void;
}

/** The session of a client, connected or not, implemented by its door. */
export interface Transport {
  /** Its scheme: `rtmfp`, `rtmp`, `rtmps`, `rtws`. */
  readonly protocol: string;
  /** 32 bytes: the peer id for RTMFP, random for others. */
  readonly rawId: Uint8Array;
  /** `ip:port`, or `[ip]:port`. */
  readonly address: string;
  /** The IP address alone, in its canonical form. */
  readonly hostname: string;
  /** Round trip in milliseconds; 0 while it is unknown. */
  readonly ping: number;
  /** Time (ms) of the last received data, comparable with `Hub.now`. */
  readonly lastReceived: number;
  /** Number of bytes that wait in all its channels, including the memory for keeping them, and of messages. */
  readonly queuedBytes: number;
  readonly queuedMessages: number;
  /** Bytes of incomplete messages from the client, unless these have another limit for all clients. */
  readonly partialBytes?: number;
  /**
   * A channel to the client.
   * @param stream message stream; 0 for the connection's own
   */
  open(stream: number, kind: ChannelKind): Channel;
  /** Time-out (ms) of publishers of this door; undefined: the configured one. */
  readonly publisherTimeout?: number;
  /** Pings the client; its answer sets {@link lastReceived}. */
  probe?(): void;
  /** Ends the session after the messages written so far; calls `NetConnection.ended`, at once or later. */
  close(): void;
}

/** Origin of a message: a flow, or a whole connection. Compared only by identity. */
export type Source = object;
