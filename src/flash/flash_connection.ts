import { type Address, addressText, parseAddress } from "../common/address.ts";
import type { Client } from "../media/client.ts";
import type { Hub } from "../media/hub.ts";
import type { CloseReason, SessionHandler } from "../rtmfp/session/handlers.ts";
import { type Command, readText } from "../tc/format/commands.ts";
import { UserControl } from "../tc/format/messages.ts";
import type { NetConnection } from "../tc/net_connection.ts";
import { FlowTransport } from "../tc/flow/flow_transport.ts";
import { GROUP_METADATA, isGroupMetadata } from "../tc/format/metadata.ts";
import { type GroupHost, NetGroup } from "./net_group.ts";
import {
  type FlashSession,
  type FlowReceiver,
  type InFlow,
  type OutFlow,
  Priority,
} from "./transport.ts";

export interface FlashOptions {
  /** Intervals (ms) at which clients ping this server, and their peers. CFG-012, CFG-013. */
  readonly keepAliveServer: number;
  readonly keepAlivePeer: number;
  /** Whether the times of a late listener begin at 0. */
  readonly rebase?: boolean;
  sha256(bytes: Uint8Array): Uint8Array;
  /**
   * The IP address of a name that a script redirects clients to; undefined while it is being looked up:
   * the client repeats its hello.
   */
  resolve(name: string): string | undefined;
}

/** Addresses that a client may report. rtmfp-wire §6.12. */
const MAX_ADDRESSES = 10;
const MAX_GROUP_FLOWS = 32;
const NOWHERE: readonly Address[] = [];

/** Reasons of failures as text for `onFailed`. API-639. */
const FAILURES: Partial<Record<CloseReason, string>> = {
  "timeout": "no packet has come for 2 minutes, and no keep-alive was answered",
  "no acknowledgement": "a message could not be delivered",
  "overridden": "the client has started another session in its place",
  "limit": "the client exceeded a limit",
  "aborted": "the session was aborted",
  "idle": "received nothing for too long",
};

/** A session of RTMFP: besides its NetConnection it has groups, and addresses for its peers. */
export class FlashConnection extends FlowTransport<InFlow, FlashSession>
  implements SessionHandler, GroupHost {
  /** Addresses reported by `setPeerInfo`. */
  farAddresses: readonly Address[] = NOWHERE;
  #groupFlows = 0;

  constructor(
    session: FlashSession,
    hub: Hub,
    readonly options: FlashOptions,
    whenOver: (session: FlashSession) => void,
  ) {
    super(session, hub, whenOver);
  }

  get protocol(): string {
    return "rtmfp";
  }

  get flowSync(): boolean {
    return true;
  }

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

  /** The session has ended. */
  onClose(reason: CloseReason, orderly: boolean): void {
    this.over(orderly ? undefined : FAILURES[reason]);
  }

  // Door

  get rebase(): "late" | false {
    return this.options.rebase ? "late" : false;
  }

  command(connection: NetConnection, command: Command): boolean {
    if (command.name !== "setPeerInfo") return false;
    this.#setPeerInfo(connection, command);
    return true;
  }

  /** Answers Set Buffer Length with Stream Begin, as the CumulusServer of 2016. §6.6. */
  userControl(connection: NetConnection, event: number, [stream = 0]: readonly number[]): void {
    if (event !== UserControl.setBufferLength || !connection.streams.get(stream)) return;
    connection.control(UserControl.streamBegin, stream);
  }

  // GroupHost

  get hub(): Hub {
    return this.connection.hub;
  }

  get client(): Client {
    return this.connection.client;
  }

  openGroupFlow(association: InFlow): OutFlow {
    return this.session.openFlow(GROUP_METADATA, { association, priority: Priority.group });
  }

  sha256(bytes: Uint8Array): Uint8Array {
    return this.options.sha256(bytes);
  }

  protected override onOtherFlow(flow: InFlow): FlowReceiver | null {
    if (!isGroupMetadata(flow.metadata) || this.connection.state !== "connected") return null;
    if (this.#groupFlows >= MAX_GROUP_FLOWS) return null;
    this.#groupFlows++;
    return new NetGroup(this, flow, () => this.#groupFlows--);
  }

  /** Sets the addresses that the client reports; malformed ones are skipped. §3.9. */
  #setPeerInfo(connection: NetConnection, { values }: Command): void {
    const addresses: Address[] = [];
    while (!values.done && addresses.length < MAX_ADDRESSES) {
      const address = parseAddress(readText(values) ?? "");
      if (address) addresses.push(address);
    }
    this.farAddresses = addresses;
    const { keepAliveServer, keepAlivePeer } = this.options;
    connection.control(UserControl.setKeepAlive, keepAliveServer, keepAlivePeer);
  }
}
