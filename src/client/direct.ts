// Streams from client to client, without the server: RFC 7425 §5.4, rtmfp-wire §6.9. The server only introduces them.
import type { InitiatorFailure } from "../rtmfp/session/initiator.ts";
import type { Address } from "../common/address.ts";
import type { WriteOptions } from "../rtmfp/flow/handlers.ts";
import { toHex } from "../bytes/hex.ts";
import type { ObjectEncoding } from "../tc/format/calls.ts";
import { NetStream, type StreamHost } from "./net_stream.ts";
import type { PeerSession } from "./peer_session.ts";
import type { Peers } from "./peers.ts";
import { ConnectionError } from "./status.ts";

/** The stream of a peer that plays a local publication. */
export class Subscriber extends NetStream {
  /** @param peerId 64 hexadecimal digits */
  constructor(host: StreamHost, id: number, readonly peerId: string) {
    super(host, id);
  }

  /** Sends the peer a status. */
  status(level: "status" | "error", code: string, description: string): void {
    this.command("onStatus", { level, code, description });
  }

  /** Tells the peer that the stream ends. */
  protected override farewell(): void {
    this.status("status", "NetStream.Play.UnpublishNotify", "The peer stopped publishing");
    super.farewell();
  }
}

/** A publication for peers that request it, as with DIRECT_CONNECTIONS. */
export class DirectPublication {
  /** A stream for each peer that plays it. */
  readonly subscribers = new Set<Subscriber>();
  /** Whether a peer may play. @param peerId 64 hexadecimal digits */
  onSubscribe: (peerId: string) => boolean = () => true;
  /** A peer has begun to play. */
  onSubscriber: (stream: Subscriber) => void = () => {};
  /** A peer has stopped playing. */
  onUnsubscriber: (stream: Subscriber) => void = () => {};
  readonly #withdraw: () => void;

  constructor(readonly name: string, withdraw: () => void) {
    this.#withdraw = withdraw;
  }

  sendAudio(timestamp: number, data: Uint8Array, options?: WriteOptions): void {
    for (const stream of this.subscribers) stream.sendAudio(timestamp, data, options);
  }

  sendVideo(timestamp: number, data: Uint8Array, options?: WriteOptions): void {
    for (const stream of this.subscribers) stream.sendVideo(timestamp, data, options);
  }

  sendData(timestamp: number, payload: Uint8Array): void {
    for (const stream of this.subscribers) stream.sendData(timestamp, payload);
  }

  /** Ends it for all peers. */
  async close(): Promise<void> {
    this.#withdraw();
    await Promise.all([...this.subscribers].map((stream) => stream.close()));
    this.subscribers.clear();
  }

  add(stream: Subscriber): void {
    this.subscribers.add(stream);
    this.onSubscriber(stream);
  }

  remove(stream: Subscriber): void {
    if (this.subscribers.delete(stream)) this.onUnsubscriber(stream);
  }
}

/** The publications for peers of an endpoint. */
export class DirectPublications {
  readonly #byName = new Map<string, DirectPublication>();

  get size(): number {
    return this.#byName.size;
  }

  get(name: string): DirectPublication | undefined {
    return this.#byName.get(name);
  }

  /**
   * @throws {RangeError} if the client publishes that name already
   */
  add(name: string): DirectPublication {
    if (this.#byName.has(name)) throw new RangeError(`Cannot publish ${name} twice`);
    const publication = new DirectPublication(name, () => this.#byName.delete(name));
    this.#byName.set(name, publication);
    return publication;
  }
}

/** A stream that a peer publishes directly. */
export class DirectStream extends NetStream {
  /**
   * Opens a stream.
   *
   * @param peerId 32 bytes
   * @param introducers addresses of the server that the peer is connected to, or of the peer
   * @param timeout milliseconds
   * @throws {ConnectionError} if the peer is not reached in time
   */
  static open(
    peers: Peers,
    peerId: Uint8Array,
    introducers: readonly Address[],
    encoding: ObjectEncoding,
    timeout = 10_000,
  ): Promise<DirectStream> {
    const name = `peer ${toHex(peerId).slice(0, 8)}…`;
    return new Promise((resolve, reject) => {
      const fail = (why: string) => reject(new ConnectionError(`Cannot reach ${name}: ${why}`));
      const timer = setTimeout(() => {
        fail(`no answer within ${timeout / 1000} s`);
        cancel();
      }, timeout);
      const cancel = peers.open(peerId, introducers, {
        onOpen(peer) {
          clearTimeout(timer);
          resolve(new DirectStream(peer, encoding));
        },
        onFail(reason) {
          clearTimeout(timer);
          fail(reasons[reason]);
        },
      });
    });
  }

  private constructor(readonly peer: PeerSession, encoding: ObjectEncoding) {
    const { host, id } = peer.newStream(encoding, () => this);
    super(host, id);
    peer.retain();
  }

  override async close(): Promise<void> {
    if (this.closed) return;
    await super.close();
    this.peer.release();
  }
}

const reasons: Record<InitiatorFailure, string> = {
  timeout: "no answer",
  keying: "no group or protection in common",
  cancelled: "given up",
};
