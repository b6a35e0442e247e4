// A server and its clients on a simulated network: real code except sockets, clocks and keys.
import { type ClientHost, PEER_LIMITS } from "../../src/client/client_loop.ts";
import { type ConnectOptions, NetConnection } from "../../src/client/net_connection.ts";
import { Peers } from "../../src/client/peers.ts";
import { type Address, addressText } from "../../src/common/address.ts";
import { FlashServer } from "../../src/flash/flash_server.ts";
import type { HubOptions } from "../../src/media/hub.ts";
import { clientCertificate, serverCertificate } from "../../src/rtmfp/crypto/certificate.ts";
import type { KeyAgreement, KeyPair } from "../../src/rtmfp/crypto/dh.ts";
import type { GroupId } from "../../src/rtmfp/crypto/dh_groups.ts";
import { portable } from "../../src/rtmfp/crypto/portable.ts";
import { Endpoint } from "../../src/rtmfp/endpoint.ts";
import type { Outbox } from "../../src/rtmfp/outbox.ts";
import { type Steps, world } from "../media/fakes.ts";
import { Internet, type InternetSettings, type Nat } from "./internet.ts";
import type { Node } from "./lossy_link.ts";
import { plain } from "./pair.ts";
import { seededBytes } from "./random.ts";

/** A key agreement with a fixed secret, so that thousands of handshakes are quick. */
class OpenAgreement implements KeyAgreement {
  constructor(readonly random: (length: number) => Uint8Array) {}

  keyPair(group: GroupId): KeyPair {
    const key = this.random(128);
    return { group, publicKey: key, privateKey: key };
  }

  agree({ publicKey }: KeyPair, far: Uint8Array, done: (secret: Uint8Array) => void): void {
    const sum = new Uint8Array(128);
    for (let i = 0; i < 128; i++) sum[i] = publicKey[i] ^ far[i];
    done(sum);
  }
}

const TICK = 2000;

export class SimulatedServer implements Node {
  readonly flash: FlashServer;
  readonly endpoint: Endpoint;
  readonly hub;
  readonly applications;
  #tickAt = TICK;

  constructor(
    readonly internet: Internet,
    readonly addresses: readonly Address[],
    steps: Steps = {},
    options?: Partial<HubOptions>,
  ) {
    const here = world(steps, options);
    this.hub = here.hub;
    this.applications = here.applications;
    this.flash = new FlashServer(this.hub, {
      keepAliveServer: 15_000,
      keepAlivePeer: 10_000,
      sha256: (bytes) => portable.sha256(bytes),
      resolve: () => undefined,
    });
    const random = seededBytes(internet.settings.seed + addresses[0].port);
    this.endpoint = new Endpoint({
      crypto: plain,
      keyAgreement: new OpenAgreement(random),
      random,
      identity: { certificate: serverCertificate(random, [2]) },
      handler: this.flash,
    });
    internet.attach(this, addresses);
  }

  get deadline(): number {
    return Math.min(this.endpoint.deadline, this.#tickAt);
  }

  receive(datagram: Uint8Array, from: Address, now: number): void {
    this.hub.now = now;
    this.endpoint.receive(datagram, from, now);
  }

  flush(now: number, out: Outbox): void {
    this.hub.now = now;
    if (now >= this.#tickAt) {
      this.#tickAt = now + TICK;
      this.hub.manage();
    }
    this.endpoint.flush(now, out);
  }
}

export interface ClientPlace {
  /** One address, or one of each family. */
  readonly addresses: readonly Address[];
  readonly nat?: Nat;
  /** Addresses that the client tells the server; by default its own. */
  readonly reported?: readonly string[];
}

/** A client without a socket. */
export class SimulatedClient implements ClientHost, Node {
  readonly peers: Peers = new Peers(this);
  readonly endpoint: Endpoint;
  #connection: NetConnection | undefined;

  constructor(readonly internet: Internet, readonly place: ClientPlace) {
    const { addresses, nat } = place;
    const text = `${nat?.hostname} ${addresses.map(addressText)}`;
    const seed = [...text].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0) | 0, 7);
    const random = seededBytes(seed + internet.settings.seed);
    const agreement = new OpenAgreement(random);
    const keys = [agreement.keyPair(2)];
    this.endpoint = new Endpoint({
      crypto: plain,
      keyAgreement: agreement,
      random,
      identity: { certificate: clientCertificate(keys), keys },
      handler: this.peers,
      limits: PEER_LIMITS,
    });
    internet.attach(this, addresses, nat);
  }

  /** Connects to a server; the network has to run meanwhile. */
  async connect(server: SimulatedServer, options: ConnectOptions = {}): Promise<NetConnection> {
    const own = this.place.addresses[0];
    const isSix = (hostname: string) => hostname.includes(":");
    const there = server.addresses.find(({ hostname }) => isSix(hostname) === isSix(own.hostname));
    const url = `rtmfp://${addressText(there!)}/app`;
    const timeout = 600_000; // in real time, of which little passes
    return this.#connection = await NetConnection.connect(url, { timeout, ...options, loop: this });
  }

  /** The connection, after `connect` has resolved. */
  get connection(): NetConnection {
    return this.#connection!;
  }

  get connected(): boolean {
    return this.#connection !== undefined;
  }

  get peerId(): Uint8Array {
    return this.endpoint.peerId;
  }

  get deadline(): number {
    return this.endpoint.deadline;
  }

  receive(datagram: Uint8Array, from: Address, now: number): void {
    this.endpoint.receive(datagram, from, now);
  }

  flush(now: number, out: Outbox): void {
    this.endpoint.flush(now, out);
  }

  wake(): void {
    this.internet.touch(this);
  }

  localAddresses(): string[] {
    return [...this.place.reported ?? this.place.addresses.map(addressText)];
  }

  /** Removes the client from the network without sending a packet. */
  vanish(): void {
    this.internet.detach(this);
  }

  close(): Promise<void> {
    this.endpoint.close();
    this.wake();
    return Promise.resolve();
  }
}

export { Internet };
export type { InternetSettings };
