import type { Hub } from "../../media/hub.ts";
import type { ChannelKind, Transport } from "../channel.ts";
import type { Door } from "../door.ts";
import { FIRST_PEER_STREAM, MessageType, readMessage } from "../format/messages.ts";
import { NetConnection } from "../net_connection.ts";
import type { NetStream } from "../net_stream.ts";
import { FlowChannel, receivedFrame } from "./flow_channel.ts";
import {
  type FlowReceiver,
  type FlowSession,
  type InFlow,
  type OutFlow,
  Priority,
} from "./flows.ts";
import { readTcMetadata, writeTcMetadata } from "../format/metadata.ts";

/** Maximum number of bytes of media that a publisher may have in flight. */
const MEDIA_WINDOW = 1 << 20;
const CONTROL = writeTcMetadata(0);

/**
 * A session whose flows carry the messages of a NetConnection: each flow is a channel, identified by its
 * metadata. RFC 7425 §5.1, rtmfp-wire §3.4 to §3.7.
 */
export abstract class FlowTransport<In extends InFlow, Session extends FlowSession<In, OutFlow>>
  implements Transport, Door, FlowReceiver {
  abstract readonly protocol: string;
  abstract readonly flowSync: boolean;
  abstract readonly rawId: Uint8Array;
  abstract readonly address: string;
  abstract readonly hostname: string;
  readonly connection: NetConnection;
  #control: In | undefined;

  /** @param whenOver called once the session has ended */
  constructor(
    readonly session: Session,
    hub: Hub,
    readonly whenOver: (session: Session) => void,
  ) {
    this.connection = new NetConnection(this, this, hub);
  }

  /** Receiver of a flow with other metadata than those of messages; null rejects it. */
  protected abstract onOtherFlow(flow: In): FlowReceiver | null;

  // Transport

  get ping(): number {
    return this.session.rtt;
  }

  get lastReceived(): number {
    return this.session.lastReceived;
  }

  get queuedBytes(): number {
    return this.session.queuedBytes;
  }

  get queuedMessages(): number {
    return this.session.queuedMessages;
  }

  open(stream: number, kind: ChannelKind): FlowChannel {
    const flow = this.session.openFlow(stream === 0 ? CONTROL : writeTcMetadata(stream), {
      association: this.#control, // the client's control flow, not that of its stream: §3.6
      priority: Priority[kind],
      timeCritical: kind !== "command",
    });
    return new FlowChannel(flow);
  }

  probe(): void {
    this.session.ping?.();
  }

  close(): void {
    this.session.close(); // calls onClose
  }

  // Calls from the session

  /** A flow from the client. §3.4. */
  onFlow(flow: In): FlowReceiver | null {
    const metadata = readTcMetadata(flow.metadata);
    if (!metadata) return this.onOtherFlow(flow);
    const { stream: id } = metadata;
    if (id === 0) return this.#onControlFlow(flow);
    if (id >= FIRST_PEER_STREAM || this.connection.state !== "connected") return null;
    const stream = this.connection.streams.get(id);
    return stream ? this.#receiver(stream, flow) : null;
  }

  /** @param failure reason if the session has failed. API-639 */
  protected over(failure: string | undefined): void {
    try {
      this.connection.ended(failure);
    } finally {
      this.whenOver(this.session);
    }
  }

  // Messages of the client's first control flow

  onMessage(bytes: Uint8Array): void {
    const message = readMessage(bytes);
    if (message) this.connection.receive(message);
  }

  /** The client has ended its first control flow, which is the connection. */
  onEnd(): void {
    this.close();
  }

  /**
   * The first flow of stream 0 is the connection's. Others that answer the server's carry the same messages; a session has only one connection.
   */
  #onControlFlow(flow: In): FlowReceiver | null {
    if (this.#control) {
      return flow.association ? { onMessage: (bytes) => this.onMessage(bytes) } : null;
    }
    this.#control = flow;
    this.connection.begin(); // opens a flow before the client can answer it. §3.4
    return this;
  }

  /** Takes the messages of a flow of a stream. Any of its flows may carry any type. */
  #receiver(stream: NetStream, flow: In): FlowReceiver {
    flow.bufferCapacity = MEDIA_WINDOW;
    let received = 0;
    let lost = 0;
    return {
      onMessage: (bytes) => {
        const message = readMessage(bytes);
        if (!message) return;
        if (message.type !== MessageType.audio && message.type !== MessageType.video) {
          return stream.receive(message, flow);
        }
        const reception = {
          received: flow.receivedFragments - received,
          lost: flow.lostFragments - lost,
          ping: this.session.rtt,
        };
        received = flow.receivedFragments;
        lost = flow.lostFragments;
        if (stream.takesMedia) stream.media(receivedFrame(bytes, message), reception);
      },
      onEnd: () => stream.sourceEnded(flow),
    };
  }
}
