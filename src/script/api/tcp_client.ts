import { concat } from "../../bytes/concat.ts";
import { type Address, addressText } from "../../common/address.ts";
import type { Tcp, TcpEvents } from "../../common/socket_events.ts";
import type { Api } from "./api.ts";
import type { LuaApplication } from "./application.ts";
import type { Sockets } from "./host.ts";
import type { Binding } from "./binding.ts";
import { callLater, socketsOf } from "./sockets.ts";

const EMPTY = new Uint8Array(0);
/** Maximum bytes that a script may leave unread; above it, the connection is closed. */
const MAX_KEPT = 16 * 1024 * 1024;

/** A TCP client, which can connect again after a disconnection. SOCK-010 to SOCK-022. */
export class TcpClient {
  error: string | undefined;
  local: Address | undefined;
  peer: Address | undefined;
  readonly #api: Api;
  readonly #application: LuaApplication;
  readonly #sockets: Sockets;
  #tcp: Tcp | undefined;
  /** Received bytes that the script has not read yet. */
  #kept = EMPTY;
  readonly #unread = { close: () => void this.#keep(EMPTY) };

  /** The client belongs to the running application. */
  constructor(api: Api) {
    this.#api = api;
    this.#application = api.running!;
    this.#sockets = socketsOf(api);
  }

  /** Whether the client is connected or connecting. SOCK-010 */
  get connected(): boolean {
    return this.#tcp !== undefined;
  }

  /** Bytes that wait to be sent. */
  get unsent(): number {
    return this.#tcp?.unsent ?? 0;
  }

  /** @returns the reason if connecting cannot begin */
  connect(host: string, port: number): string | undefined {
    this.disconnect();
    this.#tcp?.close(); // opened by onDisconnection meanwhile
    this.#tcp = undefined;
    this.error = undefined;
    const outcome = this.#sockets.connect(host, port, this.#events());
    if (typeof outcome === "string") return this.error = outcome;
    this.#open(outcome);
    return undefined;
  }

  /** Takes over a connection that a server accepted. @returns the handlers of its events */
  accept(tcp: Tcp, local: Address, peer: Address): TcpEvents {
    this.local = local;
    this.peer = peer;
    this.#open(tcp);
    return this.#events();
  }

  /** Closes the connection and runs `onDisconnection` during the call. SOCK-015 */
  disconnect(): void {
    if (!this.#tcp) return;
    this.#tcp.close();
    this.#ended(undefined);
  }

  /** @returns the reason if the bytes cannot be queued. SOCK-016 */
  send(bytes: Uint8Array): string | undefined {
    if (this.#tcp) return this.#tcp.write(bytes);
    this.#api.log("error", "TCPClient:send on a client that is not connected");
    return undefined;
  }

  #open(tcp: Tcp): void {
    this.#tcp = tcp;
    this.#keep(EMPTY);
    this.#api.objects.strengthen(this);
  }

  /** Handlers of one connection; they ignore late events of an earlier one. */
  #events(): TcpEvents {
    const current = (): boolean => this.#tcp !== undefined && this.#latest === events;
    const caller = { application: this.#application, socket: {} };
    const events: TcpEvents = {
      onOpen: (local, peer) => {
        if (!current()) return;
        this.local = local;
        this.peer = peer;
      },
      onData: (bytes) =>
        callLater(this.#api, caller, "TCPClient:onReception", bytes, (data) => {
          if (current()) this.#receive(data);
        }, () => {
          if (current()) this.#fail("the application's receive buffer is full");
        }),
      onClose: (error) =>
        callLater(this.#api, caller, "TCPClient:onDisconnection", undefined, () => {
          if (current()) this.#ended(error);
        }, () => {
          if (current()) this.#fail(error);
        }),
    };
    return this.#latest = events;
  }

  #latest: TcpEvents | undefined;

  /** Runs `onReception` with the kept and the new bytes. SOCK-020, SOCK-021. */
  #receive(bytes: Uint8Array): void {
    const api = this.#api;
    const data = this.#kept.length === 0 ? bytes : concat([this.#kept, bytes]);
    this.#keep(EMPTY);
    api.callObject(this.#application, api.objects.find(this), "onReception", () => {
      api.lua.pushBytes(data);
    }, (first, count) => {
      const left = count > 0 ? Math.floor(api.lua.toNumber(first)) : 0;
      if (left > data.length) {
        api.log("warn", `onReception left ${left} of ${data.length} bytes unread`);
      }
      const kept = left > 0 ? Math.min(left, data.length) : 0; // also for NaN
      const fault = kept > MAX_KEPT
        ? `more than ${MAX_KEPT} unread bytes`
        : this.#keep(kept > 0 ? data.slice(data.length - kept) : EMPTY);
      if (fault === undefined) return;
      this.#fail(fault);
    });
  }

  /** Keeps unread bytes, which count as memory of the application. @returns the reason if it cannot */
  #keep(bytes: Uint8Array<ArrayBuffer>): string | undefined {
    const { outside } = this.#api;
    const { owned } = this.#application;
    outside.release(this.#application, this.#kept.length);
    this.#kept = EMPTY;
    owned.delete(this.#unread);
    if (bytes.length === 0) return undefined;
    if (!outside.take(this.#application, bytes.length)) {
      return `not enough memory for ${bytes.length} unread bytes`;
    }
    this.#kept = bytes;
    owned.add(this.#unread);
    return undefined;
  }

  #fail(reason: string | undefined): void {
    this.#tcp?.close();
    this.#ended(reason);
  }

  #ended(error: string | undefined): void {
    const api = this.#api;
    this.#tcp = undefined;
    this.#keep(EMPTY);
    this.local = this.peer = undefined;
    this.error = error;
    api.callObject(this.#application, api.objects.find(this), "onDisconnection");
    if (!this.#tcp) api.objects.weaken(this);
  }
}

const text = (endpoint: Address | undefined): string | undefined =>
  endpoint && addressText(endpoint);

/** A TCP connection, as scripts see it. SOCK-010 to SOCK-022. */
export const tcpClient: Binding<TcpClient, Api> = {
  name: "TCPClient",
  get: {
    connected: (client) => client.connected,
    address: (client) => text(client.local),
    peerAddress: (client) => text(client.peer),
    error: (client) => client.error,
    unsent: (client) => client.unsent,
  },
  call: {
    connect(client, args) {
      const host = args.string();
      return client.connect(host, args.number());
    },
    disconnect(client) {
      client.disconnect();
    },
    send: (client, args) => client.send(args.bytes()),
  },
};
