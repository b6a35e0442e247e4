// Streams from client to client, without the server: RFC 7425 §5.4, rtmfp-wire §6.9. The server only
// brings the two together.
import { readCommand, readText } from "../flash/commands.ts";
import { readMessage } from "../flash/messages.ts";
import { FIRST_PEER_STREAM, readTcMetadata } from "../flash/metadata.ts";
import { toHex } from "../bytes/hex.ts";
import { canonicalEpd } from "../rtmfp/crypto/certificate.ts";
import type { FlowReceiver, WriteOptions } from "../rtmfp/flow/handlers.ts";
import type { ReceiveFlow } from "../rtmfp/flow/receive_flow.ts";
import type { SendFlow } from "../rtmfp/flow/send_flow.ts";
import type { SessionHandler } from "../rtmfp/session/handlers.ts";
import type { Session } from "../rtmfp/session/session.ts";
import type { Address } from "../rtmfp/wire/address.ts";
import type { ClientLoop } from "./client_loop.ts";
import type { ObjectEncoding } from "./commands.ts";
import { NetStream, type StreamHost } from "./net_stream.ts";
import { ConnectionError } from "./status.ts";

/** The stream number that Flash gives the first stream between two peers. */
const PEER_STREAM = FIRST_PEER_STREAM + 1;

/** What is published to those peers who ask for it, as with DIRECT_CONNECTIONS. */
export class DirectPublication {
  /** A stream for each peer that plays it. */
  readonly subscribers = new Set<NetStream>();
  /** A peer wants to play: whether it may. @param peerId 64 hexadecimal digits */
  onSubscribe: (peerId: string) => boolean = () => true;

  constructor(readonly name: string, readonly remove: () => void) {}

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
    this.remove();
    await Promise.all([...this.subscribers].map((stream) => stream.close()));
  }
}

/** The publications of an endpoint, and its side of the sessions that peers open to it. */
export class DirectPublications {
  readonly #byName = new Map<string, DirectPublication>();
  readonly #wake: () => void;

  constructor(wake: () => void) {
    this.#wake = wake;
  }

  get size(): number {
    return this.#byName.size;
  }

  /** @throws {RangeError} if the name is in use here */
  add(name: string): DirectPublication {
    if (this.#byName.has(name)) throw new RangeError(`Cannot publish ${name} twice`);
    const publication = new DirectPublication(name, () => this.#byName.delete(name));
    this.#byName.set(name, publication);
    return publication;
  }

  /** A peer has opened a session. */
  onSession(session: Session): SessionHandler {
    const streams = new Set<NetStream>();
    return {
      onFlow: (flow) => {
        const metadata = readTcMetadata(flow.metadata);
        if (!metadata || metadata.stream < FIRST_PEER_STREAM || flow.association) return null;
        return this.#subscriber(session, flow, metadata.stream, streams);
      },
      onClose: () => {
        for (const stream of streams) stream.end();
      },
    };
  }

  #subscriber(
    session: Session,
    flow: ReceiveFlow,
    id: number,
    streams: Set<NetStream>,
  ): FlowReceiver {
    const stream = new NetStream(
      {
        encoding: 3,
        openFlow: (metadata, options) =>
          session.openFlow(metadata, { ...options, association: flow }),
        sendControl() {},
        wake: this.#wake,
        forget: () => end(),
      },
      id,
    );
    let publication: DirectPublication | undefined;
    const end = () => {
      publication?.subscribers.delete(stream);
      streams.delete(stream);
    };
    stream.handler = { onClose: end };
    streams.add(stream);
    return {
      onMessage: (bytes) => {
        const message = readMessage(bytes);
        const command = message && readCommand(message);
        if (command?.name === "closeStream") return end();
        if (command?.name !== "play") return;
        const name = readText(command.values) ?? "";
        publication = this.#byName.get(name);
        const allowed = publication?.onSubscribe(toHex(session.peerId)) ?? false;
        if (!publication || !allowed) {
          const code = publication ? "NetStream.Play.Failed" : "NetStream.Play.StreamNotFound";
          stream.command("onStatus", { level: "error", code, description: name });
          return;
        }
        const status = (code: string, description: string) =>
          stream.command("onStatus", { level: "status", code, description });
        status("NetStream.Play.Reset", `Playing and resetting ${name}`);
        status("NetStream.Play.Start", `Started playing ${name}`);
        publication.subscribers.add(stream);
      },
      onEnd: end,
    };
  }
}

/**
 * Opens a session with a peer.
 *
 * @param introducers addresses of the server that the peer is connected to, or of the peer
 * @throws {ConnectionError} if the peer is not reached in time
 */
export function openPeer(
  loop: ClientLoop,
  peerId: Uint8Array,
  introducers: readonly Address[],
  handler: SessionHandler,
  timeout = 10_000,
): Promise<Session> {
  return new Promise((resolve, reject) => {
    const name = `peer ${toHex(peerId).slice(0, 8)}…`;
    const opening = loop.endpoint.connect(canonicalEpd(peerId), introducers, {
      onOpen(session) {
        clearTimeout(timer);
        resolve(session);
        return handler;
      },
      onFail(reason) {
        clearTimeout(timer);
        reject(new ConnectionError(`Cannot reach ${name}: ${reason}`));
      },
    });
    const timer = setTimeout(() => {
      reject(new ConnectionError(`Cannot reach ${name}: no answer within ${timeout / 1000} s`));
      opening.cancel();
    }, timeout);
    loop.wake();
  });
}

/** A stream that a peer publishes directly; its `close` closes the session too. */
export class DirectStream extends NetStream {
  readonly session: Session;
  readonly #loop: ClientLoop;

  /** @throws {ConnectionError} if the peer is not reached */
  static async open(
    loop: ClientLoop,
    peerId: Uint8Array,
    introducers: readonly Address[],
    encoding: ObjectEncoding,
    timeout?: number,
  ): Promise<DirectStream> {
    let stream: DirectStream | undefined;
    const own = new Set<SendFlow>();
    const session = await openPeer(loop, peerId, introducers, {
      onFlow: (flow) => flow.association && own.has(flow.association) ? stream!.accept(flow) : null,
      onClose: () => stream?.end(),
    }, timeout);
    const host: StreamHost = {
      encoding,
      openFlow(metadata, options) {
        const flow = session.openFlow(metadata, options);
        own.add(flow);
        return flow;
      },
      sendControl() {},
      wake: () => loop.wake(),
      forget() {},
    };
    return stream = new DirectStream(host, session, loop);
  }

  private constructor(host: StreamHost, session: Session, loop: ClientLoop) {
    super(host, PEER_STREAM);
    this.session = session;
    this.#loop = loop;
  }

  override async close(): Promise<void> {
    await super.close();
    this.session.close();
    this.#loop.wake();
  }
}
