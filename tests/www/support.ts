// The applications that come with the server, on a real one.
import { Peer, type PeerOptions } from "../conformance/support/peer.ts";
import { TestServer } from "../conformance/support/test_server.ts";

const folder = new URL("../../www/", import.meta.url);

/** The text of `www/<name>/main.lua`. */
const shipped = (name: string): string =>
  Deno.readTextFileSync(new URL(`${name}/main.lua`, folder));

export interface Www {
  readonly server: TestServer;
  /** Connects a client to the application, with parameters for its onConnection. */
  connect(parameters?: PeerOptions["parameters"], query?: string): Promise<Peer>;
}

export interface WwwOptions {
  /** CumulusServer.ini but for the port. */
  readonly ini?: string;
  /** What the script refuses: the errors that may be in the log. */
  readonly refuses?: RegExp;
}

/** Runs a test with a server that has one of the applications, and fails if that logged an error. */
export function www(
  title: string,
  name: string,
  test: (t: Www) => Promise<void>,
  { ini = "", refuses }: WwwOptions = {},
): void {
  Deno.test(`www/${name}: ${title}`, async () => {
    const server = await TestServer.start({ www: { [`/${name}`]: shipped(name) }, ini });
    const peers: Peer[] = [];
    try {
      await test({
        server,
        async connect(parameters = [], query = "") {
          const peer = await Peer.connect(server.url(`/${name}`, query), { parameters });
          peers.push(peer);
          return peer;
        },
      });
    } finally {
      for (const peer of peers) await peer.close();
      await server.stop();
    }
    const errors = server.log.items.filter((line) =>
      /^(ERROR|CRITIC)/.test(line) && !refuses?.test(line)
    );
    if (errors.length > 0) throw new Error(errors.join("\n"));
  });
}
