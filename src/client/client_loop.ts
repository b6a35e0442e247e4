import { type Address, addressText } from "../common/address.ts";
import type { DatagramHandler, DatagramSocket } from "../net/datagram_socket.ts";
import { bindUdp, UdpSocket } from "../net/udp.ts";
import type { Random } from "../rtmfp/crypto/backend.ts";
import { clientCertificate } from "../rtmfp/crypto/certificate.ts";
import { DirectKeyAgreement, generateKeyPair } from "../rtmfp/crypto/dh.ts";
import type { GroupId } from "../rtmfp/crypto/dh_groups.ts";
import { portable } from "../rtmfp/crypto/portable.ts";
import { type Policy, STRICT } from "../rtmfp/crypto/protection.ts";
import { Endpoint } from "../rtmfp/endpoint.ts";
import type { Limits } from "../rtmfp/session/limits.ts";
import { Peers } from "./peers.ts";

export interface LoopOptions {
  /** Diffie-Hellman groups of the client's keys; by default only 2, as in Flash. */
  readonly groups?: readonly GroupId[];
  /** Require HMACs and sequence numbers, as rtmfp-cpp does; Flash leaves it to the server. */
  readonly strict?: boolean;
  /** Local IP address; any by default. */
  readonly hostname?: string;
}

/** Endpoint, peers and sending for RTMFP connections. */
export interface ClientHost {
  readonly endpoint: Endpoint;
  /** Sessions with other clients. */
  readonly peers: Peers;
  /** The fingerprint of the certificate: 32 bytes. */
  readonly peerId: Uint8Array;
  /** `ip:port` of the interfaces of this machine, as Flash sends them to the server. */
  localAddresses(): string[];
  /** Schedules sending of written messages, after the running code. */
  wake(): void;
  close(): Promise<void>;
}

/** The policy of Flash: HMACs of 10 bytes and sequence numbers if the server requires them. */
const FLASH: Policy = { requireHmac: false, requireSequence: false, hmacLength: 10 };

/**
 * Hellos of peers have 68 bytes, and the answer's certificate 135: the server's limit would leave the
 * first hello unanswered.
 */
export const PEER_LIMITS: Partial<Limits> = { amplification: 4 };

const random: Random = (length) => crypto.getRandomValues(new Uint8Array(length));

/** An endpoint with a socket and a clock. */
export class ClientLoop implements ClientHost, DatagramHandler {
  readonly endpoint: Endpoint;
  readonly peers = new Peers(this);
  readonly #socket: DatagramSocket;
  readonly #serving: Promise<void>;
  #woken = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAt = Infinity;
  #closed = false;

  /** Opens a port with a new identity: each loop has another peer id, as in Flash. */
  static async open(options: LoopOptions = {}): Promise<ClientLoop> {
    const { hostname } = options;
    return new ClientLoop(new UdpSocket(await bindUdp({ hostname, port: 0 })), options);
  }

  private constructor(socket: DatagramSocket, { groups = [2], strict }: LoopOptions) {
    this.#socket = socket;
    const keys = groups.map((group) => generateKeyPair(group, random));
    this.endpoint = new Endpoint({
      crypto: portable,
      keyAgreement: new DirectKeyAgreement(random),
      random,
      identity: { certificate: clientCertificate(keys), keys, policy: strict ? STRICT : FLASH },
      handler: this.peers,
      limits: PEER_LIMITS,
    });
    this.#serving = socket.serve(this);
  }

  /** Milliseconds, never going back. */
  get now(): number {
    return performance.now();
  }

  get peerId(): Uint8Array {
    return this.endpoint.peerId;
  }

  wake(): void {
    if (this.#woken || this.#closed) return;
    this.#woken = true;
    queueMicrotask(() => {
      this.#woken = false;
      this.settle();
    });
  }

  /**
   * `ip:port` of the interfaces of this machine except loopback and link-local ones, as Flash sends them
   * by setPeerInfo. Empty without permission to read the interfaces.
   */
  localAddresses(): string[] {
    const { hostname, port } = this.#socket.address;
    const any = /^(::|0\.0\.0\.0)$/.test(hostname);
    const own = ({ address }: { address: string }) => any || address === hostname;
    try {
      return Deno.networkInterfaces()
        .filter(own)
        .filter(({ address }) => !/^(127\.|169\.254\.|::1$|fe[89ab])/i.test(address))
        .slice(0, 10)
        .map(({ address }) => addressText({ hostname: address, port }));
    } catch {
      return [];
    }
  }

  /** Closes all sessions and the port. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.endpoint.close();
    this.settle();
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket.close();
    await this.#serving;
  }

  /** Closes the port without a message to any far end, like a machine that loses power. */
  async vanish(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket.close();
    await this.#serving;
  }

  // Calls from the socket

  receive(datagram: Uint8Array, from: Address): void {
    this.endpoint.receive(datagram, from, this.now);
  }

  settle(): void {
    if (this.#closed) return;
    this.endpoint.flush(this.now, this.#socket);
    this.#socket.flush();
    const { deadline } = this.endpoint;
    if (deadline === this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = deadline;
    if (deadline === Infinity) return;
    const wait = Math.min(Math.max(0, deadline - this.now), 0x7fffffff);
    this.#timer = setTimeout(() => {
      this.#timerAt = Infinity;
      this.settle();
    }, wait);
  }

  writable(): void {
    this.settle();
  }
}
