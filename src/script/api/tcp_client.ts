import { concat } from "../../bytes/concat.ts";
import { type Address, addressText } from "../../common/address.ts";
import type { Tcp, TcpEvents } from "../../common/socket_events.ts";
import type { Api } from "./api.ts";
import type { LuaApplication } from "./application.ts";
import type { Sockets } from "./host.ts";
import type { Binding } from "./binding.ts";
import { callLater, socketsOf } from "./sockets.ts";

const EMPTY = new Uint8Array(0);
/** Bytes that a script may leave unread; a peer that makes it leave more is cut off. */
const MAX_KEPT = 16 * 1024 * 1024;

/** One end of a TCP connection, as often as it is opened. SOCK-010 to SOCK-022. */
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

  /** Of the application that is running. */
  constructor(api: Api) {
    this.#api = api;
    this.#application = api.running!;
    this.#sockets = socketsOf(api);
  }

  /** SOCK-010: true as soon as connecting has begun. */
  get connected(): boolean {
    return this.#tcp !== undefined;
  }

  /** Bytes that wait for the other end to read. */
  get unsent(): number {
    return this.#tcp?.unsent ?? 0;
  }

  /** @returns why it cannot be tried */
  connect(host: string, port: number): string | undefined {
    this.disconnect();
    this.#tcp?.close(); // which onDisconnection has opened meanwhile
    this.#tcp = undefined;
    this.error = undefined;
    const outcome = this.#sockets.connect(host, port, this.#events());
    if (typeof outcome === "string") return this.error = outcome;
    this.#open(outcome);
    return undefined;
  }

  /** Takes over a connection that a server accepted. @returns who hears of it */
  accept(tcp: Tcp, local: Address, peer: Address): TcpEvents {
    this.local = local;
    this.peer = peer;
    this.#open(tcp);
    return this.#events();
  }

  /** SOCK-015: the event comes within this call. */
  disconnect(): void {
    if (!this.#tcp) return;
    this.#tcp.close();
    this.#ended(undefined);
  }

  /** @returns why the bytes were not taken. SOCK-016 */
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
        ? `more than ${MAX_KEPT} bytes are unread`
        : this.#keep(kept > 0 ? data.slice(data.length - kept) : EMPTY);
      if (fault === undefined) return;
      this.#fail(fault);
    });
  }

  /** Counts the kept bytes of the application. @returns the reason if it cannot keep them */
  #keep(bytes: Uint8Array<ArrayBuffer>): string | undefined {
    const { outside } = this.#api;
    const { owned } = this.#application;
    outside.release(this.#application, this.#kept.length);
    this.#kept = EMPTY;
    owned.delete(this.#unread);
    if (bytes.length === 0) return undefined;
    if (!outside.take(this.#application, bytes.length)) {
      return `not enough memory for ${bytes.length} bytes that are unread`;
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
