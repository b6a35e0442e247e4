import { toHex } from "../bytes/hex.ts";
import { WireError } from "../bytes/wire_error.ts";
import { readCommand, readText } from "../tc/format/commands.ts";
import {
  FIRST_PEER_STREAM,
  readMessage,
  UserControl,
  userControlMessage,
} from "../tc/format/messages.ts";
import { isGroupMetadata, readTcMetadata } from "../tc/format/metadata.ts";
import { readJoin } from "../flash/net_group.ts";
import { portable } from "../rtmfp/crypto/portable.ts";
import type { FlowReceiver } from "../rtmfp/flow/handlers.ts";
import type { ReceiveFlow } from "../rtmfp/flow/receive_flow.ts";
import type { SendFlow } from "../rtmfp/flow/send_flow.ts";
import type { CloseReason, SessionHandler } from "../rtmfp/session/handlers.ts";
import type { Session } from "../rtmfp/session/session.ts";
import type { ObjectEncoding } from "../tc/format/calls.ts";
import { type DirectPublication, Subscriber } from "./direct.ts";
import { ignoringBadMessages, type NetStream, type StreamHost } from "./net_stream.ts";
import type { Peers } from "./peers.ts";

/**
 * The session with another client: streams in both directions, and the groups that both belong to.
 * It stays open as long as one end uses it. RFC 7425 §5.4, rtmfp-wire §6.9.
 */
export class PeerSession implements SessionHandler {
  /** The peer's id, 64 hexadecimal digits. */
  readonly id: string;
  readonly #peers: Peers;
  readonly #streams = new Set<NetStream>();
  /** Own flows, and the streams of their answers. */
  readonly #flows = new Map<SendFlow, NetStream>();
  /** Number of uses by this end, and of open flows of the peer. */
  #uses = 0;
  #guests = 0;
  #lastStream = FIRST_PEER_STREAM;
  #closed = false;
  #orderly = false;

  constructor(readonly session: Session, peers: Peers) {
    this.id = toHex(session.peerId);
    this.#peers = peers;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Whether it was closed in order, not lost. */
  get orderly(): boolean {
    return this.#orderly;
  }

  /** Keeps it open until {@link release}. */
  retain(): void {
    this.#uses++;
  }

  /** Ends one use; the last one closes the session. */
  release(): void {
    if (--this.#uses > 0 || this.#guests > 0) return;
    this.session.finish();
    this.#peers.remove(this); // later requests open another session
    this.#peers.wake();
  }

  /** A flow of a group that both belong to. */
  openGroupFlow(metadata: Uint8Array, association?: ReceiveFlow): SendFlow {
    return this.session.openFlow(metadata, { association });
  }

  /** Creates the host of a stream that plays from the peer, and its local id. */
  newStream(encoding: ObjectEncoding, stream: () => NetStream): { host: StreamHost; id: number } {
    return { host: this.#streamHost(encoding, stream), id: ++this.#lastStream };
  }

  // Calls from the session

  onFlow(flow: ReceiveFlow): FlowReceiver | null {
    if (isGroupMetadata(flow.metadata)) return this.#groupFlow(flow);
    if (flow.association) return this.#flows.get(flow.association)?.accept(flow) ?? null;
    const metadata = readTcMetadata(flow.metadata);
    if (!metadata || metadata.stream < FIRST_PEER_STREAM) return null;
    return this.#subscriberFlow(flow, metadata.stream);
  }

  onClose(_reason: CloseReason, orderly: boolean): void {
    this.#closed = true;
    this.#orderly = orderly;
    this.#peers.remove(this);
    for (const stream of [...this.#streams]) stream.end();
    for (const group of [...this.#peers.groups.values()]) group.lost(this);
  }

  /** @param association the flow of the peer that all flows of the stream answer */
  #streamHost(
    encoding: ObjectEncoding,
    stream: () => NetStream,
    association?: ReceiveFlow,
  ): StreamHost {
    return {
      encoding,
      openFlow: (metadata, options) => {
        const flow = this.session.openFlow(metadata, { ...options, association });
        this.#flows.set(flow, stream());
        this.#streams.add(stream());
        return flow;
      },
      sendControl() {},
      wake: () => this.#peers.wake(),
      forget: (stream) => this.#forget(stream),
    };
  }

  #forget(stream: NetStream): void {
    this.#streams.delete(stream);
    for (const [flow, of] of this.#flows) {
      if (of === stream) this.#flows.delete(flow);
    }
  }

  /** A flow by which the peer plays a local publication. */
  #subscriberFlow(flow: ReceiveFlow, id: number): FlowReceiver {
    const host = this.#streamHost(3, () => stream, flow);
    const stream: Subscriber = new Subscriber(host, id, this.id);
    let publication: DirectPublication | undefined;
    const end = () => {
      publication?.remove(stream);
      publication = undefined;
    };
    stream.handler = { onClose: end };
    this.#guests++;
    return {
      onMessage: (bytes) =>
        ignoringBadMessages(() => {
          const message = readMessage(bytes);
          const command = message && readCommand(message);
          if (command?.name === "closeStream") end();
          if (command?.name !== "play" || publication) return;
          publication = this.#play(stream, readText(command.values) ?? "");
        }),
      onEnd: () => {
        this.#guests--;
        end();
      },
    };
  }

  #play(stream: Subscriber, name: string): DirectPublication | undefined {
    const publication = this.#peers.publications.get(name);
    if (!publication?.onSubscribe(this.id)) {
      stream.status(
        "error",
        publication ? "NetStream.Play.Failed" : "NetStream.Play.StreamNotFound",
        name,
      );
      return undefined;
    }
    stream.control(userControlMessage(UserControl.streamBegin, stream.id)); // as librtmfp sends it to peers
    stream.status("status", "NetStream.Play.Reset", `Playing and resetting ${name}`);
    stream.status("status", "NetStream.Play.Start", `Started playing ${name}`);
    publication.add(stream);
    return publication;
  }

  /** Members identify themselves by the same message as for joining at the server. */
  #groupFlow(flow: ReceiveFlow): FlowReceiver {
    const joined = new Set<string>();
    const leave = () => {
      for (const id of joined) this.#peers.groups.get(id)?.left(this, flow);
      joined.clear();
    };
    this.#guests++;
    return {
      onMessage: (bytes) => {
        const id = groupOf(bytes);
        if (!id) return;
        const group = this.#peers.groups.get(toHex(id));
        if (!group) {
          this.#guests--;
          leave();
          return flow.reject();
        }
        joined.add(toHex(id));
        group.met(this, flow);
      },
      onEnd: () => {
        this.#guests--;
        leave();
      },
    };
  }
}

function groupOf(message: Uint8Array): Uint8Array | undefined {
  try {
    return readJoin(message, (bytes) => portable.sha256(bytes));
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
