// The servers of docs/scalability.md as processes with the page's scripts, and their clients.
import { NetConnection } from "../../src/client/net_connection.ts";
import { type ServerOptions, TestServer } from "../conformance/support/test_server.ts";
import { freePort } from "../support/ports.ts";
import { PATIENCE } from "../support/wait.ts";

const page = Deno.readTextFileSync(new URL("../../docs/scalability.md", import.meta.url));

/** A script of the page, found by its first line. */
export function script(about: string): string {
  for (const [, text] of page.matchAll(/```lua\n([\s\S]*?)```/g)) {
    if (text.split("\n")[0].endsWith(`: ${about}`)) return text;
  }
  throw new Error(`docs/scalability.md has no script "${about}"`);
}

/** Servers, each of which dials all earlier ones, and clients; all end with the test. */
export class Cluster implements AsyncDisposable {
  readonly servers: TestServer[] = [];
  readonly clients = new Set<NetConnection>();
  readonly #linkPorts: number[] = [];

  static async start(scripts: readonly string[]): Promise<Cluster> {
    const cluster = new Cluster();
    try {
      for (const main of scripts) await cluster.add(main);
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  async add(main: string, more: Partial<ServerOptions> = {}): Promise<TestServer> {
    const port = freePort();
    const targets = this.#linkPorts.map((port) => `127.0.0.1:${port}`).join(";");
    this.#linkPorts.push(port);
    const ini = `[servers]\nport = ${port}\ntargets = ${targets}\n`;
    const server = await TestServer.start({ www: { "": main }, ini, level: 6, ...more });
    this.servers.push(server);
    for (const other of this.servers) if (other !== server) await linked(other, server);
    return server;
  }

  /** Restarts a killed server, and waits until the others are linked to it. */
  async restart(server: TestServer): Promise<void> {
    const others = this.servers.filter((other) => other !== server);
    const from = others.map(({ log }) => log.items.length);
    await server.run();
    for (const [i, other] of others.entries()) await linked(other, server, from[i]);
  }

  /** Connects to a server; {@link at} shows where it was redirected. */
  async connect(server: TestServer, query = ""): Promise<NetConnection> {
    const client = await NetConnection.connect(server.url("", query), { timeout: PATIENCE });
    this.clients.add(client);
    client.handler.onClose = () => this.clients.delete(client);
    return client;
  }

  /** Closes the clients of a server. */
  async leave(server: number): Promise<void> {
    const leaving = [...this.clients].filter((client) => this.at(client) === server);
    await Promise.all(leaving.map((client) => client.close()));
  }

  /** Number of clients of each server, in order. */
  spread(): number[] {
    const counts = this.servers.map(() => 0);
    for (const client of this.clients) counts[this.at(client)]++;
    return counts;
  }

  /** The server of a client. */
  at(client: NetConnection): number {
    return this.servers.findIndex(({ port }) => port === client.session.address.port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.clients].map((client) => client.close()));
    await Promise.all(this.servers.map((server) => server.stop()));
  }
}

/** Waits until a server has logged the link with another one. */
async function linked(here: TestServer, there: TestServer, from = 0): Promise<void> {
  await here.logged(new RegExp(`^NOTE .*:${there.port} linked`), from);
}
