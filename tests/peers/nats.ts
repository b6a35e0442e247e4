// Runs a nats-server for a test.
import { freePort } from "../support/ports.ts";
import { until } from "../support/wait.ts";

export class NatsServer implements AsyncDisposable {
  readonly port = freePort();
  #child: Deno.ChildProcess | undefined;

  private constructor(readonly args: readonly string[]) {}

  static async start(...args: string[]): Promise<NatsServer> {
    const server = new NatsServer(args);
    await server.run();
    return server;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.#child!.pid;
  }

  /**
   * Starts the program, and waits until it listens.
   *
   * @throws {Error} if it ends before, for example because its port is in use
   */
  async run(): Promise<void> {
    const child = this.#child = new Deno.Command("nats-server", {
      args: ["-a", "127.0.0.1", "-p", String(this.port), ...this.args],
      env: { PATH: `${Deno.env.get("PATH")}:/usr/sbin` },
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    let code: number | undefined;
    void child.status.then((status) => code = status.code);
    await until(async () => {
      if (code !== undefined) throw new Error(`nats-server ended with ${code}`);
      try {
        (await Deno.connect({ hostname: "127.0.0.1", port: this.port })).close();
        return true;
      } catch {
        return false;
      }
    }, "nats-server");
  }

  signal(signal: Deno.Signal): void {
    this.#child?.kill(signal);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    child?.kill("SIGKILL");
    await child?.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
