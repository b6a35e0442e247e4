import type { Hub } from "../media/hub.ts";
import type { CloseReason, SessionHandler } from "../rtmfp/session/handlers.ts";
import { addressText } from "../rtmfp/wire/address.ts";
import type { ChannelKind, Transport } from "../tc/channel.ts";
import type { Door } from "../tc/door.ts";
import { FIRST_PEER_STREAM, MessageType, readMessage } from "../tc/format/messages.ts";
import { NetConnection } from "../tc/net_connection.ts";
import type { NetStream } from "../tc/net_stream.ts";
import { FlowChannel, receivedFrame } from "./flow_channel.ts";
import { readTcMetadata, writeTcMetadata } from "./metadata.ts";
import { type FlashSession, type FlowReceiver, type InFlow, Priority } from "./transport.ts";

/** Bytes of media that a publisher may have on the way. */
const MEDIA_WINDOW = 1 << 20;
const CONTROL = writeTcMetadata(0);

/** Why sessions end, in words for `onFailed`. API-639. */
const FAILURES: Partial<Record<CloseReason, string>> = {
  "timeout": "no packet has come for 2 minutes, and no keep-alive was answered",
  "no acknowledgement": "a message could not be delivered",
  "overridden": "the client has started another session in its place",
  "limit": "the client has sent what is out of bounds",
  "aborted": "the session was given up",
  "idle": "nothing has come for too long",
};

/**
 * A session whose flows carry the messages of a NetConnection: flows are channels of it, told apart
 * by their metadata. RFC 7425 §5.1, rtmfp-wire §3.4 to §3.7.
 */
export abstract class FlowTransport implements Transport, Door, SessionHandler, FlowReceiver {
  abstract readonly protocol: string;
  abstract readonly flowSync: boolean;
  readonly connection: NetConnection;
  #control: InFlow | undefined;

  /** @param whenOver called once the session has ended */
  constructor(
    readonly session: FlashSession,
    hub: Hub,
    readonly whenOver: (session: FlashSession) => void,
  ) {
    this.connection = new NetConnection(this, this, hub);
  }

  /** A flow whose metadata is not that of messages; none rejects it. */
  protected abstract onOtherFlow(flow: InFlow): FlowReceiver | null;

  // Transport

  get rawId(): Uint8Array {
    return this.session.peerId;
  }

  get address(): string {
    return addressText(this.session.address);
  }

  get hostname(): string {
    return this.session.address.hostname;
  }

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

  close(): void {
    this.session.close(); // calls onClose
  }

  // What the session tells

  /** A flow from the client. §3.4. */
  onFlow(flow: InFlow): FlowReceiver | null {
    const metadata = readTcMetadata(flow.metadata);
    if (!metadata) return this.onOtherFlow(flow);
    const { stream: id } = metadata;
    if (id === 0) return this.#onControlFlow(flow);
    if (id >= FIRST_PEER_STREAM || this.connection.state !== "connected") return null;
    const stream = this.connection.stream(id);
    return stream ? this.#receiver(stream, flow) : null;
  }

  /** The session is over. */
  onClose(reason: CloseReason, orderly: boolean): void {
    try {
      this.connection.ended(orderly ? undefined : FAILURES[reason]);
    } finally {
      this.whenOver(this.session);
    }
  }

  // What the client's first control flow tells

  onMessage(bytes: Uint8Array): void {
    const message = readMessage(bytes);
    if (message) this.connection.receive(message);
  }

  /** The client has ended its first control flow, which is the connection. */
  onEnd(): void {
    this.close();
  }

  /**
   * The first flow of stream 0 is the connection's. Others that answer our own carry the same
   * messages; a second connection in one session there is not.
   */
  #onControlFlow(flow: InFlow): FlowReceiver | null {
    if (this.#control) {
      return flow.association ? { onMessage: (bytes) => this.onMessage(bytes) } : null;
    }
    this.#control = flow;
    this.connection.begin(); // opens a flow before the client can answer it. §3.4
    return this;
  }

  /** Takes the messages of a flow of a stream. Any of its flows may carry any type. */
  #receiver(stream: NetStream, flow: InFlow): FlowReceiver {
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
