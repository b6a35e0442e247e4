// What channels over flows need of a session: RTMFP and RTWebSocket have them; a test may have others.

/** Takes the messages of a flow that was accepted. */
export interface FlowReceiver {
  /** @param message a view, good until the call returns: copy what is kept */
  onMessage(message: Uint8Array): void;
  /** The client has ended the flow, and all its messages have been handed over. */
  onEnd?(): void;
}

export interface SendFlowHandler {
  /** The client wants no more of this flow, which closes. */
  onException?(code: number): void;
  /** An acknowledgement has come. Do not write to the flow from here. */
  onAcknowledged?(): void;
  /** The client has seen the end. It is not called when the session ends first. */
  onClosed?(): void;
}

/** A flow of messages to the client. */
export interface OutFlow {
  handler: SendFlowHandler | undefined;
  readonly closed: boolean;
  /** Bytes, and messages, written and not sent to their end yet. */
  readonly queuedBytes: number;
  readonly queuedMessages: number;
  /** How many messages were written. */
  readonly lastMessage: number;
  /** The first message, counted from 1, that has neither arrived nor been given up. */
  readonly firstPending: number;
  readonly sentFragments: number;
  readonly lostFragments: number;
  /** Bytes of messages that have arrived. */
  readonly ackedBytes: number;
  /**
   * Sends a message, whose bytes are not copied and must not change any more.
   * @param stamp u32 that goes out in place of the one behind the first byte, so that flows share
   *   a message and give it different times; -1: none
   */
  write(message: Uint8Array, options?: { readonly reliable?: boolean }, stamp?: number): void;
  /** What was written goes out before that of flows of equal priority which are flushed later, or never. @param now it is sent at once */
  flush?(now: boolean): void;
  /** Drops the messages that were not begun. @returns how many */
  abandonUnsent(): number;
  /** Ends the flow after the messages written so far. */
  close(): void;
}

/** A flow of messages from the client. */
export interface InFlow {
  readonly metadata: Uint8Array;
  /** The own flow that it answers. */
  readonly association: object | undefined;
  /** Bytes that the client may send ahead. */
  bufferCapacity: number;
  readonly receivedFragments: number;
  readonly lostFragments: number;
  reject(code?: number): void;
}

export interface FlowOptions<In> {
  /** The flow of the client that it answers. */
  readonly association?: In;
  readonly priority?: number;
  readonly timeCritical?: boolean;
}

/** A session whose flows of one kind come in, and others go out. */
export interface FlowSession<In extends InFlow = InFlow, Out extends OutFlow = OutFlow> {
  /** Round trip in milliseconds; 0 as long as it is unknown. */
  readonly rtt: number;
  readonly lastReceived: number;
  /** Bytes that wait in all its flows, the memory for keeping them included, and messages. */
  readonly queuedBytes: number;
  readonly queuedMessages: number;
  openFlow(metadata: Uint8Array, options?: FlowOptions<In>): Out;
  /** Asks the client for a sign of life. */
  ping?(): void;
  close(): void;
}

/** Which flows of a session go first. */
export const Priority = { command: 3, audio: 2, video: 1, group: 0 } as const;
