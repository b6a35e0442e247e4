// A TCP connection that can be cut or stalled between two programs.
export class TcpProxy implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections = new Set<Deno.TcpConn>();
  #state: "open" | "cut" | "stalled" = "open";
  #wakeUp: () => void = () => {};
  #awake: Promise<void> = Promise.resolve();

  /** @param target port on 127.0.0.1 */
  constructor(readonly target: number) {
    this.#accept();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  /** Closes all connections, also new ones. */
  cut(): void {
    this.#set("cut");
    for (const connection of this.#connections) this.#close(connection);
  }

  /** Holds all connections and their bytes. */
  stall(): void {
    this.#set("stalled");
  }

  /** Forwards all bytes, including held ones. */
  heal(): void {
    this.#set("open");
  }

  [Symbol.dispose](): void {
    this.cut();
    this.#listener.close();
  }

  #set(state: "open" | "cut" | "stalled"): void {
    this.#state = state;
    if (state !== "stalled") return this.#wakeUp();
    this.#awake = new Promise((resolve) => this.#wakeUp = resolve);
  }

  async #accept(): Promise<void> {
    for await (const near of this.#listener) {
      if (this.#state === "cut") {
        near.close();
        continue;
      }
      this.#connections.add(near);
      const far = await Deno.connect({ hostname: "127.0.0.1", port: this.target }).catch(() => {});
      if (!far) {
        this.#close(near);
        continue;
      }
      this.#connections.add(far);
      this.#pass(near, far);
      this.#pass(far, near);
    }
  }

  async #pass(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
    const bytes = new Uint8Array(64 * 1024);
    try {
      for (;;) {
        const length = await from.read(bytes);
        if (length === null) break;
        await this.#awake;
        for (let at = 0; at < length;) at += await to.write(bytes.subarray(at, length));
      }
    } catch {
      // the connection was cut
    }
    this.#close(from);
    this.#close(to);
  }

  #close(connection: Deno.TcpConn): void {
    if (!this.#connections.delete(connection)) return;
    try {
      connection.close();
    } catch {
      // already closed
    }
  }
}
