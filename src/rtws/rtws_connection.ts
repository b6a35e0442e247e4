import type { Hub } from "../media/hub.ts";
import { FlowTransport } from "../tc/flow/flow_transport.ts";
import { readStreamName, type StreamName } from "../tc/target.ts";
import type { FlowReceiver, ReceiveFlow } from "./receive_flow.ts";
import type { RtwsHandler, RtwsSession } from "./session.ts";

/** Address and identity of a client. */
export interface RtwsClient {
  /** 32 random bytes. */
  readonly rawId: Uint8Array;
  /** `ip:port`, or `[ip]:port`. */
  readonly address: string;
  /** The IP address alone, in its canonical form. */
  readonly hostname: string;
}

/** An RTWebSocket whose flows carry the messages of a NetConnection. WEB-504. */
export class RtwsConnection extends FlowTransport<ReceiveFlow, RtwsSession> implements RtwsHandler {
  readonly protocol = "rtws";
  readonly flowSync = false;
  readonly rawId: Uint8Array;
  readonly address: string;
  readonly hostname: string;

  /** @param whenOver called once the session has ended */
  constructor(
    session: RtwsSession,
    hub: Hub,
    { rawId, address, hostname }: RtwsClient,
    whenOver: (session: RtwsSession) => void,
  ) {
    super(session, hub, whenOver);
    this.rawId = rawId;
    this.address = address;
    this.hostname = hostname;
    session.handler = this;
    session.isTrusted = () => this.connection.state === "connected";
  }

  /** A name ends at `?`; parameters for scripts follow, as in RTMP. DECISIONS 23. */
  streamName(text: string): StreamName {
    return readStreamName(text);
  }

  get partialBytes(): number {
    return this.session.partialBytes;
  }

  /** @param failure the reason, if the WebSocket has failed */
  onClose(failure: string | undefined): void {
    this.over(failure);
  }

  protected override onOtherFlow(): FlowReceiver | null {
    return null;
  }
}
