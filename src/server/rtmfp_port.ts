import { addressText } from "../common/address.ts";
import type { Config } from "../config/settings.ts";
import { FlashServer } from "../flash/flash_server.ts";
import type { Log } from "../log/log.ts";
import type { Hub } from "../media/hub.ts";
import { serverCertificate } from "../rtmfp/crypto/certificate.ts";
import { RELAXED, STRICT } from "../rtmfp/crypto/protection.ts";
import { Endpoint, type EndpointHandler, type PeerHello } from "../rtmfp/endpoint.ts";
import type { Cryptography } from "./backends.ts";
import { dumping } from "./dump.ts";
import { HostNames } from "./host_names.ts";
import { PreparedKeyAgreement } from "./key_agreement.ts";
import type { Loop } from "./loop.ts";
import type { Reachability } from "./reachability.ts";

interface RtmfpPortHost {
  readonly hub: Hub;
  readonly loop: Loop;
  readonly log: Log;
  readonly config: () => Config;
  readonly cryptography: Cryptography;
  readonly reachability: Reachability;
  readonly random: (length: number) => Uint8Array;
  readonly clock: () => number;
  /** Asks other servers for a peer. @returns whether they may know it */
  readonly seek: (hello: PeerHello) => boolean;
  /** Shows decrypted packets of clients. CFG-071 */
  readonly dump?: (header: string, bytes: Uint8Array) => void;
}

/** The UDP port's endpoint, its key agreement, and the RTMFP door. */
export class RtmfpPort {
  readonly flash: FlashServer;
  readonly endpoint: Endpoint;
  readonly #agreement: PreparedKeyAgreement;

  constructor(host: RtmfpPortHost) {
    const { loop, log, random, clock, dump, cryptography: { backend, powers } } = host;
    const config = host.config();
    const groups = config["rtmfp.groups"];
    this.flash = flashServer(host);
    this.#agreement = new PreparedKeyAgreement(powers, {
      random,
      groups,
      now: clock,
      settle: () => loop.input("Cannot end an agreement", () => {}),
      log: log.error,
    });
    this.endpoint = new Endpoint({
      crypto: dump ? dumping(backend, dump) : backend,
      keyAgreement: this.#agreement,
      random,
      identity: {
        certificate: serverCertificate(random, groups),
        policy: config["rtmfp.require"] === "hmac" ? STRICT : RELAXED,
      },
      limits: {
        sessions: config["rtmfp.sessions"] || Infinity,
        sessionsOfAddress: config["rtmfp.sessionsOfAddress"] || Infinity,
      },
      handler: this.#handler(host),
    });
  }

  /** Redirects the seeker of a peer that no server knows, if an application gives an address. */
  rendezvousUnknown(hello: PeerHello, now: number): void {
    this.endpoint.redirectPeer(hello, this.flash.onPeerUnknown(hello) ?? [], now);
  }

  /** Stops the key agreement. */
  close(): void {
    this.#agreement.close();
  }

  #handler({ loop, log, reachability, seek }: RtmfpPortHost): EndpointHandler {
    const { flash } = this;
    return {
      onFull: (of, { hostname }) => {
        const key = of === "all" ? "sessions" : "sessionsOfAddress";
        const who = of === "all" ? "clients" : `clients at ${hostname}`;
        log.warn(`Refusing ${who}: [rtmfp] ${key} = ${this.endpoint.context.limits[key]}`);
      },
      onHello: (epd, from, attempts) => {
        reachability.helloFrom(from.hostname);
        return flash.onHello(epd, from, attempts);
      },
      onSession: (session) => flash.onSession(session),
      onUrgent: (session) => loop.sendNow((out) => this.endpoint.sendData(session, out)),
      onPeerUnknown: (hello) => seek(hello) ? "later" : flash.onPeerUnknown(hello),
      peerAddresses: (session) => flash.peerAddresses(session),
      blocked: (address) => {
        const blocked = flash.blocked(address);
        if (blocked) log.info(() => `Ignoring blacklisted ${address.hostname}`); // API-123
        return blocked;
      },
      onBug: (error, session) =>
        log.bug(
          session ? `The session of ${addressText(session.address)} is closed` : "Endpoint",
          error,
        ),
    };
  }
}

function flashServer({ hub, log, config, clock, cryptography: { backend } }: RtmfpPortHost) {
  const names = new HostNames(clock, log.warn);
  return new FlashServer(hub, {
    get keepAliveServer() {
      return config().keepAliveServer * 1_000;
    },
    get keepAlivePeer() {
      return config().keepAlivePeer * 1_000;
    },
    get rebase() {
      return config()["rtmfp.rebase"] === "on";
    },
    sha256: (bytes) => backend.sha256(bytes),
    resolve: (name) => names.resolve(name),
  });
}
