// The other end of a script's TCP connection.
import { Inbox } from "./inbox.ts";

export class TcpPeer {
  /** Texts as they came, a byte a character. */
  readonly chunks = new Inbox<string>();
  readonly ends = new Inbox<true>();

  constructor(readonly connection: Deno.TcpConn) {
    this.#pump();
  }

  static async connect(port: number): Promise<TcpPeer> {
    return new TcpPeer(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  /** All that has come. */
  get text(): string {
    return this.chunks.items.join("");
  }

  /** Waits until that much has come. @throws {Timeout} */
  async received(length: number): Promise<string> {
    await this.chunks.find(() => this.text.length >= length, `${length} bytes`);
    return this.text;
  }

  async send(bytes: Uint8Array | string): Promise<void> {
    const data = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
    for (let at = 0; at < data.length;) at += await this.connection.write(data.subarray(at));
  }

  /** Waits for the other end's end. @throws {Timeout} */
  ended(): Promise<true> {
    return this.ends.find(() => true, "the end of the connection");
  }

  close(): void {
    try {
      this.connection.close();
    } catch {
      // it was closed before
    }
  }

  async #pump(): Promise<void> {
    const buffer = new Uint8Array(65536);
    try {
      for (let n; (n = await this.connection.read(buffer)) !== null;) {
        this.chunks.push(String.fromCharCode(...buffer.subarray(0, n)));
      }
    } catch {
      // closed by this end
    }
    this.ends.push(true);
  }
}

/** A port that scripts connect to. */
export class TcpHost {
  readonly accepted = new Inbox<TcpPeer>();
  #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });

  constructor() {
    this.#accept();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  /** The nth connection. @throws {Timeout} */
  peer(place = 0): Promise<TcpPeer> {
    let left = place;
    return this.accepted.find(() => left-- === 0, `connection ${place}`);
  }

  close(): void {
    this.#listener.close();
    for (const peer of this.accepted.items) peer.close();
  }

  async #accept(): Promise<void> {
    try {
      for (;;) this.accepted.push(new TcpPeer(await this.#listener.accept()));
    } catch {
      // closed
    }
  }
}
