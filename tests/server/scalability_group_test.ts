// docs/scalability.md: its script that joins groups of several servers, which are killed and restarted.
import assert from "node:assert/strict";
import type { NetGroup } from "../../src/client/net_group.ts";
import type { TestServer } from "../conformance/support/test_server.ts";
import { until } from "../support/wait.ts";
import { Cluster, script } from "./scalability.ts";

Deno.test("Several servers share one group, and its peers find each other", async () => {
  const main = script("their groups are one");
  await using cluster = await Cluster.start([main, main, main]);
  const [first, second, third] = cluster.servers;
  const join = async (server: TestServer): Promise<{ id: string; group: NetGroup }> => {
    const client = await cluster.connect(server);
    return { id: client.nearId, group: client.joinGroup("G:everybody") };
  };
  const meet = (members: { id: string; group: NetGroup }[]) =>
    until(
      () =>
        members.every(({ id, group }) =>
          members.every((other) => other.id === id || group.neighbors.includes(other.id))
        ),
      "everybody is a neighbor of everybody",
    );
  const [one, two] = [await join(first), await join(second)];
  await meet([one, two]);
  const three = await join(first);
  await meet([one, two, three]);

  // One peer's server dies: connected peers stay connected.
  await second.end("SIGKILL");
  await first.logged(new RegExp(`^NOTE .*:${second.port} gone`));
  await meet([one, two, three]);
  const four = await join(third);
  await until(() => one.group.neighbors.includes(four.id), "a member at the third server");
  await until(() => three.group.neighbors.includes(four.id), "and the other one");
  assert.ok(!four.group.neighbors.includes(two.id), "it is in no member list any more");

  // The restarted server learns the members of the other servers.
  await cluster.restart(second);
  const five = await join(second);
  await meet([one, three, four, five]);
  for (const { log } of cluster.servers) {
    assert.deepEqual(log.items.filter((line) => line.startsWith("ERROR")), []);
  }
});
