// docs/scalability.md: its scripts that send clients to other servers, on several server processes,
// one of them killed and restarted meanwhile. The sample of the original's API page
// (OpenRTMFP/Cumulus wiki, "Server Application, API", onHandshake) runs unchanged but without
// its comments: tests/vectors/seed_balancing.lua.
import assert from "node:assert/strict";
import { NetConnection } from "../../src/client/net_connection.ts";
import { hello } from "../conformance/support/hello.ts";
import { PATIENCE, until } from "../support/wait.ts";
import { Cluster, script } from "./scalability.ts";

const sample = Deno.readTextFileSync(new URL("../vectors/seed_balancing.lua", import.meta.url));

Deno.test("The load-balancing sample of the original CumulusServer spreads clients evenly over three servers", async () => {
  await using cluster = await Cluster.start([sample, "", "", ""]);
  const [door, , second] = cluster.servers;
  const query = "acceptableAttempts=2";
  const come = async (count: number) => {
    for (let i = 0; i < count; i++) await cluster.connect(door, query);
  };
  await come(30);
  assert.deepEqual(cluster.spread(), [0, 10, 10, 10]);

  await second.end("SIGKILL");
  await door.logged(new RegExp(`^NOTE .*:${second.port} gone`));
  await cluster.leave(2); // the others notice it later
  await come(20);
  assert.deepEqual(cluster.spread(), [0, 20, 0, 20]);

  await cluster.restart(second);
  await come(30);
  assert.deepEqual(cluster.spread(), [0, 30, 10, 30]);

  // A client after too many attempts gets the addresses of all servers.
  const tag = crypto.getRandomValues(new Uint8Array(16));
  const knock = async () => (await hello(door.port, { path: `/?${query}`, tag })).addresses.length;
  assert.deepEqual([await knock(), await knock(), await knock()], [1, 1, 3]);
  assert.deepEqual(door.log.items.filter((line) => line.startsWith("ERROR")), []);
});

Deno.test("The script of docs/scalability.md redirects clients to the server with the fewest clients", async () => {
  const main = `${script("clients go to the server with the fewest")}
  local connected = onServerConnection
  function onServerConnection(server)
    connected(server)
    local balance = server.balance
    function server:balance(clients)
      balance(self, clients)
      NOTE("has heard of ", clients)
    end
  end`;
  await using cluster = await Cluster.start([main, main, main]);
  const [first, second, third] = cluster.servers;
  const even = (counts: number[], slack: number) =>
    assert.ok(Math.max(...counts) - Math.min(...counts) <= slack, counts.join());
  for (let i = 0; i < 24; i++) await cluster.connect(first);
  even(cluster.spread(), 2);
  await third.end("SIGKILL");
  await first.logged(new RegExp(`^NOTE .*:${third.port} gone`));
  await cluster.leave(2);
  for (let i = 0; i < 10; i++) await cluster.connect([first, second][i % 2]);
  const [one, other, none] = cluster.spread();
  assert.equal(none, 0);
  even([one, other], 2);
  const from = cluster.servers.map(({ log }) => log.items.length);
  await cluster.restart(third);
  const heard = (server: number) =>
    cluster.servers[server].log.items.slice(from[server]).flatMap((line) =>
      /has heard of (\d+)$/.exec(line)?.[1] ?? []
    );
  const counts = [one, other].map(String);
  await until(
    () =>
      heard(0).includes("0") && heard(1).includes("0") && heard(2).length >= 2 &&
      counts.every((count) => heard(2).includes(count)),
    "each other's numbers",
  );
  for (let i = 0; i < 10; i++) await cluster.connect(cluster.servers[i % 3]);
  even(cluster.spread(), 6); // each server's data about the others is up to 2 s old
  for (const { log } of cluster.servers) {
    assert.deepEqual(log.items.filter((line) => line.startsWith("ERROR")), []);
  }
});

Deno.test('onHandshake redirects a client back to its server with "again", and to several addresses', async () => {
  const door = `
  function onHandshake(address, path, properties, attempts)
    if path == "/later" and attempts == 1 then return "again" end
    if path == "/all" then return "127.0.0.1:1", cumulus.servers, "again" end
  end`;
  await using cluster = await Cluster.start([door, "", ""]);
  const [first, second, third] = cluster.servers;
  for (const name of ["later", "all"]) {
    for (const { dir } of cluster.servers) {
      Deno.mkdirSync(`${dir}/www/${name}`, { recursive: true });
      Deno.writeTextFileSync(`${dir}/www/${name}/main.lua`, "");
    }
  }
  const asked = (await hello(first.port, { path: "/later" })).addresses;
  assert.deepEqual(asked, [`127.0.0.1:${first.port}`]);
  const started = performance.now();
  const later = await NetConnection.connect(first.url("/later"), { timeout: PATIENCE });
  assert.ok(performance.now() - started >= 900, "the second hello comes after a second");
  assert.equal(later.session.address.port, first.port);
  await later.close();
  const expected = [1, second.port, third.port, first.port].map((port) => `127.0.0.1:${port}`);
  assert.deepEqual((await hello(first.port, { path: "/all" })).addresses, expected);
  // A live server answers; one may be dead.
  await third.end("SIGKILL");
  const all = await NetConnection.connect(first.url("/all"), { timeout: PATIENCE });
  assert.equal(all.session.address.port, second.port);
  await all.close();
});
