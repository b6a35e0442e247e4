import { type Address, addressText } from "../../common/address.ts";
import type { Udp } from "../../common/socket_events.ts";
import type { Api } from "./api.ts";
import type { LuaApplication } from "./application.ts";
import type { Sockets } from "./host.ts";
import type { Binding } from "./binding.ts";
import { callLater, parseHostPort, socketsOf } from "./sockets.ts";

const BROADCAST = "255.255.255.255";

/** A UDP socket. SOCK-040 to SOCK-049. */
export class UdpSocket {
  readonly #api: Api;
  readonly #application: LuaApplication;
  readonly #sockets: Sockets;
  readonly #broadcast: boolean;
  #udp: Udp | undefined;
  /** The address that `bind` was called with. */
  #bound: string | undefined;
  /** The far end to which `connect` has bound the socket. */
  #peer: Address | undefined;

  constructor(api: Api, broadcast: boolean) {
    this.#api = api;
    this.#application = api.running!;
    this.#sockets = socketsOf(api);
    this.#broadcast = broadcast;
  }

  /** Local address; undefined unless the socket is bound or connected. SOCK-040 */
  get address(): string | undefined {
    const used = this.#bound !== undefined || this.#peer !== undefined;
    return used && this.#udp ? addressText(this.#udp.local) : undefined;
  }

  get peerAddress(): string | undefined {
    return this.#peer && addressText(this.#peer);
  }

  /** @returns the reason of a failure. SOCK-042 */
  bind(address: string): string | undefined {
    const wanted = parseHostPort(address);
    if (!wanted) return `"${address}" is not ip:port`;
    if (this.#peer) return "the socket is connected: close it first";
    const text = addressText(wanted);
    if (this.#bound === text) return undefined;
    if (this.#bound !== undefined) return `the socket is bound to ${this.#bound}: close it first`;
    this.#drop(); // the unbound port that it has sent from
    const fault = this.#open(wanted.hostname, wanted.port);
    if (fault === undefined) this.#bound = text;
    return fault;
  }

  /** Sets the far end: datagrams of others are dropped from then on. SOCK-043. */
  connect(address: string): void {
    const peer = parseHostPort(address);
    if (!peer || peer.port === 0) return this.#complain(`connect: "${address}" is not host:port`);
    if (this.#bound !== undefined) return this.#complain("connect: it is bound, close it first");
    if (!this.#mayReach(peer)) return;
    const fault = this.#udp ? undefined : this.#openFor(peer);
    if (fault !== undefined) return this.#complain(`connect: ${fault}`);
    this.#peer = peer;
  }

  /** Sends a datagram, to the connected far end unless `address` is given. SOCK-044, SOCK-047. */
  send(bytes: Uint8Array, address: string | undefined): void {
    const to = address === undefined ? this.#peer : parseHostPort(address);
    if (!to) {
      const why = address === undefined ? "no address" : `"${address}" is not host:port`;
      return this.#complain(`send: ${why}`);
    }
    if (bytes.length === 0 || !this.#mayReach(to)) return;
    const fault = this.#udp ? undefined : this.#openFor(to);
    if (fault !== undefined) return this.#complain(`send: ${fault}`);
    this.#udp!.send(bytes, to.hostname, to.port);
  }

  /** Closes the socket, which may be bound or connected again. SOCK-045. */
  close(): void {
    this.#drop();
    this.#bound = this.#peer = undefined;
    this.#api.objects.weaken(this);
  }

  #drop(): void {
    this.#udp?.close();
    this.#udp = undefined;
  }

  /** Whether broadcast is enabled, or the destination is not a broadcast address. SOCK-048. */
  #mayReach({ hostname }: Address): boolean {
    if (hostname !== BROADCAST || this.#broadcast) return true;
    this.#complain("broadcast is off: create the socket by createUDPSocket(true)");
    return false;
  }

  /** Opens any free port of the family that can reach an address. @returns the reason of a failure */
  #openFor({ hostname }: Address): string | undefined {
    return this.#open(hostname.includes(":") ? "::" : "0.0.0.0", 0);
  }

  #open(hostname: string, port: number): string | undefined {
    const caller = { application: this.#application, socket: {} };
    const outcome = this.#sockets.bind(hostname, port, {
      onDatagram: (bytes, from) =>
        callLater(this.#api, caller, "UDPSocket:onReception", bytes, (data) => {
          if (this.#udp === outcome) this.#receive(data, from);
        }), // a datagram above the limit is lost, as on the network
      onError: (error) => this.#api.host.input("UDPSocket", () => this.#complain(error)),
    }, this.#broadcast);
    if (typeof outcome === "string") return outcome;
    this.#udp = outcome;
    this.#api.objects.strengthen(this);
    return undefined;
  }

  /** Runs `onReception` with a datagram. SOCK-046, SOCK-049. */
  #receive(bytes: Uint8Array, from: Address): void {
    if (bytes.length === 0 || !this.#isFromPeer(from)) return;
    const api = this.#api;
    api.callObject(this.#application, api.objects.find(this), "onReception", () => {
      api.lua.pushBytes(bytes);
      api.lua.pushText(addressText(from));
    }, () => {});
  }

  /** A connected socket accepts only its peer; of a peer given by name, any address with its port. */
  #isFromPeer(from: Address): boolean {
    const peer = this.#peer;
    if (!peer) return true;
    if (peer.port !== from.port) return false;
    return !/^[\d.]+$|:/.test(peer.hostname) || addressText(peer) === addressText(from);
  }

  #complain(text: string): void {
    this.#api.log("error", `UDPSocket: ${text}`);
  }
}

/** A UDP socket, as scripts see it. SOCK-040 to SOCK-049. */
export const udpSocket: Binding<UdpSocket, Api> = {
  name: "UDPSocket",
  get: {
    address: (socket) => socket.address,
    peerAddress: (socket) => socket.peerAddress,
  },
  call: {
    bind: (socket, args) => socket.bind(args.string()),
    connect(socket, args) {
      socket.connect(args.string());
    },
    send(socket, args) {
      const bytes = args.bytes();
      socket.send(bytes, args.absent ? undefined : args.string());
    },
    close(socket) {
      socket.close();
    },
  },
};
