/** A client's connection, implemented by each door. */
export interface Connection {
  /** `rtmfp`, `rtmp`, `rtmps`, `http`, `ws`, `rtws`: the protocol of the client. DECISIONS 24. */
  readonly protocol: string;
  /** `ip:port`, or `[ip]:port`; follows the client if it moves. API-212. */
  readonly address: string;
  /** The IP address alone, in its canonical form. */
  readonly hostname: string;
  /** Round trip in milliseconds; 0 while it is unknown. API-217. */
  readonly ping: number;
  /** Milliseconds since the last packet of this client. API-218. */
  readonly elapsedFromReception: number;
  /** Time-out of its publishers in milliseconds, if not the configured one. */
  readonly publisherTimeout?: number;
  /** The AMF version that the client requested for its answers: 0, or 3 as Flash does. DECISIONS 11. */
  readonly objectEncoding: 0 | 3;
  /** The main writer. After the end of the connection: the same one, closed. API-219. */
  readonly writer: FlowWriter;
  /** Writers made by {@link newWriter} that are still open, oldest first. */
  readonly writers: Iterable<FlowWriter>;
  /** A new independent pipe to the client. API-256. */
  newWriter(): FlowWriter;
  /** Pings the client, whose answer resets {@link elapsedFromReception}. */
  probe(): void;
  /** Closes the connection in order, now. Does nothing if it has ended. */
  close(): void;
}

/**
 * A pipe of messages to a client, which arrive in writing order. API-250 to API-260.
 * Once it is closed or the client has left, calls do nothing (API-258).
 */
export interface FlowWriter {
  /** Applies to each message at the time of writing; false: it is not sent again when lost. API-250. */
  reliable: boolean;
  readonly closed: boolean;

  /**
   * Invokes a function on the client object at the other end. API-252.
   * @param name text, or its UTF-8 bytes
   * @param values AMF of the arguments one after the other, starting in AMF0
   */
  message(name: string | Uint8Array, values: Uint8Array): void;

  /**
   * Answers the RPC being processed; elsewhere it is an answer with call id 0. API-251.
   * @param values AMF of any number of values; empty answers with no value
   */
  result(values: Uint8Array): void;

  /**
   * Sends `onStatus` with level `status` and code `NetConnection.<code>`. API-253.
   * @param code without the prefix
   * @param description left out if empty
   * @param info further members of the info object, in AMF0: `{u16 length, key, value}*`
   */
  status(code: string, description?: string, info?: Uint8Array): void;

  /**
   * Sends the messages written so far before those of the client's writers that are flushed later. API-254.
   *
   * @param full false: order only; the messages are sent when the event that wrote them returns (API-255). Otherwise
   *   they are sent at once, if the door can
   */
  flush(full?: boolean): void;

  /** A script's own writer: ends it. The main writer: ends the session at the next tick. API-257. */
  close(): void;
}

/** A publishing stream, implemented by each door. */
export interface PublisherOutput {
  /** Sends `onStatus` with code `NetStream.<code>` on the publishing stream. API-418. */
  status(code: string, description: string): void;
  /** Invokes `close` on the client's stream object. API-418. */
  close(): void;
}

/** A member of a group, implemented by doors with groups. */
export interface GroupOutput {
  /** Tells the member about another one, by its 32 bytes. */
  announce(peerId: Uint8Array): void;
}
