// Users of a nats-server, and the message of a server without permission.
import assert from "node:assert/strict";
import { TestServer } from "../conformance/support/test_server.ts";
import { connect, Servers } from "./bus_servers.ts";
import { NatsServer } from "./nats.ts";
import { jwtUser, type KeyUser, nkeyUser } from "./nats_users.ts";
import { peerTest } from "./peers.ts";

for (
  const [what, userOf] of [["an nkey seed", nkeyUser], ["JWT and seed", jwtUser]] as const
) {
  peerTest(
    `servers meet on the bus with a user authorized by ${what}`,
    ["nats-server"],
    async () => {
      const dir = await Deno.makeTempDir();
      const write = (name: string, text: string) => {
        Deno.writeTextFileSync(`${dir}/${name}`, text);
        return `${dir}/${name}`;
      };
      const [user, stranger]: KeyUser[] = [userOf("mine"), userOf("mine")];
      await using nats = await NatsServer.start("-c", write("nats.conf", user.conf));
      await using servers = new Servers(nats.url);
      const own = `cluster = mine\ncredentials = ${write("user.creds", user.file)}\n`;
      const [a, , c, d] = await Promise.all([
        servers.start("a", own),
        servers.start("b", own),
        servers.start(
          "c",
          `cluster = mine\ncredentials = ${write("stranger.creds", stranger.file)}\n`,
        ),
        servers.start("d", own.replace("mine", "yours")),
      ]);
      await a.logged(/met b$/);
      await c.logged(/^WARN .*Bus: .*[Aa]uthoriz/);
      await d.logged(/^WARN .*Bus: .*ermissions? [Vv]iolation.*cum\.yours/);
      for (const server of servers.all) {
        assert.ok(!server.log.items.some((line) => /SU[A-Z2-7]{20}|eyJ/.test(line)));
      }
      assert.ok(!a.log.items.some((line) => /met [cd]$/.test(line)));
      await Deno.remove(dir, { recursive: true });
    },
  );
}

peerTest(
  "the server logs repeated refusals of the bus once for each kind of subject",
  ["nats-server"],
  async () => {
    const file = await Deno.makeTempFile({ suffix: ".conf" });
    Deno.writeTextFileSync(
      file,
      `authorization { users = [ { user: cumulus, password: sesame, permissions: {
      publish: { deny: ["cum.cumulus.hb", "cum.cumulus.pub.>"] } } } ] }`,
    );
    await using nats = await NatsServer.start("-c", file);
    await using servers = new Servers(nats.url);
    const a = await servers.start("a", "user = cumulus\npassword = sesame\n");
    const client = await connect(a);
    for (const name of ["one", "two"]) await (await client.createStream()).publish(name);
    const refusals = () => a.log.items.filter((line) => /Violation|violation/.test(line));
    await a.logged(/Bus: .*iolation.*\.ctl/);
    const from = a.log.items.length;
    // The server repeats claims of both names and heartbeats, and the bus refuses them.
    for (let n = 0, at = from; n < 6; n++) {
      await a.logged(/Bus: .*iolation.*\.hb/, at);
      at = a.log.items.length;
    }
    await a.logged(/Bus: .*iolation.*\.ctl/, from);
    const warnings = refusals().filter((line) => line.startsWith("WARN"));
    assert.equal(warnings.length, 2, warnings.join("\n"));
    await client.close();
    await Deno.remove(file);
  },
);

Deno.test("a server does not start with an invalid file in [bus], and its error names the file", async () => {
  const bus = "publicAddress = 127.0.0.1:1935\n[bus]\nservers = nats://127.0.0.1:4222\n";
  const cases: [string, RegExp][] = [
    ["credentials = missing.creds\n", /\[bus\] credentials = missing\.creds: No such file/],
    ["credentials = README.md\n", /\[bus\] credentials = .*: no user seed/],
    ["ca = missing.pem\n", /\[bus\] ca = missing\.pem: No such file/],
  ];
  for (const [line, message] of cases) {
    const server = await TestServer.prepare({ ini: bus + line });
    assert.equal(await server.exit(), 1);
    await server.logged(message);
    await server.stop();
  }
});
