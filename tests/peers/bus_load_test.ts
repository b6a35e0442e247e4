// Servers on a bus balance many clients, and drop the frames that a frozen bus does not accept.
import assert from "node:assert/strict";
import { NetConnection } from "../../src/client/net_connection.ts";
import { freePort } from "../support/ports.ts";
import { PATIENCE, until } from "../support/wait.ts";
import { connect, Frames, Servers } from "./bus_servers.ts";
import { NatsServer } from "./nats.ts";
import { peerTest } from "./peers.ts";

peerTest(
  "a server redirects 45 clients evenly to all 3 servers of the bus by `return cumulus.servers`",
  ["nats-server"],
  async () => {
    await using nats = await NatsServer.start();
    await using servers = new Servers(nats.url);
    const [a, b, c] = await Promise.all(["a", "b", "c"].map((zone) => servers.start(zone)));
    for (const [server, others] of [[a, "bc"], [b, "ac"], [c, "ab"]] as const) {
      for (const other of others) await server.logged(new RegExp(`met ${other}$`));
    }
    const url = a.url("/balance");
    const clients: NetConnection[] = [];
    for (let n = 0; n < 9; n++) {
      const some = Array.from(
        { length: 5 },
        () => NetConnection.connect(url, { timeout: PATIENCE }),
      );
      clients.push(...await Promise.all(some));
    }
    const counts = new Map<unknown, number>();
    for (const client of clients) {
      const where = await client.call("where");
      counts.set(where, (counts.get(where) ?? 0) + 1);
    }
    const all = [...counts.values()];
    assert.equal(all.length, 3, `${all}`);
    assert.ok(Math.min(...all) >= 10 && Math.max(...all) <= 21, `${all}`);
    await Promise.all(clients.map((client) => client.close()));
  },
);

/** Bytes of a frame, and maximum number of frames: 64 MiB, more than the bus and the buffers of TCP hold. */
const [FRAME, MOST] = [64 * 1024, 64 * 16];

peerTest(
  "a server queues 4 MiB of frames for a frozen bus and counts the dropped frames, and serves its own clients",
  ["nats-server"],
  async () => {
    await using nats = await NatsServer.start();
    await using servers = new Servers(nats.url);
    const http = freePort();
    const [a, b] = await Promise.all([
      servers.start("a", `[http]\nport = ${http}\n`),
      servers.start("b"),
    ]);
    await a.logged(/met b$/);
    const [ofA, ofB, another] = await Promise.all([a, b, a].map(connect));
    const stream = await ofA.createStream();
    await stream.publish("cam");
    const [remote, local] = [await Frames.of(b, "cam", ofB), await Frames.of(a, "cam", another)];
    let sent = 0;
    const send = (length: number, isKey: boolean) => {
      const frame = new Uint8Array(length);
      frame.set([isKey ? 0x17 : 0x27, 1]);
      stream.sendVideo(sent++, frame);
    };
    const last = ({ got }: Frames) => Number(/^v(\d+)/.exec(got.at(-1) ?? "")?.[1] ?? -1);
    send(100, true);
    await until(() => last(remote) === 0, "the first frame");
    const dropped = async () => {
      const metrics = await (await fetch(`http://127.0.0.1:${http}/metrics`)).text();
      const of = (kind: string) =>
        Number(
          new RegExp(`^cumulus_bus_dropped_total{kind="${kind}"} (\\d+)$`, "m").exec(metrics)![1],
        );
      return { media: of("media"), control: of("control") };
    };
    /** Freezes the bus and sends frames until the server drops some. @returns whether it did so in time */
    const flood = async () => {
      const from = a.log.items.length;
      nats.signal("SIGSTOP");
      for (let i = 0; i < MOST && (await dropped()).media === 0; i += 16) {
        for (let k = 0; k < 16; k++) send(FRAME, false);
        await until(() => last(local) === sent - 1, "frames at this server");
        // On a busy machine this may last until the server gives the bus up, and drops its queue.
        if (a.log.items.slice(from).some((line) => line.includes("Not connected to the bus"))) {
          nats.signal("SIGCONT");
          await a.logged(/met b$/, from);
          return false;
        }
      }
      ofA.send("say", "through all that");
      return true;
    };
    for (let tries = 1; !await flood(); tries++) assert.ok(tries < 5, "the server gave the bus up");
    const flooded = sent;
    const { media, control } = await dropped();
    nats.signal("SIGCONT");
    assert.ok(media > 0 && control === 0, `${media} and ${control} messages were dropped`);
    await b.logged(/heard through all that from a$/);
    await until(() => {
      send(100, true);
      return last(remote) > flooded;
    }, "frames at the other server");
    // After the gap no frame comes until a key frame; the frames before it are in order.
    const times = remote.got.map((frame) => Number(/^v(\d+)/.exec(frame)![1]));
    assert.deepEqual(times, times.toSorted((x, y) => x - y));
    const ofFlood = times.filter((time) => time < flooded).length;
    assert.ok(ofFlood < flooded, `${ofFlood} of ${flooded} frames came`);
    await Promise.all([ofA, ofB, another].map((client) => client.close()));
  },
);
