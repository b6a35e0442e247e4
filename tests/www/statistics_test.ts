import assert from "node:assert/strict";
import { Peer } from "../conformance/support/peer.ts";
import { keyFrame } from "../conformance/support/media.ts";
import { www } from "./support.ts";

type Statistics = Record<string, unknown> & { streams: Record<string, unknown>[] };

www(
  "sends clients the figures every 2 s, and on request",
  "statistics",
  async ({ server, connect }) => {
    const watcher = await connect();
    const other = await Peer.connect(server.url("/"));
    const stream = await other.publish("show");
    const playing = await other.play("show");
    stream.net.sendVideo(0, keyFrame(1, 5000));
    await playing.packet("video");
    const before = Date.now();
    const now = await watcher.call("statistics") as Statistics;
    const time = (now.time as Date).getTime();
    assert.ok(time >= before - 2 && time <= Date.now() + 2, `${time - before} ms`);
    assert.deepEqual(now.applications, { "/": 1, "/statistics": 1 });
    assert.deepEqual([now.clients, now.groups, now.servers], [2, 0, 0]);
    const [show] = now.streams;
    assert.deepEqual([show.name, show.listeners, show.lost, show.droppedFrames], ["show", 1, 0, 0]);
    assert.ok(show.bytesPerSecond as number > 0);
    await watcher.called("onStatistics", watcher.calls.items.length); // which has counted the two
    await other.close();
    const from = watcher.calls.items.length;
    const [later] = await watcher.called("onStatistics", from) as unknown as [Statistics];
    assert.deepEqual([later.clients, later.mostClients, later.streams], [1, 2, []]);
  },
);

www("refuses clients without the configured password", "statistics", async ({ connect }) => {
  await assert.rejects(connect(), /That is not the password/);
  await assert.rejects(connect(["guess"]), /That is not the password/);
  const watcher = await connect(["let me see"]);
  assert.equal((await watcher.call("statistics") as Statistics).clients, 1);
}, { ini: "[statistics]\npassword = let me see\n", refuses: /password$/ });
