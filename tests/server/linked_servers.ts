// Servers as processes that link to each other, and log what their scripts receive.
import { type ServerOptions, TestServer } from "../conformance/support/test_server.ts";

const script = `
function onServerConnection(server)
  NOTE("there are ", cumulus.servers.count)
  function server:say(text) NOTE("heard ", text) end
  server:send("say", "hello from " .. cumulus.configs.me.name)
end
function onServerDisconnection(server) NOTE("there are ", cumulus.servers.count) end
`;

/** Servers that are stopped when the test ends. */
export class Servers implements AsyncDisposable {
  readonly #all: TestServer[] = [];

  async start(name: string, servers: string, more: Partial<ServerOptions> = {}) {
    const ini = `[me]\nname = ${name}\n[servers]\n${servers}`;
    const server = await TestServer.start({ www: { "": script }, ini, ...more });
    this.#all.push(server);
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#all.map((server) => server.stop()));
  }
}

/** The script's log lines about links. */
export const linkLines = ({ log }: TestServer) =>
  log.items.filter((line) => /there are|heard/.test(line)).map((line) =>
    line.replace(/^.*(?=there are|heard)/, "")
  );
