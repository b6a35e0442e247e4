import { fromUtf8 } from "../bytes/text.ts";
import { type Address, addressText, hostText, parseAddress } from "../common/address.ts";
import type { Hub } from "../media/hub.ts";
import type { EndpointHandler, PeerHello } from "../rtmfp/endpoint.ts";
import type { Epd } from "../rtmfp/wire/epd.ts";
import { Origin, type OriginAddress } from "../rtmfp/wire/address.ts";
import { FlashConnection, type FlashOptions } from "./flash_connection.ts";
import { readTarget } from "../tc/target.ts";
import type { FlashSession } from "./transport.ts";

export type { FlashOptions };

/**
 * The door for Flash clients: creates a {@link FlashConnection} for each session of an endpoint, and asks
 * the applications for redirections of clients and for addresses of unknown peers.
 */
export class FlashServer implements EndpointHandler {
  #connections = new Map<FlashSession, FlashConnection>();

  constructor(readonly hub: Hub, readonly options: FlashOptions) {}

  /** Number of sessions, connected or not. */
  get size(): number {
    return this.#connections.size;
  }

  connections(): Iterable<FlashConnection> {
    return this.#connections.values();
  }

  // Calls from the endpoint

  /** A session has opened. */
  onSession(session: FlashSession): FlashConnection {
    const connection = new FlashConnection(session, this.hub, this.options, this.#whenOver);
    this.#connections.set(session, connection);
    return connection;
  }

  /**
   * A client has sent a hello.
   * @param before number of earlier hellos of the same attempt
   * @returns addresses to redirect it to; empty: no answer now; undefined: it is served here. API-633.
   */
  onHello(epd: Epd, from: Address, before: number): OriginAddress[] | undefined {
    if (!epd.ancillary) return undefined;
    const { path, properties, host } = readTarget(fromUtf8(epd.ancillary));
    if (path === undefined) return undefined; // refused at `connect`
    const found = this.hub.applications.handshake({
      address: addressText(from),
      path,
      properties,
      attempts: before + 1,
      url: host,
    });
    return found.length > 0 ? this.#addresses(found) : undefined;
  }

  /** A client looks for a peer without a session here. API-651. */
  onPeerUnknown({ peerId }: Pick<PeerHello, "peerId">): OriginAddress[] | undefined {
    const found = this.#addresses(this.hub.applications.rendezvousUnknown(peerId.slice()));
    return found.length > 0 ? found : undefined;
  }

  /** The addresses that a session reported; undefined: do not introduce it. */
  peerAddresses(session: FlashSession): readonly Address[] | undefined {
    const known = this.#connections.get(session);
    return known?.connection.state === "connected" ? known.farAddresses : undefined;
  }

  blocked(address: Address): boolean {
    return this.hub.blacklist.size > 0 && this.hub.blacklist.has(address.hostname);
  }

  /** Addresses for a redirection, without duplicates; the first one counts as observed. rtmfp-wire §7.6. */
  #addresses(texts: string[]): OriginAddress[] {
    const addresses: OriginAddress[] = [];
    for (const text of new Set(texts)) {
      const address = this.#address(text);
      if (!address || addresses.some((one) => addressText(one) === addressText(address))) continue;
      addresses.push({
        ...address,
        origin: addresses.length === 0 ? Origin.observed : Origin.reported,
      });
    }
    return addresses;
  }

  // Shared by all connections.
  readonly #whenOver = (session: FlashSession): void => {
    this.#connections.delete(session);
  };

  #address(text: string): Address | undefined {
    const address = parseAddress(text);
    if (address) return address;
    const [, host, port] = /^([^:[\]\s]+):(\d{1,5})$/.exec(text) ?? [];
    if (host === undefined) {
      this.hub.log("error", `Cannot redirect a client to "${text}": not an address`);
      return undefined;
    }
    const ip = this.options.resolve(host);
    return ip === undefined ? undefined : parseAddress(`${hostText(ip)}:${port}`);
  }
}
