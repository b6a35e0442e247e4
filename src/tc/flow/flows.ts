// The parts of a session that channels over flows use. RTMFP and RTWebSocket implement them; a test may as well.

/** Receives the messages of an accepted flow. */
export interface FlowReceiver {
  /** @param message a view, good until the call returns: copy what is kept */
  onMessage(message: Uint8Array): void;
  /** The client has ended the flow, and all its messages have been handed over. */
  onEnd?(): void;
}

export interface SendFlowHandler {
  /** The client has rejected this flow, which closes. */
  onException?(code: number): void;
  /** An acknowledgement has come. Do not write to the flow from here. */
  onAcknowledged?(): void;
  /** The client has acknowledged the end. Not called if the session ends first. */
  onClosed?(): void;
}

/** A flow of messages to the client. */
export interface OutFlow {
  handler: SendFlowHandler | undefined;
  readonly closed: boolean;
  /** Number of bytes, and of messages, written and not completely sent yet. */
  readonly queuedBytes: number;
  readonly queuedMessages: number;
  /** Number of messages written. */
  readonly lastMessage: number;
  /** The first message, counted from 1, that has neither arrived nor been abandoned. */
  readonly firstPending: number;
  readonly sentFragments: number;
  readonly lostFragments: number;
  /** Bytes of messages that have arrived. */
  readonly ackedBytes: number;
  /**
   * Sends a message, whose bytes are not copied and must not change any more.
   * @param stamp u32 that replaces the one after the first byte, so that flows share a message and send it
   *   with different times; -1: none
   */
  write(message: Uint8Array, options?: { readonly reliable?: boolean }, stamp?: number): void;
  /** Sends the written messages before those of flows of equal priority flushed later or never. @param now sends them at once */
  flush?(now: boolean): void;
  /** Drops the messages of which nothing was sent. @returns their number */
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

/** A session with incoming and outgoing flows. */
export interface FlowSession<In extends InFlow = InFlow, Out extends OutFlow = OutFlow> {
  /** Round trip in milliseconds; 0 while it is unknown. */
  readonly rtt: number;
  readonly lastReceived: number;
  /** Number of bytes that wait in all its flows, including the memory for keeping them, and of messages. */
  readonly queuedBytes: number;
  readonly queuedMessages: number;
  openFlow(metadata: Uint8Array, options?: FlowOptions<In>): Out;
  /** Pings the client. */
  ping?(): void;
  close(): void;
}

/** Priorities of flows; higher ones are sent first. */
export const Priority = { command: 3, audio: 2, video: 1, group: 0 } as const;
