import { mapped } from "../../../common/ip.ts";
import { sleep } from "../../../common/wait.ts";
import { MESSAGE_COST, READ_WINDOW } from "../messages.ts";
import { remember } from "./closing.ts";
import { addressOf, isIpv4, say, textOf } from "./output.ts";

/** Open sockets by id. */
export const datagrams = new Map<number, WorkerDatagramSocket>();

/** One UDP socket of a script. */
export class WorkerDatagramSocket {
  readonly #socket: Deno.DatagramConn;
  /** Whether it is an IPv6 socket, for which IPv4 addresses are mapped into IPv6. */
  readonly #ipv6: boolean;
  readonly #ended: Promise<void>;
  #credit = READ_WINDOW;
  #resume: (() => void) | undefined;

  constructor(
    readonly id: number,
    hostname: string,
    port: number,
    readonly ipv6Only: boolean,
  ) {
    this.#socket = Deno.listenDatagram({
      transport: "udp",
      hostname,
      port,
      reuseAddress: port !== 0,
    });
    this.#ipv6 = hostname.includes(":");
    datagrams.set(id, this);
    this.#ended = this.#receive();
  }

  get port(): number {
    return (this.#socket.addr as Deno.NetAddr).port;
  }

  async send(bytes: Uint8Array, hostname: string, port: number): Promise<void> {
    try {
      const wire = this.#ipv6 ? mapped(hostname) : hostname;
      await this.#socket.send(bytes, { transport: "udp", hostname: wire, port });
    } catch (error) {
      if (datagrams.has(this.id)) say({ ev: "failed", id: this.id, error: textOf(error) });
    }
    say({ ev: "written", id: this.id, bytes: bytes.length });
  }

  credit(bytes: number): void {
    this.#credit += bytes;
    if (this.#credit > 0) this.#resume?.();
  }

  end(): void {
    datagrams.delete(this.id);
    this.#resume?.();
    remember(`udp ${this.port}`, this.#ended);
    this.#socket.close();
  }

  async #receive(): Promise<void> {
    const buffer = new Uint8Array(65_536);
    while (datagrams.has(this.id)) {
      try {
        if (this.#credit <= 0) { // the script is too slow: the system drops datagrams
          await new Promise<void>((resolve) => this.#resume = resolve);
          continue;
        }
        const [view, from] = await this.#socket.receive(buffer);
        if (this.ipv6Only && isIpv4(from as Deno.NetAddr)) continue;
        const bytes = view.slice();
        this.#credit -= bytes.length + MESSAGE_COST;
        say(
          { ev: "datagram", id: this.id, bytes, from: addressOf(from as Deno.NetAddr) },
          bytes.buffer,
        );
      } catch (error) {
        if (!datagrams.has(this.id)) return;
        say({ ev: "failed", id: this.id, error: textOf(error) });
        await sleep(100);
      }
    }
  }
}
