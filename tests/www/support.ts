// Runs the applications of `www` on a real server.
import { Peer, type PeerOptions } from "../conformance/support/peer.ts";
import { TestServer } from "../conformance/support/test_server.ts";

const folder = new URL("../../www/", import.meta.url);

/** The texts of the scripts in `www/<name>`, as `TestServer` takes them. */
export const shipped = (name: string): Record<string, string> =>
  Object.fromEntries(
    [...Deno.readDirSync(new URL(`${name}/`, folder))].filter((file) => file.name.endsWith(".lua"))
      .map((file) => [
        `www/${name}/${file.name}`,
        Deno.readTextFileSync(new URL(`${name}/${file.name}`, folder)),
      ]),
  );

export interface Www {
  readonly server: TestServer;
  /** Connects a client to the application, with parameters for its onConnection. */
  connect(parameters?: PeerOptions["parameters"], query?: string): Promise<Peer>;
}

export interface WwwOptions {
  /** CumulusServer.ini without the port. */
  readonly ini?: string;
  /** Matches log lines of refusals by the script, which are no failures. */
  readonly refuses?: RegExp;
}

/**
 * Runs a test with a server that has one of the applications, and fails if that logged an error.
 *
 * @param title end of the test's name, which begins with `www/<name>`
 * @param options options, or a function that makes them when the test begins
 */
export function www(
  title: string,
  name: string,
  test: (t: Www) => Promise<void>,
  options: WwwOptions | (() => WwwOptions) = {},
): void {
  Deno.test(`www/${name} ${title}`, async () => {
    const { ini = "", refuses } = typeof options === "function" ? options() : options;
    const server = await TestServer.start({ www: shipped(name), ini });
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
