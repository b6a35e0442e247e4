// A stretch of network between a client and the server: it can lose packets, and move.
import { seeded } from "../../support/random.ts";

export interface RelayOptions {
  /** The address that the server sees; 127.0.0.1 unless told. */
  readonly hostname?: string;
  /** Share of packets lost, each way. */
  loss?: number;
  /** Milliseconds that each packet takes, from and to. */
  delay?: readonly [least: number, most: number];
  readonly seed?: number;
}

/** Takes the packets of one client on one port, and sends them on from another. */
export class UdpRelay {
  loss: number;
  /** Nothing gets through any more. */
  cut = false;
  delay: readonly [number, number];
  readonly #front: Deno.DatagramConn;
  #back: Deno.DatagramConn;
  #client: Deno.Addr | undefined;
  readonly #random: () => number;
  #closed = false;

  constructor(readonly serverPort: number, readonly options: RelayOptions = {}) {
    this.loss = options.loss ?? 0;
    this.delay = options.delay ?? [0, 0];
    this.#random = seeded(options.seed ?? 1);
    this.#front = bind("127.0.0.1");
    this.#back = this.#open();
    this.#pump(this.#front, (bytes, from) => {
      this.#client = from;
      this.#pass(() => this.#back.send(bytes, this.#server));
    });
  }

  /** Where the client connects to. */
  get port(): number {
    return (this.#front.addr as Deno.NetAddr).port;
  }

  /** The address that the server sees. */
  get address(): string {
    const { hostname, port } = this.#back.addr as Deno.NetAddr;
    return `${hostname}:${port}`;
  }

  /** From now on the server sees another port. */
  move(): void {
    this.#back.close();
    this.#back = this.#open();
  }

  close(): void {
    this.#closed = true;
    this.#front.close();
    this.#back.close();
  }

  get #server(): Deno.NetAddr {
    return { transport: "udp", hostname: "127.0.0.1", port: this.serverPort };
  }

  #open(): Deno.DatagramConn {
    const back = bind(this.options.hostname ?? "127.0.0.1");
    this.#pump(back, (bytes) => {
      const client = this.#client;
      if (client) this.#pass(() => this.#front.send(bytes, client));
    });
    return back;
  }

  #pass(send: () => Promise<unknown>): void {
    if (this.cut || this.#random() < this.loss) return;
    const [least, most] = this.delay;
    const go = () => {
      if (!this.#closed) send().catch(() => {});
    };
    if (most === 0) go();
    else setTimeout(go, least + this.#random() * (most - least));
  }

  async #pump(
    socket: Deno.DatagramConn,
    take: (bytes: Uint8Array, from: Deno.Addr) => void,
  ): Promise<void> {
    try {
      for (;;) {
        const [bytes, from] = await socket.receive();
        take(bytes, from);
      }
    } catch {
      // closed
    }
  }
}

function bind(hostname: string): Deno.DatagramConn {
  return Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
}
