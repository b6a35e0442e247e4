import { FIRST_PEER_STREAM } from "./format/messages.ts";
import type { NetConnection } from "./net_connection.ts";
import { NetStream } from "./net_stream.ts";

const MAX_STREAMS = 128;

/** The streams that a client has created, by their ids in its connection. */
export class ClientStreams {
  readonly #connection: NetConnection;
  /** Undefined before the first one. */
  #streams: Map<number, NetStream> | undefined;
  #last = 0;

  constructor(connection: NetConnection) {
    this.#connection = connection;
  }

  get(id: number): NetStream | undefined {
    return this.#streams?.get(id);
  }

  values(): Iterable<NetStream> {
    return this.#streams?.values() ?? [];
  }

  /** A new stream of the client; undefined if it has too many. */
  create(): NetStream | undefined {
    const streams = this.#streams ??= new Map();
    if (streams.size >= MAX_STREAMS || this.#last + 1 >= FIRST_PEER_STREAM) return undefined;
    const connection = this.#connection;
    const stream = new NetStream(++this.#last, connection.hub.newStreamId(), connection);
    streams.set(stream.id, stream);
    return stream;
  }

  delete(id: number): void {
    this.#streams?.get(id)?.delete();
    this.#streams?.delete(id);
  }

  /** Called every 2 s. */
  manage(): void {
    for (const stream of this.values()) stream.manage();
  }

  /** The connection has ended. */
  end(): void {
    for (const stream of this.values()) stream.delete();
    this.#streams = undefined;
  }
}
